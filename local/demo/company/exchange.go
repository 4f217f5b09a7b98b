package company

import (
	"strconv"
	"strings"

	"rollcall/local/demo/ldif"
)

// exchangeBase is the Active Directory domain; exchangeOrganisation the legacy name that X500 addresses carry.
const (
	exchangeBase         = "DC=example,DC=com"
	exchangeOrganisation = "/o=Example/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn="
)

// Values of msExchRecipientTypeDetails.
const (
	userMailbox         = 1
	sharedMailbox       = 4
	roomMailbox         = 16
	equipmentMailbox    = 32
	mailContact         = 64
	mailUser            = 128
	distributionGroup   = 256
	securityGroup       = 1024
	dynamicGroup        = 2048
	publicFolder        = 4096
	systemMailbox       = 16384
	arbitrationMailbox  = 8388608
	discoveryMailbox    = 536870912
	remoteUserMailbox   = 2147483648
	normalAccount       = "512"
	disabledAccount     = "514"
	universalGroup      = "8"
	universalSecurityID = "-2147483640"
)

// exchange builds an Active Directory domain with Exchange attributes.
func (b *builder) exchange() {
	b.exchangeContainers()
	b.exchangePeople()
	b.exchangeFunctions()
	b.exchangeGroups()
	b.exchangeContacts()
	b.exchangeSystem()
}

func (b *builder) exchangeContainers() {
	root := b.add(exchangeBase, "top", "domain", "domainDNS")
	root.Add("dc", "example")
	units := []string{
		"OU=Offices", "OU=Groups", "OU=Contacts", "OU=Shared Mailboxes", "OU=Rooms and Equipment",
		"OU=Service Accounts",
	}
	for _, office := range offices() {
		units = append(units, "OU="+office+",OU=Offices")
	}
	for _, unit := range units {
		name, _, _ := strings.Cut(strings.TrimPrefix(unit, "OU="), ",")
		b.add(unit+","+exchangeBase, "top", "organizationalUnit").Add("ou", name)
	}
	for _, container := range []string{"Users", "Microsoft Exchange System Objects"} {
		b.add("CN="+container+","+exchangeBase, "top", "container").Add("cn", container)
	}
	reader := b.account("Rollcall Reader", "OU=Service Accounts", "reader", normalAccount)
	reader.Add("description", "Reads the directory for Rollcall")
}

// account adds a user object, with a mailbox or without.
func (b *builder) account(cn, unit, login, control string) *ldif.Entry {
	e := b.add("CN="+escapeRDN(cn)+","+unit+","+exchangeBase, "top", "person", "organizationalPerson", "user")
	e.Add("cn", cn)
	e.Add("sAMAccountName", login[:min(len(login), 20)])
	e.Add("userPrincipalName", login+"@"+mainDomain)
	e.Add("objectCategory", "CN=Person,CN=Schema,CN=Configuration,"+exchangeBase)
	e.Add("objectGUID", b.guid())
	e.Add("userAccountControl", control)
	return e
}

// recipient gives an entry its addresses: the primary one first, then aliases as Exchange writes them.
func recipient(e *ldif.Entry, details int64, primary string, aliases ...string) {
	e.Add("mail", primary)
	e.Add("mailNickname", strings.SplitN(primary, "@", 2)[0])
	e.Add("proxyAddresses", "SMTP:"+primary)
	for _, alias := range aliases {
		e.Add("proxyAddresses", "smtp:"+alias)
	}
	e.Add("msExchRecipientTypeDetails", strconv.FormatInt(details, 10))
}

func (b *builder) exchangePeople() {
	for _, p := range b.people {
		cn := p.display()
		if p.office == "New York" {
			cn = p.family + ", " + p.given // a comma in the name, which the DN escapes
		}
		control := normalAccount
		if p.number%17 == 0 {
			control = disabledAccount // left the company; the mailbox stays
		}
		e := b.account(cn, "OU="+p.office+",OU=Offices", p.login, control)
		p.names(e)
		e.Add("department", p.department)
		b.exchangeMailbox(e, p)
	}
}

// exchangeMailbox gives a person's entry its addresses, and some of the entries the faults that real ones have.
func (b *builder) exchangeMailbox(e *ldif.Entry, p person) {
	primary, details := p.login+"@"+mainDomain, int64(userMailbox)
	switch {
	case p.number%40 == 7:
		return // an account without a mailbox
	case p.number%12 == 5:
		details = remoteUserMailbox
	case p.number == 44:
		primary = p.given + "." + p.family + "@" + mainDomain // a local part outside ASCII
	case p.number == 90:
		primary = p.login + "@" + booksDomainASCII
	}
	recipient(e, details, primary, p.aliases()...)
	switch {
	case p.number == 90:
		e.Add("proxyAddresses", "smtp:"+p.login+"@"+booksDomain) // the same address as its primary, written otherwise
	case p.number%30 == 11:
		e.Add("proxyAddresses", "smtp:"+strings.ToUpper(p.login)+"@Example.COM") // its own primary once more, by case
	case p.number%45 == 13:
		e.Add("proxyAddresses", "smtp:Sales@"+mainDomain) // a group has it as primary
	case p.number%28 == 3:
		e.Add("proxyAddresses", "smtp:"+badAddress(p.number/28))
	}
	if p.number%4 == 0 {
		e.Add("proxyAddresses", "X500:"+exchangeOrganisation+p.login, "SIP:"+primary)
	}
	if p.number%50 == 9 {
		e.Add("msExchHideFromAddressLists", "TRUE")
	}
	e.Add("legacyExchangeDN", exchangeOrganisation+p.login)
}

func (b *builder) exchangeFunctions() {
	for _, f := range sharedMailboxes() {
		e := b.account(f.name, "OU=Shared Mailboxes", f.login, disabledAccount)
		recipient(e, sharedMailbox, f.login+"@"+mainDomain, f.login+"@"+aliasDomain)
	}
	for _, f := range rooms() {
		recipient(b.account(f.name, "OU=Rooms and Equipment", f.login, disabledAccount), roomMailbox,
			f.login+"@"+mainDomain)
	}
	for _, f := range equipment() {
		recipient(b.account(f.name, "OU=Rooms and Equipment", f.login, disabledAccount), equipmentMailbox,
			f.login+"@"+mainDomain)
	}
	for _, f := range []function{{"External Auditor", "auditor"}, {"Temporary Help", "temp"}} {
		recipient(b.account(f.name, "OU=Service Accounts", f.login, normalAccount), mailUser,
			f.login+"@"+partnerDomain, f.login+"@"+mainDomain)
	}
}

func (b *builder) exchangeGroups() {
	for i, department := range departments() {
		login := groupLogin(department)
		details, kind := int64(distributionGroup), universalGroup
		if i%4 == 1 {
			details, kind = securityGroup, universalSecurityID
		}
		e := b.group(department, "group", kind)
		recipient(e, details, login+"@"+mainDomain, login+"-team@"+mainDomain)
		for _, member := range b.entries {
			if values := member.Get("department"); len(values) == 1 && values[0] == department {
				e.Add("member", member.DN)
			}
		}
	}
	recipient(b.group("All Staff", "msExchDynamicDistributionList", ""), dynamicGroup,
		"all@"+mainDomain, "everyone@"+mainDomain)
	b.group("Print Operators London", "group", universalSecurityID) // no addresses
}

func (b *builder) group(cn, class, kind string) *ldif.Entry {
	e := b.add("CN="+cn+",OU=Groups,"+exchangeBase, "top", class)
	e.Add("cn", cn)
	e.Add("objectGUID", b.guid())
	if kind != "" {
		e.Add("sAMAccountName", groupLogin(cn))
		e.Add("groupType", kind)
	}
	return e
}

func (b *builder) exchangeContacts() {
	for _, c := range contacts() {
		e := b.add("CN="+escapeRDN(c.name)+",OU=Contacts,"+exchangeBase,
			"top", "person", "organizationalPerson", "contact")
		e.Add("cn", c.name)
		e.Add("objectGUID", b.guid())
		e.Add("targetAddress", "SMTP:"+c.address)
		recipient(e, mailContact, c.address)
	}
}

// exchangeSystem adds the public folder and the mailboxes that Exchange keeps for itself.
func (b *builder) exchangeSystem() {
	folder := b.add("CN=Notice Board,CN=Microsoft Exchange System Objects,"+exchangeBase, "top", "publicFolder")
	folder.Add("cn", "Notice Board")
	folder.Add("objectGUID", b.guid())
	recipient(folder, publicFolder, "notices@"+mainDomain, "notice-board@"+mainDomain)
	for _, m := range []struct {
		cn      string
		details int64
	}{
		{"SystemMailbox{1f05a927-8a7e-4c4f-9a0d-2f6f5b3c1a10}", arbitrationMailbox},
		{"FederatedEmail.4c1f4d8b-8179-4148-93bf-00a95fa1e042", arbitrationMailbox},
		{"DiscoverySearchMailbox {D919BA05-46A6-415f-80AD-7E09334BB852}", discoveryMailbox},
		{"SystemMailbox{e0dc1c29-89c3-4034-b678-e6c29d823ed9}", systemMailbox},
	} {
		login := strings.ReplaceAll(m.cn, " ", "")
		e := b.account(m.cn, "CN=Users", login, disabledAccount)
		recipient(e, m.details, login+"@"+mainDomain)
		e.Add("msExchHideFromAddressLists", "TRUE")
	}
}
