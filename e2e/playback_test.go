package e2e

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"rollcall/shared/run"
)

// TestAKilledProgramPlaysARecordingAgain kills the program several times while it plays back what a connector recorded,
// and starts it again on the same data: the sync ends whole, in time.
func TestAKilledProgramPlaysARecordingAgain(t *testing.T) {
	onLocalOnly(t)
	t.Parallel()
	data := t.TempDir()
	i := newInstance(startProgram(t, data, "-demo=false", "-tick", "10ms"))
	i.must(http.StatusOK, "PUT", "/v1/settings", object{"connection": i.connection(),
		"options": object{"removeAccounts": true}})
	first := i.must(http.StatusAccepted, "POST", "/v1/syncs", object{}).text("id")
	i.honest(i.take(), employees(20, ""))
	wantDone(t, i.wait("/v1/syncs/"+first))

	path := "/v1/syncs/" + i.must(http.StatusAccepted, "POST", "/v1/syncs", object{}).text("id")
	o := i.take()
	var parts [][]byte
	much := bulk(t)
	for _, e := range employees(21, "")[1:] {
		parts = append(parts, much, records(t, e))
	}
	blocks, sealed := chain(o, append(parts, withEnd(t, nil))...)
	i.uploads(o, blocks)
	i.finishes(http.StatusNoContent, o, sealed)
	var caught []string
	var started time.Time
	for kills := range 4 {
		progress := i.untilEntries(path, kills*len(blocks)*bulkEntries/2/5)
		i.stop(syscall.SIGKILL)
		caught = append(caught, progress)
		i.program = startProgram(t, data, "-demo=false", "-tick", "10ms")
		started = time.Now()
	}
	done := i.wait(path)
	t.Logf("killed at %q", caught)
	wantDone(t, done)
	if took := time.Since(started); took > 125*time.Second {
		t.Errorf("the sync ended %s after the start", took)
	}
	if n := done.number("progress.entries"); n != 20*(bulkEntries+1) {
		t.Errorf("the sync is of %d entries", n)
	}
	users := i.list("/v1/users", nil)
	if len(users) != 20 || users[0].text("address") != "person10@example.com" {
		t.Errorf("%d users: %v", len(users), users)
	}
}

// untilEntries waits until a sync has read so many entries, and says how far it is.
func (i *instance) untilEntries(path string, entries int) string {
	i.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		shown := i.must(http.StatusOK, "GET", path, nil)
		if shown.number("progress.entries") >= entries || shown.text("state") != string(run.Running) {
			return fmt.Sprint(shown.text("state"), " ", shown.at("progress"))
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("the sync does not read %d entries: %v", entries, shown.at("progress"))
		}
	}
}
