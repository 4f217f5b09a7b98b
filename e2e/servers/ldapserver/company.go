package ldapserver

import (
	"fmt"
	"iter"

	"rollcall/local/demo/ldif"
)

// What ActiveDirectory yields, besides its organisational unit.
const (
	// CompanyBase holds all of it.
	CompanyBase = "OU=Company," + SambaBase
	// CompanyUsers have a primary address and one alias each.
	CompanyUsers = 20
	// CompanyManyValues is how many proxyAddresses CN=Many has: more than two ranges of 1500.
	CompanyManyValues = 3200
	// CompanyEntries is how many entries have proxyAddresses: the users, CN=Many, a shared mailbox with a disabled
	// account, two groups and two contacts.
	CompanyEntries = CompanyUsers + 6
	// CompanyAddresses is how many different addresses they have.
	CompanyAddresses = 2*CompanyUsers + CompanyManyValues + 2 + 2 + 2
)

// Values of userAccountControl for accounts without a password: bit 32 lets them be so, bit 2 disables.
const (
	enabled  = "544"
	disabled = "546"
)

// ActiveDirectory yields a small company for Samba: users, a shared mailbox, groups, contacts, and an entry with more
// values than a domain controller gives at once.
func ActiveDirectory() iter.Seq[*ldif.Entry] {
	return func(yield func(*ldif.Entry) bool) {
		unit := &ldif.Entry{DN: CompanyBase}
		unit.Add("objectClass", "organizationalUnit")
		entries := []*ldif.Entry{unit}
		for i := 1; i <= CompanyUsers; i++ {
			login := fmt.Sprintf("user%02d", i)
			entries = append(entries, companyUser(fmt.Sprintf("User %02d", i), login, enabled, "1",
				login+"@example.com", fmt.Sprintf("u%d@example.com", i)))
		}
		many := make([]string, CompanyManyValues-1)
		for i := range many {
			many[i] = fmt.Sprintf("many%04d@example.com", i+1)
		}
		entries = append(entries,
			companyUser("Many", "many", enabled, "1", "many@example.com", many...),
			companyUser("Information", "info", disabled, "4", "info@example.com", "information@example.com"),
			companyRecipient("Sales", "group", "256", "sales@example.com"),
			companyRecipient("Board", "group", "256", "board@example.com"),
			companyRecipient("Notary", "contact", "64", "notary@partner.example"),
			companyRecipient("Courier", "contact", "64", "courier@partner.example"),
		)
		for _, e := range entries {
			if !yield(e) {
				return
			}
		}
	}
}

func companyUser(cn, login, control, details, primary string, aliases ...string) *ldif.Entry {
	e := companyRecipient(cn, "user", details, primary)
	e.Add("sAMAccountName", login)
	e.Add("userAccountControl", control)
	for _, alias := range aliases {
		e.Add("proxyAddresses", "smtp:"+alias)
	}
	return e
}

func companyRecipient(cn, class, details, primary string) *ldif.Entry {
	e := &ldif.Entry{DN: "CN=" + cn + "," + CompanyBase}
	e.Add("objectClass", class)
	e.Add("mail", primary)
	e.Add("proxyAddresses", "SMTP:"+primary)
	e.Add("msExchRecipientTypeDetails", details)
	return e
}
