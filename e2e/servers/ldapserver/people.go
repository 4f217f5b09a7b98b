package ldapserver

import (
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"

	"rollcall/local/demo/ldif"
)

// PeopleBase is the base DN of People.
const PeopleBase = "dc=example,dc=com"

// People yields the base entry, ou=people, and n persons: user000001 to n in decimal. Each has a primary address in
// mail and proxyAddresses, every one an alias, and every fifth another, so there are PeopleAddresses(n) addresses. The
// same n gives the same entries.
func People(n int) iter.Seq[*ldif.Entry] {
	return func(yield func(*ldif.Entry) bool) {
		base := &ldif.Entry{DN: PeopleBase}
		base.Add("objectClass", "domain")
		base.Add("dc", "example")
		unit := &ldif.Entry{DN: "ou=people," + PeopleBase}
		unit.Add("objectClass", "organizationalUnit")
		unit.Add("ou", "people")
		if !yield(base) || !yield(unit) {
			return
		}
		for i := 1; i <= n; i++ {
			if !yield(person(i)) {
				return
			}
		}
	}
}

// SalesBase is where Sales are, as the forms of DNs before RFC 4514 write it.
const SalesBase = `OU="Sales, North",` + PeopleBase

// Sales yields a unit whose name has a comma, and n persons in it as directories without Exchange have them: mail, and
// an alias in the attribute that is named. Each has two addresses.
func Sales(n int, alias string) iter.Seq[*ldif.Entry] {
	return func(yield func(*ldif.Entry) bool) {
		const base = `ou=Sales\, North,` + PeopleBase
		unit := &ldif.Entry{DN: base}
		unit.Add("objectClass", "organizationalUnit")
		unit.Add("ou", "Sales, North")
		if !yield(unit) {
			return
		}
		for i := 1; i <= n; i++ {
			login := fmt.Sprintf("sales%04d", i)
			e := &ldif.Entry{DN: "uid=" + login + "," + base}
			e.Add("objectClass", "inetOrgPerson")
			e.Add("uid", login)
			e.Add("cn", "Sales "+strconv.Itoa(i))
			e.Add("sn", strconv.Itoa(i))
			e.Add("mail", login+"@example.com")
			e.Add(alias, fmt.Sprintf("s%d@example.net", i))
			if !yield(e) {
				return
			}
		}
	}
}

// PeopleAddresses returns how many different addresses People(n) have.
func PeopleAddresses(n int) int { return n + n + n/5 }

func person(i int) *ldif.Entry {
	login := fmt.Sprintf("user%06d", i)
	primary := login + "@example.com"
	e := &ldif.Entry{DN: "uid=" + login + ",ou=people," + PeopleBase}
	e.Add("objectClass", "inetOrgPerson", "user")
	e.Add("uid", login)
	e.Add("cn", "User "+strconv.Itoa(i))
	e.Add("sn", strconv.Itoa(i))
	e.Add("mail", primary)
	e.Add("proxyAddresses", "SMTP:"+primary, fmt.Sprintf("smtp:u%d@example.com", i))
	if i%5 == 0 {
		e.Add("proxyAddresses", "smtp:"+login+"@example.net")
	}
	e.Add("objectGUID", string(binary.LittleEndian.AppendUint64([]byte("people\x00\x01"), uint64(i))))
	e.Add("msExchRecipientTypeDetails", "1")
	e.Add("userAccountControl", "512")
	return e
}
