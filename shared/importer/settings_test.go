package importer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

func (h *harness) save(req importer.SettingsRequest) importer.Saved {
	h.t.Helper()
	saved, err := h.service.SaveSettings(h.t.Context(), h.id, req)
	if err != nil {
		h.t.Fatal(err)
	}
	return saved
}

// TestAStoredPasswordReadsTheSameAttributesOnly changes which attributes the stored password reads.
func TestAStoredPasswordReadsTheSameAttributesOnly(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	h.save(importer.SettingsRequest{Connection: connection()})
	changed := &settings.Advanced{Attributes: settings.Attributes{Aliases: []string{"description"}}}
	_, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{Advanced: changed})
	wantField(t, err, "connection.password")
	_, err = h.service.SaveSettings(t.Context(), h.id, importer.SettingsRequest{Advanced: changed})
	wantField(t, err, "connection.password")
	h.save(importer.SettingsRequest{Connection: connection(), Advanced: changed})

	r, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{})
	if err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	_, err = h.service.SaveSettings(t.Context(), h.id, importer.SettingsRequest{
		PreviewID: r.ID, Advanced: &settings.Advanced{},
	})
	wantField(t, err, "connection.password")
	h.save(importer.SettingsRequest{PreviewID: r.ID, Advanced: &settings.Advanced{
		Attributes: changed.Attributes, SearchBase: "OU=Staff,DC=example,DC=com",
	}})
}

// wantField fails unless err is an importer.Error about the field.
func wantField(t *testing.T, err error, field string) {
	t.Helper()
	var e *importer.Error
	if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Field != field {
		t.Errorf("error %v, want one about %s", err, field)
	}
}

func TestAStoredPasswordGoesToItsOwnServerOnly(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*settings.Connection)
		reused bool
	}{
		"nothing":          {func(*settings.Connection) {}, true},
		"CA certificate":   {func(c *settings.Connection) { c.CACertificate = "another" }, false},
		"host":             {func(c *settings.Connection) { c.Host = "evil.example.net" }, false},
		"port":             {func(c *settings.Connection) { c.Port = 3389 }, false},
		"Use SSL":          {func(c *settings.Connection) { c.UseSSL = true }, false},
		"plain text":       {func(c *settings.Connection) { c.AllowUnencrypted = true }, false},
		"no encryption":    {func(c *settings.Connection) { c.Encryption = settings.None }, false},
		"old TLS":          {func(c *settings.Connection) { c.OldTLS = true }, false},
		"a certificate":    {func(c *settings.Connection) { c.TrustedCertificate = "sha256:00" }, false},
		"username":         {func(c *settings.Connection) { c.Username = "other@example.com" }, false},
		"anonymous access": {func(c *settings.Connection) { c.Username = "" }, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.directory.set(ann)
			h.save(importer.SettingsRequest{Connection: connection()})
			changed := connection()
			changed.Password = secret.String{}
			test.change(changed)
			r, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{Connection: changed})
			if !test.reused {
				wantCode(t, err, "invalid_request")
				_, err = h.service.SaveSettings(t.Context(), h.id, importer.SettingsRequest{Connection: changed})
				wantCode(t, err, "invalid_request")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			h.mustDeliver()
			if r, err = h.service.Preview(t.Context(), h.id, r.ID); err != nil || r.State != run.Done {
				t.Fatalf("preview is %s (%+v), error %v", r.State, r.Failure, err)
			}
			want := plantedPassword
			if changed.Username == "" {
				want = ""
			}
			if got := h.directory.seen.Password.Reveal(); got != want {
				t.Errorf("the directory was read with password %q, want %q", got, want)
			}
		})
	}
}

func version(wanted int64) importer.Match { return func(stored int64) bool { return stored == wanted } }

func TestSavingAndDeletingSettings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ctx := t.Context()
	_, err := h.service.Settings(ctx, h.id)
	wantCode(t, err, "settings_not_found")
	_, err = h.service.DeleteSettings(ctx, h.id)
	wantCode(t, err, "settings_not_found")
	_, err = h.service.SaveSettings(ctx, h.id, importer.SettingsRequest{})
	wantCode(t, err, "invalid_request")

	first := h.save(importer.SettingsRequest{Connection: connection(), IntervalHours: ptr(6), Match: version(0)})
	if first.Schedule == nil || !first.Schedule.NextRunAt.After(h.clock.Add(5*time.Hour)) {
		t.Errorf("schedule %+v, want the next run in 6 hours", first.Schedule)
	}
	h.clock = h.clock.Add(time.Hour)
	second := h.save(importer.SettingsRequest{
		Options: ptr(removing()), IntervalHours: ptr(6), Match: version(first.Version),
	})
	if !second.Schedule.NextRunAt.Equal(first.Schedule.NextRunAt) {
		t.Errorf("an unchanged interval moved the next run from %s to %s", first.Schedule.NextRunAt,
			second.Schedule.NextRunAt)
	}
	if second.Connection.Host != "dc1.example.com" || second.SealedPassword == nil {
		t.Errorf("saving options lost the connection: %+v", second.Connection)
	}
	_, err = h.service.SaveSettings(ctx, h.id,
		importer.SettingsRequest{Options: ptr(removing()), Match: version(first.Version)})
	wantCode(t, err, "settings_changed_meanwhile")

	removed, err := h.service.DeleteSettings(ctx, h.id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(importer.Removed{Schedule: true, Password: true}, removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	log, err := h.service.Audit(ctx, h.id, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var actions []runs.Action
	for _, e := range log.Entries {
		if e.By != h.id.Subject {
			t.Errorf("entry %+v names %q, want %q", e, e.By, h.id.Subject)
		}
		actions = append(actions, e.Action)
	}
	if diff := cmp.Diff([]runs.Action{"settings.deleted", "settings.saved", "settings.saved"}, actions); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

func TestSyncOfTheSavedSettings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, err := h.service.StartSync(t.Context(), h.id, importer.SyncRequest{})
	wantCode(t, err, "settings_not_found")
	h.directory.set(ann, bob)
	h.save(importer.SettingsRequest{Connection: connection(), Options: ptr(removing())})
	r := h.sync(importer.SyncRequest{})
	wantState(t, r, run.Done)
	if len(h.users()) != 3 {
		t.Errorf("users %q, want 3", h.users())
	}
	saved, err := h.service.Settings(t.Context(), h.id)
	if err != nil || saved.LastRun == nil || saved.LastRun.ID != r.ID {
		t.Errorf("last run %+v, error %v; want %s", saved.LastRun, err, r.ID)
	}
	// Another search base: a removal now needs somebody who has seen it.
	h.save(importer.SettingsRequest{Advanced: &settings.Advanced{SearchBase: "OU=Staff,DC=example,DC=com"}})
	h.directory.set(ann)
	blocked := h.sync(importer.SyncRequest{})
	wantState(t, blocked, run.Blocked)
	if blocked.Guard.Reason != "settings_changed" {
		t.Errorf("guard %+v, want settings_changed", blocked.Guard)
	}
	preview, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{})
	if err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	wantState(t, h.sync(importer.SyncRequest{PreviewID: preview.ID}), run.Done)
	if len(h.users()) != 2 {
		t.Errorf("users %q, want bob removed", h.users())
	}
}

func TestUsersByHand(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ctx := t.Context()
	add := func(req importer.UserRequest) (user.User, error) {
		req.Type = user.TypeUser
		if req.HeldSpamReport == "" {
			req.HeldSpamReport = user.ReportOff
		}
		return h.service.AddUser(ctx, h.id, req)
	}
	dora, err := add(importer.UserRequest{Address: "Dora@Example.com", HeldSpamReport: user.ReportDaily})
	if err != nil || dora.Key != "dora@example.com" || dora.Source != user.Manual || dora.Kind != user.Primary {
		t.Fatalf("added %+v, error %v", dora, err)
	}
	_, err = add(importer.UserRequest{Address: "dora@EXAMPLE.com"})
	wantCode(t, err, "user_exists")
	_, err = add(importer.UserRequest{Address: "no address"})
	wantCode(t, err, "invalid_request")
	_, err = add(importer.UserRequest{Address: "d@example.com", PrimaryAddress: "nobody@example.com"})
	wantCode(t, err, "primary_not_found")
	alias, err := add(importer.UserRequest{Address: "d@example.com", PrimaryAddress: "dora@example.com"})
	if err != nil || alias.Kind != user.Alias || alias.PrimaryAddress != "Dora@Example.com" {
		t.Fatalf("added %+v, error %v", alias, err)
	}
	_, err = add(importer.UserRequest{Address: "e@example.com", PrimaryAddress: "d@example.com"})
	wantCode(t, err, "invalid_request")
	_, err = h.service.PatchUser(ctx, h.id, "d@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	wantCode(t, err, "invalid_request")
	h.patch("dora@example.com", importer.UserPatch{Protected: ptr(true)})
	wantCode(t, h.service.RemoveUser(ctx, h.id, "dora@example.com"), "user_protected")
	if err := h.service.RemoveUser(ctx, h.id, "D@example.com"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"dora@example.com primary daily protected"}, h.users()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

// smallJobs is a store that takes no settings and no runs.
type smallJobs struct{ runs.Store }

type smallAccountJobs struct{ runs.Jobs }

func (s smallJobs) For(a user.Account) runs.Jobs { return smallAccountJobs{s.Store.For(a)} }

func (smallAccountJobs) PutSettings(
	context.Context, settings.Saved, ...runs.AuditEntry,
) (settings.Saved, error) {
	return settings.Saved{}, fmt.Errorf("write: %w", runs.ErrTooLarge)
}

func (smallAccountJobs) CreateRun(context.Context, run.Run, ...runs.AuditEntry) (run.Run, error) {
	return run.Run{}, fmt.Errorf("write: %w", runs.ErrTooLarge)
}

func TestWhatTheStoreCannotHoldSaysWhatToDo(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.config.Jobs = smallJobs{h.store.Jobs()}
	service := importer.NewService(h.config)
	_, saving := service.SaveSettings(t.Context(), h.id, importer.SettingsRequest{Connection: connection()})
	_, starting := service.StartPreview(t.Context(), h.id, importer.PreviewRequest{Connection: connection()})
	for name, err := range map[string]error{"saving": saving, "starting": starting} {
		var e *importer.Error
		if !errors.As(err, &e) || e.Class != importer.Invalid || len(e.Fields) != 1 ||
			e.Fields[0].Field != "advanced.exclude" {
			t.Errorf("%s: error %v, want one that names advanced.exclude", name, err)
		}
	}
}
