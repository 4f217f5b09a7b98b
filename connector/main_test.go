package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/local/demo"
	"rollcall/local/demo/authority"
	"rollcall/local/demo/ldapd"
	"rollcall/local/demo/ldif"
	"rollcall/shared/connector"
	"rollcall/shared/connector/connectortest"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// asProgram makes the test's binary the program itself, in a process of its own that can be killed.
const asProgram = "ROLLCALL_CONNECTOR_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const password = "pl4nted-Secret-of-the-site"

// site is a connector's machine beside a fake cloud.
type site struct {
	t     *testing.T
	cloud *connectortest.Cloud
	url   string
	dir   string
	// env is added to the program's.
	env []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, cloud: connectortest.New(), dir: filepath.Join(t.TempDir(), "state")}
	server := httptest.NewServer(s.cloud)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *site) command(input string, args ...string) *exec.Cmd {
	c := exec.CommandContext(s.t.Context(), os.Args[0], append([]string{args[0], "-state", s.dir}, args[1:]...)...)
	c.Env = append(append(os.Environ(), asProgram+"=1"), s.env...)
	c.Stdin = strings.NewReader(input)
	return c
}

// try runs a command to its end.
func (s *site) try(input string, args ...string) (string, error) {
	out, err := s.command(input, args...).CombinedOutput()
	return string(out), err
}

// do is try for what has to go well.
func (s *site) do(input string, args ...string) string {
	s.t.Helper()
	out, err := s.try(input, args...)
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (s *site) enrol() { s.t.Helper(); s.do("", "enrol", "-url", s.url, "-code", connectortest.Code) }

// program is a connector at work.
type program struct {
	*exec.Cmd
	t     *testing.T
	log   bytes.Buffer
	ended chan error
	once  sync.Once
}

func (s *site) start() *program {
	s.t.Helper()
	p := &program{Cmd: s.command("", "run"), t: s.t, ended: make(chan error, 1)}
	p.Stdout, p.Stderr = &p.log, &p.log
	if err := p.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { p.ended <- p.Cmd.Wait() }()
	s.t.Cleanup(func() {
		p.kill()
		if s.t.Failed() {
			s.t.Logf("log of the connector:\n%s", p.log.String())
		}
	})
	return p
}

// kill ends it as a failure of power does.
func (p *program) kill() {
	p.once.Do(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
}

// ldap is a directory that a test made.
type ldap struct {
	connection settings.Connection
	binds      *counted
}

// counted counts the passwords that a directory was shown.
type counted struct {
	mu sync.Mutex
	n  int
}

// serveLDAP serves entries on loopback under a certificate of an authority; nil has no TLS.
func serveLDAP(t *testing.T, ca *authority.Authority, entries []ldif.Entry, at string) ldap {
	t.Helper()
	root := ldif.Entry{}
	root.Add("namingContexts", "dc=example,dc=com")
	root.Add("supportedControl", "1.2.840.113556.1.4.319")
	config := ldapd.Config{Entries: entries, RootDSE: root, Log: slog.New(slog.DiscardHandler),
		Accounts:  []ldapd.Account{{DN: "cn=reader,dc=example,dc=com", Password: password}},
		Behaviour: ldapd.Behaviour{WrongPassword: ldapd.Result{Code: 49, Message: "no"}}}
	if ca != nil {
		var err error
		if config.TLS, err = ca.ServerTLS("127.0.0.1", "localhost"); err != nil {
			t.Fatal(err)
		}
	}
	server, err := ldapd.New(config)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	watched := &watchedListener{Listener: l, seen: new(counted)}
	server.Serve(watched)
	t.Cleanup(func() { _ = server.Close() })
	to := settings.Connection{ServerType: settings.Exchange, Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port,
		Username: "cn=reader,dc=example,dc=com"}
	return ldap{connection: to, binds: watched.seen}
}

// watchedListener counts connections.
type watchedListener struct {
	net.Listener
	seen *counted
}

func (l *watchedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.seen.mu.Lock()
		l.seen.n++
		l.seen.mu.Unlock()
	}
	return c, err
}

func (c *counted) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func newAuthority(t *testing.T, name string) *authority.Authority {
	t.Helper()
	ca, err := authority.New(authority.Config{Name: name, LoopbackOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// people are entries that compress badly, so that some make several blocks.
func people(n, bytesEach int) []ldif.Entry {
	random := rand.New(rand.NewPCG(7, 8))
	base := ldif.Entry{DN: "dc=example,dc=com"}
	base.Add("objectClass", "domain")
	entries := []ldif.Entry{base}
	for i := range n {
		e := ldif.Entry{DN: fmt.Sprintf("cn=p%06d,dc=example,dc=com", i)}
		e.Add("objectClass", "person")
		e.Add("mail", fmt.Sprintf("p%06d@example.com", i))
		e.Add("homePhone", "+1 555 0100")
		if bytesEach > 0 {
			value := make([]byte, bytesEach)
			for k := range value {
				value[k] = 'a' + byte(random.Uint32()%26)
			}
			e.Add("proxyAddresses", fmt.Sprintf("SMTP:p%06d@example.com", i), "x500:"+string(value))
		}
		entries = append(entries, e)
	}
	return entries
}

// caFile writes an authority's certificate for -ca.
func caFile(t *testing.T, ca *authority.Authority) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte(ca.PEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// hold stores a directory's password.
func (s *site) hold(d ldap, more ...string) string {
	s.t.Helper()
	return s.do(password+"\n", append([]string{"password", "-host", d.connection.Host, "-port",
		fmt.Sprint(d.connection.Port), "-username", d.connection.Username}, more...)...)
}

// mailOf is a request for everybody's mail.
func mailOf(c settings.Connection, attributes ...string) connector.Request {
	return connector.Request{Connection: c, Query: &directory.Query{SearchBase: "dc=example,dc=com", Filter: "(mail=*)",
		Attributes: append([]string{"objectClass", "mail", "proxyAddresses"}, attributes...)}}
}

// reading is what a playback gives.
type reading struct {
	entries []directory.Entry
	steps   []run.Step
	info    directory.Info
	err     error
}

// code returns the code of the error, empty for none.
func (r *reading) code() string {
	var e *directory.Error
	if errors.As(r.err, &e) {
		return e.Code
	}
	if r.err != nil {
		return r.err.Error()
	}
	return ""
}

// read has a read done through the connector, and plays it.
func (s *site) read(r connector.Request) reading {
	s.t.Helper()
	return s.play(s.cloud.Order(r))
}

func (s *site) play(w *connectortest.Work) (out reading) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	player, err := s.cloud.Wait(ctx, w, directory.New(directory.Config{}))
	if err != nil {
		s.t.Fatalf("the order was not finished: %v", err)
	}
	out.info, out.err = player.Read(ctx, settings.Connection{}, directory.Query{},
		func(st run.Step) { out.steps = append(out.steps, st) },
		func(e *directory.Entry) error {
			out.entries = append(out.entries, e.Clone())
			return nil
		})
	return out
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never happened that %s", what)
		}
	}
}

func TestOneReadFromEnrolmentToPlayback(t *testing.T) {
	t.Parallel()
	s, ca := newSite(t), newAuthority(t, "Site CA")
	d := serveLDAP(t, ca, people(2500, 0), "127.0.0.1:0")
	s.enrol()
	if out, err := s.try("", "enrol", "-url", s.url, "-code", connectortest.Code); err == nil {
		t.Errorf("a code works twice: %s", out)
	}
	s.hold(d, "-ca", caFile(t, ca))
	s.start()
	got := s.read(mailOf(d.connection))
	if got.err != nil || len(got.entries) != 2500 || got.info.Entries != 2500 {
		t.Fatalf("%d entries, %v", len(got.entries), got.err)
	}
	if last := got.steps[len(got.steps)-1]; last.Step != directory.StepSearch || !last.OK {
		t.Errorf("steps %+v", got.steps)
	}
	eventually(t, "targets and changes are told", func() bool {
		polls, changes := s.cloud.Polls(), s.cloud.Changes()
		return len(polls) > 0 && len(polls[len(polls)-1].Targets) == 1 &&
			polls[len(polls)-1].Targets[0] == connector.TargetOf(d.connection) && len(changes) >= 2
	})
	for _, c := range s.cloud.Changes() {
		if strings.Contains(c.Detail, password) {
			t.Error("a change tells the password")
		}
	}
	status := ""
	eventually(t, "status tells all of it", func() bool {
		status = s.do("", "status")
		for _, want := range []string{`Connector "HQ"`, "last read", "2500 entries", "Site CA",
			"Hands over: objectClass, mail"} {
			if !strings.Contains(status, want) {
				return false
			}
		}
		return true
	})
	if strings.Contains(status, password) {
		t.Error("status tells the password")
	}
}

// What the program is shown goes nowhere but to its own target, whatever a cloud asks for that was taken over.
func TestAHostileCloud(t *testing.T) {
	t.Parallel()
	s, ca, theirs := newSite(t), newAuthority(t, "Site CA"), newAuthority(t, "Their CA")
	d := serveLDAP(t, ca, people(50, 0), "127.0.0.1:0")
	other := serveLDAP(t, theirs, people(50, 0), "127.0.0.1:0")
	s.enrol()
	s.hold(d, "-ca", caFile(t, ca))
	s.start()
	with := func(change func(*connector.Request)) connector.Request {
		r := mailOf(d.connection)
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		request connector.Request
		want    string
	}{
		"as it should be": {mailOf(d.connection), ""},
		"another port": {with(func(r *connector.Request) { r.Connection.Port = other.connection.Port }),
			connector.CodeNoPassword},
		"another host": {with(func(r *connector.Request) { r.Connection.Host = "localhost" }),
			connector.CodeNoPassword},
		"one more host": {with(func(r *connector.Request) { r.Connection.Host += ", localhost" }),
			connector.CodeNoPassword},
		"another user": {with(func(r *connector.Request) { r.Connection.Username = "cn=admin" }),
			connector.CodeNoPassword},
		"nobody": {with(func(r *connector.Request) { r.Connection.Username = "" }), connector.CodeNoPassword},
		"no encryption": {with(func(r *connector.Request) { r.Connection.Encryption = settings.None }),
			connector.CodeRefused},
		"less encryption": {with(func(r *connector.Request) { r.Connection.AllowUnencrypted = true }),
			connector.CodeRefused},
		"old TLS": {with(func(r *connector.Request) { r.Connection.OldTLS = true }), connector.CodeRefused},
		"a certificate of theirs": {with(func(r *connector.Request) {
			r.Connection.TrustedCertificate = "sha256:" + strings.Repeat("ab", 32)
		}), connector.CodeRefused},
		"a CA of theirs": {with(func(r *connector.Request) { r.Connection.CACertificate = theirs.PEM() }),
			directory.CodeTLSAuthority},
		"the right CA as well": {with(func(r *connector.Request) { r.Connection.CACertificate = ca.PEM() }), ""},
		"another attribute":    {mailOf(d.connection, "homePhone"), connector.CodeRefused},
		"every attribute":      {mailOf(d.connection, "*"), connector.CodeRefused},
		"a secret attribute":   {mailOf(d.connection, "userPassword"), connector.CodeRefused},
		"a secret in the filter": {with(func(r *connector.Request) { r.Query.Filter = "(userPassword=a*)" }),
			directory.CodeInvalidFilter},
		"a question about another attribute": {connector.Request{Connection: d.connection,
			Question: &directory.Question{Attributes: []string{"mail"}, Any: []directory.Comparison{
				{Attribute: "homePhone", Value: "+1 555 0100"}}}}, connector.CodeRefused},
		"nothing": {connector.Request{Connection: d.connection}, connector.CodeRefused},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.read(c.request)
			if got.code() != c.want {
				t.Errorf("got %q (%v), want %q", got.code(), got.err, c.want)
			}
			for _, e := range got.entries {
				for _, a := range e.Attributes {
					if strings.EqualFold(a.Name, "homePhone") {
						t.Fatalf("%s was handed over", a.Name)
					}
				}
			}
		})
	}
	if n := other.binds.count(); n > 0 {
		t.Errorf("the connector connected %d times to a server that it holds no password for", n)
	}
	s.do("", "allow", "homePhone", "-state", s.dir)
	if got := s.read(mailOf(d.connection, "homePhone")); got.err != nil {
		t.Errorf("an attribute that was allowed: %v", got.err)
	}
}

// Whoever answers in the directory's place has no certificate that was seen on site, and gets no password.
func TestAnotherServerInPlaceOfTheDirectory(t *testing.T) {
	t.Parallel()
	ca, theirs := newAuthority(t, "Site CA"), newAuthority(t, "Their CA")
	for name, flags := range map[string]func() []string{
		"what was seen": func() []string { return nil },
		"a CA":          func() []string { return []string{"-ca", caFile(t, ca)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			at := l.Addr().String()
			l.Close()
			first := false
			t.Run("the right one", func(t *testing.T) {
				d := serveLDAP(t, ca, people(5, 0), at)
				s.enrol()
				out := s.hold(d, flags()...)
				if name == "what was seen" && !strings.Contains(out, "exactly this certificate") {
					t.Errorf("nobody is told what was pinned:\n%s", out)
				}
				s.start()
				got := s.read(mailOf(d.connection))
				if first = got.err == nil; !first {
					t.Error(got.err)
				}
			})
			if !first {
				t.FailNow()
			}
			d := serveLDAP(t, theirs, people(5, 0), at)
			request := mailOf(d.connection)
			request.Connection.CACertificate = theirs.PEM()
			got := s.read(request)
			if got.code() != directory.CodeTLSAuthority ||
				!strings.Contains(got.err.Error(), "rollcall-connector password") {
				t.Errorf("got %v", got.err)
			}
			for _, st := range got.steps {
				if st.Step == directory.StepBind {
					t.Error("a password was sent")
				}
			}
		})
	}
}

// Where this machine knows the authority, that one is pinned, and another that the machine knows as well is not taken.
func TestTheAuthorityThatWasSeenIsPinned(t *testing.T) {
	t.Parallel()
	ca, theirs := newAuthority(t, "Site CA"), newAuthority(t, "Their CA")
	system := filepath.Join(t.TempDir(), "system.pem")
	if err := os.WriteFile(system, []byte(ca.PEM()+theirs.PEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.env = []string{"SSL_CERT_FILE=" + system}
	s.enrol()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	t.Run("the right one", func(t *testing.T) {
		if out := s.hold(serveLDAP(t, ca, people(5, 0), at)); !strings.Contains(out, `the authority "CN=Site CA"`) {
			t.Error(out)
		}
	})
	s.start()
	t.Run("renewed", func(t *testing.T) {
		if got := s.read(mailOf(serveLDAP(t, ca, people(5, 0), at).connection)); got.err != nil {
			t.Error(got.err)
		}
	})
	got := s.read(mailOf(serveLDAP(t, theirs, people(5, 0), at).connection))
	if got.code() != directory.CodeTLSAuthority {
		t.Errorf("got %v", got.err)
	}
}

// A connector that dies at any block begins again, and what comes of it is whole.
func TestKilledAtEachBlock(t *testing.T) {
	t.Parallel()
	s, ca := newSite(t), newAuthority(t, "Site CA")
	d := serveLDAP(t, ca, people(2000, 6000), "127.0.0.1:0")
	s.enrol()
	s.hold(d, "-ca", caFile(t, ca))
	var mu sync.Mutex
	var at *program
	kills, blocks := 0, 0
	s.cloud.Intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		if blocks++; blocks <= kills || kills == 3 {
			return false
		}
		kills++
		blocks = 0
		_ = at.Process.Kill()
		return true
	}
	w := s.cloud.Order(mailOf(d.connection))
	for range 4 {
		p := s.start()
		mu.Lock()
		at = p
		mu.Unlock()
		mu.Lock()
		last := kills == 3
		mu.Unlock()
		if last {
			break
		}
		<-p.ended
		p.once.Do(func() {})
	}
	got := s.play(w)
	if got.err != nil || len(got.entries) != 2000 {
		t.Errorf("%d entries, %v", len(got.entries), got.err)
	}
	if attempt, _ := s.cloud.State(w); attempt != 4 {
		t.Errorf("attempt %d, want 4", attempt)
	}
}

// An order whose instance died goes to another one, which has a key of its own; there is one result.
func TestAnotherInstanceTakesOver(t *testing.T) {
	t.Parallel()
	s, ca := newSite(t), newAuthority(t, "Site CA")
	s.cloud.Lease = 2 * time.Second
	d := serveLDAP(t, ca, people(500, 6000), "127.0.0.1:0")
	other := &site{t: t, cloud: s.cloud, url: s.url, dir: filepath.Join(t.TempDir(), "state")}
	for _, one := range []*site{s, other} {
		one.enrol()
		one.hold(d, "-ca", caFile(t, ca))
		s.cloud.Another()
	}
	held := make(chan struct{})
	t.Cleanup(func() { close(held) })
	var mu sync.Mutex
	reached := make(chan struct{})
	first := true
	s.cloud.Intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		hold := first && r.Method == http.MethodPut
		first = first && !hold
		mu.Unlock()
		if hold {
			close(reached)
			<-held
		}
		return hold
	}
	w := s.cloud.Order(mailOf(d.connection))
	one := s.start()
	<-reached
	one.kill()
	other.start()
	got := s.play(w)
	attempt, _ := s.cloud.State(w)
	if got.err != nil || len(got.entries) != 500 || attempt != 2 {
		t.Errorf("attempt %d, %d entries, %v", attempt, len(got.entries), got.err)
	}
}

// A line that is slow and breaks costs time and nothing else; the directory waits meanwhile.
func TestALineThatBreaks(t *testing.T) {
	t.Parallel()
	s, ca := newSite(t), newAuthority(t, "Site CA")
	d := serveLDAP(t, ca, people(2500, 6000), "127.0.0.1:0")
	portal := httptest.NewUnstartedServer(s.cloud)
	ofPortal, err := authority.New(authority.Config{Name: "Portal CA"})
	if err != nil {
		t.Fatal(err)
	}
	// Go sends what is for loopback past every proxy, so that the portal has another name.
	if portal.TLS, err = ofPortal.ServerTLS("portal.test"); err != nil {
		t.Fatal(err)
	}
	portal.StartTLS()
	t.Cleanup(portal.Close)
	proxy := newCuttingProxy(t, portal.Listener.Addr().String(), 6<<20)
	s.url = "https://portal.test"
	s.env = []string{"HTTPS_PROXY=http://" + proxy.Addr().String()}
	s.do("", "enrol", "-url", s.url, "-code", connectortest.Code, "-ca", caFile(t, ofPortal))
	s.hold(d, "-ca", caFile(t, ca))
	s.start()
	got := s.read(mailOf(d.connection))
	if got.err != nil || len(got.entries) != 2500 {
		t.Errorf("%d entries, %v", len(got.entries), got.err)
	}
	if proxy.cuts.count() == 0 {
		t.Error("the line never broke")
	}
}

// On SIGTERM run ends within ten seconds, in the middle of a read too, with status 0.
func TestRunEndsWhenItIsTold(t *testing.T) {
	t.Parallel()
	s, ca := newSite(t), newAuthority(t, "Site CA")
	d := serveLDAP(t, ca, people(2000, 6000), "127.0.0.1:0")
	s.enrol()
	s.hold(d, "-ca", caFile(t, ca))
	reached, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	var once sync.Once
	s.cloud.Intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			once.Do(func() { close(reached) })
			<-release
			return true
		}
		return false
	}
	w := s.cloud.Order(mailOf(d.connection))
	p := s.start()
	<-reached
	_ = p.Process.Signal(syscall.SIGTERM)
	p.once.Do(func() {
		select {
		case err := <-p.ended:
			if err != nil {
				t.Errorf("it ended with %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("it did not end")
			_ = p.Process.Kill()
		}
	})
	if attempt, _ := s.cloud.State(w); attempt != 1 {
		t.Errorf("attempt %d", attempt)
	}
}

// A connector that was deleted ends with a status of its own, which its unit knows.
func TestARevokedConnectorEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enrol()
	p := s.start()
	eventually(t, "it asks for work", func() bool { return len(s.cloud.Polls()) > 0 })
	s.cloud.Revoke()
	p.once.Do(func() {
		err := <-p.ended
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != exitRevoked {
			t.Errorf("it ended with %v", err)
		}
	})
}

// An order that nobody wants any more is not read to its end.
func TestAnOrderIsStopped(t *testing.T) {
	t.Parallel()
	s, ca := newSite(t), newAuthority(t, "Site CA")
	d := serveLDAP(t, ca, people(2000, 6000), "127.0.0.1:0")
	s.enrol()
	s.hold(d, "-ca", caFile(t, ca))
	w := s.cloud.Order(mailOf(d.connection))
	s.cloud.Intercept = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, w.ID) {
			return false
		}
		s.cloud.Stop(w)
		rw.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	s.start()
	next := s.cloud.Order(connector.Request{Connection: settings.Connection{Host: "no.example.com", Port: 389}})
	if got := s.play(next); got.code() == "" {
		t.Error("nothing is wrong with an order for no directory")
	}
}

// Only the origins of the enrolment get entries, whatever a grant says.
func TestALinkToAnotherHost(t *testing.T) {
	t.Parallel()
	s, ca := newSite(t), newAuthority(t, "Site CA")
	d := serveLDAP(t, ca, people(5, 0), "127.0.0.1:0")
	gets := new(counted)
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		gets.mu.Lock()
		gets.n++
		gets.mu.Unlock()
	}))
	t.Cleanup(thief.Close)
	s.enrol()
	s.hold(d, "-ca", caFile(t, ca))
	granted := make(chan struct{}, 100)
	s.cloud.Grant = func(g *connector.BlockGrant) {
		g.URL = thief.URL + "/block"
		granted <- struct{}{}
	}
	s.cloud.Order(mailOf(d.connection))
	p := s.start()
	<-granted
	<-granted
	p.kill()
	if gets.count() > 0 || !strings.Contains(p.log.String(), "only "+s.url+" may have them") {
		t.Errorf("the other host got %d requests", gets.count())
	}
}

// The demo directories, as three products have them.
func demoDirectories(t *testing.T) []demo.Directory {
	t.Helper()
	directories, stop, err := demo.Start(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop() })
	return directories
}

func connectionOf(d demo.Directory) settings.Connection {
	c := d.Connection
	return settings.Connection{ServerType: c.ServerType, Host: c.Host, Port: c.Port, UseSSL: c.UseSSL,
		Username: c.Username, Password: secret.New(c.Password), CACertificate: c.CACertificate}
}

func rulesOf(t *testing.T, imp settings.Import) *extract.Rules {
	t.Helper()
	rules, err := extract.NewRules(imp.Connection.ServerType, imp.Advanced)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func itoa(n int) string { return fmt.Sprint(n) }
