// Package company invents the demo's company: its people, and the three directories that hold them. The same seed
// gives the same company, so the embedded LDIF files can be checked against it.
package company

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// People is how many persons each directory has.
const People = 200

// The company's mail domains. All are reserved for examples (RFC 2606, RFC 6761), so nothing can ever be sent there.
const (
	mainDomain  = "example.com"
	aliasDomain = "example.net"
	// booksDomain is internationalised; booksDomainASCII is the same domain as A-labels.
	booksDomain      = "bücher.example"
	booksDomainASCII = "xn--bcher-kva.example"
	partnerDomain    = "partner.example"
)

// language is a pool of names, each "as written|as in a login".
type language struct{ given, family string }

// languages spread over the scripts that a directory shows. Each name is common in its country; the persons are
// invented.
func languages() []language {
	return []language{
		{"Alice|alice Oliver|oliver Grace|grace Samuel|samuel Ruth|ruth Henry|henry",
			"Fletcher|fletcher Okafor|okafor Whitfield|whitfield O'Neill|oneill Marsh|marsh Bennett|bennett"},
		{"Jürgen|juergen Anke|anke Käthe|kaethe Lukas|lukas Heike|heike Björn|bjoern",
			"Müller|mueller Groß|gross Schäfer|schaefer Vogt|vogt Krüger|krueger Brandt|brandt"},
		{"Élodie|elodie Benoît|benoit Chloé|chloe Mathieu|mathieu Anaïs|anais Rémi|remi",
			"Lefèvre|lefevre Garnier|garnier Bérard|berard Moreau|moreau d'Aubigné|daubigne Fournier|fournier"},
		{"Íñigo|inigo Lucía|lucia Martín|martin Sofía|sofia Joaquín|joaquin Inés|ines",
			"Núñez|nunez Ibáñez|ibanez Castro|castro Peña|pena Domínguez|dominguez Vega|vega"},
		{"Łukasz|lukasz Małgorzata|malgorzata Paweł|pawel Żaneta|zaneta Wojciech|wojciech Ewa|ewa",
			"Wiśniewski|wisniewski Dąbrowski|dabrowski Zięba|zieba Król|krol Wójcik|wojcik Gołąb|golab"},
		{"Søren|soeren Åsa|asa Bjarne|bjarne Ragnhild|ragnhild Øyvind|oyvind Linnéa|linnea",
			"Sjöberg|sjoberg Ødegård|odegard Lindqvist|lindqvist Kjær|kjaer Håkansson|hakansson Dahl|dahl"},
		{"Çiğdem|cigdem Emre|emre Gülşen|gulsen Işıl|isil Oğuz|oguz Deniz|deniz",
			"Yılmaz|yilmaz Öztürk|ozturk Şahin|sahin Çelik|celik Aydın|aydin Koç|koc"},
		{"Nguyễn|nguyen Thảo|thao Hùng|hung Linh|linh Đức|duc Phượng|phuong",
			"Trần|tran Phạm|pham Đỗ|do Bùi|bui Lê|le Hoàng|hoang"},
		{"Ελένη|eleni Γιώργος|giorgos Σοφία|sofia Νίκος|nikos Κατερίνα|katerina Δημήτρης|dimitris",
			"Παπαδόπουλος|papadopoulos Νικολάου|nikolaou Βασιλείου|vasileiou " +
				"Ιωάννου|ioannou Μακρής|makris Αλεξίου|alexiou"},
		{"Ольга|olga Дмитро|dmytro Наталія|natalia Андрій|andriy Ірина|iryna Сергій|serhiy",
			"Шевченко|shevchenko Коваль|koval Бондар|bondar Мельник|melnyk Лисенко|lysenko Кравець|kravets"},
		{"花子|hanako 太郎|taro 美咲|misaki 健一|kenichi 陽子|yoko 翔太|shota",
			"山田|yamada 佐藤|sato 鈴木|suzuki 高橋|takahashi 渡辺|watanabe 中村|nakamura"},
		{"伟|wei 芳|fang 娜|na 强|qiang 静|jing 磊|lei", "王|wang 李|li 张|zhang 刘|liu 陈|chen 杨|yang"},
		{"ليلى|layla عمر|omar فاطمة|fatima يوسف|yusuf سارة|sara حسن|hassan",
			"حداد|haddad منصور|mansour نصار|nassar خوري|khoury سليم|salim عباس|abbas"},
		{"प्रिया|priya अर्जुन|arjun मीरा|meera विक्रम|vikram अनिता|anita राहुल|rahul",
			"शर्मा|sharma पटेल|patel गुप्ता|gupta राव|rao मेहता|mehta सिंह|singh"},
	}
}

func departments() []string {
	return []string{
		"Sales", "Finance", "Engineering", "Customer Care", "Legal", "Warehouse", "Human Resources", "Marketing",
	}
}

func offices() []string { return []string{"London", "Berlin", "New York", "Osaka"} }

// person is one employee.
type person struct {
	number        int
	given, family string
	// login is given.family in ASCII, unique.
	login      string
	department string
	office     string
}

// display is the name as the company's address book shows it.
func (p person) display() string { return p.given + " " + p.family }

// initial is the short form of the login: a letter and the family name, and the number that keeps it unique.
func (p person) initial() string {
	_, family, _ := strings.Cut(p.login, ".")
	return fmt.Sprintf("%c%s%d", p.login[0], family, p.number)
}

// people invents n persons with different logins.
func people(r *rand.Rand, n int) []person {
	pools := languages()
	taken := make(map[string]bool, n)
	all := make([]person, 0, n)
	for len(all) < n {
		pool := pools[len(all)%len(pools)]
		given, givenLogin := pick(r, pool.given)
		family, familyLogin := pick(r, pool.family)
		login := givenLogin + "." + familyLogin
		if taken[login] {
			continue
		}
		taken[login] = true
		all = append(all, person{
			number: len(all) + 1, given: given, family: family, login: login,
			department: departments()[r.IntN(len(departments()))], office: offices()[r.IntN(len(offices()))],
		})
	}
	return all
}

func pick(r *rand.Rand, pool string) (text, login string) {
	names := strings.Fields(pool)
	text, login, _ = strings.Cut(names[r.IntN(len(names))], "|")
	return text, login
}
