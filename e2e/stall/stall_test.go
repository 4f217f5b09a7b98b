// Package stall stops the process of a worker in the middle of a sync, lets another process take its place, and wakes
// the first one: what it does then must change nothing.
package stall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/e2e/lab/awslab"
	"rollcall/e2e/servers/ldapserver"
	"rollcall/shared/manifest"
)

const (
	// leaseTime is short, so that the test need not wait for a minute.
	leaseTime = 6 * time.Second
	// entries make a sync that takes a second or more.
	entries = 700
	// patience is how long anything may take.
	patience = time.Minute
)

// TestAStoppedWorkerThatWakesChangesNothing stops a worker with SIGSTOP for longer than its lease. It is woken before
// the end of the sync, which another process does, or after the end of that and of the undo of another one.
func TestAStoppedWorkerThatWakesChangesNothing(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "rollcall")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "rollcall/local")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(entries)})
	lab, err := awslab.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lab.Close() })
	x := &experiment{T: t, binary: binary, lab: lab, body: map[string]any{"connection": map[string]any{
		"serverType": "exchange", "host": s.Host, "port": s.Port, "username": s.Username, "password": s.Password,
		"caCertificate": s.CACertificate,
	}}}
	x.wokenBeforeTheEnd()
	x.wokenAfterTheEnd()
}

// experiment is what all parts of the test share.
type experiment struct {
	*testing.T
	binary string
	lab    *awslab.Lab
	// body asks for a preview of the directory.
	body map[string]any
}

func (x *experiment) wokenBeforeTheEnd() {
	first := x.start()
	sync := first.catch("before the end")[0]
	second := x.start()
	second.takesOver(sync)
	first.signal(syscall.SIGCONT)
	second.ends(sync)
	x.wantWhole(second, sync)
	first.kill()
	second.kill()
}

func (x *experiment) wokenAfterTheEnd() {
	first := x.start()
	caught := first.catch("after the end", "after an undo")
	ended, undone := caught[0], caught[1]
	second := x.start()
	second.takesOver(ended)
	second.takesOver(undone)
	second.ends(ended)
	second.ends(undone)
	started := second.call(http.MethodPost, undone.account, undone.path+"/undo", map[string]any{})
	undo := run{undone.account, "/v1/syncs/" + fmt.Sprint(started["id"]), fmt.Sprint(started["id"])}
	second.takesOver(undo)
	second.ends(undo)
	x.wantWhole(second, ended)
	if left := second.list(undone.account, "/v1/users"); len(left) > 0 {
		x.Errorf("%d users are left after an undo", len(left))
	}
	seen := func() (all []any) {
		for _, r := range []run{ended, undone, undo} {
			all = append(all, second.call(http.MethodGet, r.account, r.path, nil), second.list(r.account, "/v1/users"),
				second.list(r.account, r.path+"/changes"))
		}
		return all
	}
	before, said := seen(), len(first.log.String())
	first.signal(syscall.SIGCONT)
	// The two workers that were stopped have to find out, and say so.
	first.until("both workers notice that they were replaced", func() bool {
		after := first.log.String()[said:]
		return strings.Contains(after, ended.id) && strings.Contains(after, undone.id)
	})
	// They are given some time more to do what they should not.
	time.Sleep(2 * time.Second)
	if diff := cmp.Diff(before, seen()); diff != "" {
		x.Errorf("a worker that woke after the end changed something (-before +after):\n%.3000s", diff)
	}
	first.kill()
	second.kill()
}

// wantWhole checks that a sync is done, and that its journal and the Users List have each address once.
func (x *experiment) wantWhole(p *program, r run) {
	x.Helper()
	record := p.call(http.MethodGet, r.account, r.path, nil)
	want := ldapserver.PeopleAddresses(entries)
	progress, _ := record["progress"].(map[string]any)
	summary, _ := record["summary"].(map[string]any)
	if record["state"] != "done" || progress["applied"] != float64(want) || summary["conflicts"] != float64(0) {
		x.Errorf("%s: the sync is %v with %v applied and %v conflicts; want %d and none",
			r.account, record["state"], progress["applied"], summary["conflicts"], want)
	}
	applied := 0
	for _, change := range p.list(r.account, r.path+"/changes") {
		if change["outcome"] == "applied" {
			applied++
		}
	}
	if users := p.list(r.account, "/v1/users"); len(users) != want || applied != want {
		x.Errorf("%s: %d users and %d applied changes, want %d of both", r.account, len(users), applied, want)
	}
}

// run is a sync of an account.
type run struct{ account, path, id string }

// program is one process of local on the lab.
type program struct {
	*experiment
	cmd  *exec.Cmd
	base string
	log  *output
}

// output keeps what a process prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (x *experiment) start() *program {
	x.Helper()
	p := &program{experiment: x, log: new(output)}
	p.cmd = exec.Command(x.binary, "-aws", "-create", "-demo=false", "-addr", "127.0.0.1:0", "-data", x.TempDir())
	p.cmd.Env = append(os.Environ(), x.lab.Variables()...)
	p.cmd.Env = append(p.cmd.Env, string(manifest.LeaseTime)+"="+leaseTime.String())
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		x.Fatal(err)
	}
	x.Cleanup(p.kill)
	p.until("the program is ready", func() bool {
		_, rest, ok := strings.Cut(p.log.String(), "ready: ")
		base, _, whole := strings.Cut(rest, "\n")
		p.base = base
		return ok && whole
	})
	return p
}

func (p *program) signal(s syscall.Signal) {
	p.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.Fatal(err)
	}
}

// kill ends the process, also where it is stopped.
func (p *program) kill() {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
		if p.Failed() {
			p.Logf("the log of %s:\n%.10000s", p.base, p.log)
		}
	}
}

// until waits for something that other processes do.
func (p *program) until(what string, is func() bool) {
	p.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// catch starts a sync in each account, stops the process while it writes all of them, and waits until it has lost their
// leases.
func (p *program) catch(accounts ...string) (all []run) {
	p.Helper()
	previews := make(map[string]any)
	for _, account := range accounts {
		previews[account] = p.call(http.MethodPost, account, "/v1/previews", p.body)["id"]
	}
	for account, id := range previews {
		p.until("the preview is done", func() bool {
			return p.call(http.MethodGet, account, "/v1/previews/"+fmt.Sprint(id), nil)["state"] == "done"
		})
	}
	for _, account := range accounts {
		sync := p.call(http.MethodPost, account, "/v1/syncs", map[string]any{"previewId": previews[account]})
		all = append(all, run{account, "/v1/syncs/" + fmt.Sprint(sync["id"]), fmt.Sprint(sync["id"])})
	}
	for _, r := range all {
		p.until("the sync writes", func() bool {
			progress, _ := p.call(http.MethodGet, r.account, r.path, nil)["progress"].(map[string]any)
			return progress["phase"] == "applying"
		})
	}
	p.signal(syscall.SIGSTOP)
	time.Sleep(leaseTime)
	return all
}

// takesOver waits until the program works on a run. The message of a stopped worker is not seen before its time is
// over, nor is one that was handed to a stopped process: the queues' clock is moved ahead.
func (p *program) takesOver(r run) {
	p.Helper()
	moved := time.Now()
	p.until("another process works on "+r.account, func() bool {
		for line := range strings.Lines(p.log.String()) {
			if strings.Contains(line, "run begins") && strings.Contains(line, r.id) {
				return true
			}
		}
		if time.Since(moved) > time.Second {
			p.lab.Clock.Advance(2 * time.Minute)
			moved = time.Now()
		}
		return false
	})
}

func (p *program) ends(r run) {
	p.Helper()
	p.until("the sync "+r.account+" ends", func() bool {
		record := p.call(http.MethodGet, r.account, r.path, nil)
		return record["state"] != "queued" && record["state"] != "running"
	})
}

// call sends a request and returns the answer's object.
func (p *program) call(method, account, path string, body any) map[string]any {
	p.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.Fatal(err)
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(p.Context(), method, p.base+path, content)
	if err != nil {
		p.Fatal(err)
	}
	r.Header.Set("X-Rollcall-Account", account)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer answer.Body.Close()
	var object map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&object); err != nil || answer.StatusCode/100 != 2 {
		p.Fatalf("%s %s: status %d, %v, error %v", method, path, answer.StatusCode, object, err)
	}
	return object
}

// list returns all items of a list.
func (p *program) list(account, path string) (items []map[string]any) {
	p.Helper()
	for cursor := ""; ; {
		page := p.call(http.MethodGet, account, path+"?limit=1000&cursor="+url.QueryEscape(cursor), nil)
		found, _ := page["items"].([]any)
		for _, item := range found {
			object, _ := item.(map[string]any)
			items = append(items, object)
		}
		if cursor, _ = page["next"].(string); cursor == "" {
			return items
		}
	}
}
