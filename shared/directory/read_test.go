package directory_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// offersPaging is a rootDSE with the paged results control.
var offersPaging = map[string][]string{"namingContexts": {"dc=example,dc=com"},
	"supportedControl": {ldap.ControlTypePaging}}

// got is what a read came to.
type got struct {
	entries []string
	steps   []run.Step
	info    directory.Info
	err     error
}

// read reads a script's directory without encryption, with short deadlines.
func read(t *testing.T, s *script, config directory.Config, change func(*settings.Connection, *directory.Query)) got {
	t.Helper()
	return readContext(t.Context(), t, s, config, change)
}

func readContext(ctx context.Context, t *testing.T, s *script, config directory.Config,
	change func(*settings.Connection, *directory.Query)) got {
	t.Helper()
	host, port := s.serve(t)
	connection := settings.Connection{ServerType: settings.GroupWise, Host: host, Port: port, Encryption: settings.None,
		Username: "cn=reader", Password: secret.New("pw")}
	query := directory.Query{Attributes: []string{"mail"}}
	if change != nil {
		change(&connection, &query)
	}
	if config.StepTimeout == 0 {
		config.StepTimeout = 2 * time.Second
	}
	if config.IdleTimeout == 0 {
		config.IdleTimeout = 2 * time.Second
	}
	var g got
	g.info, g.err = directory.New(config).Read(ctx, connection, query,
		func(s run.Step) { g.steps = append(g.steps, s) }, func(e *directory.Entry) error {
			line := string(e.DN)
			for _, a := range e.Attributes {
				line += fmt.Sprintf(" %s=%d", a.Name, len(a.Values))
			}
			g.entries = append(g.entries, line)
			return nil
		})
	return g
}

func TestReadsPageAfterPage(t *testing.T) {
	t.Parallel()
	s := &script{root: offersPaging, search: func(c *session, n int, r search) bool {
		want := map[int]string{1: "", 2: "one", 3: "two"}[n]
		if r.paging == nil || string(r.paging.Cookie) != want || r.paging.PagingSize != 1000 ||
			r.base != "dc=example,dc=com" {
			c.done(ldap.LDAPResultProtocolError)
			return true
		}
		c.person(fmt.Sprint("p", n))
		c.page(map[int]string{1: "one", 2: "two", 3: ""}[n])
		return true
	}}
	g := read(t, s, directory.Config{}, nil)
	if g.err != nil {
		t.Fatal(g.err)
	}
	if want := []string{"cn=p1,dc=example,dc=com mail=1", "cn=p2,dc=example,dc=com mail=1",
		"cn=p3,dc=example,dc=com mail=1"}; !slices.Equal(g.entries, want) {
		t.Errorf("entries %q, want %q", g.entries, want)
	}
	var steps []string
	for _, s := range g.steps {
		steps = append(steps, fmt.Sprint(s.Step, s.OK))
	}
	if diff := cmp.Diff([]string{"resolvetrue", "connecttrue", "tlstrue", "bindtrue", "basetrue", "searchtrue"},
		steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if g.info.Entries != 3 || g.info.DirectoryID != "dc=example,dc=com" {
		t.Errorf("info %+v", g.info)
	}
}

func TestServersWithoutPaging(t *testing.T) {
	t.Parallel()
	refuse := func(code int64) func(*session, int, search) bool {
		return func(c *session, _ int, r search) bool {
			if r.paging != nil {
				c.done(code)
				return true
			}
			c.person("a")
			c.done(0)
			return true
		}
	}
	plain := func(c *session, _ int, _ search) bool {
		c.person("a")
		c.done(0)
		return true
	}
	tests := map[string]struct {
		root   map[string][]string
		search func(*session, int, search) bool
		note   string
	}{
		"not offered, and ignored": {map[string][]string{"namingContexts": {"o=x"}}, plain,
			"does not offer paged results"},
		"no rootDSE": {nil, plain, "no rootDSE"},
		"refused with 12": {offersPaging, refuse(ldap.LDAPResultUnavailableCriticalExtension),
			"refused paged results (result 12)"},
		"offered, refused with 11": {offersPaging, refuse(ldap.LDAPResultAdminLimitExceeded),
			"refused paged results (result 11)"},
		"offered, refused with 53": {offersPaging, refuse(ldap.LDAPResultUnwillingToPerform),
			"refused paged results (result 53)"},
		"not encrypted, which is ok": {offersPaging,
			func(c *session, _ int, _ search) bool { c.person("a"); c.page(""); return true }, "not encrypted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := read(t, &script{root: test.root, search: test.search}, directory.Config{}, nil)
			if g.err != nil || len(g.entries) != 1 || !strings.Contains(strings.Join(g.info.Notes, "; "), test.note) {
				t.Errorf("%d entries, notes %q, error %v; want one entry and a note with %q", len(g.entries),
					g.info.Notes, g.err, test.note)
			}
		})
	}
}

func TestRangesAreCompleted(t *testing.T) {
	t.Parallel()
	values := func(from, to int) []string {
		var out []string
		for i := from; i <= to; i++ {
			out = append(out, fmt.Sprint("smtp:v", i, "@example.com"))
		}
		return out
	}
	answer := func(r search) map[string][]string {
		switch r.attributes[0] {
		case "mail":
			return map[string][]string{"mail": {"a@example.com"}, "proxyAddresses": nil,
				"proxyAddresses;range=0-1499": values(0, 1499)}
		case "proxyAddresses;range=1500-*":
			return map[string][]string{"proxyAddresses;range=1500-2999": values(1500, 2999)}
		case "proxyAddresses;range=3000-*":
			return map[string][]string{"proxyAddresses;range=3000-*": values(3000, 3199)}
		}
		return nil
	}
	s := &script{root: offersPaging, search: func(c *session, n int, r search) bool {
		c.entry("cn=many,dc=example,dc=com", answer(r))
		if n == 1 {
			c.person("other")
			c.page("")
		} else {
			c.done(0)
		}
		return true
	}}
	g := read(t, s, directory.Config{}, nil)
	if g.err != nil {
		t.Fatal(g.err)
	}
	slices.Sort(g.entries)
	if len(g.entries) != 2 || !strings.Contains(g.entries[0], " proxyAddresses=3200") ||
		strings.Contains(g.entries[0], ";") {
		t.Errorf("entries %q, want one with 3200 values under the plain name", g.entries)
	}
}

// TestRangesThatMissValues never end in a shorter list of values.
func TestRangesThatMissValues(t *testing.T) {
	t.Parallel()
	const good = "proxyAddresses;range=0-1499"
	tests := map[string]struct {
		// first is the description that comes with the page, rest the one that comes next, and code the result then.
		first, rest string
		code        int64
		says        string
	}{
		"a range that is not given": {good, "mail", 0, "did not give"},
		"a range that begins later": {good, "proxyAddresses;range=1600-*", 0, "from 1500 on"},
		"a first range that is not": {"proxyAddresses;range=5-*", "", 0, "no range from the first value on"},
		"a first range that has a next": {"proxyAddresses;range=5-1499", "proxyAddresses;range=1500-*", 0,
			"no range from the first value on"},
		"a range without bounds": {"proxyAddresses;Range=", "", 0, "no range from the first value on"},
		"a range beyond counting": {"proxyAddresses;range=0-99999999999", "", 0,
			"no range from the first value on"},
		"an entry that is deleted meanwhile": {good, "", ldap.LDAPResultNoSuchObject, "cn=many was moved or deleted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{root: offersPaging, search: func(c *session, n int, _ search) bool {
				if n == 1 {
					c.entry("cn=many", map[string][]string{test.first: {"smtp:a@example.com"}})
					c.page("")
					return true
				}
				if test.code == 0 {
					c.entry("cn=many", map[string][]string{test.rest: {"smtp:b@example.com"}})
				}
				c.done(test.code)
				return true
			}}
			g := read(t, s, directory.Config{}, nil)
			var e *directory.Error
			if !errors.As(g.err, &e) || e.Code != directory.CodeIncompleteRead ||
				!strings.Contains(e.Message, test.says) || len(g.entries) > 0 {
				t.Errorf("entries %q, error %v; want %s with %q", g.entries, g.err, directory.CodeIncompleteRead,
					test.says)
			}
		})
	}
}

// TestACookieOutlivesRanges asks for more values than the page had between a page and the next: the cookie must not lie
// in the buffer that they are read into.
func TestACookieOutlivesRanges(t *testing.T) {
	t.Parallel()
	const cookie = "the first page's cookie"
	value := strings.Repeat("x", 20)
	s := &script{root: offersPaging, search: func(c *session, n int, r search) bool {
		switch n {
		case 1:
			c.entry("cn=many,dc=example,dc=com",
				map[string][]string{"proxyAddresses;range=0-1499": slices.Repeat([]string{value}, 1500)})
			c.page(cookie)
		case 2:
			c.entry("cn=many,dc=example,dc=com",
				map[string][]string{"proxyAddresses;range=1500-*": slices.Repeat([]string{value}, 3000)})
			c.done(0)
		default:
			if r.paging == nil || string(r.paging.Cookie) != cookie {
				c.done(ldap.LDAPResultUnwillingToPerform)
				return true
			}
			c.person("other")
			c.page("")
		}
		return true
	}}
	g := read(t, s, directory.Config{}, nil)
	if want := []string{"cn=many,dc=example,dc=com proxyAddresses=4500",
		"cn=other,dc=example,dc=com mail=1"}; g.err != nil || !slices.Equal(g.entries, want) {
		t.Errorf("entries %q, error %v; want %q", g.entries, g.err, want)
	}
}

func TestReferencesAreReportedAndNotFollowed(t *testing.T) {
	t.Parallel()
	s := &script{root: offersPaging, search: func(c *session, _ int, _ search) bool {
		c.person("a")
		for range 3 {
			c.reference("ldap://dns.example.com/DC=dns")
		}
		c.page("")
		return true
	}}
	g := read(t, s, directory.Config{}, nil)
	if g.err != nil || !slices.Equal(g.info.References, []string{"ldap://dns.example.com/DC=dns"}) ||
		!strings.Contains(g.steps[5].Detail, "3268") {
		t.Errorf("references %q, detail %q, error %v", g.info.References, g.steps[5].Detail, g.err)
	}
}

func TestBindFailuresInWords(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code             int64
		text, want, says string
	}{
		"Active Directory, wrong": {49,
			"80090308: LdapErr: DSID-0C09050F, comment: AcceptSecurityContext error, data 52e, v4f7c\x00",
			directory.CodeInvalidCredentials, "wrong username or password (data 52e)"},
		"disabled": {49, "AcceptSecurityContext error, data 533, v1db1",
			directory.CodeInvalidCredentials, "disabled"},
		"expired":            {49, "data 532", directory.CodeInvalidCredentials, "expired"},
		"locked":             {49, "data 775", directory.CodeInvalidCredentials, "locked"},
		"any other server":   {49, "", directory.CodeInvalidCredentials, "wrong username or password"},
		"needs TLS":          {8, "", directory.CodeEncryptionRequired, "Use SSL"},
		"confidential":       {13, "", directory.CodeEncryptionRequired, "Use SSL"},
		"no anonymous binds": {48, "", directory.CodeInsufficientAccess, "may read"},
		"no DN":              {34, "", directory.CodeInvalidCredentials, "full DN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := read(t, &script{root: offersPaging, bind: test.code, bindText: test.text}, directory.Config{}, nil)
			var e *directory.Error
			if !errors.As(g.err, &e) || e.Code != test.want || e.Step != directory.StepBind ||
				!strings.Contains(e.Message, test.says) || strings.Contains(e.Message, "pw") {
				t.Errorf("error %v, want %s with %q", g.err, test.want, test.says)
			} else if e.Refused != (test.code == ldap.LDAPResultInvalidCredentials) {
				t.Errorf("refused is %t for result %d", e.Refused, test.code)
			}
		})
	}
}

// TestWhatServersSayIsShortened has servers write long texts: runs keep what is said in records of limited size.
func TestWhatServersSayIsShortened(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\x1b[31mo=long\n", 20_000)
	contexts := make([]string, 10_000)
	for i := range contexts {
		contexts[i] = fmt.Sprint("dc=customer", i)
	}
	search := func(c *session, _ int, _ search) bool {
		c.result(ldap.ApplicationSearchResultDone, ldap.LDAPResultOther, long, long)
		return true
	}
	many := map[string][]string{"namingContexts": contexts, "supportedControl": {ldap.ControlTypePaging}}
	for name, s := range map[string]*script{
		"a bind's error":           {root: offersPaging, bind: ldap.LDAPResultOther, bindText: long},
		"a base that is not there": {root: offersPaging, base: ldap.LDAPResultNoSuchObject, matched: long},
		"many naming contexts":     {root: many, base: ldap.LDAPResultNoSuchObject},
		"many contexts, and more":  {root: many, search: search},
		"a default context":        {root: map[string][]string{"namingContexts": {long}}, search: search},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := read(t, s, directory.Config{}, nil)
			var e *directory.Error
			if !errors.As(g.err, &e) {
				t.Fatalf("error %v", g.err)
			}
			said := append(slices.Clone(g.info.Notes), e.Message)
			for _, step := range g.steps {
				said = append(said, step.Detail)
			}
			for _, text := range said {
				if len(text) > 5000 || strings.ContainsAny(text, "\x1b\n") {
					t.Errorf("%d bytes: %.100q", len(text), text)
				}
			}
		})
	}
}

// TestTheDialogueIsBounded answers a bind with far more than a bind has to say: go-ldap would make a tree of it.
func TestTheDialogueIsBounded(t *testing.T) {
	t.Parallel()
	s := &script{root: offersPaging, bindText: strings.Repeat("x", 1<<20),
		search: func(c *session, _ int, _ search) bool { c.page(""); return true }}
	g := read(t, s, directory.Config{}, nil)
	var e *directory.Error
	if !errors.As(g.err, &e) || e.Code != directory.CodeProtocol || e.Step != directory.StepBind ||
		!strings.Contains(e.Message, "far more than was asked for") {
		t.Errorf("error %v, want %s", g.err, directory.CodeProtocol)
	}
}

func TestDeadlinesNameTheirStep(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	port := silent.Addr().(*net.TCPAddr).Port
	for step, useSSL := range map[string]bool{"STARTTLS": false, "SSL": true} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			// Long enough for a busy machine to connect.
			g := read(t, &script{}, directory.Config{StepTimeout: time.Second},
				func(c *settings.Connection, _ *directory.Query) {
					c.Port, c.UseSSL, c.Encryption = port, useSSL, ""
				})
			var e *directory.Error
			if !errors.As(g.err, &e) || e.Code != directory.CodeTimeout || e.Step != directory.StepTLS {
				t.Errorf("error %v, want a timeout at tls", g.err)
			}
		})
	}
	t.Run("a name that is never found", func(t *testing.T) {
		t.Parallel()
		config := directory.Config{StepTimeout: 100 * time.Millisecond,
			Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		g := read(t, &script{}, config,
			func(c *settings.Connection, _ *directory.Query) { c.Host = "slow.example.com" })
		var e *directory.Error
		if !errors.As(g.err, &e) || e.Code != directory.CodeTimeout || e.Step != directory.StepResolve {
			t.Errorf("error %v, want a timeout at resolve", g.err)
		}
	})
}

// TestASearchEndsThoughItsServerNeverStops reads from a server that sends another entry before each idle time is over.
func TestASearchEndsThoughItsServerNeverStops(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	s := &script{root: offersPaging, search: func(c *session, _ int, _ search) bool {
		for n := 0; ; n++ {
			select {
			case <-ended:
				return false
			case <-time.After(10 * time.Millisecond):
				c.person(fmt.Sprint("person ", n))
			}
		}
	}}
	g := read(t, s, directory.Config{IdleTimeout: time.Minute, SearchTimeout: 300 * time.Millisecond}, nil)
	close(ended)
	var e *directory.Error
	if !errors.As(g.err, &e) || e.Code != directory.CodeIncompleteRead ||
		!strings.Contains(e.Message, "longer than 300ms") {
		t.Errorf("error %v, want %s", g.err, directory.CodeIncompleteRead)
	}
}

func TestCancelAbandonsTheSearch(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := &script{root: offersPaging, search: func(c *session, _ int, _ search) bool {
		c.person("a")
		cancel()
		return true
	}}
	g := readContext(ctx, t, s, directory.Config{IdleTimeout: time.Minute}, nil)
	if !errors.Is(g.err, context.Canceled) {
		t.Errorf("error %v, want %v", g.err, context.Canceled)
	}
	if !s.asked(ldap.ApplicationAbandonRequest) || !s.asked(ldap.ApplicationUnbindRequest) {
		t.Error("the server saw no Abandon, or no Unbind")
	}
}

func TestTheReadersOwnErrorComesBack(t *testing.T) {
	t.Parallel()
	s := &script{root: offersPaging,
		search: func(c *session, _ int, _ search) bool { c.person("a"); c.page(""); return true }}
	host, port := s.serve(t)
	full := errors.New("disk full")
	_, err := directory.New(directory.Config{}).Read(t.Context(),
		settings.Connection{ServerType: settings.GroupWise, Host: host, Port: port,
			Encryption: settings.None}, directory.Query{},
		func(run.Step) {}, func(*directory.Entry) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}

func TestForbiddenAddressesAreNotDialled(t *testing.T) {
	t.Parallel()
	errForbidden := errors.New("a loopback address")
	for name, addresses := range map[string][]string{
		"a loopback address":           {"127.0.0.1"},
		"one of several":               {"192.0.2.1", "127.0.0.1"},
		"mapped into IPv6":             {"::ffff:127.0.0.1"},
		"the loopback address of IPv6": {"::1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := directory.Config{
				Resolve: func(context.Context, string) ([]netip.Addr, error) {
					var out []netip.Addr
					for _, a := range addresses {
						out = append(out, netip.MustParseAddr(a))
					}
					return out, nil
				},
				Allow: func(a netip.Addr) error {
					if a.IsLoopback() {
						return errForbidden
					}
					return nil
				},
				Dial: func(context.Context, string, string) (net.Conn, error) {
					t.Error("a forbidden name was dialled")
					return nil, errForbidden
				},
			}
			g := read(t, &script{}, config,
				func(c *settings.Connection, _ *directory.Query) { c.Host = "dc.example.com" })
			var e *directory.Error
			if !errors.As(g.err, &e) || e.Code != directory.CodeAddressForbidden || e.Step != directory.StepResolve {
				t.Errorf("error %v, want %s", g.err, directory.CodeAddressForbidden)
			}
		})
	}
}

func TestBasesAndFilters(t *testing.T) {
	t.Parallel()
	activeDirectory := map[string][]string{"defaultNamingContext": {"DC=Example,DC=com"},
		"namingContexts": {"DC=Example,DC=com",
			"CN=Configuration,DC=Example,DC=com"}, "supportedControl": {ldap.ControlTypePaging}}
	tests := map[string]struct {
		root             map[string][]string
		server           settings.ServerType
		base, filter     string
		wantBase, wantID string
		wantFilter       string
	}{
		"Exchange": {activeDirectory, settings.Exchange, "", "", "DC=Example,DC=com", "dc=example,dc=com",
			"(proxyAddresses=smtp:*)"},
		"Exchange below an OU": {activeDirectory, settings.Exchange, " OU=Staff,DC=Example,DC=com ", "",
			"OU=Staff,DC=Example,DC=com", "dc=example,dc=com", "(proxyAddresses=smtp:*)"},
		"Exchange 5.5": {map[string][]string{"namingContexts": {"o=Old"}}, settings.Exchange, "", "", "o=Old",
			"o=old", "(|(proxyAddresses=smtp:*)(mail=*)(rfc822Mailbox=*))"},
		"CommuniGate": {map[string][]string{"namingContexts": {"cn=example.org"}}, settings.CommuniGate, "",
			"", "cn=example.org", "cn=example.org",
			"(|(objectClass=CommuniGateAccount)(objectClass=CommuniGateGroup)(objectClass=alias))"},
		"GroupWise, no root": {nil, settings.GroupWise, "", "mail=*", "", "127.0.0.1", "(mail=*)"},
		"own filter": {activeDirectory, settings.Exchange, "", "(&\n(mail=*)\n(cn=a))", "DC=Example,DC=com",
			"dc=example,dc=com", "(&(mail=*)(cn=a))"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked search
			s := &script{root: test.root, search: func(c *session, _ int, r search) bool {
				asked = r
				c.person("a")
				c.page("")
				return true
			}}
			g := read(t, s, directory.Config{}, func(c *settings.Connection, q *directory.Query) {
				c.ServerType, q.SearchBase, q.Filter = test.server, test.base, test.filter
			})
			if g.err != nil || asked.base != test.wantBase || g.info.Base != test.wantBase ||
				g.info.DirectoryID != test.wantID || asked.filter != test.wantFilter {
				t.Errorf("searched %q with %q, info %+v, error %v", asked.base, asked.filter, g.info, g.err)
			}
		})
	}
	t.Run("a base that does not exist", func(t *testing.T) {
		t.Parallel()
		s := &script{root: offersPaging, base: ldap.LDAPResultNoSuchObject, matched: "dc=example,dc=com"}
		g := read(t, s, directory.Config{},
			func(_ *settings.Connection, q *directory.Query) { q.SearchBase = "ou=x,dc=example,dc=com" })
		var e *directory.Error
		if !errors.As(g.err, &e) || e.Code != directory.CodeBaseNotFound ||
			!strings.Contains(e.Message, `"dc=example,dc=com" exists`) {
			t.Errorf("error %v, want %s with the part that exists", g.err, directory.CodeBaseNotFound)
		}
	})
	t.Run("STARTTLS refused and not allowed to go without", func(t *testing.T) {
		t.Parallel()
		s := &script{root: offersPaging}
		g := read(t, s, directory.Config{},
			func(c *settings.Connection, _ *directory.Query) { c.Encryption = "" })
		var e *directory.Error
		if !errors.As(g.err, &e) || e.Code != directory.CodeStartTLSRefused {
			t.Errorf("error %v, want %s", g.err, directory.CodeStartTLSRefused)
		}
		for _, op := range s.ops {
			if op == ldap.ApplicationBindRequest {
				t.Error("the password was sent in plain text")
			}
		}
	})
}

// TestASecretAttributeIsNotAskedFor reads with settings as an earlier build saved them.
func TestASecretAttributeIsNotAskedFor(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]directory.Query{
		"as an attribute": {Attributes: []string{"mail", "ms-Mcs-AdmPwd"}},
		"in the filter":   {Attributes: []string{"mail"}, Filter: "(&(mail=*)(userPassword=a*))"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{root: offersPaging, search: func(c *session, _ int, _ search) bool {
				t.Error("the directory was searched")
				c.page("")
				return true
			}}
			g := read(t, s, directory.Config{},
				func(_ *settings.Connection, q *directory.Query) { *q = query })
			var e *directory.Error
			if !errors.As(g.err, &e) || e.Step != directory.StepBase ||
				!strings.Contains(e.Message, "passwords or keys") {
				t.Errorf("error %v, want one of step %s", g.err, directory.StepBase)
			}
		})
	}
}
