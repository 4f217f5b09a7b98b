package importer_test

import (
	"context"
	"errors"
	"testing"

	"rollcall/shared/importer"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

func TestUnknownValuesAreRefusedByTheCoreToo(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ctx, service := t.Context(), h.service
	if _, err := service.AddUser(ctx, h.id, userRequest(user.TypeUser, user.ReportOff)); err != nil {
		t.Fatal(err)
	}
	notes, options, none, hours := connection(), settings.DefaultOptions(), user.HeldSpamReport("weekly"), 25
	notes.ServerType, options.RemoveScope = "notes", "some"
	unsure := connection()
	unsure.Encryption = "maybe"
	boss := &settings.Advanced{Include: []string{"user", "boss"}}
	preview := func(r importer.PreviewRequest) func(context.Context) error {
		return func(ctx context.Context) error { _, err := service.StartPreview(ctx, h.id, r); return err }
	}
	save := func(r importer.SettingsRequest) func(context.Context) error {
		return func(ctx context.Context) error { _, err := service.SaveSettings(ctx, h.id, r); return err }
	}
	add := func(r importer.UserRequest) func(context.Context) error {
		return func(ctx context.Context) error { _, err := service.AddUser(ctx, h.id, r); return err }
	}
	for name, test := range map[string]struct {
		do    func(context.Context) error
		field string
	}{
		"a preview's server type":  {preview(importer.PreviewRequest{Connection: notes}), "connection.serverType"},
		"a preview's encryption":   {preview(importer.PreviewRequest{Connection: unsure}), "connection.encryption"},
		"the settings' encryption": {save(importer.SettingsRequest{Connection: unsure}), "connection.encryption"},
		"a preview's object types": {
			preview(importer.PreviewRequest{Connection: connection(), Advanced: boss}), "advanced.include",
		},
		"a preview's scope": {
			preview(importer.PreviewRequest{Connection: connection(), Options: &options}), "options.removeScope",
		},
		"a sync's scope": {func(ctx context.Context) error {
			_, err := service.StartSync(ctx, h.id, importer.SyncRequest{Options: &options})
			return err
		}, "options.removeScope"},
		"the settings' server type": {save(importer.SettingsRequest{Connection: notes}), "connection.serverType"},
		"the settings' interval": {
			save(importer.SettingsRequest{Connection: connection(), IntervalHours: &hours}), "schedule.intervalHours",
		},
		"a user's type":   {add(userRequest("boss", user.ReportOff)), "type"},
		"a user's report": {add(userRequest(user.TypeUser, none)), "heldSpamReport"},
		"a changed report": {func(ctx context.Context) error {
			_, err := service.PatchUser(ctx, h.id, "info@example.com", importer.UserPatch{HeldSpamReport: &none})
			return err
		}, "heldSpamReport"},
	} {
		var e *importer.Error
		err := test.do(ctx)
		if !errors.As(err, &e) || e.Class != importer.Invalid || len(e.Fields) != 1 || e.Fields[0].Field != test.field {
			t.Errorf("%s: error %v, want an invalid %s", name, err, test.field)
		}
	}
}

func userRequest(kind user.Type, report user.HeldSpamReport) importer.UserRequest {
	return importer.UserRequest{Address: "info@example.com", Type: kind, HeldSpamReport: report}
}
