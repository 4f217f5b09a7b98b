package e2e

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/e2e/servers/ldapserver"
)

// connectorProgram is the built program for sites.
var connectorProgram string

// onSite is a machine with a connector.
type onSite struct {
	*program
	state string
	// id is the connector's.
	id      string
	running *exec.Cmd
	log     logBuffer
}

// newSite enrols a machine with a connector of the program's account.
func newSite(p *program) *onSite {
	p.t.Helper()
	return enrolled(p, p.must(201, "POST", "/v1/connectors", object{"name": "HQ"}))
}

// another enrols another machine with the connector.
func (s *onSite) another() *onSite {
	s.t.Helper()
	return enrolled(s.program, s.must(201, "POST", "/v1/connectors/"+s.id+"/code", nil))
}

// enrolled is a machine that enrolled with the code of an answer.
func enrolled(p *program, added object) *onSite {
	p.t.Helper()
	s := &onSite{program: p, state: filepath.Join(p.t.TempDir(), "state"), id: added.text("id")}
	s.do("", "enrol", "-url", p.base, "-code", added.text("enrolmentCode"))
	p.t.Cleanup(func() {
		s.kill()
		if p.t.Failed() {
			p.t.Logf("the connector's log:\n%.20000s", s.log.String())
		}
	})
	return s
}

func (s *onSite) command(args ...string) *exec.Cmd {
	args = append([]string{args[0], "-state", s.state}, args[1:]...)
	return exec.CommandContext(s.t.Context(), connectorProgram, args...)
}

func (s *onSite) do(input string, args ...string) {
	s.t.Helper()
	c := s.command(args...)
	c.Stdin = strings.NewReader(input)
	if out, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("rollcall-connector %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// holds stores the password of a connection on site.
func (s *onSite) holds(c object) {
	s.t.Helper()
	ca := filepath.Join(s.t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(c.text("caCertificate")), 0o600); err != nil {
		s.t.Fatal(err)
	}
	port, _ := c["port"].(int)
	s.do(c.text("password")+"\n", "password", "-host", c.text("host"), "-port", strconv.Itoa(port), "-username",
		c.text("username"), "-ca", ca)
}

// run starts the connector.
func (s *onSite) run() {
	s.t.Helper()
	s.running = s.command("run")
	s.running.Stdout, s.running.Stderr = &s.log, &s.log
	if err := s.running.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends it as a failure of power does.
func (s *onSite) kill() {
	if s.running != nil {
		_ = s.running.Process.Signal(syscall.SIGKILL)
		_ = s.running.Wait()
		s.running = nil
	}
}

// through is a request whose connection leads through the connector, without the password.
func (s *onSite) through(request object) object {
	connection := object{"connectorId": s.id}
	given, _ := request["connection"].(object)
	for name, value := range given {
		if name != "password" {
			connection[name] = value
		}
	}
	return object{"connection": connection}
}

// reaches waits until a preview is in a phase.
func (s *onSite) reaches(preview, phase string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		shown := s.must(200, "GET", "/v1/previews/"+preview, nil)
		if shown.text("progress.phase") == phase {
			return
		}
		if shown.text("state") != "queued" && shown.text("state") != "running" || time.Now().After(deadline) {
			s.t.Fatalf("the preview did not come to the phase %s: %v", phase, shown)
		}
	}
}

// readsThroughAConnector takes a preview of a server directly, and one through a connector, and compares all that they
// show. It returns the site, whose connector runs.
func readsThroughAConnector(t *testing.T, s *ldapserver.Server) *onSite {
	t.Helper()
	p := account(t)
	site := newSite(p)
	ask := request(s, nil)
	connection, _ := ask["connection"].(object)
	site.holds(connection)
	direct := p.preview(ask)
	wantDone(t, direct)
	id := p.must(202, "POST", "/v1/previews", site.through(ask)).text("id")
	site.reaches(id, "connector")
	site.run()
	through := p.wait("/v1/previews/" + id)
	wantDone(t, through)
	for _, field := range []string{"summary", "guard", "progress"} {
		if diff := cmp.Diff(direct[field], through[field]); diff != "" {
			t.Errorf("%s of a direct read (-) and through the connector (+):\n%s", field, diff)
		}
	}
	want, got := p.list("/v1/previews/"+direct.text("id")+"/addresses", nil),
		p.list("/v1/previews/"+id+"/addresses", nil)
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("%d rows; a direct read (-) and one through the connector (+):\n%.3000s", len(got), diff)
	}
	if steps := through.objects("connection"); len(steps) < 4 {
		t.Errorf("the steps of the connection are %v", steps)
	}
	shown := p.must(200, "GET", "/v1/connectors", nil).items()[0]
	target := shown.objects("instances")[0].objects("targets")[0]
	if shown.text("state") != "online" || target.text("host") != s.Host || target.text("username") != s.Username {
		t.Errorf("the connector is shown as %v", shown)
	}
	return site
}

// TestAPreviewThroughAConnector reads where TestAConnectorThatDies does not: where blocks are passed on to a bucket, by
// another name than the connector sends them to, and no token comes with a connector's requests.
func TestAPreviewThroughAConnector(t *testing.T) {
	if *platform == onLocal {
		t.Skip("TestAConnectorThatDies does it on local")
	}
	t.Parallel()
	readsThroughAConnector(t, ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20)}))
}

// TestAConnectorThatDies reads OpenLDAP through a connector as directly; it is killed in the middle of a read, and
// revoked in the middle of another one.
func TestAConnectorThatDies(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(300)})
	site := readsThroughAConnector(t, s)
	between := startProxy(t)
	address := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	between.set(address, fault{})
	ask := request(s, func(c object) { c["port"] = between.port() })
	connection, _ := ask["connection"].(object)
	site.kill()
	site.holds(connection)

	// More than the handshake, and less than all entries.
	between.set(address, fault{hang, 20_000})
	id := site.must(202, "POST", "/v1/previews", site.through(ask)).text("id")
	site.run()
	between.used(t)
	time.Sleep(200 * time.Millisecond)
	site.kill()
	killed := time.Now()
	site.run()
	whole := site.wait("/v1/previews/" + id)
	wantDone(t, whole)
	if n := whole.number("summary.addresses"); n != ldapserver.PeopleAddresses(300) {
		t.Errorf("after the kill the preview has %d addresses, want %d", n, ldapserver.PeopleAddresses(300))
	}
	if took := time.Since(killed); took > 125*time.Second {
		t.Errorf("the run ended %s after the connector's start", took)
	}

	site.kill()
	between.set(address, fault{hang, 20_000})
	id = site.must(202, "POST", "/v1/previews", site.through(ask)).text("id")
	site.run()
	site.reaches(id, "connecting")
	site.must(http.StatusNoContent, "DELETE", "/v1/connectors/"+site.id, nil)
	if revoked := site.wait("/v1/previews/" + id); revoked.text("error.code") != "connector_revoked" {
		t.Errorf("the preview of a revoked connector ends with %v", revoked)
	}
	site.kill()
	out, err := site.command("run").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "does not know this connector") {
		t.Errorf("a revoked connector starts: %v\n%s", err, out)
	}
}

// TestTwoInstances kills the instance that reads: the other one, which holds the password as well, takes over. What
// only the dead one holds a password for waits for it; what nobody holds one for fails at once.
func TestTwoInstances(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(300)})
	first := newSite(account(t))
	second := first.another()
	between := startProxy(t)
	through := func(port int, username string) object {
		return request(s, func(c object) { c["port"], c["username"] = port, username })
	}
	both, one := through(between.port(), s.Username), through(s.Port, s.Username)
	start := func(ask object) string {
		return first.must(202, "POST", "/v1/previews", first.through(ask)).text("id")
	}
	whole := func(id string) {
		t.Helper()
		shown := first.wait("/v1/previews/" + id)
		wantDone(t, shown)
		rows := first.list("/v1/previews/"+id+"/addresses", nil)
		if n := ldapserver.PeopleAddresses(300); shown.number("summary.addresses") != n || len(rows) != n {
			t.Errorf("the preview has %v, and %d rows; want %d addresses", shown["summary"], len(rows), n)
		}
	}
	address := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	between.set(address, fault{})
	for _, ask := range []object{both, one} {
		connection, _ := ask["connection"].(object)
		first.holds(connection)
	}
	connection, _ := both["connection"].(object)
	second.holds(connection)

	// More than the handshake, and less than all entries.
	between.set(address, fault{hang, 20_000})
	id := start(both)
	first.run()
	between.used(t)
	time.Sleep(200 * time.Millisecond)
	second.run()
	first.kill()
	killed := time.Now()
	whole(id)
	if took := time.Since(killed); took > 90*time.Second {
		t.Errorf("the other instance took over and read within %s", took)
	}

	waits := start(one)
	// The older one is given out first, if to anybody.
	whole(start(both))
	if shown := first.must(200, "GET", "/v1/previews/"+waits, nil); shown.text("progress.phase") != "connector" {
		t.Errorf("what only the instance that is away can read is shown as %v", shown)
	}
	nobody := first.wait("/v1/previews/" + start(through(s.Port, "cn=nobody,dc=example,dc=com")))
	if nobody.text("error.code") != "connector_no_password" {
		t.Errorf("without a password anywhere: %v", nobody)
	}
	first.run()
	whole(waits)
}
