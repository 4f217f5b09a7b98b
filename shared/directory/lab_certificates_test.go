package directory_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"strings"
	"testing"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// chained is a server whose certificate comes by way of other authorities; show returns what it shows, its own first.
func chained(show func(t *testing.T, l lab) []*holder) func(*testing.T, lab) *script {
	return func(t *testing.T, l lab) *script {
		shown := show(t, l)
		return &script{tls: shown[0].server(shown[1:]...)}
	}
}

// below is a server whose certificate comes from an authority of the root's.
func below(change func(*x509.Certificate)) func(*testing.T, lab) *script {
	return chained(func(t *testing.T, l lab) []*holder {
		middle := issue(t, l.root, func(c *x509.Certificate) { authority("Lab Issuer")(c); change(c) })
		return []*holder{issue(t, middle, nil), middle}
	})
}

func named(cn string, names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.Subject.CommonName, c.IPAddresses, c.DNSNames = cn, nil, names }
}

func valid(from, to time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(to) }
}

// certificateFaults are servers whose certificate is not accepted.
func certificateFaults() map[string]fault {
	bySHA1 := func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }
	rootBySHA1 := func(t *testing.T) *holder { return issueRSA(t, nil, authority("Old Root")) }
	authorityFault := func(says string, server func(*testing.T, lab) *script) fault {
		return fault{server: server, code: directory.CodeTLSAuthority, says: says, seen: true}
	}
	return map[string]fault{
		"unknown root, which is sent": authorityFault("paste the CA certificate", chained(
			func(t *testing.T, _ lab) []*holder {
				root := issue(t, nil, authority("Other Root"))
				return []*holder{issue(t, root, nil), root}
			})),
		"unknown root, which is not sent": authorityFault(`"CN=Other Root"`, chained(
			func(t *testing.T, _ lab) []*holder {
				return []*holder{issue(t, issue(t, nil, authority("Other Root")), nil)}
			})),
		"missing intermediate": authorityFault("http://pki.example.com/issuer.crt", chained(
			func(t *testing.T, l lab) []*holder {
				middle := issue(t, l.root, authority("Lab Issuer"))
				return []*holder{issue(t, middle, func(c *x509.Certificate) {
					c.IssuingCertificateURL = []string{"http://pki.example.com/issuer.crt"}
				})}
			})),
		"missing intermediate, without an address": authorityFault(`"CN=Lab Issuer"`, chained(
			func(t *testing.T, l lab) []*holder {
				return []*holder{issue(t, issue(t, l.root, authority("Lab Issuer")), nil), l.root}
			})),
		"one of two intermediates is missing": authorityFault(`"CN=Upper Issuer"`, chained(
			func(t *testing.T, l lab) []*holder {
				lower := issue(t, issue(t, l.root, authority("Upper Issuer")), authority("Lower Issuer"))
				return []*holder{issue(t, lower, nil), lower}
			})),
		"a renewed root": authorityFault("another key", chained(
			func(t *testing.T, _ lab) []*holder {
				return []*holder{issue(t, issue(t, nil, authority("Lab Root")), nil)}
			})),
		"signed by itself": authorityFault("signed by itself", chained(
			func(t *testing.T, _ lab) []*holder { return []*holder{issue(t, nil, nil)} })),
		"signed with SHA-1": authorityFault("SHA-1 (SHA1-RSA)", chained(
			func(t *testing.T, _ lab) []*holder { return []*holder{issueRSA(t, rootBySHA1(t), bySHA1)} })),
		"an intermediate signed with SHA-1": authorityFault("SHA1-RSA", chained(
			func(t *testing.T, _ lab) []*holder {
				middle := issueRSA(t, rootBySHA1(t), func(c *x509.Certificate) {
					authority("Old Issuer")(c)
					bySHA1(c)
				})
				return []*holder{issue(t, middle, nil), middle}
			})),
		"a CA without basicConstraints": authorityFault("basicConstraints is missing", below(
			func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false })),
		"a CA that says it is none": authorityFault("basicConstraints is CA:FALSE", below(
			func(c *x509.Certificate) { c.IsCA = false })),
		"a CA that may not sign": authorityFault("keyUsage has no keyCertSign", below(
			func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })),
		"a CA that expired": {server: below(valid(-2*time.Hour, -time.Hour)), code: directory.CodeTLSExpired,
			says: "The CA certificate of CN=Lab Issuer", seen: true},
		"a CA for other names": {server: below(func(c *x509.Certificate) {
			_, c.PermittedIPRanges = true, []*net.IPNet{{IP: net.IPv4(10, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}}
		}), code: directory.CodeTLSFailed, says: "not accepted", seen: true},
		"expired": {server: withLeaf(valid(-2*time.Hour, -time.Hour)), code: directory.CodeTLSExpired,
			says: "expired on", seen: true},
		"not yet valid": {server: withLeaf(valid(time.Hour, 2*time.Hour)), code: directory.CodeTLSExpired,
			says: "set the server's clock", seen: true},
		"for another name": {server: withLeaf(named("server", "dc1.example.com", "dc2.example.com")),
			code: directory.CodeTLSName, says: "dc1.example.com, dc2.example.com", seen: true},
		"for another address": {server: withLeaf(func(c *x509.Certificate) {
			c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)}
		}), code: directory.CodeTLSName, says: "192.0.2.1", seen: true},
		"its name only in CN": {server: withLeaf(named("127.0.0.1")), code: directory.CodeTLSName,
			says: "only in its subject (CN)", seen: true},
		"another name only in CN": {server: withLeaf(named("dc1.example.com")), code: directory.CodeTLSName,
			says: "no name at all", seen: true},
		"for clients only": {server: withLeaf(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), code: directory.CodeTLSFailed, says: "serverAuth", seen: true},
	}
}

// TestAllThatIsWrongWithACertificateIsSaidAtOnce: whoever hears of one thing at a time is sent in circles.
func TestAllThatIsWrongWithACertificateIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	leaf := issue(t, nil, func(c *x509.Certificate) {
		named("dc1.example.com")(c)
		valid(-2*time.Hour, -time.Hour)(c)
	})
	s := &script{tls: leaf.server()}
	l.readTLS(t, s, nil).wantError(t, s, directory.CodeTLSExpired, "Renew it", "no name at all", "signed by itself",
		"trustedCertificate", "The server showed:")
}

// TestARenewedCAIsNotCalledExpired: the server's certificate expired before its CA was renewed with the same key.
func TestARenewedCAIsNotCalledExpired(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ca := issue(t, nil, func(c *x509.Certificate) {
		authority("Renewed Root")(c)
		valid(-time.Minute, time.Hour)(c)
	})
	s := &script{tls: issue(t, ca, valid(-2*time.Hour, -time.Hour)).server()}
	g := l.readTLS(t, s, func(c *settings.Connection) { c.CACertificate = ca.pem() })
	g.wantError(t, s, directory.CodeTLSExpired, "expired on", "Renew it on the server")
	if strings.Contains(g.err.Error(), "The CA certificate") {
		t.Errorf("%q blames a CA certificate that is within its dates", g.err)
	}
}

// TestTheCAOfTheSettings reads from a server that sends nothing but its own certificate; what is wrong is the CA that
// was entered.
func TestTheCAOfTheSettings(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, test := range map[string]struct {
		ca         func(*x509.Certificate)
		code, says string
	}{
		"without basicConstraints": {func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false },
			directory.CodeTLSAuthority, "basicConstraints is missing"},
		"that may not sign": {func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign },
			directory.CodeTLSAuthority, "keyUsage has no keyCertSign"},
		"expired":            {valid(-2*time.Hour, -time.Hour), directory.CodeTLSExpired, "put the new one"},
		"for another domain": {func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example.com"} }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := issue(t, nil, func(c *x509.Certificate) { authority("Own Root")(c); test.ca(c) })
			s := &script{tls: issue(t, ca, nil).server()}
			g := l.readTLS(t, s, func(c *settings.Connection) { c.CACertificate = ca.pem() })
			if test.code == "" {
				g.wantRead(t, true)
				return
			}
			g.wantError(t, s, test.code, test.says)
		})
	}
}

// TestChainsThatHold are servers that are read without a word.
func TestChainsThatHold(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	middle := issue(t, l.root, authority("Lab Issuer"))
	lower := issue(t, middle, authority("Lower Issuer"))
	own := issue(t, nil, nil)
	ownBySHA1 := issueRSA(t, nil, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA })
	rsa := issueRSA(t, l.root, nil)
	for name, test := range map[string]struct {
		shown []*holder
		ca    string
	}{
		"below the root":               {[]*holder{l.leaf}, l.root.pem()},
		"with its intermediate":        {[]*holder{issue(t, middle, nil), middle}, l.root.pem()},
		"with two intermediates":       {[]*holder{issue(t, lower, nil), lower, middle}, l.root.pem()},
		"in another order":             {[]*holder{issue(t, lower, nil), middle, lower}, l.root.pem()},
		"with the root":                {[]*holder{l.leaf, l.root}, l.root.pem()},
		"the intermediate is entered":  {[]*holder{issue(t, middle, nil)}, middle.pem()},
		"two CAs are entered":          {[]*holder{issue(t, middle, nil)}, l.root.pem() + middle.pem()},
		"its own authority":            {[]*holder{own}, own.pem()},
		"its own authority, by SHA-1":  {[]*holder{ownBySHA1}, ownBySHA1.pem()},
		"an RSA key":                   {[]*holder{rsa}, l.root.pem()},
		"the leaf itself is the CA":    {[]*holder{l.leaf}, l.leaf.pem()},
		"a CA of the settings besides": {[]*holder{l.leaf}, own.pem() + l.root.pem()},
	} {
		for _, ssl := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", SSL"}[ssl], func(t *testing.T) {
				t.Parallel()
				s := &script{tls: test.shown[0].server(test.shown[1:]...), ssl: ssl}
				g := l.readTLS(t, s, func(c *settings.Connection) { c.CACertificate = test.ca })
				g.wantRead(t, true)
				if g.certificate() != test.shown[0].hash() {
					t.Errorf("the certificate %s is shown, want %s", g.certificate(), test.shown[0].hash())
				}
			})
		}
	}
}

// TestOldTLS reads the servers of old with the setting for them; their certificates are checked as always.
func TestOldTLS(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	oldTLS := func(c *settings.Connection) { c.OldTLS = true }
	for name, f := range oldServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := l.readTLS(t, f.server(t, l), oldTLS)
			g.wantRead(t, true)
			if !strings.Contains(strings.Join(g.info.Notes, "\n"), "old encryption") {
				t.Errorf("the notes %q do not say that the encryption is old", g.info.Notes)
			}
		})
	}
	t.Run("a server of today", func(t *testing.T) {
		t.Parallel()
		g := l.readTLS(t, &script{tls: l.leaf.server()}, oldTLS)
		g.wantRead(t, true)
		if len(g.info.Notes) > 0 || !strings.HasPrefix(g.steps[2].Detail, "TLS 1.3") {
			t.Errorf("notes %q, step %+v", g.info.Notes, g.steps[2])
		}
	})
	for name, f := range certificateFaults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := f.server(t, l)
			s.tls.MaxVersion = tls.VersionTLS10
			l.readTLS(t, s, oldTLS).wantError(t, s, f.code, f.says)
		})
	}
	t.Run("nothing in common even so", func(t *testing.T) {
		t.Parallel()
		// A server that wants DHE says so with the same alert (RFC 5246, 7.2.2).
		s := after(func(c *session) {
			c.Read(make([]byte, 4096))
			c.Write([]byte{21, 3, 1, 0, 2, 2, 40})
		})(t, l)
		l.readTLS(t, s, oldTLS).wantError(t, s, directory.CodeTLSFailed, "not even with TLS as old as", "(encryption)")
	})
}

// TestTrustedCertificate reads from servers whose certificate is trusted as it is, whatever else is wrong with it.
func TestTrustedCertificate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, f := range certificateFaults() {
		for _, ssl := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", SSL"}[ssl], func(t *testing.T) {
				t.Parallel()
				s := f.server(t, l)
				s.ssl = ssl
				leaf := holderOf(t, s)
				g := l.readTLS(t, s, func(c *settings.Connection) { c.TrustedCertificate = leaf.trusted() })
				g.wantRead(t, true)
				notes, now := strings.Join(g.info.Notes, "\n"), time.Now()
				expired, early := now.After(leaf.NotAfter), now.Before(leaf.NotBefore)
				if strings.Contains(notes, "expired on ") != expired ||
					strings.Contains(notes, "is not valid before ") != early {
					t.Errorf("the notes are %q; the certificate expired: %t, is yet to be valid: %t", notes, expired,
						early)
				}
			})
		}
	}
	other := issue(t, l.root, nil)
	for name, trusted := range map[string]string{"another": other.trusted(), "its CA": l.root.trusted()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{tls: l.leaf.server(l.root)}
			g := l.readTLS(t, s, func(c *settings.Connection) { c.TrustedCertificate = trusted })
			g.wantError(t, s, directory.CodeTLSChanged, l.leaf.hash(), "somebody else")
			if g.certificate() != l.leaf.hash() {
				t.Errorf("the certificate %q is shown, want the server's", g.certificate())
			}
		})
	}
	t.Run("old TLS", func(t *testing.T) {
		t.Parallel()
		s := withRSA(onlyTLS(tls.VersionTLS10))(t, l)
		leaf := holderOf(t, s)
		l.readTLS(t, s, func(c *settings.Connection) {
			c.OldTLS, c.CACertificate, c.TrustedCertificate = true, "", leaf.trusted()
		}).wantRead(t, true)
	})
	t.Run("of another key's holder", func(t *testing.T) {
		t.Parallel()
		// Whoever shows the certificate must have its key.
		stolen := &holder{l.leaf.Certificate, other.key}
		s := &script{tls: stolen.server()}
		g := l.readTLS(t, s, func(c *settings.Connection) { c.TrustedCertificate = l.leaf.trusted() })
		g.wantError(t, s, directory.CodeTLSFailed)
	})
}

// holderOf is the certificate that a server shows.
func holderOf(t *testing.T, s *script) *holder {
	t.Helper()
	leaf, err := x509.ParseCertificate(s.tls.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return &holder{Certificate: leaf}
}

// TestACertificateIsShownAsItIs compares what a failed step shows with the server's certificate.
func TestACertificateIsShownAsItIs(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	root := issue(t, nil, authority("Other\nRoot"))
	leaf := issue(t, root, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "dc1.example.com", Organization: []string{strings.Repeat("long ", 100)}}
		c.DNSNames = []string{"dc1.example.com"}
		for range 100 {
			c.DNSNames = append(c.DNSNames, "more.example.com")
		}
	})
	g := l.readTLS(t, &script{tls: leaf.server()}, nil)
	shown := g.steps[len(g.steps)-1].Certificate
	if shown == nil {
		t.Fatalf("the steps are %+v", g.steps)
	}
	if shown.SHA256 != leaf.hash() || !strings.HasPrefix(shown.Subject, "CN=dc1.example.com") ||
		!shown.NotBefore.Equal(leaf.NotBefore) || !shown.NotAfter.Equal(leaf.NotAfter) ||
		shown.Names[0] != "dc1.example.com" {
		t.Errorf("the certificate is shown as %+v", shown)
	}
	if len(shown.Subject) > 300 || len(shown.Names) > 20 || strings.Contains(shown.Issuer, "\n") {
		t.Errorf("more is shown than a run may keep: %+v", shown)
	}
}
