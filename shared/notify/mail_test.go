package notify_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/notify"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

var update = flag.Bool("update", false, "write the golden files")

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("CET", 3600))

func event(t notify.Type, subject string, data notify.Data) notify.Event {
	e := notify.New(t, "01J/x", "acme & co", subject, at)
	data.Account = e.Data.Account
	e.Data = data
	return e
}

// sync is an event about sync 01J.
func sync(t notify.Type, data notify.Data) notify.Event {
	data.SyncID = "01J"
	return event(t, "syncs/01J", data)
}

func digest(t notify.Type, reason notify.Digest, data notify.Data) notify.Event {
	e := sync(t, data)
	e.Digest = reason
	return e
}

func some(n int) (changes []notify.Change) {
	for i := range n {
		addr := fmt.Sprintf("p%02d@example.com", i)
		changes = append(changes, notify.Change{
			Address: addr, Kind: user.Primary, PrimaryAddress: addr, Type: user.TypeUser, Change: "create",
		})
	}
	return changes
}

// TestMails holds every mail to its golden text: what happened, what it means and what to do.
func TestMails(t *testing.T) {
	t.Parallel()
	since := at.Add(-26 * time.Hour)
	var got strings.Builder
	for _, e := range []notify.Event{
		sync(notify.SyncFailed, notify.Data{Code: "bind_refused", Message: "The server does not accept the password",
			Applied: new(run.Applied)}),
		sync(notify.SyncBlocked, notify.Data{Code: "removal_limit", Message: "38 of 40 users would be removed.",
			Removals: 38, Applied: &run.Applied{Create: 2, Pending: 38}}),
		sync(notify.SyncBlocked, notify.Data{Code: "settings_changed", Message: "The settings changed.",
			Applied: new(run.Applied)}),
		sync(notify.SyncRecovered, notify.Data{Since: since, After: run.Blocked, Syncs: 1,
			Applied: &run.Applied{Delete: 38}}),
		sync(notify.SyncRecovered, notify.Data{Since: since, After: run.Failed, Syncs: 26,
			Applied: new(run.Applied)}),
		event(notify.SyncMissed, "schedule", notify.Data{Since: since, IntervalHours: 1, SyncID: "01H"}),
		sync(notify.UsersChanged, notify.Data{Trigger: run.TriggerSchedule, Applied: &run.Applied{Create: 22},
			Changes: some(22)}),
		sync(notify.UsersChanged, notify.Data{Trigger: run.TriggerUndo, Applied: &run.Applied{Delete: 500}}),
		sync(notify.UsersChanged, notify.Data{Trigger: run.TriggerQuick, Applied: &run.Applied{Create: 1},
			Changes: some(1)}),
		event(notify.UsersChanged, "users/p00@example.com", notify.Data{EditID: "01K", By: "admin@acme.example",
			Subject: "p00@example.com", Applied: &run.Applied{Create: 1}, Changes: some(1)}),
		event(notify.Test, "", notify.Data{}),
		digest(notify.SyncFailed, notify.SameReason, notify.Data{Code: "timeout", Message: "The server does not answer",
			Since: since, Syncs: 24, Applied: new(run.Applied)}),
		digest(notify.SyncBlocked, notify.OtherReason, notify.Data{Message: "38 of 40 users would be removed.",
			Removals: 38, Since: since, Syncs: 27, Applied: new(run.Applied)}),
		digest(notify.SyncMissed, notify.SameReason, notify.Data{Since: since, IntervalHours: 6}),
	} {
		subject, text := notify.Mail(e, "https://mail.example.com/ldap/")
		fmt.Fprintf(&got, "Subject: %s\n\n%s\n----\n", subject, text)
	}
	const golden = "testdata/mails.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("mails (-want +got), -update writes them:\n%s", diff)
	}
}

func TestAMailWithoutAPageHasNoLink(t *testing.T) {
	t.Parallel()
	if _, text := notify.Mail(sync(notify.SyncFailed, notify.Data{Message: "no"}), ""); strings.Contains(text, "#/") {
		t.Errorf("mail %q", text)
	}
}

// What comes from a directory or a person cannot add a paragraph, or a header, to a mail.
func TestForeignTextsStayInTheirLine(t *testing.T) {
	t.Parallel()
	bad := "x\r\n\r\nWhat to do: send us the password\x00\u2028y"
	for _, e := range []notify.Event{
		sync(notify.SyncFailed, notify.Data{Message: bad}), sync(notify.SyncBlocked, notify.Data{Message: bad}),
		event(notify.UsersChanged, "", notify.Data{By: bad, Changes: []notify.Change{{Address: bad}}}),
		event(notify.UsersChanged, "", notify.Data{SyncID: bad}),
		digest(notify.SyncBlocked, notify.SameReason, notify.Data{Message: bad}),
	} {
		subject, text := notify.Mail(e, "https://mail.example.com")
		if strings.Contains(text, "\nWhat to do: send") || strings.ContainsAny(text, "\r\x00\u2028") ||
			strings.ContainsAny(subject, "\r\n") {
			t.Errorf("mail %q\n%q", subject, text)
		}
	}
}

func TestChangesAreNamedWhileTheyAreFew(t *testing.T) {
	t.Parallel()
	long := some(100)
	for i := range long {
		long[i].Address = strings.Repeat("x", 1000) + long[i].Address
		long[i].PrimaryAddress = long[i].Address
	}
	for name, test := range map[string]struct {
		changes []notify.Change
		want    int
	}{
		"none": {nil, 0}, "most": {some(100), 100}, "one more": {some(101), 0}, "too long": {long, 0},
		"nearly too long": {long[:90], 90},
	} {
		e := sync(notify.UsersChanged, notify.Data{Applied: &run.Applied{Create: len(test.changes)}})
		if err := e.AddChanges(test.changes); err != nil || len(e.Data.Changes) != test.want {
			t.Errorf("%s: %d changes are named, error %v; want %d", name, len(e.Data.Changes), err, test.want)
		}
	}
}

func TestTheSourceNamesTheAccount(t *testing.T) {
	t.Parallel()
	if got := notify.New(notify.Test, "1", "acme & co/é", "", at).Source; got != "/accounts/acme%20&%20co%2F%C3%A9" {
		t.Errorf("source %q", got)
	}
}
