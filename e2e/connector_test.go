package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/e2e/servers/ldapserver"
)

// connectorProgram is the built connector.
var connectorProgram string

// TestAPreviewThroughAConnector has the program of customers' sites read a directory. Its blocks go where the platform
// keeps its objects, which on AWS is another origin than the API's, and no token comes with its requests.
func TestAPreviewThroughAConnector(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20)})
	p := account(t)
	made := p.must(201, "POST", "/v1/connectors", object{"name": "HQ"})
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, []byte(s.CACertificate), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(input string, args ...string) *exec.Cmd {
		c := exec.Command(connectorProgram, append(args, "-state", filepath.Join(dir, "state"))...)
		c.Stdin = strings.NewReader(input)
		return c
	}
	for _, c := range []*exec.Cmd{
		command("", "enrol", "-url", p.base, "-code", made.text("enrolmentCode")),
		command(s.Password+"\n", "password", "-host", s.Host, "-port", fmt.Sprint(s.Port), "-username", s.Username,
			"-ca", ca),
	} {
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c.Args[1], err, out)
		}
	}
	// Asked for before the connector comes, which gives its first request work.
	asked := p.must(202, "POST", "/v1/previews", request(s, func(c object) {
		delete(c, "password")
		delete(c, "caCertificate")
		c["connectorId"] = made.text("id")
	}))
	direct := p.preview(request(s, nil))
	run, log := command("", "run"), new(logBuffer)
	run.Stdout, run.Stderr = log, log
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		run.Process.Signal(syscall.SIGTERM)
		if err := run.Wait(); err != nil || t.Failed() {
			t.Errorf("the connector ended with %v:\n%s", err, log)
		}
	})
	through := p.wait("/v1/previews/" + asked.text("id"))
	wantDone(t, direct)
	wantDone(t, through)
	var rows [2][]object
	for i, preview := range []object{direct, through} {
		rows[i] = p.list("/v1/previews/"+preview.text("id")+"/addresses", nil)
	}
	if diff := cmp.Diff(rows[0], rows[1]); diff != "" || len(rows[0]) != ldapserver.PeopleAddresses(20) {
		t.Errorf("%d rows; through the connector (-direct +through):\n%s", len(rows[0]), diff)
	}
}
