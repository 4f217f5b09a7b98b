package extract

import (
	"testing"
)

func TestGUID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		// [MS-DTYP] 2.3.4.2: the first three groups are little-endian.
		"objectGUID": {"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
			"03020100-0504-0706-0809-0a0b0c0d0e0f"},
		"entryUUID":         {"597ae2f6-16a6-1027-98f4-d28b5365dc14", "597ae2f6-16a6-1027-98f4-d28b5365dc14"},
		"control character": {"a\x00", "6100"},
		"no text":           {"\xff\xfe", "fffe"},
	} {
		if got := guid([]byte(c.in)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestSplitDN(t *testing.T) {
	t.Parallel()
	for dn, want := range map[string][2]string{
		"cn=a,dc=b,dc=c": {"cn=a", "dc=b,dc=c"}, "cn=a": {"cn=a", ""}, "": {"", ""}, ",": {"", ""},
		"cn=a,":        {"cn=a", ""},
		`cn=a\,b,dc=c`: {`cn=a\,b`, "dc=c"}, `cn=a\\,dc=c`: {`cn=a\\`, "dc=c"}, `cn=a\,`: {`cn=a\,`, ""},
		`cn=a\\\,b,dc=c`: {`cn=a\\\,b`, "dc=c"},
	} {
		if rdn, parent := splitDN(dn); rdn != want[0] || parent != want[1] {
			t.Errorf("splitDN(%q) = %q, %q; want %q", dn, rdn, parent, want)
		}
	}
}

// Sources fall back on the DN as their stable id, so that a form that changes when it is taken again would be a new
// source.
func FuzzNormalDN(f *testing.F) {
	for _, seed := range []string{" CN = Ann Lee , O=X ", "CN=a + OU=b,O=x", `CN=Lee\, Ann,O=x`, `cn=a\\ , o=x`,
		`CN=a\`, "CN=Ä,O=İ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dn string) {
		once := normalDN(shown([]byte(dn)))
		if again := normalDN(once); again != once {
			t.Errorf("%q is normally %q, and that is %q", dn, once, again)
		}
	})
}
