package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"rollcall/e2e/servers/ldapserver"
)

// domain is a Samba domain with ldapserver.ActiveDirectory in it, started by the first test that wants it. It serves
// all of them, which only read: to provision one takes longer than to read it.
var domain struct {
	once sync.Once
	*ldapserver.Server
	dir string
	err error
}

func sambaDomain(t *testing.T) *ldapserver.Server {
	t.Helper()
	domain.once.Do(func() {
		// A short path: Samba makes sockets in it.
		if domain.dir, domain.err = os.MkdirTemp("", "ldap-"); domain.err != nil {
			return
		}
		domain.Server, domain.err = ldapserver.StartSamba(context.Background(), domain.dir,
			ldapserver.SambaConfig{Entries: ldapserver.ActiveDirectory()})
	})
	if domain.err != nil {
		t.Fatal(domain.err)
	}
	return domain.Server
}

func stopDomain() {
	if domain.Server != nil {
		if err := domain.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.RemoveAll(domain.dir)
}

// TestSamba drives a real Active Directory domain.
func TestSamba(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	s := sambaDomain(t)
	const addresses = ldapserver.CompanyAddresses

	for name, change := range map[string]func(object){
		"STARTTLS": nil, "SSL": useSSL(s),
		"global catalog":     func(c object) { c["port"] = s.GlobalCatalogPort },
		"global catalog SSL": func(c object) { c["useSSL"], c["port"] = true, s.GlobalCatalogSSLPort },
		"DOMAIN\\user":       func(c object) { c["username"] = `EXAMPLE\reader` },
	} {
		t.Run(name, func(t *testing.T) {
			p := account(t)
			preview := p.preview(request(s, change))
			wantDone(t, preview)
			if preview.number("summary.entries") != ldapserver.CompanyEntries ||
				preview.number("summary.addresses") != addresses {
				t.Errorf("summary %v, want %d entries and %d addresses", preview["summary"], ldapserver.CompanyEntries,
					addresses)
			}
			if lines := p.csv("/v1/previews/" + preview.text("id") +
				"/export"); len(lines) != addresses+preview.number("summary.skipped") {
				t.Errorf("%d lines of CSV, want %d", len(lines), addresses)
			}
			wantDone(t, p.sync(object{"previewId": preview.text("id")}))
			if users := p.list("/v1/users", nil); len(users) != addresses {
				t.Errorf("%d users, want %d", len(users), addresses)
			}
		})
	}
	t.Run("all values of an attribute that comes in ranges", func(t *testing.T) {
		p := account(t)
		preview := p.preview(request(s, nil))
		wantDone(t, preview)
		many := p.list("/v1/previews/"+preview.text("id")+"/addresses", url.Values{"primary": {"many@example.com"}})
		if len(many) != ldapserver.CompanyManyValues {
			t.Errorf("many@example.com has %d addresses, want %d", len(many), ldapserver.CompanyManyValues)
		}
		byType, _ := preview.at("summary.byType").(map[string]any)
		if byType["contact"] != 2.0 || byType["group"] != 2.0 || byType["shared"] != 2.0 {
			t.Errorf("types %v, want 2 contacts, 2 groups and a shared mailbox with 2 addresses", byType)
		}
	})
	t.Run("references at the domain root are reported and not followed", func(t *testing.T) {
		preview := account(t).preview(request(s, nil))
		wantDone(t, preview)
		if notes := fmt.Sprint(preview["notes"]); !strings.Contains(notes, "ldap://") ||
			!strings.Contains(notes, "3268") {
			t.Errorf("notes %s; want the references and the global catalog's port", notes)
		}
		below := request(s, nil)
		below["advanced"] = object{"searchBase": ldapserver.CompanyBase}
		if preview = account(t).preview(below); strings.Contains(fmt.Sprint(preview["notes"]), "ldap://") {
			t.Errorf("notes below the root: %v; want no references", preview["notes"])
		}
	})
	overridesOfSamba(t, s)
	t.Run("through a connector", func(t *testing.T) { readsThroughAConnector(t, request(s, nil)) })
	t.Run("the reader answers as go-ldap", func(t *testing.T) {
		sameAnswers(t, s, s.BaseDN, ldapserver.CompanyEntries)
	})
	t.Run("wrong password", func(t *testing.T) {
		preview := account(t).preview(request(s, func(c object) { c["password"] = "wrong" }))
		if message := preview.text("error.message"); preview.text("error.code") != "invalid_credentials" ||
			!strings.Contains(message, "52e") || !strings.Contains(message, "wrong username or password") {
			t.Errorf("error %v, want data 52e in words", preview["error"])
		}
	})
	t.Run("wrong base", func(t *testing.T) {
		body := request(s, nil)
		body["advanced"] = object{"searchBase": "OU=Nowhere," + s.BaseDN}
		preview := account(t).preview(body)
		if preview.text("error.code") != "base_not_found" || preview.text("error.step") != "base" {
			t.Errorf("error %v, want base_not_found at base", preview["error"])
		}
	})
	t.Run("skip disabled accounts, and one type only", func(t *testing.T) {
		body := request(s, nil)
		body["advanced"] = object{"skipDisabled": true, "include": []string{"user", "shared"}}
		preview := account(t).preview(body)
		wantDone(t, preview)
		// The shared mailbox's account is disabled; groups and contacts are left out by their type.
		if want := addresses - 6; preview.number("summary.addresses") != want {
			t.Errorf("%d addresses, want %d: %v", preview.number("summary.addresses"), want, preview["summary"])
		}
	})
}
