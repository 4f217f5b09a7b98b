package directory_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/directory"
)

// fault is a way in which STARTTLS or TLS fails, and what is said about it.
type fault struct {
	server func(t *testing.T, l lab) *script
	code   string
	says   string
	// seen is set where the server's certificate is seen.
	seen bool
	// plain is set where a server does it with STARTTLS only.
	plain bool
}

// serving is a server with a configuration of TLS.
func serving(change func(l lab, c *tls.Config)) func(*testing.T, lab) *script {
	return func(_ *testing.T, l lab) *script {
		c := l.leaf.server()
		change(l, c)
		return &script{tls: c}
	}
}

// answering is a server that answers STARTTLS in its own way.
func answering(answer func(c *session) bool) func(*testing.T, lab) *script {
	return func(*testing.T, lab) *script { return &script{onStartTLS: answer} }
}

// after is a server that agrees to STARTTLS and then goes its own way.
func after(next func(c *session)) func(*testing.T, lab) *script {
	return answering(func(c *session) bool {
		c.result(ldap.ApplicationExtendedResponse, 0, "", "")
		next(c)
		return false
	})
}

// withLeaf is a server whose certificate has a fault.
func withLeaf(change func(*x509.Certificate)) func(*testing.T, lab) *script {
	return func(t *testing.T, l lab) *script { return &script{tls: issue(t, l.root, change).server()} }
}

// withRSA is a server with an RSA key and a configuration of TLS.
func withRSA(change func(*tls.Config)) func(*testing.T, lab) *script {
	return func(t *testing.T, l lab) *script {
		c := issueRSA(t, l.root, nil).server()
		change(c)
		return &script{tls: c}
	}
}

func onlyTLS(version uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MaxVersion = version }
}

func onlySuite(suite uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite} }
}

// asksForCertificate is a server that takes nobody without a client's certificate.
func asksForCertificate(version uint16) func(*testing.T, lab) *script {
	return serving(func(_ lab, c *tls.Config) {
		c.MaxVersion, c.ClientAuth = version, tls.RequireAnyClientCert
	})
}

// oldServers speak TLS as it was before 2010.
func oldServers() map[string]fault {
	old := func(change func(*tls.Config), says string) fault {
		return fault{server: withRSA(change), code: directory.CodeTLSOld, says: says, seen: true}
	}
	return map[string]fault{
		"TLS 1.0 only":             old(onlyTLS(tls.VersionTLS10), "offers only versions of TLS before 1.2"),
		"TLS 1.1 only":             old(onlyTLS(tls.VersionTLS11), "offers only versions of TLS before 1.2"),
		"RSA key exchange, AES":    old(onlySuite(tls.TLS_RSA_WITH_AES_128_GCM_SHA256), "key exchange by RSA"),
		"RSA key exchange, CBC":    old(onlySuite(tls.TLS_RSA_WITH_AES_128_CBC_SHA), "key exchange by RSA"),
		"RSA key exchange, SHA256": old(onlySuite(tls.TLS_RSA_WITH_AES_128_CBC_SHA256), "key exchange by RSA"),
		"3DES":                     old(onlySuite(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), "tick Old TLS (oldTLS)"),
		"RC4":                      old(onlySuite(tls.TLS_RSA_WITH_RC4_128_SHA), "tick Old TLS (oldTLS)"),
		"RC4 with ECDHE":           old(onlySuite(tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA), "tick Old TLS (oldTLS)"),
	}
}

// faults are all ways to fail.
func faults() map[string]fault {
	out := map[string]fault{
		"STARTTLS refused": {
			server: func(*testing.T, lab) *script { return &script{startTLS: 53} },
			code:   directory.CodeStartTLSRefused, says: "(encryption)", plain: true,
		},
		"STARTTLS unknown": {
			server: func(*testing.T, lab) *script { return &script{startTLS: 2} },
			code:   directory.CodeStartTLSRefused, says: "port 636", plain: true,
		},
		"STARTTLS: closed": {
			server: answering(func(*session) bool { return false }),
			code:   directory.CodeProtocol, says: "(encryption)", plain: true,
		},
		"STARTTLS: no answer": {
			server: answering(func(c *session) bool {
				c.Read(make([]byte, 1))
				return false
			}),
			code: directory.CodeTimeout, says: "(encryption)", plain: true,
		},
		"STARTTLS: a bind's answer": {
			server: answering(func(c *session) bool {
				c.result(ldap.ApplicationBindResponse, 0, "", "")
				return true
			}),
			code: directory.CodeProtocol, says: "(encryption)", plain: true,
		},
		"STARTTLS: no LDAP": {
			server: answering(func(c *session) bool {
				fmt.Fprint(c, "500 unknown command\r\n")
				return false
			}),
			code: directory.CodeProtocol, says: "(encryption)", plain: true,
		},
		"STARTTLS: a notice": {
			server: answering(func(c *session) bool {
				c.id = 0
				c.result(ldap.ApplicationExtendedResponse, ldap.LDAPResultUnavailable, "", "shutting down")
				return false
			}),
			code: directory.CodeProtocol, says: "shutting down", plain: true,
		},
		"then closed": {
			server: after(func(*session) {}), code: directory.CodeTLSFailed, says: "no certificate", plain: true,
		},
		"then no answer": {
			server: after(func(c *session) {
				for buffer := make([]byte, 4096); ; {
					if _, err := c.Read(buffer); err != nil {
						return
					}
				}
			}),
			code: directory.CodeTimeout, says: "(encryption)", plain: true,
		},
		"then no TLS": {
			server: after(func(c *session) { fmt.Fprint(c, "hello, this is no TLS") }),
			code:   directory.CodeTLSFailed, says: "not TLS", plain: true,
		},
		"then a bind's answer in the clear": {
			server: func(_ *testing.T, l lab) *script {
				return &script{tls: l.leaf.server(), clear: []byte{0x30, 0x0c, 2, 1, 1, 0x61, 7, 0xa, 1, 0, 4, 0, 4, 0}}
			},
			code: directory.CodeTLSFailed, says: "not TLS", plain: true,
		},
		"client certificate, TLS 1.2": {
			server: asksForCertificate(tls.VersionTLS12), code: directory.CodeTLSClient, says: "client certificate",
			seen: true,
		},
		"client certificate, TLS 1.3": {
			server: asksForCertificate(tls.VersionTLS13), code: directory.CodeTLSClient, says: "TLSVerifyClient",
			seen: true,
		},
	}
	for _, more := range []map[string]fault{oldServers(), certificateFaults()} {
		for name, f := range more {
			out[name] = f
		}
	}
	return out
}
