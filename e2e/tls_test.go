package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// The laboratory of shared/directory plays servers with every fault of TLS. Here are those faults for which a real
// server with another TLS library (OpenLDAP with GnuTLS) tells more.

// oldCertificate is a server's certificate with an RSA key, signed with the given algorithm, and its key.
type oldCertificate struct {
	certificate, key []byte
	ca, sha256       string
}

func issueOld(t *testing.T, algorithm x509.SignatureAlgorithm) oldCertificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Old CA"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "old server"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, SignatureAlgorithm: algorithm,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	encode := func(kind string, der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	ca := encode("CERTIFICATE", rootDER, err)
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), key)
	certificate := encode("CERTIFICATE", leafDER, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	sum := sha256.Sum256(leafDER)
	return oldCertificate{certificate, encode("PRIVATE KEY", keyDER, err), string(ca), hex.EncodeToString(sum[:])}
}

// readOnce reads a server's directory and returns what came of it.
func readOnce(t *testing.T, to settings.Connection) (info directory.Info, steps []run.Step, err error) {
	t.Helper()
	query := directory.Query{Filter: "(mail=*)", Attributes: []string{"mail"}}
	info, err = directory.New(directory.Config{}).Read(t.Context(), to.Entered(), query,
		func(s run.Step) { steps = append(steps, s) }, func(*directory.Entry) error { return nil })
	return info, steps, err
}

// TestServersWithOldOrStrictTLS reads OpenLDAP servers that are set up as administrators find them.
func TestServersWithOldOrStrictTLS(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	ofToday, bySHA1 := issueOld(t, x509.SHA256WithRSA), issueOld(t, x509.SHA1WithRSA)
	priority := func(of string) string { return "TLSCipherSuite NONE:+COMP-NULL:+SIGN-ALL:+GROUP-ALL:" + of }
	type change = func(c *settings.Connection)
	oldTLS := func(c *settings.Connection) { c.OldTLS = true }
	preferred := func(c *settings.Connection) { c.Encryption, c.UseSSL = settings.Preferred, false }
	none := func(c *settings.Connection) { c.Encryption, c.UseSSL = settings.None, false }
	for name, test := range map[string]struct {
		directives string
		with       oldCertificate
		// fails is the code of a read that asks for nothing special, empty where it succeeds; reads are the changes
		// with which it is encrypted, plain those with which it is not.
		fails, says  string
		reads, plain []change
	}{
		"TLS 1.0": {priority("+VERS-TLS1.0:+AES-128-CBC:+SHA1:+ECDHE-RSA:+RSA"), ofToday, directory.CodeTLSOld,
			"Old TLS", []change{oldTLS}, []change{preferred, none}},
		"TLS 1.1": {priority("+VERS-TLS1.1:+AES-256-CBC:+SHA1:+RSA"), ofToday, directory.CodeTLSOld,
			"Old TLS", []change{oldTLS}, []change{preferred}},
		"RSA key exchange": {priority("+VERS-TLS1.2:+AES-128-CBC:+SHA1:+RSA"), ofToday, directory.CodeTLSOld,
			"key exchange by RSA", []change{oldTLS}, []change{preferred}},
		"3DES": {priority("+VERS-TLS1.0:+3DES-CBC:+SHA1:+RSA"), ofToday, directory.CodeTLSOld,
			"Old TLS", []change{oldTLS}, []change{preferred}},
		"RC4": {priority("+VERS-TLS1.2:+ARCFOUR-128:+SHA1:+RSA"), ofToday, directory.CodeTLSOld,
			"RC4", []change{oldTLS}, []change{preferred}},
		"only DHE": {priority("+VERS-TLS1.2:+AES-128-GCM:+AEAD:+DHE-RSA"), ofToday, directory.CodeTLSFailed,
			"not even", nil, []change{preferred}},
		"SHA-1": {"", bySHA1, directory.CodeTLSAuthority, "trustedCertificate", []change{
			func(c *settings.Connection) { c.TrustedCertificate = "sha256:" + bySHA1.sha256 },
		}, []change{preferred}},
		"a client certificate": {"TLSVerifyClient demand", ofToday, directory.CodeTLSClient, "client certificate",
			nil, []change{preferred}},
		"a client certificate, TLS 1.2": {"TLSVerifyClient demand\nTLSCipherSuite NORMAL:-VERS-TLS1.3", ofToday,
			directory.CodeTLSClient, "client certificate", nil, []change{preferred}},
		"a client certificate is welcome": {"TLSVerifyClient try", ofToday, "", "", nil, nil},
		"encryption":                      {"security ssf=128", ofToday, "", "", []change{oldTLS}, nil},
		"more encryption than there is": {"security ssf=1024", ofToday, directory.CodeEncryptionRequired,
			"security ssf", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{
				Entries: ldapserver.People(3), Directives: test.directives,
				Credentials: [2][]byte{test.with.certificate, test.with.key},
			})
			for _, useSSL := range []bool{false, true} {
				to := settings.Connection{
					ServerType: settings.GroupWise, Host: s.Host, Port: s.Port, Username: s.Username,
					Password: secret.New(s.Password), CACertificate: test.with.ca, UseSSL: useSSL,
				}
				if useSSL {
					to.Port = s.SSLPort
				}
				_, _, err := readOnce(t, to)
				var e *directory.Error
				if test.fails == "" && err != nil || test.fails != "" &&
					(!errors.As(err, &e) || e.Code != test.fails || !strings.Contains(e.Message, test.says)) {
					t.Errorf("SSL %t: error %v, want %q with %q", useSSL, err, test.fails, test.says)
				}
				for i, change := range append(test.reads, test.plain...) {
					encrypted, changed := i < len(test.reads), to
					change(&changed)
					if changed.UseSSL != useSSL {
						continue
					}
					info, steps, err := readOnce(t, changed)
					said := strings.Contains(strings.Join(info.Notes, "\n"), "not encrypted")
					if err != nil || info.Entries == 0 || said == encrypted {
						t.Errorf("SSL %t, change %d: %d entries, error %v, notes %q, steps %+v; want it encrypted: %t",
							useSSL, i, info.Entries, err, info.Notes, steps, encrypted)
					}
				}
			}
		})
	}
	t.Run("encryption, and there is none", func(t *testing.T) {
		t.Parallel()
		s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{
			Entries: ldapserver.People(3), WithoutTLS: true, Directives: "security ssf=128",
		})
		_, _, err := readOnce(t, settings.Connection{
			ServerType: settings.GroupWise, Host: s.Host, Port: s.Port, Encryption: settings.None,
			Username: s.Username, Password: secret.New(s.Password),
		})
		var e *directory.Error
		if !errors.As(err, &e) || e.Code != directory.CodeEncryptionRequired {
			t.Errorf("error %v, want %s", err, directory.CodeEncryptionRequired)
		}
	})
}
