package dynamodb_test

import (
	"errors"
	"testing"

	"rollcall/shared/importer"
	"rollcall/shared/settings"
)

// TestOneOfManyPatchesWinsThroughFaults changes one version of the settings twelve times at once, where one call in ten
// goes wrong, and then twelve times whatever the version.
func TestOneOfManyPatchesWinsThroughFaults(t *testing.T) {
	t.Parallel()
	p := newPortal(t, people{})
	first, err := p.service.SaveSettings(t.Context(), p.id, importer.SettingsRequest{
		Connection: &settings.Connection{ServerType: settings.GroupWise, Host: "dc1.example.com", Port: 389},
	})
	if err != nil {
		t.Fatal(err)
	}
	const senders = 12
	for _, test := range []struct {
		name  string
		match importer.Match
		wins  int
	}{{"one version", func(v int64) bool { return v == first.Version }, 1}, {"any version", nil, senders}} {
		results := make(chan error, senders)
		for i := range senders {
			go func() {
				change := func(r *importer.SettingsRequest) error { r.Options.RemovalLimit.Count = i; return nil }
				patch := importer.SettingsPatch{Change: change, Match: test.match}
				_, err := p.service.PatchSettings(t.Context(), p.id, patch)
				results <- err
			}()
		}
		won := 0
		for range senders {
			var e *importer.Error
			switch err := <-results; {
			case err == nil:
				won++
			case !errors.As(err, &e) || e.Class != importer.Stale:
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if won != test.wins {
			t.Errorf("%s: %d of %d succeeded, want %d", test.name, won, senders, test.wins)
		}
	}
	log, err := p.service.Audit(t.Context(), p.id, "", 100)
	if want := 1 + 1 + senders; err != nil || len(log.Entries) != want {
		t.Errorf("the audit log has %d entries, want %d; error %v", len(log.Entries), want, err)
	}
}
