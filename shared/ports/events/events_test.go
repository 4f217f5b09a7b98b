package events_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"rollcall/shared/ports/events"
)

func TestTheLogHasWhatWasPublished(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	log := events.Log{Log: slog.New(slog.NewTextHandler(&out, nil))}
	err := log.Publish(t.Context(), events.Event{
		Name: events.SyncFailed, Account: "acme", At: time.Now(),
		Detail: events.Sync{RunID: "01J", Trigger: "schedule", Created: 2, Code: "bind_refused", Message: "no"},
	})
	if want := `msg=event name="Sync Failed" account=acme run=01J trigger=schedule created=2`; err != nil ||
		!strings.Contains(out.String(), want) || !strings.Contains(out.String(), "code=bind_refused message=no") {
		t.Errorf("error %v, log %q; want %q", err, out.String(), want)
	}
}
