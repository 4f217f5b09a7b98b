package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A race is seen when two goroutines happen to meet: each round is another chance, and so is each account at work.
const racedAccounts, racedRounds = 4, 2

// TestNoDataRaces runs the program under the race detector through previews, syncs and an undo of the demo directories,
// with ticks so short that they meet the work they report on.
func TestNoDataRaces(t *testing.T) {
	onLocalOnly(t)
	t.Parallel()
	folder := t.TempDir()
	raced, reports := filepath.Join(folder, "rollcall"), filepath.Join(folder, "report")
	if err := build("rollcall/local", raced, "CGO_ENABLED=1", "GOFLAGS=-race"); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(folder, "data")
	p := startBinary(t, raced, data, []string{"GORACE=log_path=" + reports}, "-tick", "1ms")
	text, err := os.ReadFile(filepath.Join(data, "demo", "exchange.json"))
	if err != nil {
		t.Fatal(err)
	}
	var body object
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatal(err)
	}
	narrow := maps.Clone(body)
	narrow["advanced"] = object{"include": []string{"user"}}
	t.Run("accounts", func(t *testing.T) {
		for n := range racedAccounts {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				own := *p
				own.t, own.account = t, fmt.Sprint("account ", n)
				for range racedRounds {
					importAndUndo(&own, body, narrow)
				}
				own.csv("/v1/users/export")
			})
		}
	})
	p.stop(syscall.SIGTERM)

	found, err := filepath.Glob(reports + ".*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		report, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("the race detector reports:\n%.8000s", report)
	}
}

// importAndUndo imports a directory, then less of it with removals, and undoes that.
func importAndUndo(p *program, all, less object) {
	wantDone(p.t, p.sync(object{"previewId": p.preview(all).text("id")}))
	preview := p.preview(less)
	wantDone(p.t, preview)
	removing := p.sync(object{
		"previewId": preview.text("id"), "options": object{"removeAccounts": true},
		"confirmRemovals": preview.number("guard.removals"),
	})
	wantDone(p.t, removing)
	undo := p.must(202, "POST", "/v1/syncs/"+removing.text("id")+"/undo", nil)
	wantDone(p.t, p.wait("/v1/syncs/"+undo.text("id")))
}
