package e2e

import (
	"cmp"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/e2e/servers/ldapserver"
)

// connectorProgram is the built program for sites.
var connectorProgram string

// onSite is a machine with a connector.
type onSite struct {
	*program
	state string
	// inside stands before the connector's command line, and env is added to its environment.
	inside, env []string
	// id is the connector's.
	id      string
	running *exec.Cmd
	log     logBuffer
}

// newSite enrols a machine with a connector of the program's account.
func newSite(p *program) *onSite {
	p.t.Helper()
	s := &onSite{program: p, state: filepath.Join(p.t.TempDir(), "state")}
	s.enrol(p.base)
	return s
}

// enrol makes the machine an instance of a new connector.
func (s *onSite) enrol(url string, flags ...string) {
	s.t.Helper()
	s.enrolWith(s.must(201, "POST", "/v1/connectors", object{"name": "HQ"}), url, flags...)
}

// another enrols another machine with the connector.
func (s *onSite) another() *onSite {
	s.t.Helper()
	a := &onSite{program: s.program, state: filepath.Join(s.t.TempDir(), "state")}
	a.enrolWith(s.must(201, "POST", "/v1/connectors/"+s.id+"/code", nil), s.base)
	return a
}

// enrolWith enrols the machine with the code of an answer.
func (s *onSite) enrolWith(added object, url string, flags ...string) {
	s.t.Helper()
	s.id = added.text("id")
	s.do("", append([]string{"enrol", "-url", url, "-code", added.text("enrolmentCode")}, flags...)...)
	s.t.Cleanup(func() {
		s.kill()
		if s.t.Failed() {
			s.t.Logf("the connector's log:\n%.20000s", s.log.String())
		}
	})
}

func (s *onSite) command(args ...string) *exec.Cmd {
	line := slices.Concat(s.inside, []string{connectorProgram, args[0], "-state", s.state}, args[1:])
	c := exec.CommandContext(s.t.Context(), line[0], line[1:]...)
	c.Env = append(os.Environ(), s.env...)
	return c
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
	port, _ := c["port"].(int)
	flags := []string{"password", "-host", c.text("host"), "-port", strconv.Itoa(port), "-username", c.text("username"),
		"-encryption", cmp.Or(c.text("encryption"), "required")}
	if ca := c.text("caCertificate"); ca != "" {
		flags = append(flags, "-ca", s.file("ca.pem", ca))
	}
	s.do(c.text("password")+"\n", flags...)
}

// file writes a file for a command.
func (s *onSite) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
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
	changed := maps.Clone(request)
	changed["connection"] = connection
	return changed
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

// readsThroughAConnector compares a preview through a new connector with a direct one.
func readsThroughAConnector(t *testing.T, ask object) *onSite {
	t.Helper()
	site := newSite(account(t))
	site.readsAsDirectly(ask)
	return site
}

// readsAsDirectly takes a preview directly, and one through the connector, and compares all that they show. The
// connector runs from then on.
func (s *onSite) readsAsDirectly(ask object) {
	t := s.t
	t.Helper()
	connection, _ := ask["connection"].(object)
	s.holds(connection)
	direct := s.preview(ask)
	wantDone(t, direct)
	id := s.must(202, "POST", "/v1/previews", s.through(ask)).text("id")
	s.reaches(id, "connector")
	s.run()
	through := s.wait("/v1/previews/" + id)
	wantDone(t, through)
	for _, field := range []string{"summary", "guard", "progress", "notes"} {
		if diff := gocmp.Diff(direct[field], through[field]); diff != "" {
			t.Errorf("%s of a direct read (-) and through the connector (+):\n%s", field, diff)
		}
	}
	want, got := s.list("/v1/previews/"+direct.text("id")+"/addresses", nil),
		s.list("/v1/previews/"+id+"/addresses", nil)
	if diff := gocmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("%d rows; a direct read (-) and one through the connector (+):\n%.3000s", len(got), diff)
	}
	if steps := through.objects("connection"); len(steps) < 4 {
		t.Errorf("the steps of the connection are %v", steps)
	}
	shown := s.must(200, "GET", "/v1/connectors", nil).items()[0]
	target := shown.objects("instances")[0].objects("targets")[0]
	if shown.text("state") != "online" || target.text("host") != connection.text("host") ||
		target.text("username") != connection.text("username") {
		t.Errorf("the connector is shown as %v", shown)
	}
}

// TestAPreviewThroughAConnector reads where TestAConnectorThatDies does not: where blocks are passed on to a bucket, by
// another name than the connector sends them to, and no token comes with a connector's requests.
func TestAPreviewThroughAConnector(t *testing.T) {
	if *platform == onLocal {
		t.Skip("TestAConnectorThatDies does it on local")
	}
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20)})
	readsThroughAConnector(t, request(s, nil))
}

// TestAConnectorThatDies reads OpenLDAP through a connector as directly; it is killed in the middle of a read, and
// revoked in the middle of another one.
func TestAConnectorThatDies(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(300)})
	site := readsThroughAConnector(t, request(s, nil))
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
