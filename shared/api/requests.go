package api

import (
	"net/http"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// IDInput names a run.
type IDInput struct {
	ID string `path:"id" maxLength:"64" doc:"What the answer that started it named" example:"01M852AJH242XXNWN3EKWSF2WF"`
}

// ConnectionInput is a connection as a request gives it.
type ConnectionInput struct {
	ServerType       string `json:"serverType" required:"true" enum:"exchange,communigate,groupwise" doc:"The product behind the LDAP server" example:"exchange"`
	Host             string `json:"host" required:"true" maxLength:"1300" doc:"Up to five LDAP servers, separated by commas or white space and tried in order: full names, IP addresses, or names of SRV records such as _ldap._tcp.example.com, whose servers must lie in that domain" example:"dc1.example.com"`
	Port             int    `json:"port,omitempty" minimum:"1" maximum:"65535" doc:"The TCP port; 389, or 636 with SSL, where it is left out. Servers of an SRV record have the record's" example:"389"`
	UseSSL           bool   `json:"useSSL,omitempty" doc:"TLS from the first byte; without it the session is upgraded with STARTTLS"`
	Username         string `json:"username,omitempty" maxLength:"1024" doc:"A DN, user@domain, DOMAIN\\user, or empty to read anonymously" example:"reader@example.com"`
	Password         string `json:"password,omitempty" maxLength:"1024" format:"password" writeOnly:"true" doc:"Left out, the stored one is used for the same host, port, encryption (useSSL, encryption, oldTLS, trustedCertificate, caCertificate), username and advanced.attributes"`
	PasswordSet      bool   `json:"passwordSet,omitempty" readOnly:"true" doc:"As GET /v1/settings gave it; it may be sent back and changes nothing"`
	CACertificate    string `json:"caCertificate,omitempty" maxLength:"65536" doc:"PEM, one or more certificates to trust besides the system's"`
	Encryption       string `json:"encryption,omitempty" enum:"required,preferred,none" doc:"required (the default); preferred: STARTTLS if it works, otherwise, in whatever way it fails, a new connection without encryption; none: STARTTLS is not tried. With useSSL only required"`
	AllowUnencrypted bool   `json:"allowUnencrypted,omitempty" doc:"true is the older spelling of encryption preferred"`
	OldTLS           bool   `json:"oldTLS,omitempty" doc:"Allow TLS 1.0 and 1.1, RSA key exchange, and CBC, 3DES and RC4 suites; the certificate is checked as always"`

	ConnectorID        string `json:"connectorId,omitempty" maxLength:"64" doc:"The connector that reads the directory from the customer's site; the password stays with it" example:"01M852AJH242XXNWN3EKWSF2WF"`
	TrustedCertificate string `json:"trustedCertificate,omitempty" maxLength:"128" doc:"sha256: and 64 hexadecimal digits: the server's certificate must be exactly that one, and then neither chain, name nor dates are checked. It wins over caCertificate and needs encryption required"`
}

// ConnectionChange is a connection as a patch gives it: what is left out stays, and null is the default.
type ConnectionChange struct {
	ServerType       string `json:"serverType,omitempty" enum:"exchange,communigate,groupwise" doc:"The product behind the LDAP server"`
	Host             string `json:"host,omitempty" maxLength:"1300" doc:"Up to five LDAP servers, separated by commas or white space and tried in order: full names, IP addresses, or names of SRV records such as _ldap._tcp.example.com, whose servers must lie in that domain"`
	Port             int    `json:"port,omitempty" minimum:"1" maximum:"65535" doc:"The TCP port; 389, or 636 with SSL, where it is left out. Servers of an SRV record have the record's"`
	UseSSL           bool   `json:"useSSL,omitempty" doc:"TLS from the first byte; without it the session is upgraded with STARTTLS"`
	Username         string `json:"username,omitempty" maxLength:"1024" doc:"A DN, user@domain, DOMAIN\\user, or empty to read anonymously"`
	Password         string `json:"password,omitempty" maxLength:"1024" format:"password" writeOnly:"true" doc:"Left out, the stored one is used for the same host, port, encryption (useSSL, encryption, oldTLS, trustedCertificate, caCertificate), username and advanced.attributes"`
	PasswordSet      bool   `json:"passwordSet,omitempty" readOnly:"true" doc:"As GET /v1/settings gave it; it may be sent back and changes nothing"`
	CACertificate    string `json:"caCertificate,omitempty" maxLength:"65536" doc:"PEM, one or more certificates to trust besides the system's"`
	Encryption       string `json:"encryption,omitempty" enum:"required,preferred,none" doc:"required (the default); preferred: STARTTLS if it works, otherwise, in whatever way it fails, a new connection without encryption; none: STARTTLS is not tried. With useSSL only required"`
	AllowUnencrypted bool   `json:"allowUnencrypted,omitempty" doc:"true is the older spelling of encryption preferred"`
	OldTLS           bool   `json:"oldTLS,omitempty" doc:"Allow TLS 1.0 and 1.1, RSA key exchange, and CBC, 3DES and RC4 suites; the certificate is checked as always"`

	ConnectorID        string `json:"connectorId,omitempty" maxLength:"64" doc:"The connector that reads the directory from the customer's site; the password stays with it" example:"01M852AJH242XXNWN3EKWSF2WF"`
	TrustedCertificate string `json:"trustedCertificate,omitempty" maxLength:"128" doc:"sha256: and 64 hexadecimal digits: the server's certificate must be exactly that one, and then neither chain, name nor dates are checked. It wins over caCertificate and needs encryption required"`
}

// ConnectionOf is a connection as a request would give it, without its password.
func ConnectionOf(c settings.Connection) *ConnectionInput {
	return &ConnectionInput{
		ServerType: string(c.ServerType), Host: c.Host, Port: c.Port, UseSSL: c.UseSSL, Username: c.Username,
		CACertificate: c.CACertificate, Encryption: string(c.Mode()), OldTLS: c.OldTLS,
		TrustedCertificate: c.TrustedCertificate, ConnectorID: c.ConnectorID,
	}
}

// OptionsOf are options as a request would give them.
func OptionsOf(o settings.Options) *OptionsInput {
	scope := string(o.RemoveScope)
	return &OptionsInput{
		RemoveAccounts: &o.RemoveAccounts, RemoveScope: &scope, SendHSR: &o.SendHSR,
		RemovalLimit: &RemovalLimitInput{Percent: &o.RemovalLimit.Percent, Count: &o.RemovalLimit.Count},
	}
}

// Settings returns the connection as the importer takes it.
func (c *ConnectionInput) Settings() *settings.Connection {
	if c == nil {
		return nil
	}
	out := settings.Connection{
		ServerType: settings.ServerType(c.ServerType), Host: c.Host, Port: c.Port, UseSSL: c.UseSSL,
		Username: c.Username, Password: secret.New(c.Password), CACertificate: c.CACertificate,
		Encryption: settings.Encryption(c.Encryption), AllowUnencrypted: c.AllowUnencrypted, OldTLS: c.OldTLS,
		TrustedCertificate: c.TrustedCertificate, ConnectorID: c.ConnectorID,
	}
	if out.Port == 0 {
		out.Port = 389
		if out.UseSSL {
			out.Port = 636
		}
	}
	out = out.Entered()
	return &out
}

// WithoutPassword returns a copy without the password, nil for nil.
func (c *ConnectionInput) WithoutPassword() *ConnectionInput {
	if c == nil {
		return nil
	}
	out := *c
	out.Password = ""
	return &out
}

// OptionsInput are options as a request gives them; what is left out has its default.
type OptionsInput struct {
	RemoveAccounts *bool              `json:"removeAccounts,omitempty" doc:"Remove the users that the directory does not have"`
	RemoveScope    *string            `json:"removeScope,omitempty" enum:"all,imported" doc:"all (the default), or only the users that an import created"`
	SendHSR        *bool              `json:"sendHSR,omitempty" doc:"Daily Held Spam Reports for newly imported users" example:"true"`
	RemovalLimit   *RemovalLimitInput `json:"removalLimit,omitempty" doc:"How many users one sync may remove without a confirmation"`
}

// RemovalLimitInput is a limit as a request gives it.
type RemovalLimitInput struct {
	Percent *int `json:"percent,omitempty" minimum:"0" maximum:"100" doc:"Share of the stored, unprotected users in percent; 10 where it is left out"`
	Count   *int `json:"count,omitempty" minimum:"0" maximum:"100000000" doc:"Number of users; 500 where it is left out"`
}

// Settings returns the options as the importer takes them.
func (o *OptionsInput) Settings() *settings.Options {
	if o == nil {
		return nil
	}
	out := settings.DefaultOptions()
	set(&out.RemoveAccounts, o.RemoveAccounts)
	set(&out.SendHSR, o.SendHSR)
	if o.RemoveScope != nil {
		out.RemoveScope = settings.RemoveScope(*o.RemoveScope)
	}
	if o.RemovalLimit != nil {
		set(&out.RemovalLimit.Percent, o.RemovalLimit.Percent)
		set(&out.RemovalLimit.Count, o.RemovalLimit.Count)
	}
	return &out
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// CheckImport lists every field of a connection, of advanced settings and of options that is wrong beyond its type.
// Each may be nil.
func CheckImport(c *ConnectionInput, a *AdvancedInput, o *OptionsInput) []error {
	return fieldErrors(wrongFields(c, a, o))
}

// CheckMerged is CheckImport for what a patch makes of the stored settings: the error is the caller's, or nil. It names
// others, which the caller found wrong, too.
func CheckMerged(c *ConnectionInput, a *AdvancedInput, o *OptionsInput, others ...settings.FieldError) error {
	wrong, hidden := wrongFields(c, a, o)
	wrong = append(wrong, others...)
	if len(wrong) == 0 {
		return nil
	}
	p := newProblem(http.StatusUnprocessableEntity, "", fieldErrors(wrong, hidden)...).(*Problem)
	return &importer.Error{Class: importer.Invalid, Code: p.Code, Message: p.Detail, Fields: p.Errors}
}

// wrongFields returns the wrong fields, and how many more there are.
func wrongFields(c *ConnectionInput, a *AdvancedInput, o *OptionsInput) (wrong []settings.FieldError, hidden int) {
	if c != nil {
		entered := c.Settings()
		wrong = append(wrong, entered.Validate()...)
		if err := directory.CheckHost(entered.Host); err != nil {
			wrong = append(wrong, settings.FieldError{Field: "connection.host", Message: err.Error()})
		}
		if err := directory.CheckCertificate(entered.CACertificate); err != nil {
			wrong = append(wrong, settings.FieldError{Field: "connection.caCertificate", Message: err.Error()})
		}
	}
	if a != nil {
		entered := a.Settings()
		wrong = append(wrong, entered.Attributes.Validate()...)
		listed, others := address.Check(*entered)
		wrong, hidden = append(wrong, listed...), others
		if _, err := directory.CheckBase(a.SearchBase); err != nil {
			wrong = append(wrong, settings.FieldError{Field: "advanced.searchBase", Message: err.Error()})
		}
		if _, err := directory.CheckFilter(a.Filter); err != nil {
			wrong = append(wrong, settings.FieldError{Field: "advanced.filter", Message: err.Error()})
		}
	}
	if o != nil {
		wrong = append(wrong, o.Settings().Validate()...)
	}
	return wrong, hidden
}
