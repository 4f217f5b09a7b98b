package settings

import (
	"regexp"
	"slices"
)

// Encryption says whether a session that begins in plain text is encrypted with STARTTLS (RFC 4511, 4.14).
type Encryption string

const (
	// Required ends a session that cannot be encrypted. It is the default, and stored as the empty text.
	Required Encryption = "required"
	// Preferred goes on in a new session without encryption, in whatever way STARTTLS fails.
	Preferred Encryption = "preferred"
	// None never asks for STARTTLS.
	None Encryption = "none"
)

// Encryptions lists every one.
func Encryptions() []Encryption { return []Encryption{Required, Preferred, None} }

// Mode returns how a connection is encrypted, whichever way it is spelt.
func (c Connection) Mode() Encryption {
	switch {
	case c.Encryption != "":
		return c.Encryption
	case c.AllowUnencrypted:
		return Preferred
	}
	return Required
}

// Entered returns a connection that somebody has just entered, as it is stored: AllowUnencrypted alone means Preferred.
func (c Connection) Entered() Connection {
	if c.Encryption == "" && c.AllowUnencrypted {
		c.Encryption = Preferred
	}
	c.CACertificate = RepairedPEM(c.CACertificate)
	return c.Normalised()
}

var trustedCertificate = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// encryption checks the fields that say how a connection is encrypted.
func (k *checker) encryption(c Connection) {
	mode := c.Mode()
	switch {
	case !slices.Contains(Encryptions(), mode):
		k.add("encryption", "must be one of required, preferred, none")
	case c.UseSSL && mode != Required:
		k.add("encryption", "must be required with useSSL, which encrypts from the first byte; clear one of them")
	case c.AllowUnencrypted && mode != Preferred:
		k.add("allowUnencrypted", "means encryption preferred, and encryption is %s; leave one of them out", mode)
	}
	trusted := c.Normalised().TrustedCertificate
	switch {
	case trusted == "":
	case !trustedCertificate.MatchString(trusted):
		k.add("trustedCertificate", "must be sha256: and the certificate's SHA-256 in 64 hexadecimal digits, as a "+
			"failed step tls shows it in certificate.sha256")
	case mode != Required:
		k.add("trustedCertificate", "needs encryption required: without encryption no certificate is seen")
	}
}
