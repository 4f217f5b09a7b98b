package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestASchedule leaves a schedule whose hours last two seconds alone for a minute, and kills the program in between.
func TestASchedule(t *testing.T) {
	t.Parallel()
	const hour, whole, killAt, down = 2 * time.Second, time.Minute, 20 * time.Second, 5 * time.Second
	data := t.TempDir()
	p := startProgram(t, data, "-hour", hour.String())
	raw, err := os.ReadFile(filepath.Join(data, "demo", "communigate.json"))
	if err != nil {
		t.Fatal(err)
	}
	var body object
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatal(err)
	}
	body["schedule"] = object{"intervalHours": 1}
	saved := p.must(200, "PUT", "/v1/settings", body)
	first, err := time.Parse(time.RFC3339, saved.text("schedule.nextRunAt"))
	if err != nil || time.Until(first) > 2*hour {
		t.Fatalf("the first run is due at %s (error %v), want it within two short hours", first, err)
	}
	time.Sleep(killAt)
	p.stop(syscall.SIGKILL)
	time.Sleep(down)
	p = startProgram(t, data, "-hour", hour.String())
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
	// Of the slots that passed while the program was down, one was made up for; starting takes a moment too.
	due := int(time.Since(first)/hour) + 1
	if missed := int(down/hour) + 2; len(slots) > due || len(slots) < due-missed {
		t.Errorf("%d slots ran of %d, with %d missed at most", len(slots), due, missed)
	}
	if users := p.list("/v1/users", nil); len(users) < 300 {
		t.Errorf("%d users after a minute of syncs", len(users))
	}
}
