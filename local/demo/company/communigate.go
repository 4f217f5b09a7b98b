package company

import (
	"fmt"
	"strings"

	"rollcall/local/demo/ldif"
)

// communigateBase is the directory unit of a CommuniGate Pro cluster, with a domain below it for each mail domain.
const communigateBase = "o=Example"

// The CommuniGate server's mail domains.
const (
	communigateMain   = "example.org"
	communigateSecond = "shop.example.org"
)

// communigate builds the tree that a CommuniGate Pro server keeps when directory integration is on.
func (b *builder) communigate() {
	b.add(communigateBase, "top", "organization").Add("o", "Example")
	for _, domain := range []string{communigateMain, communigateSecond, booksDomainASCII} {
		b.add("cn="+domain+","+communigateBase, "top", "CommuniGateDomain").Add("cn", domain)
	}
	b.communigateEntry("reader", "Rollcall Reader", communigateMain, "inetOrgPerson", "CommuniGateAccount")
	for _, p := range b.people {
		b.communigateAccount(p)
	}
	b.communigateFunctions()
	b.communigateAliases()
}

func communigateDN(uid, domain string) string {
	return fmt.Sprintf("uid=%s,cn=%s,%s", escapeRDN(uid), domain, communigateBase)
}

// communigateEntry adds an entry with its names and classes.
func (b *builder) communigateEntry(uid, name, domain string, classes ...string) *ldif.Entry {
	e := b.add(communigateDN(uid, domain), append([]string{"top"}, classes...)...)
	e.Add("uid", uid)
	e.Add("cn", name)
	e.Add("sn", name)
	return e
}

// communigateDomain spreads the people over the domains.
func communigateDomain(p person) string {
	switch {
	case p.number%20 == 0:
		return booksDomainASCII
	case p.number%4 == 1:
		return communigateSecond
	}
	return communigateMain
}

func (b *builder) communigateAccount(p person) {
	domain := communigateDomain(p)
	e := b.communigateEntry(p.login, p.display(), domain,
		"person", "organizationalPerson", "inetOrgPerson", "CommuniGateAccount")
	e.Add("givenName", p.given)
	e.Add("ou", p.department)
	switch {
	case p.number%5 == 2: // no mail: the address is uid@domain
	case p.number%60 == 31:
		e.Add("mail", badAddress(p.number/60))
	case p.number == 64:
		e.Add("mail", p.given+"."+p.family+"@"+domain) // a local part outside ASCII
	case p.number == 39:
		e.Add("mail", "Sales@Example.ORG") // what the group has, by case
	default:
		e.Add("mail", p.login+"@"+domain)
	}
}

func (b *builder) communigateFunctions() {
	for _, f := range append(append(sharedMailboxes(), rooms()...), equipment()...) {
		e := b.communigateEntry(f.login, f.name, communigateMain, "inetOrgPerson", "CommuniGateAccount")
		e.Add("mail", f.login+"@"+communigateMain)
	}
	board := b.communigateEntry("public", "Public Folders", communigateMain, "inetOrgPerson", "CommuniGateAccount")
	board.Add("mail", "public@"+communigateMain)
	for _, department := range departments() {
		login := groupLogin(department)
		e := b.communigateEntry(login, department, communigateMain, "CommuniGateGroup")
		e.Add("mail", login+"@"+communigateMain)
		for _, p := range b.people {
			if p.department == department {
				e.Add("groupMember", p.login+"@"+communigateDomain(p))
			}
		}
	}
	for _, c := range contacts() { // address book entries, which the default filter leaves out
		name, _, _ := strings.Cut(c.address, "@")
		e := b.communigateEntry("contact-"+strings.ToLower(name), c.name, communigateMain, "inetOrgPerson")
		e.Add("mail", c.address)
	}
}

// communigateAliases adds the entries that give accounts more names, one of which points to an account that is gone.
func (b *builder) communigateAliases() {
	alias := func(uid, domain, account string) {
		e := b.add(communigateDN(uid, domain), "top", "alias")
		e.Add("uid", uid)
		e.Add("aliasedObjectName", account)
	}
	for _, p := range b.people {
		domain := communigateDomain(p)
		account := communigateDN(p.login, domain)
		if p.number%2 == 0 {
			alias(p.initial(), domain, account)
		}
		if p.number%3 == 0 && domain != communigateSecond {
			alias(p.login, communigateSecond, account)
		}
		if p.number%70 == 0 {
			alias(p.given, domain, account) // outside ASCII
		}
		if p.number%80 == 1 {
			alias("fax "+p.login, domain, account) // a space: no address
		}
	}
	for _, f := range sharedMailboxes() {
		alias(f.login+"-desk", communigateMain, communigateDN(f.login, communigateMain))
	}
	alias("sales", communigateSecond, communigateDN("sales", communigateMain))
	alias("former.colleague", communigateMain, communigateDN("gone.away", communigateMain))
}
