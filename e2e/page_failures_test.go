package e2e

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/e2e/browser"
	"rollcall/e2e/servers/ldapserver"
	"rollcall/local/demo/authority"
	"rollcall/local/demo/ldapd"
	"rollcall/local/demo/ldif"
)

// TestPageShowsFieldErrorsAtTheirFields sends what the API refuses.
func TestPageShowsFieldErrorsAtTheirFields(t *testing.T) {
	t.Parallel()
	tab := openPage(t, account(t), "/import")
	tab.ExpectProblem("status of 422")
	tab.Fill("LDAP Server", "ldap://dc1.example.com")
	tab.Fill("TCP Port", "99999")
	tab.Fill("Username", "reader@example.com")
	tab.Fill("Password", "x")
	tab.Check("checkbox", "Apply Advanced Settings", true)
	tab.Fill("Search Base", "nonsense")
	tab.Fill("Filter String", "(&(mail=*)(cn=a)")
	tab.Fill("Accepted Domains", "example.com\nexa mple")
	tab.Fill("Exclusions", "nobody")
	tab.Fill("Aliases", "mail, (x)")
	tab.Fill("CA Certificate", "MIIB")
	tab.Check("checkbox", "Apply Advanced Settings", false)
	tab.Check("checkbox", "Apply Advanced Settings", true)
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("fields need another look")
	for _, want := range []struct{ field, says string }{
		{"LDAP Server", "ldap://"}, {"TCP Port", "65535"}, {"Search Base", "DN"}, {"Filter String", "character"},
		{"Exclusions", "Entry 1"}, {"Aliases", "Entry 2"}, {"CA Certificate", "BEGIN CERTIFICATE"},
	} {
		if got := tab.FieldError("textbox", want.field); !strings.Contains(got, want.says) {
			t.Errorf("the error at %s is %q, want one with %q", want.field, got, want.says)
		}
	}
	if got := tab.Focused(); got != "LDAP Server" {
		t.Errorf("the focus is on %q, want it on the first wrong field", got)
	}
	checkAccessible(t, tab, "field errors")
	tab.Fill("LDAP Server", "dc1.example.com")
	if got := tab.FieldError("textbox", "LDAP Server"); got != "" {
		t.Errorf("the error stays while somebody corrects the field: %q", got)
	}
	tab.Fill("TCP Port", "x")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("One field needs another look")
	if got := tab.FieldError("textbox", "TCP Port"); !strings.Contains(got, "number") {
		t.Errorf("the error at TCP Port is %q", got)
	}
}

// TestPageShowsTheFailingStepAndItsFix breaks steps of the connection, and follows the way back to the field that
// fixes each.
func TestPageShowsTheFailingStepAndItsFix(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(3)})
	_, deadPort := ldapserver.Unreachable(t)
	tab := openPage(t, account(t), "/import")
	fillConnection(tab, s)
	// What the server showed is long, and stands apart from what to do.
	const folded = "What the server showed"
	fail := func(step, says, fix, field string) {
		t.Helper()
		tab.Click("button", "Preview Users to Sync")
		tab.WaitText("The preview failed at “" + step + "”")
		tab.WaitText(says)
		tab.Until(`document.title === 'Preview failed · Rollcall'`)
		if says == folded {
			if strings.Contains(tab.Text(), "issued by") {
				t.Error("the certificates stand in the sentence that says what to do")
			}
			tab.Click("summary", folded)
			tab.WaitText("issued by")
			checkAccessible(t, tab, "an error with its details")
		}
		got := browser.Eval[string](tab, `document.querySelector('.step.failed .step-name').innerText`)
		if !strings.HasPrefix(got, step) {
			t.Errorf("the cross is at %q, want it at %q", got, step)
		}
		tab.Click("button", fix)
		waitFocus(tab, field)
		if got := tab.Value("textbox", "LDAP Server"); got != s.Host {
			t.Errorf("what was typed is gone: the server is %q", got)
		}
	}
	tab.Fill("Password", "wrong")
	fail("Sign in", "wrong username or password", "Go to Password", "Password")
	tab.Fill("Password", s.Password)
	tab.Fill("CA Certificate", "")
	fail("Encrypt", folded, "Go to CA Certificate", "CA Certificate")
	tab.Fill("CA Certificate", s.CACertificate)
	tab.Fill("Search Base", "ou=nowhere,dc=example,dc=com")
	fail("Find the search base", "dc=example,dc=com", "Go to Search Base", "Search Base")
	tab.WaitText("Failed at “Find the search base”: The search base")
	tab.WaitText("Failed at “Sign in”: The server does not accept")
	checkAccessible(t, tab, "back at the settings")
	tab.Fill("Search Base", "")
	tab.Fill("TCP Port", fmt.Sprint(deadPort))
	fail("Connect", "Check the port", "Go to TCP Port", "TCP Port")
	tab.Fill("TCP Port", fmt.Sprint(s.Port))
	tab.Fill("Filter String", "(mail=nobody@example.com)")
	// Nothing listens at the first of the two servers.
	tab.Fill("LDAP Server", "127.0.0.3, "+s.Host)
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("Nothing was found")
	tab.WaitText("Connection: not every server answered")
	if got := browser.Eval[string](tab, `[...document.querySelectorAll('.step')].map((step) => step.className + ' ' +
		step.querySelector('.step-host').textContent).slice(0, 3).join(', ')`); got !=
		"step ok 127.0.0.3, step failed 127.0.0.3, step ok "+s.Host {
		t.Errorf("the steps begin with %s", got)
	}
	tab.WaitText("There is nothing to sync")
	if !isDisabled(tab, "Sync Now") {
		t.Error("an empty read can be synced")
	}
}

// TestPageComesBackToARunningPreview reloads in the middle of a preview, cancels it, and finds what was typed.
func TestPageComesBackToARunningPreview(t *testing.T) {
	t.Parallel()
	host, port := ldapserver.Silent(t)
	tab := openPage(t, account(t), "/import")
	tab.Fill("LDAP Server", host)
	tab.Fill("TCP Port", fmt.Sprint(port))
	tab.Fill("Username", "reader@example.com")
	tab.Fill("Password", "a secret")
	tab.Check("checkbox", "Apply Advanced Settings", true)
	tab.Fill("Exclusions", "*@test.example.com")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("Encrypt : under way")
	if got := step(tab); got != "Preview" {
		t.Errorf("a running preview is the step %q", got)
	}
	address := tab.Address()
	second := tab.Second()
	second.Open(address[:strings.Index(address, "#")] + "#/import")
	second.WaitFor("button", "Preview Users to Sync")
	if got := second.Value("textbox", "LDAP Server"); got != "" {
		t.Errorf("the second tab has %q of the first one's", got)
	}
	tab.Reload()
	tab.WaitText("Connect : done")
	tab.WaitText("Encrypt : under way")
	if tab.Address() != address {
		t.Errorf("after the reload the page is at %s, want %s", tab.Address(), address)
	}
	// The progress is drawn again while the mouse is down.
	browser.Eval[bool](tab, `Boolean(window.drawn = document.querySelector('.progress-head'))`)
	tab.ClickThrough("button", "Cancel", `!window.drawn.isConnected`)
	tab.WaitFor("button", "Preview Users to Sync")
	for field, want := range map[string]string{"LDAP Server": host, "TCP Port": fmt.Sprint(port),
		"Username": "reader@example.com", "Exclusions": "*@test.example.com", "Password": ""} {
		if got := tab.Value("textbox", field); got != want {
			t.Errorf("after reload and Cancel, %s is %q, want %q", field, got, want)
		}
	}
	stored := browser.Eval[string](tab, `JSON.stringify({ ...sessionStorage, ...localStorage })`)
	if strings.Contains(stored, "a secret") {
		t.Error("the password is in the browser's storage")
	}
	tab.Open(address)
	tab.WaitText("The preview was cancelled")

	tab.Open(address[:strings.Index(address, "#")] + "#/import")
	tab.Fill("Password", "another secret")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("Encrypt : under way")
	checkAccessible(t, tab, "running preview")
	tab.Click("button", "Cancel")
	tab.WaitFor("button", "Preview Users to Sync")
	if got := tab.Value("textbox", "Password"); got != "another secret" {
		t.Error("Cancel without a reload lost the password")
	}
	tab.ExpectProblem("status of 404")
	tab.Open(address[:strings.Index(address, "#")] + "#/previews/01M852AHDTY7WJ1PH72RY9M16N")
	tab.WaitText("The preview cannot be shown")
	tab.Click("button", "Take a new preview")
	tab.WaitFor("button", "Preview Users to Sync")
}

// TestPageKeepsWhatIsTypedBeforeItHasLoaded types while the saved settings are still being read, and reloads.
func TestPageKeepsWhatIsTypedBeforeItHasLoaded(t *testing.T) {
	t.Parallel()
	p := account(t)
	p.must(200, "PUT", "/v1/settings", object{"connection": object{"serverType": "exchange", "host": "dc1.example.com",
		"username": "saved", "password": "x"}})
	var slow atomic.Bool
	own := *p
	own.base = newProxy(t, p.base, func(_ http.ResponseWriter, r *http.Request) bool {
		for r.URL.Path == "/v1/settings" && slow.Load() && r.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		return false
	})
	slow.Store(true)
	tab := openPage(t, &own, "/import")
	tab.Fill("Username", "somebody")
	tab.Fill("Password", "a secret")
	slow.Store(false)
	tab.WaitText("Saved Sync")
	if got := tab.Value("textbox", "Username") + ", " + tab.Value("textbox", "Password"); got != "somebody, a secret" {
		t.Errorf("what was typed became %q", got)
	}
	slow.Store(true)
	tab.Reload()
	if got := tab.Value("textbox", "Username"); got != "somebody" {
		t.Errorf("after a reload, the username is %q before the saved settings have come", got)
	}
	slow.Store(false)
	tab.WaitText("Saved Sync")
	if got := tab.Value("textbox", "Username"); got != "somebody" {
		t.Errorf("after a reload, the username is %q", got)
	}
}

// hostile starts a directory whose texts would be markup. No server that keeps to RFC 4514 gives such a name, so it is
// one that gives whatever it was told.
func hostile(t *testing.T) *ldapserver.Server {
	t.Helper()
	evil := ldif.Entry{DN: `CN=<img src=x onerror=alert(1)>,DC=example,DC=com`}
	evil.Add("objectClass", "user")
	evil.Add("proxyAddresses", "SMTP:evil@example.com", `smtp:<script>alert(2)</script>@example.com`,
		`smtp:"<img src=x onerror=alert(3)>"@example.com`)
	base := ldif.Entry{DN: "DC=example,DC=com"}
	base.Add("objectClass", "domain")
	root := ldif.Entry{}
	root.Add("objectClass", "top")
	root.Add("defaultNamingContext", base.DN)
	root.Add("supportedExtension", "1.3.6.1.4.1.1466.20037")
	ca, err := authority.New(authority.Config{Name: "Test CA"})
	if err != nil {
		t.Fatal(err)
	}
	tls, err := ca.ServerTLS("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	server, err := ldapd.New(ldapd.Config{
		Entries: []ldif.Entry{base, evil}, RootDSE: root, TLS: tls, Log: slog.New(slog.DiscardHandler),
		Accounts: []ldapd.Account{{DN: "CN=reader,DC=example,DC=com", Password: "secret"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return &ldapserver.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port,
		Username: "CN=reader,DC=example,DC=com", Password: "secret", CACertificate: ca.PEM()}
}

// TestPageShowsMarkupAsText previews a directory that tries to write into the page.
func TestPageShowsMarkupAsText(t *testing.T) {
	t.Parallel()
	p := account(t)
	tab := openPage(t, p, "/import")
	fillConnection(tab, hostile(t))
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("Results Preview")
	check := func(where string) {
		t.Helper()
		const markup = `document.querySelectorAll('main img, main script, main b, dialog img, dialog b')`
		if browser.Eval[int](tab, markup+`.length`) > 0 {
			t.Errorf("%s: text of the directory became markup", where)
		}
	}
	tab.WaitText("CN=<img src=x onerror=alert(1)>,DC=example,DC=com")
	check("the table")
	tab.Click("button", "evil@example.com")
	tab.Until(`document.querySelector('dialog .code') !== null`)
	dn := browser.Eval[string](tab, `document.querySelector('dialog .code').innerText`)
	if dn != "CN=<img src=x onerror=alert(1)>,DC=example,DC=com" {
		t.Errorf("the DN is shown as %q", dn)
	}
	check("the details")
	tab.Click("button", "Close")
	tab.Click("tab", "Skipped")
	tab.WaitText("<script>alert(2)</script>@example.com")
	check("the skipped")
	tab.Click("button", "Sync Now")
	tab.WaitText("The sync is done")
	check("the changes")
	tab.Click("link", "Users List")
	tab.WaitText("evil@example.com")
	check("the Users List")
	addresses := []string{}
	for _, u := range p.list("/v1/users", nil) {
		addresses = append(addresses, u.text("address"))
	}
	if !slices.Contains(addresses, "evil@example.com") {
		t.Errorf("users %q", addresses)
	}
}
