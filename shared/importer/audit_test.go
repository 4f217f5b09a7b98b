package importer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// auditLog returns the audit log, the newest first.
func (h *harness) auditLog() []runs.AuditEntry {
	h.t.Helper()
	page, err := h.service.Audit(h.t.Context(), h.id, "", 100)
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Entries
}

// TestLargeChangesOfSettingsAreLoggedShort saves 3,400 long exclusions, and then everything else as long as it may be.
func TestLargeChangesOfSettingsAreLoggedShort(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var exclude []string
	for i := range 3400 {
		exclude = append(exclude, fmt.Sprintf("somebody.with.a.very.long.name.%050d.%04d@example.com", i, i))
	}
	h.save(importer.SettingsRequest{Connection: connection(), Advanced: &settings.Advanced{Exclude: exclude}})
	added := h.auditLog()[0].Details["advanced.exclude"]
	if !strings.HasPrefix(added, "added 3400: somebody.with") || len(added) > 400 {
		t.Errorf("the difference is %d bytes: %s", len(added), added)
	}
	long := strings.Repeat("ü", 8000)
	c := connection()
	c.Username, c.CACertificate, c.Host = long, long, "dc2.example.com"
	h.save(importer.SettingsRequest{Connection: c, IntervalHours: ptr(3), Advanced: &settings.Advanced{
		SearchBase: long, Filter: long, AcceptedDomains: []string{long, long + "x"}, Include: []string{"user"},
		Exclude:    append(exclude[1:2000:2000], "new@example.com"),
		Attributes: settings.Attributes{Primary: []string{long}, Aliases: []string{long}, ID: long},
	}})
	e := h.auditLog()[0]
	size := 0
	for name, text := range e.Details {
		size += len(name) + len(text)
	}
	if size > 8<<10 {
		t.Errorf("the entry has %d bytes of details", size)
	}
	want := map[string]string{
		"schedule": "none → every 3 h", "connection.host": "dc1.example.com → dc2.example.com",
		"connection.password": "changed", "advanced.include": "added 1: user",
	}
	for name, text := range want {
		if e.Details[name] != text {
			t.Errorf("%s: %q, want %q", name, e.Details[name], text)
		}
	}
	if got := e.Details["advanced.exclude"]; !strings.HasPrefix(got, "added 1: new@example.com; removed 1401: ") {
		t.Errorf("advanced.exclude: %q", got)
	}
	h.save(importer.SettingsRequest{Connection: connection(), Advanced: &settings.Advanced{
		AcceptedDomains: []string{"b.example", "a.example"},
	}})
	h.save(importer.SettingsRequest{Advanced: &settings.Advanced{AcceptedDomains: []string{"a.example", "b.example"}}})
	want = map[string]string{"advanced.acceptedDomains": "in another order"}
	if diff := cmp.Diff(want, h.auditLog()[0].Details); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

func TestTheAuditLogSaysWhoStartedWhat(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ctx := t.Context()
	h.directory.set(ann)
	preview := h.preview()
	synced := h.sync(importer.SyncRequest{PreviewID: preview.ID})
	if _, err := h.service.ExportPreview(ctx, h.id, preview.ID, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.service.ExportUsers(ctx, h.id, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.service.PreviewUndo(ctx, h.id, synced.ID); err != nil {
		t.Fatal(err)
	}
	h.undo(synced.ID)
	waiting, err := h.service.StartPreview(ctx, h.id, importer.PreviewRequest{Connection: connection()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.service.CancelPreview(ctx, h.id, waiting.ID); err != nil {
		t.Fatal(err)
	}
	h.save(importer.SettingsRequest{Connection: connection()})
	started := h.start(importer.SyncRequest{ConfirmRemovals: ptr(7)})
	if _, err := h.service.CancelSync(ctx, h.id, started.ID); err != nil {
		t.Fatal(err)
	}
	var got []string
	log := h.auditLog()
	log[2].Details = nil // of the settings: TestLargeChangesOfSettingsAreLoggedShort
	for i := range log {
		e := log[len(log)-1-i]
		if e.By != h.id.Subject || e.Subject == "" {
			t.Errorf("entry %+v", e)
		}
		got = append(got, strings.TrimSuffix(fmt.Sprint(e.Action, " ", e.Details), " map[]"))
	}
	settingsOf := "connection.encryption:required connection.host:dc1.example.com connection.port:389 " +
		"connection.serverType:exchange connection.username:reader@example.com options.removalLimit:10 % or 500 " +
		"options.removeScope:all"
	want := []string{
		"preview.started map[" + settingsOf + "]",
		"sync.started map[previewId:" + preview.ID + "]",
		"export.started map[previewId:" + preview.ID + "]",
		"export.started map[of:users]",
		"preview.started map[undoOf:" + synced.ID + "]",
		"undo.started map[undoOf:" + synced.ID + "]",
		"preview.started map[" + settingsOf + "]",
		"preview.cancelled",
		"settings.saved",
		"sync.started map[confirmRemovals:7 " + settingsOf + "]",
		"sync.cancelled",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

func TestEachChangeHasItsEntry(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ctx := t.Context()
	h.save(importer.SettingsRequest{Connection: connection()})
	if _, err := h.service.AddUser(ctx, h.id, importer.UserRequest{
		Address: "hand@example.com", Type: user.TypeUser, HeldSpamReport: user.ReportOff,
	}); err != nil {
		t.Fatal(err)
	}
	h.patch("hand@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	if err := h.service.RemoveUser(ctx, h.id, "hand@example.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.service.DeleteSettings(ctx, h.id); err != nil {
		t.Fatal(err)
	}
	var got []runs.Action
	for _, e := range h.auditLog() {
		got = append(got, e.Action)
	}
	want := []runs.Action{
		runs.SettingsDeleted, runs.UserRemoved, runs.UserChanged, runs.UserAdded, runs.SettingsSaved,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

// goneUsers lets somebody else remove a user between the reading and the writing of an edit.
type goneUsers struct {
	users.Store
	before func()
}

type goneAccount struct {
	users.Users
	before func()
}

func (s goneUsers) For(a user.Account) users.Users { return goneAccount{s.Store.For(a), s.before} }

func (u goneAccount) Edit(ctx context.Context, c users.Change, e runs.AuditEntry) (users.Outcome, error) {
	u.before()
	return u.Users.Edit(ctx, c, e)
}

func TestAUserThatIsGoneMeanwhileIsNotFound(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ctx := t.Context()
	added, err := h.service.AddUser(ctx, h.id, importer.UserRequest{
		Address: "hand@example.com", Type: user.TypeUser, HeldSpamReport: user.ReportOff,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.config.Users = goneUsers{h.store.Users(), func() {
		_, err := h.store.Users().For(h.id.Account).Apply(ctx, users.Fence{},
			[]users.Change{{Key: added.Key, Expect: added.Version}})
		if err != nil {
			t.Error(err)
		}
	}}
	h.service = importer.NewService(h.config)
	wantCode(t, h.service.RemoveUser(ctx, h.id, "hand@example.com"), "user_not_found")
	if log := h.auditLog(); len(log) != 1 {
		t.Errorf("the log tells of a removal that somebody else made: %+v", log)
	}
}
