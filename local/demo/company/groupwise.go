package company

import (
	"strings"

	"rollcall/local/demo/ldif"
)

// groupwiseBase is the organisation in NDS; below it stands a unit for each department and one for the post office.
const groupwiseBase = "o=Example"

// groupwiseDomain is the domain of the GroupWise system's addresses.
const groupwiseDomain = "example.net"

// groupwise builds an NDS tree that GroupWise keeps its users in, as eDirectory's LDAP server shows it.
func (b *builder) groupwise() {
	b.add(groupwiseBase, "top", "organization").Add("o", "Example")
	for _, unit := range append(departments(), "GroupWise", "Services") {
		b.add("ou="+unit+","+groupwiseBase, "top", "organizationalUnit").Add("ou", unit)
	}
	reader := b.nds("reader", "Services", "inetOrgPerson")
	reader.Add("sn", "Reader")
	office := b.nds("po1", "GroupWise", "groupWisePostOffice")
	office.Add("description", "Post office of all users")
	for _, p := range b.people {
		b.groupwisePerson(p)
	}
	b.groupwiseFunctions()
}

// nds adds an entry with a name, a GUID and its class.
func (b *builder) nds(cn, unit, class string) *ldif.Entry {
	classes := []string{"top", class}
	if class == "inetOrgPerson" {
		classes = []string{"top", "person", "organizationalPerson", "inetOrgPerson", "ndsLoginProperties"}
	}
	e := b.add("cn="+escapeRDN(cn)+",ou="+unit+","+groupwiseBase, classes...)
	e.Add("cn", cn)
	e.Add("GUID", b.guid())
	return e
}

func (b *builder) groupwisePerson(p person) {
	e := b.nds(p.login, p.department, "inetOrgPerson")
	p.names(e)
	e.Add("l", p.office)
	e.Add("nGWPostOffice", "cn=po1,ou=GroupWise,"+groupwiseBase)
	primary := p.login + "@" + groupwiseDomain
	switch {
	case p.number%33 == 6:
		return // no mailbox
	case p.number == 58:
		primary = p.given + "." + p.family + "@" + groupwiseDomain // a local part outside ASCII
	case p.number == 12:
		primary = "Info@Example.NET" // what a resource has, by case
	}
	e.Add("mail", primary)
	for _, alias := range p.aliases() {
		if alias != primary {
			e.Add("mail", alias)
		}
	}
	switch {
	case p.number%30 == 11:
		e.Add("mail", strings.ToUpper(primary)) // its own address once more, by case
	case p.number%28 == 3:
		e.Add("mail", badAddress(p.number/28))
	case p.number == 100:
		e.Add("mail", p.login+"@"+booksDomainASCII) // the same address as its alias, written otherwise
	}
}

func (b *builder) groupwiseFunctions() {
	for _, f := range append(append(sharedMailboxes(), rooms()...), equipment()...) {
		e := b.nds(f.login, "GroupWise", "groupWiseResource")
		e.Add("description", f.name)
		e.Add("mail", f.login+"@"+groupwiseDomain)
	}
	board := b.nds("notices", "GroupWise", "groupWiseResource")
	board.Add("description", "Public folder")
	board.Add("mail", "notices@"+groupwiseDomain, "notice-board@"+groupwiseDomain)
	for _, department := range departments() {
		login := groupLogin(department)
		e := b.nds(login, "GroupWise", "groupWiseDistributionList")
		e.Add("description", department)
		e.Add("mail", login+"@"+groupwiseDomain)
		for _, p := range b.people {
			if p.department == department {
				e.Add("member", "cn="+p.login+",ou="+department+","+groupwiseBase)
			}
		}
	}
	for _, c := range contacts() {
		e := b.nds(c.name, "GroupWise", "groupWiseExternalEntity")
		e.Add("sn", c.name)
		e.Add("mail", c.address)
	}
}
