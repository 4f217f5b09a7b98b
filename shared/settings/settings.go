// Package settings holds what an administrator enters: how to reach the directory, what to look for in it, and
// what an import may do. The JSON names are the API's.
package settings

import "rollcall/shared/settings/secret"

// ServerType is the product behind the LDAP server; it decides defaults, attributes and fall-backs.
type ServerType string

// The server types.
const (
	Exchange    ServerType = "exchange"
	CommuniGate ServerType = "communigate"
	GroupWise   ServerType = "groupwise"
)

// ServerTypes lists every server type.
func ServerTypes() []ServerType { return []ServerType{Exchange, CommuniGate, GroupWise} }

// Connection is the LDAP connection. Password is never marshalled: it leaves this process sealed or not at all.
type Connection struct {
	// ConnectorID names the connector that resolves, dials, binds and searches; empty where this program does. With it
	// there is no password here: the connector has one.
	ConnectorID string     `json:"connectorId,omitempty"`
	ServerType  ServerType `json:"serverType"`
	// Host holds up to MaxHosts names, separated by commas or white space and tried in order: host names, IP addresses,
	// and names of SRV records such as _ldap._tcp.example.com (RFC 2782).
	Host string `json:"host"`
	// Port is the TCP port: 389 with STARTTLS, 636 with SSL, 3268 and 3269 for a global catalog. An SRV record brings
	// its own.
	Port int `json:"port"`
	// UseSSL is TLS from the first byte. Without it the session is upgraded with STARTTLS (RFC 4511, 4.14).
	UseSSL bool `json:"useSSL"`
	// Username is a DN, user@domain, DOMAIN\user, or empty for an anonymous bind.
	Username string        `json:"username"`
	Password secret.String `json:"-"`
	// CACertificate is PEM, one or more certificates to trust besides the system's.
	CACertificate string `json:"caCertificate,omitempty"`
	// AllowUnencrypted is the older spelling of Preferred. Where it stands alone, it was stored by a build that went on
	// without encryption only where the server refused STARTTLS, and that is still what it means.
	AllowUnencrypted bool `json:"allowUnencrypted"`
	// Encryption is empty where it is required.
	Encryption Encryption `json:"encryption,omitempty"`
	// OldTLS allows TLS 1.0 and 1.1, key exchange by RSA, and the cipher suites of their time.
	OldTLS bool `json:"oldTLS,omitempty"`
	// TrustedCertificate is sha256: and the hash (hexadecimal) of the one certificate that the server may have; then
	// neither chain, name nor dates are checked, and CACertificate does not count. Empty for none.
	TrustedCertificate string `json:"trustedCertificate,omitempty"`
}

// Advanced narrows what is read and how it is understood. The zero value is the server type's default.
type Advanced struct {
	// SearchBase is a DN (RFC 4514); empty means the server type's default.
	SearchBase string `json:"searchBase" doc:"A DN to search below; the server's default where it is empty" example:"OU=Staff,DC=example,DC=com"`
	// Filter is an LDAP filter (RFC 4515); empty means the server type's default.
	Filter     string     `json:"filter" doc:"An LDAP filter; the server type's default where it is empty" example:"(mail=*)"`
	Attributes Attributes `json:"attributes" doc:"Attributes in place of the server type's"`
	// Include lists the object types to import (user.Type); empty means all.
	Include []string `json:"include" enum:"user,contact,group,publicFolder,resource,shared,unknown" doc:"The object types to import; all where it is empty"`
	// AcceptedDomains lists the mail domains to import, *.example.com for all below example.com; empty means all.
	AcceptedDomains []string `json:"acceptedDomains" doc:"The mail domains to import, *.example.com for all below it; all where it is empty" example:"example.com"`
	// Exclude lists addresses, *@domain, or *.domain, that an import leaves alone whatever the directory says.
	Exclude []string `json:"exclude" doc:"Addresses, *@domain, or *.domain, that imports never create, change or remove" example:"*@test.example.com"`
	// CollapseAliasDomains skips an alias whose local part equals its own primary's.
	CollapseAliasDomains bool `json:"collapseAliasDomains" doc:"Skip an alias whose part before the @ is its own primary's"`
	// SkipDisabled skips entries whose userAccountControl has bit 2 (ADS_UF_ACCOUNTDISABLE).
	SkipDisabled bool `json:"skipDisabled" doc:"Skip accounts that are disabled in Active Directory"`
}

// Attributes overrides which attributes hold the addresses and the stable id, by any name or OID that the server has
// for them. Empty fields keep the server type's.
type Attributes struct {
	Primary []string `json:"primary" doc:"Attributes that hold the primary address, by a name or OID of the server's schema"`
	Aliases []string `json:"aliases" doc:"Attributes that hold the aliases, by a name or OID of the server's schema"`
	ID      string   `json:"id" doc:"The attribute that holds an entry's stable id; empty for the server type's" example:""`
}

// RemoveScope says which users Remove Accounts may remove.
type RemoveScope string

// The scopes: every address that the directory does not have, or only those that an import created.
const (
	RemoveAll      RemoveScope = "all"
	RemoveImported RemoveScope = "imported"
)

// Options are what a sync may do.
type Options struct {
	RemoveAccounts bool         `json:"removeAccounts" doc:"Remove the users that the directory does not have"`
	RemoveScope    RemoveScope  `json:"removeScope" enum:"all,imported" doc:"Which: all, or only those that an import created"`
	SendHSR        bool         `json:"sendHSR" doc:"Daily Held Spam Reports for newly imported users"`
	RemovalLimit   RemovalLimit `json:"removalLimit" doc:"How many users one sync may remove without a confirmation"`
}

// RemovalLimit bounds how many users one sync may remove without a confirmation: a share of the stored
// unprotected users in scope in percent, and a number.
type RemovalLimit struct {
	Percent int `json:"percent" doc:"Share of the stored, unprotected users in percent" example:"10"`
	Count   int `json:"count" doc:"Number of users" example:"500"`
}

// DefaultOptions returns what a sync does when nobody chose otherwise.
func DefaultOptions() Options {
	return Options{RemoveScope: RemoveAll, RemovalLimit: RemovalLimit{Percent: 10, Count: 500}}
}

// Import is everything a run needs to know about where to read and what to do.
type Import struct {
	Connection Connection `json:"connection"`
	Advanced   Advanced   `json:"advanced"`
	Options    Options    `json:"options"`
}

// MaxErrors is how many wrong fields are described at once. A check only counts what comes after them: to find an error
// costs little, to describe it costs more.
const MaxErrors = 50

// FieldError names one wrong field by its JSON path below the request's body, and says what to do.
type FieldError struct {
	Field   string `json:"field" doc:"The field's path below the body, or the parameter" example:"connection.host"`
	Message string `json:"message" doc:"What is wrong and what to do" example:"is required"`
}
