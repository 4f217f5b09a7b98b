package e2e

import (
	"fmt"
	"strings"
	"testing"

	"rollcall/e2e/browser"
	"rollcall/e2e/servers/ldapserver"
)

// TestPageTrustsACertificate reads a server whose certificate no authority vouches for: the failed step shows the
// certificate, a button trusts it, and the result says what is not checked.
func TestPageTrustsACertificate(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{
		Entries: ldapserver.People(3), CertificateNames: []string{"dc1.example.com", "dc2.example.com"},
	})
	p := account(t)
	tab := openPage(t, p, "/import")
	fillConnection(tab, s)
	tab.Fill("CA Certificate", "")
	tab.Fill("Filter String", "(mail=*)")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("The preview failed at “Encrypt”")
	tab.WaitText("dc1.example.com, dc2.example.com")
	shown := browser.Eval[string](tab, `document.querySelector('.step.failed .certificate').innerText`)
	for _, text := range []string{"Subject", "Issuer", "CN=Rollcall test CA", "Names", "Valid", "SHA-256"} {
		if !strings.Contains(shown, text) {
			t.Errorf("the certificate is shown as %q, without %q", shown, text)
		}
	}
	checkLooks(t, tab, "certificate")
	tab.Click("button", "Trust this certificate")
	waitFocus(tab, "Trusted Certificate")
	trusted := tab.Value("textbox", "Trusted Certificate")
	if len(trusted) != len("sha256:")+64 || tab.Value("textbox", "Password") != s.Password {
		t.Errorf("the certificate to trust is %q, or the password is gone", trusted)
	}
	checkAccessible(t, tab, "a trusted certificate")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("Results Preview")
	tab.WaitText("One certificate is trusted as it is")
	last := p.list("/v1/previews", nil)[0]
	if got := last.text("settings.connection.trustedCertificate"); got != trusted {
		t.Errorf("the preview trusts %q, want %q", got, trusted)
	}
}

// TestPageSaysWhatIsNotEncrypted reads a server without STARTTLS: the page leads to the choice of encryption, and every
// result says that there was none.
func TestPageSaysWhatIsNotEncrypted(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(3), WithoutTLS: true})
	p := account(t)
	tab := openPage(t, p, "/import")
	fillConnection(tab, s)
	tab.Fill("Filter String", "(mail=*)")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("The preview failed at “Encrypt”")
	tab.WaitText("as Encryption")
	tab.Click("button", "Go to Encryption")
	waitFocus(tab, "Encryption")
	for mode, label := range map[string]string{
		"preferred": "Preferred: go on without it where it fails", "none": "None",
	} {
		tab.Select("Encryption", label)
		tab.WaitText("every address cross the network as they are")
		tab.Click("button", "Preview Users to Sync")
		tab.WaitText("This connection was not encrypted")
		tab.WaitText(fmt.Sprintf("port %d, not encrypted", s.Port))
		if got := p.list("/v1/previews", nil)[0].text("settings.connection.encryption"); got != mode {
			t.Errorf("the preview has encryption %q, want %q", got, mode)
		}
		if mode == "none" {
			checkAccessible(t, tab, "a preview that is not encrypted")
		}
		tab.Click("button", "Sync Now")
		tab.WaitText("The sync is done")
		tab.WaitText("This connection was not encrypted")
		tab.Click("link", "LDAP Import")
		tab.WaitFor("button", "Preview Users to Sync")
	}
	tab.Check("checkbox", "Use SSL", true)
	tab.WaitText("SSL encrypts from the first byte.")
}
