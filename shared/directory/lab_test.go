package directory_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// This is the TLS laboratory: servers with every fault that STARTTLS and TLS are known for, each read with a real
// handshake. docs/tls.md has its tables.

// lab is what the servers of the laboratory share.
type lab struct {
	root, leaf *holder
	// timeout is that of a step.
	timeout time.Duration
}

func newLab(t *testing.T) lab {
	root := issue(t, nil, authority("Lab Root"))
	return lab{root, issue(t, root, nil), 5 * time.Second}
}

// onePerson answers every search with one person.
func onePerson(c *session, _ int, _ search) bool {
	c.person("a")
	c.page("")
	return true
}

// readTLS reads a script's directory, encrypted unless change says otherwise, with the laboratory's root as CA.
func (l lab) readTLS(t *testing.T, s *script, change func(*settings.Connection)) got {
	t.Helper()
	s.root, s.search = offersPaging, onePerson
	return read(t, s, directory.Config{StepTimeout: l.timeout}, func(c *settings.Connection, _ *directory.Query) {
		c.Encryption, c.CACertificate, c.UseSSL = "", l.root.pem(), s.ssl
		if change != nil {
			change(c)
		}
		*c = c.Normalised()
	})
}

// wantRead fails the test unless the directory was read, and said whether it was encrypted.
func (g got) wantRead(t *testing.T, encrypted bool) {
	t.Helper()
	if g.err != nil || len(g.entries) != 1 {
		t.Fatalf("%d entries, error %v", len(g.entries), g.err)
	}
	said := strings.Join(g.info.Notes, "\n")
	for _, step := range g.steps {
		said += "\n" + step.Detail
	}
	if strings.Contains(said, "not encrypted") == encrypted {
		t.Errorf("encrypted is %t, and steps and notes say:%s", encrypted, said)
	}
	certificate := g.certificate()
	if last := g.steps[len(g.steps)-4]; encrypted != (last.Certificate != nil) {
		t.Errorf("encrypted is %t, and the certificate %+v is shown at %+v", encrypted, certificate, last)
	}
}

// certificate is the hash of the last one that a step shows.
func (g got) certificate() (hash string) {
	for _, step := range g.steps {
		if step.Certificate != nil {
			hash = step.Certificate.SHA256
		}
	}
	return hash
}

// wantError fails the test unless the read failed as it should, without a word of the password on the way.
func (g got) wantError(t *testing.T, s *script, code string, says ...string) {
	t.Helper()
	var e *directory.Error
	if !errors.As(g.err, &e) || e.Code != code || e.Step != directory.StepTLS {
		t.Fatalf("error %v (%T), want %s at step tls", g.err, g.err, code)
	}
	for _, text := range says {
		if !strings.Contains(e.Message, text) {
			t.Errorf("%q does not say %q", e.Message, text)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.ops {
		if op == ldap.ApplicationBindRequest {
			t.Error("the password was sent all the same")
		}
	}
}

// TestEveryFaultOfTLS reads from each server with each kind of encryption.
func TestEveryFaultOfTLS(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, f := range faults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := l
			if f.code == directory.CodeTimeout {
				l.timeout = time.Second
			}
			t.Run("required", func(t *testing.T) {
				t.Parallel()
				s := f.server(t, l)
				g := l.readTLS(t, s, nil)
				g.wantError(t, s, f.code, f.says)
				if f.seen != (g.certificate() != "") {
					t.Errorf("the certificate %q was seen, want %t", g.certificate(), f.seen)
				}
			})
			t.Run("preferred", func(t *testing.T) {
				t.Parallel()
				g := l.readTLS(t, f.server(t, l), func(c *settings.Connection) { c.Encryption = settings.Preferred })
				g.wantRead(t, false)
			})
			t.Run("as version 0.4 stored it", func(t *testing.T) {
				t.Parallel()
				s := f.server(t, l)
				g := l.readTLS(t, s, func(c *settings.Connection) { c.AllowUnencrypted = true })
				if f.code == directory.CodeStartTLSRefused {
					g.wantRead(t, false)
				} else {
					g.wantError(t, s, f.code)
				}
			})
			t.Run("none", func(t *testing.T) {
				t.Parallel()
				s := f.server(t, l)
				g := l.readTLS(t, s, func(c *settings.Connection) { c.Encryption = settings.None })
				g.wantRead(t, false)
				s.mu.Lock()
				defer s.mu.Unlock()
				if s.ops[0] == ldap.ApplicationExtendedRequest {
					t.Error("STARTTLS was asked for")
				}
			})
			if f.plain {
				return
			}
			t.Run("SSL", func(t *testing.T) {
				t.Parallel()
				s := f.server(t, l)
				s.ssl = true
				l.readTLS(t, s, nil).wantError(t, s, f.code, f.says)
			})
		})
	}
}

// TestServersThatAskForMoreEncryption are those that refuse a bind or a search for want of it.
func TestServersThatAskForMoreEncryption(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	encrypted := l.leaf.server()
	for name, test := range map[string]struct {
		server *script
		mode   settings.Encryption
		says   string
	}{
		"none, confidentiality required": {&script{bind: 13}, settings.None, "Choose “required” as Encryption"},
		"none, strong authentication":    {&script{bind: 8}, settings.None, "Choose “required” as Encryption"},
		"none, minimum SSF not met": {
			&script{bind: 53, bindText: "Minimum SSF not met."}, settings.None, "Choose “required” as Encryption",
		},
		"preferred, and STARTTLS is refused": {
			&script{bind: 8, startTLS: 52}, settings.Preferred, "STARTTLS failed: The server refuses STARTTLS",
		},
		"encrypted, minimum SSF not met": {
			&script{bind: 53, bindText: "Minimum SSF not met.", tls: encrypted}, "", "nsslapd-minssf",
		},
		"encrypted, OpenLDAP": {&script{bind: 13, bindText: "stronger confidentiality required", tls: encrypted}, "",
			"security ssf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := l.readTLS(t, test.server, func(c *settings.Connection) { c.Encryption = test.mode })
			var e *directory.Error
			if !errors.As(g.err, &e) || e.Code != directory.CodeEncryptionRequired || e.Step != directory.StepBind ||
				!strings.Contains(e.Message, test.says) {
				t.Errorf("error %v, want %s at bind with %q", g.err, directory.CodeEncryptionRequired, test.says)
			}
		})
	}
	t.Run("at the search", func(t *testing.T) {
		t.Parallel()
		s := &script{root: offersPaging, search: func(c *session, _ int, _ search) bool {
			c.result(ldap.ApplicationSearchResultDone, 53, "", "Minimum SSF not met.")
			return true
		}}
		g := read(t, s, directory.Config{}, nil)
		var e *directory.Error
		if !errors.As(g.err, &e) || e.Code != directory.CodeEncryptionRequired || e.Step != directory.StepSearch ||
			!strings.Contains(e.Message, "Use SSL") {
			t.Errorf("error %v, want %s at search", g.err, directory.CodeEncryptionRequired)
		}
	})
}
