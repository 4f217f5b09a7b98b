package demo

import (
	"rollcall/local/demo/ldapd"
	"rollcall/local/demo/ldif"
	"rollcall/shared/settings"
)

// Identifiers that a root DSE shows.
const (
	oidStartTLS        = "1.3.6.1.4.1.1466.20037"
	oidPaging          = "1.2.840.113556.1.4.319"
	oidActiveDirectory = "1.2.840.113556.1.4.800"
)

// password is the same for all three readers; it opens invented data on loopback.
const password = "demo-reader-1"

// product describes one demo directory: what differs between the products.
type product struct {
	name       string
	serverType settings.ServerType
	// port is the usual one.
	port          int
	username      string
	account       ldapd.Account
	dse           []ldif.Attribute
	referenceBase string
	references    []string
	behaviour     ldapd.Behaviour
}

func products() []product { return []product{exchange(), communigate(), groupwise()} }

// rootDSE returns the entry with the empty name, with what all three products show.
func (p product) rootDSE() ldif.Entry {
	e := ldif.Entry{Attributes: p.dse}
	e.Add("objectClass", "top")
	e.Add("supportedLDAPVersion", "3")
	e.Add("supportedExtension", oidStartTLS)
	e.Add("supportedControl", oidPaging)
	return e
}

// exchange answers like a domain controller of Windows Server 2025, which takes no simple bind without TLS.
func exchange() product {
	const base = "DC=example,DC=com"
	return product{
		name: "Microsoft Exchange", serverType: settings.Exchange, port: 10389, username: "reader@example.com",
		account: ldapd.Account{
			DN:    "CN=Rollcall Reader,OU=Service Accounts," + base,
			Names: []string{"reader@example.com", `EXAMPLE\reader`}, Password: password,
		},
		dse: []ldif.Attribute{
			{Name: "defaultNamingContext", Values: []string{base}},
			{Name: "rootDomainNamingContext", Values: []string{base}},
			{Name: "configurationNamingContext", Values: []string{"CN=Configuration," + base}},
			{Name: "schemaNamingContext", Values: []string{"CN=Schema,CN=Configuration," + base}},
			{Name: "namingContexts", Values: []string{base, "CN=Configuration," + base,
				"CN=Schema,CN=Configuration," + base}},
			{Name: "supportedCapabilities", Values: []string{oidActiveDirectory}},
			{Name: "dnsHostName", Values: []string{"localhost"}},
		},
		referenceBase: base,
		references: []string{
			"ldap://ForestDnsZones.example.com/DC=ForestDnsZones," + base,
			"ldap://DomainDnsZones.example.com/DC=DomainDnsZones," + base,
			"ldap://example.com/CN=Configuration," + base,
		},
		behaviour: ldapd.Behaviour{
			WrongPassword: ldapd.Result{
				Code: ldapd.CodeInvalidCredentials,
				Message: "80090308: LdapErr: DSID-0C090569, comment: AcceptSecurityContext error, " +
					"data 52e, v65f4",
			},
			BindFirst: ldapd.Result{
				Code: ldapd.CodeOperationsError,
				Message: "000004DC: LdapErr: DSID-0C090C78, comment: In order to perform this operation a successful " +
					"bind must be completed on the connection., data 0, v65f4",
			},
			PlainBind: ldapd.Result{
				Code: ldapd.CodeStrongerAuthRequired,
				Message: "00002028: LdapErr: DSID-0C090342, comment: The server requires binds to turn on integrity " +
					"checking if SSL\\TLS are not already active on the connection, data 0, v65f4",
			},
			NoSuchObject: "0000208D: NameErr: DSID-03100288, problem 2001 (NO_OBJECT), data 0",
		},
	}
}

func communigate() product {
	const base = "o=Example"
	return product{
		name: "CommuniGate Pro", serverType: settings.CommuniGate, port: 10390, username: "reader@example.org",
		account: ldapd.Account{DN: "uid=reader,cn=example.org," + base, Names: []string{"reader@example.org"},
			Password: password},
		dse: []ldif.Attribute{
			{Name: "namingContexts", Values: []string{base}},
			{Name: "vendorName", Values: []string{"CommuniGate Systems"}},
		},
		behaviour: ldapd.Behaviour{
			WrongPassword: ldapd.Result{Code: ldapd.CodeInvalidCredentials,
				Message: "incorrect password or account name"},
			Anonymous: ldapd.Result{Code: ldapd.CodeInappropriateAuthentication,
				Message: "anonymous bind disallowed"},
			BindFirst:      ldapd.Result{Code: ldapd.CodeInsufficientAccessRights, Message: "authentication required"},
			SearchFromRoot: true,
		},
	}
}

func groupwise() product {
	const base = "o=Example"
	return product{
		name: "Novell GroupWise", serverType: settings.GroupWise, port: 10391,
		username: "cn=reader,ou=Services," + base,
		account:  ldapd.Account{DN: "cn=reader,ou=Services," + base, Password: password},
		dse: []ldif.Attribute{
			{Name: "namingContexts", Values: []string{base}},
			{Name: "vendorName", Values: []string{"Novell, Inc."}},
			{Name: "directoryTreeName", Values: []string{"EXAMPLE_TREE"}},
		},
		behaviour: ldapd.Behaviour{
			WrongPassword: ldapd.Result{Code: ldapd.CodeInvalidCredentials,
				Message: "NDS error: failed authentication (-669)"},
			Anonymous: ldapd.Result{Code: ldapd.CodeInappropriateAuthentication,
				Message: "anonymous bind disallowed"},
			BindFirst: ldapd.Result{Code: ldapd.CodeInsufficientAccessRights,
				Message: "NDS error: no access (-672)"},
			NoSuchObject:   "NDS error: no such entry (-601)",
			SearchFromRoot: true,
		},
	}
}
