package address

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Every character with case or composition by itself: the Unicode tables hold odd ones, such as İ, ẞ, the Kelvin sign,
// final sigma, and spaces that are not the space.
func TestCanonicalFormOfEveryCharacter(t *testing.T) {
	t.Parallel()
	for r := rune(0); r < 0x1f000; r++ {
		if r >= 0x3400 && r < 0xa000 || r >= 0xac00 && r < 0xf900 || r >= 0x12000 && r < 0x1d000 {
			// Many thousands of signs without either.
			continue
		}
		for _, in := range []string{"a" + string(r) + "b@example.com", `"` + string(r) + `"@example.com`, "a@x" + string(r) + "y.com"} {
			first, err := Parse(in)
			if err != nil {
				continue
			}
			if again, err := Canonical(first.Key); err != nil || again != first.Key {
				t.Errorf("%q is canonically %q, and that is %q, %v", in, first.Key, again, err)
			}
			// What is shown leads back to the same user: people look users up by what they see.
			if shown, err := Canonical(first.Display); err != nil || shown != first.Key {
				t.Errorf("%q is canonically %q, but shown as %q, which is %q, %v", in, first.Key, first.Display, shown, err)
			}
		}
	}
}

// The short way that nearly all addresses take must not be a second opinion. A fuzzer seldom meets a plain address by chance.
func TestPlainAgreesWithTheSlowWay(t *testing.T) {
	t.Parallel()
	plainOnes := 0
	check := func(t interface{ Errorf(string, ...any) }, s string) {
		if !plain(s) {
			return
		}
		plainOnes++
		slow, slowErr := parse(s)
		fast, fastErr := Parse(s)
		if diff := cmp.Diff(slow, fast); diff != "" || slowErr != nil || fastErr != nil {
			t.Errorf("%q: slow %v, fast %v:\n%s", s, slowErr, fastErr, diff)
		}
	}
	piece := rapid.SampledFrom([]string{"a", "Z", "0", "x1", ".", "-", "_", "+", "xn--", strings.Repeat("b", 31), strings.Repeat("7", 32)})
	rapid.Check(t, func(t *rapid.T) {
		local := strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "local"), "")
		domain := strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "domain"), "")
		check(t, local+"@"+domain)
		check(t, "a"+local+"@a"+domain+".com")
	})
	// And every short text of the characters whose place matters.
	var all func(prefix string)
	all = func(prefix string) {
		check(t, prefix)
		for i := 0; len(prefix) < 7 && i < 5; i++ {
			all(prefix + "a1.-@"[i:i+1])
		}
	}
	all("")
	if plainOnes < 100 {
		t.Errorf("only %d texts were plain, so that little was compared", plainOnes)
	}
}

func TestNeedsSMTPUTF8(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"ann@example.com": false, "ann@müller.example": false, `"a b"@example.com`: false, "jörg@example.com": true, `"é a"@example.com`: true,
	} {
		if got, err := Parse(in); err != nil || got.NeedsSMTPUTF8 != want {
			t.Errorf("%q needs SMTPUTF8: %t, %v; want %t", in, got.NeedsSMTPUTF8, err, want)
		}
	}
}

func TestGUID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		// [MS-DTYP] 2.3.4.2: the first three groups are little-endian.
		"objectGUID":        {"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", "03020100-0504-0706-0809-0a0b0c0d0e0f"},
		"entryUUID":         {"597ae2f6-16a6-1027-98f4-d28b5365dc14", "597ae2f6-16a6-1027-98f4-d28b5365dc14"},
		"control character": {"a\x00", "6100"},
		"no text":           {"\xff\xfe", "fffe"},
	} {
		if got := guid([]byte(c.in)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// Sources fall back on the DN as their stable id, so that a form that changes when it is taken again would be a new source.
func FuzzNormalDN(f *testing.F) {
	for _, seed := range []string{" CN = Ann Lee , O=X ", "CN=a + OU=b,O=x", `CN=Lee\, Ann,O=x`, `cn=a\\ , o=x`, `CN=a\`, "CN=Ä,O=İ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dn string) {
		once := normalDN(shown([]byte(dn)))
		if again := normalDN(once); again != once {
			t.Errorf("%q is normally %q, and that is %q", dn, once, again)
		}
	})
}
