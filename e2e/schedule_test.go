package e2e

import (
	"syscall"
	"testing"
	"time"

	"rollcall/e2e/servers/ldapserver"
)

// TestASchedule leaves a schedule whose hours last a second alone for a while, and kills the program in between.
func TestASchedule(t *testing.T) {
	t.Parallel()
	const hour, whole, killAt, down = time.Second, 24 * time.Second, 10 * time.Second, 3 * time.Second
	data := t.TempDir()
	// A directory of its own: while the program is down, another test's demo directories may take the ports of its own.
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(200)})
	p := startProgram(t, data, "-demo=false", "-hour", hour.String())
	body := request(s, nil)
	body["schedule"] = object{"intervalHours": 1}
	saved := p.must(200, "PUT", "/v1/settings", body)
	first, err := time.Parse(time.RFC3339, saved.text("schedule.nextRunAt"))
	if err != nil || time.Until(first) > 2*hour {
		t.Fatalf("the first run is due at %s (error %v), want it within two short hours", first, err)
	}
	time.Sleep(killAt)
	p.stop(syscall.SIGKILL)
	killed := time.Now()
	time.Sleep(down)
	p = startProgram(t, data, "-demo=false", "-hour", hour.String())
	time.Sleep(whole - killAt - down)

	slots := make(map[int]string)
	for _, run := range p.list("/v1/syncs", nil) {
		if run.text("trigger") != "schedule" {
			t.Errorf("run %s was started by %s", run.text("id"), run.text("trigger"))
		}
		created, err := time.Parse(time.RFC3339, run.text("createdAt"))
		if err != nil {
			t.Fatal(err)
		}
		slot := int(created.Sub(first) / hour)
		if other, doubled := slots[slot]; doubled {
			t.Errorf("slot %d ran twice: %s and %s", slot, other, run.text("id"))
		}
		slots[slot] = run.text("id")
		if state := run.text("state"); state != "done" && time.Since(created) > hour {
			t.Errorf("run %s of slot %d is %s: %v", run.text("id"), slot, state, run["error"])
		}
	}
	// On a busy machine a sync may outlast its slot, and then the next one is left out; so only a few are asked for.
	before, after := 0, 0
	for slot := range slots {
		if first.Add(time.Duration(slot) * hour).Before(killed) {
			before++
		} else {
			after++
		}
	}
	if due := int(time.Since(first)/hour) + 1; before < 3 || after < 3 || len(slots) > due {
		t.Errorf("%d slots ran before the kill and %d after it, of %d in all; want some of each", before, after, due)
	}
	if users := p.list("/v1/users", nil); len(users) < 300 {
		t.Errorf("%d users after all these syncs", len(users))
	}
}
