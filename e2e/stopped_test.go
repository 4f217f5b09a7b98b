package e2e

import (
	"fmt"
	"iter"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/local/demo/ldif"
)

// inTheMiddle does something while the program stands still, and then lets it go on for a moment at a time: long enough
// for a worker to see in its twice-a-second look what was done, and too short to end a large sync.
func (p *program) inTheMiddle(do func()) {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGSTOP)
	do()
	for range 6 {
		p.cmd.Process.Signal(syscall.SIGCONT)
		time.Sleep(50 * time.Millisecond)
		p.cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(600 * time.Millisecond)
	}
	p.cmd.Process.Signal(syscall.SIGCONT)
}

// manyAliases is a directory of people with so many aliases each: a small read, and a large sync.
func manyAliases(people, aliases int) iter.Seq[*ldif.Entry] {
	return func(yield func(*ldif.Entry) bool) {
		n := 0
		for e := range ldapserver.People(people) {
			for i := range aliases {
				// The base and the unit have no addresses.
				if n >= 2 {
					e.Add("proxyAddresses", fmt.Sprintf("smtp:alias%d-%d@example.com", n, i))
				}
			}
			if n++; !yield(e) {
				return
			}
		}
	}
}

// appliedOf returns the six numbers of a sync, and their sum.
func appliedOf(run object) (numbers map[string]int, sum int) {
	numbers = make(map[string]int)
	for _, name := range []string{"create", "update", "delete", "already", "conflicts", "pending"} {
		numbers[name] = run.number("applied." + name)
		sum += numbers[name]
	}
	return numbers, sum
}

// TestAStoppedSyncSaysWhatItWrote cancels a sync in the middle, and holds what it says of itself to the Users List.
func TestAStoppedSyncSaysWhatItWrote(t *testing.T) {
	const people, aliases = 200, 500
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: manyAliases(people, aliases)})
	p := startProgram(t, t.TempDir(), "-demo=false")
	preview := p.preview(request(s, nil))
	wantDone(t, preview)
	path := "/v1/syncs/" + p.must(202, "POST", "/v1/syncs", object{"previewId": preview.text("id")}).text("id")
	run := p.must(200, "GET", path, nil)
	for ; run.number("progress.toApply") == 0; run = p.must(200, "GET", path, nil) {
		if run.text("state") == "done" {
			t.Fatalf("the sync could not be caught at work: %v", run)
		}
	}
	if run.at("applied") != nil && run.text("state") == "running" {
		t.Errorf("a running sync says that it has done %v", run.at("applied"))
	}
	// The answer comes once the program goes on.
	var cancelling sync.WaitGroup
	p.inTheMiddle(func() { cancelling.Go(func() { p.call("POST", path+"/cancel", nil) }) })
	cancelling.Wait()
	run = p.wait(path)
	numbers, sum := appliedOf(run)
	created, pending := numbers["create"], numbers["pending"]
	if run.text("state") != "cancelled" || created == 0 || pending == 0 {
		t.Fatalf("the sync is %s and says %v; want it cancelled in the middle", run.text("state"), numbers)
	}
	if toApply := run.number("progress.toApply"); sum != toApply || toApply != preview.number("summary.create") {
		t.Errorf("%v add up to %d, want the %d to apply, which the preview counted", numbers, sum, toApply)
	}
	if users := len(p.list("/v1/users", nil)); users != created || run.number("progress.applied") != created {
		t.Errorf("%d created, %d applied, and %d users are listed", created, run.number("progress.applied"), users)
	}
	outcomes := make(map[string]int)
	for _, record := range p.csv(path + "/export") {
		outcomes[record[len(record)-1]]++
	}
	if outcomes["applied"] != created || outcomes["pending"] != pending || len(outcomes) != 2 {
		t.Errorf("the CSV has %v, and the sync says %v", outcomes, numbers)
	}

	// The rest is written by another sync of the same preview, which leaves what is there.
	again := p.sync(object{"previewId": preview.text("id")})
	wantDone(t, again)
	numbers, sum = appliedOf(again)
	if numbers["already"] != created || numbers["create"] != pending || sum != again.number("progress.toApply") {
		t.Errorf("the second sync says %v; want %d already there and %d created", numbers, created, pending)
	}
}
