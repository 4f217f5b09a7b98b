package settings_test

import (
	"strings"
	"testing"

	"rollcall/shared/settings"
)

const trusted = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestEncryptionIsCheckedAndStoredInOneWay(t *testing.T) {
	t.Parallel()
	type connection = settings.Connection
	for name, test := range map[string]struct {
		entered connection
		stored  settings.Encryption
		// wrong is the field that is refused.
		wrong string
	}{
		"nothing":            {connection{}, "", ""},
		"required":           {connection{Encryption: "required"}, "", ""},
		"preferred":          {connection{Encryption: "preferred"}, "preferred", ""},
		"none":               {connection{Encryption: "none"}, "none", ""},
		"the older spelling": {connection{AllowUnencrypted: true}, "preferred", ""},
		"both spellings": {
			connection{Encryption: "preferred", AllowUnencrypted: true}, "preferred", "",
		},
		"required and the older spelling": {
			connection{Encryption: "required", AllowUnencrypted: true}, "required", "allowUnencrypted",
		},
		"none and the older spelling": {
			connection{Encryption: "none", AllowUnencrypted: true}, "none", "allowUnencrypted",
		},
		"another word": {connection{Encryption: "maybe"}, "maybe", "encryption"},
		"SSL":          {connection{UseSSL: true, Encryption: "required"}, "", ""},
		"SSL and preferred": {
			connection{UseSSL: true, Encryption: "preferred"}, "preferred", "encryption",
		},
		"SSL and none": {connection{UseSSL: true, Encryption: "none"}, "none", "encryption"},
		"SSL and the older spelling": {
			connection{UseSSL: true, AllowUnencrypted: true}, "preferred", "encryption",
		},
		"a certificate":             {connection{TrustedCertificate: trusted}, "", ""},
		"a certificate and SSL":     {connection{TrustedCertificate: trusted, UseSSL: true}, "", ""},
		"a certificate in capitals": {connection{TrustedCertificate: strings.ToUpper(trusted) + " "}, "", ""},
		"a certificate, preferred": {
			connection{TrustedCertificate: trusted, Encryption: "preferred"}, "preferred", "trustedCertificate",
		},
		"a certificate, none": {
			connection{TrustedCertificate: trusted, Encryption: "none"}, "none", "trustedCertificate",
		},
		"a hash that is short": {connection{TrustedCertificate: trusted[:70]}, "", "trustedCertificate"},
		"a hash of another kind": {
			connection{TrustedCertificate: "sha1" + trusted[6:]}, "", "trustedCertificate",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := test.entered
			c.ServerType, c.Host, c.Port = settings.Exchange, "dc1.example.com", 389
			c = c.Entered()
			unencrypted := test.stored == settings.Preferred
			if c.Encryption != test.stored || c.AllowUnencrypted != unencrypted && test.wrong == "" {
				t.Errorf("stored as %q, %t; want %q", c.Encryption, c.AllowUnencrypted, test.stored)
			}
			wrong := c.Validate()
			if test.wrong == "" && len(wrong) > 0 ||
				test.wrong != "" && (len(wrong) != 1 || wrong[0].Field != "connection."+test.wrong) {
				t.Errorf("refused are %+v, want %q", wrong, test.wrong)
			}
			if again := c.Entered(); again.Target() != c.Target() || again.Encryption != c.Encryption {
				t.Errorf("entered once more it is %+v, want %+v", again, c)
			}
		})
	}
}

// TestHashesOfEarlierBuildsStay compares with what commit 016c2fd made of the same imports: with another target no
// stored password would open, and with another fingerprint each schedule would stop removing.
func TestHashesOfEarlierBuildsStay(t *testing.T) {
	t.Parallel()
	required, unencrypted, certified := good(), good(), good()
	unencrypted.Connection.AllowUnencrypted = true
	certified.Connection.UseSSL, certified.Connection.Port = true, 636
	certified.Connection.CACertificate = "-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----\r\n"
	for name, test := range map[string]struct {
		of                  settings.Import
		target, fingerprint string
	}{
		"STARTTLS": {required, "223f81474e5a92e905629537c46b3855a04d4eeedd145edb806951a534d55220",
			"04d1c3755ed72f903e18e5c91c6866ebbfe44c2ca4910a2f86441c48d5b5620a"},
		"unencrypted": {unencrypted, "e7fce5d3839ff1a9a9cc32cd2b747bd117eb63341226af52eb246e2003544453",
			"230a6652fc8b8b9e5857dfe58101ea5c5dec077f473c8cf7ca9e60115dd5e4e3"},
		"SSL with a CA": {certified, "691e858983f62ddb82dda3a35dcba9907d20b163bbc79d875194697f8c156898",
			"7afeff6b6baca28d4457a058ff0e923e6a6883b521c19875353c484bb6a08521"},
	} {
		entered := test.of
		entered.Connection = entered.Connection.Entered()
		for when, i := range map[string]settings.Import{"stored": test.of, "saved again": entered} {
			if target, fingerprint := i.Connection.Target(), i.Fingerprint(); target != test.target ||
				fingerprint != test.fingerprint {
				t.Errorf("%s, %s: target %s, fingerprint %s", name, when, target, fingerprint)
			}
		}
	}
}

// TestThePasswordIsBoundToTheEncryption changes each of the fields that say how a password is protected on its way.
func TestThePasswordIsBoundToTheEncryption(t *testing.T) {
	t.Parallel()
	other := strings.Replace(trusted, "0", "1", 1)
	seen := map[string]string{good().Connection.Target(): "nothing"}
	for name, change := range map[string]func(*settings.Connection){
		"preferred":           func(c *settings.Connection) { c.Encryption = settings.Preferred },
		"none":                func(c *settings.Connection) { c.Encryption = settings.None },
		"old TLS":             func(c *settings.Connection) { c.OldTLS = true },
		"a certificate":       func(c *settings.Connection) { c.TrustedCertificate = trusted },
		"another certificate": func(c *settings.Connection) { c.TrustedCertificate = other },
		"both": func(c *settings.Connection) {
			c.OldTLS, c.TrustedCertificate = true, trusted
		},
	} {
		c := good().Connection
		change(&c)
		target := c.Entered().Target()
		if same, ok := seen[target]; ok {
			t.Errorf("%s has the target of %s", name, same)
		}
		seen[target] = name
	}
}
