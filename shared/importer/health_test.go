package importer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

func (h *harness) settings() importer.Saved {
	h.t.Helper()
	saved, err := h.service.Settings(h.t.Context(), h.id)
	if err != nil {
		h.t.Fatal(err)
	}
	return saved
}

// slot lets the schedule's next slot come and does its sync. It returns how many syncs were started.
func (h *harness) slot() int {
	h.t.Helper()
	h.clock = h.next().Add(time.Minute)
	return h.tick()
}

// answers makes the directory answer with people, or an error after them.
func (h *harness) answers(err error, people ...person) {
	h.directory.set(people...)
	h.directory.err = err
}

func refusal() error {
	return &directory.Error{
		Code: directory.CodeInvalidCredentials, Step: directory.StepBind, Refused: true,
		Message: `The server does not accept "reader@example.com": the account is locked (data 775).`,
	}
}

func unreachable() error {
	return &directory.Error{
		Code: directory.CodeTimeout, Step: directory.StepConnect, Message: "The server does not answer.",
	}
}

func incomplete() error {
	return &directory.Error{
		Code: directory.CodeIncompleteRead, Step: directory.StepSearch, Message: "The server stopped early.",
	}
}

func (h *harness) wantHealth(state settings.HealthState, since time.Time, says string) time.Time {
	h.t.Helper()
	got := h.settings().Health
	if got.State != state || !strings.Contains(got.Message, says) {
		h.t.Errorf("health %+v, want %s and %q", got, state, says)
	}
	if !since.IsZero() && !got.Since.Equal(since) {
		h.t.Errorf("%s since %s, want %s", state, got.Since, since)
	}
	return got.Since
}

func TestHealthIsThatOfTheNewestSync(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.answers(nil, people(20)...)
	saved := h.schedule(1)
	h.wantHealth(settings.NeverRun, saved.UpdatedAt, "preview")
	h.slot()
	since := h.wantHealth(settings.OK, time.Time{}, "nothing to do")
	if finished := h.settings().LastRun.FinishedAt; since.Sub(finished).Abs() > time.Second {
		t.Errorf("well since %s, and the sync ended at %s", since, finished)
	}
	first := h.history()[0].ID
	h.slot()
	h.wantHealth(settings.OK, since, "")
	h.answers(incomplete())
	h.slot()
	since = h.wantHealth(settings.Failing, time.Time{}, "The server stopped early.")
	h.sync(importer.SyncRequest{})
	h.wantHealth(settings.Failing, since, "The server stopped early.")

	// What somebody cancels says nothing, and neither does a preview.
	waiting := h.start(importer.SyncRequest{})
	if _, err := h.service.CancelSync(t.Context(), h.id, waiting.ID); err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	h.preview()
	h.wantHealth(settings.Failing, since, "")

	h.answers(nil, people(10)...)
	h.slot()
	h.wantHealth(settings.Blocked, time.Time{}, "confirm the removal of 20")
	// A sync by hand of a preview of the same settings counts as well.
	preview := h.preview()
	h.sync(importer.SyncRequest{
		PreviewID: preview.ID, Options: ptr(removing()), ConfirmRemovals: &preview.Guard.Removals,
	})
	since = h.wantHealth(settings.OK, time.Time{}, "")

	// Other options and another schedule leave it, another search begins it again.
	h.save(importer.SettingsRequest{Options: ptr(settings.DefaultOptions()), IntervalHours: ptr(2)})
	h.wantHealth(settings.OK, since, "")
	former := h.preview()
	changed := h.save(importer.SettingsRequest{Advanced: &settings.Advanced{Filter: "(mail=*)"}, IntervalHours: ptr(2)})
	h.wantHealth(settings.NeverRun, changed.UpdatedAt, "")
	// A sync of the former search says nothing about this one.
	h.sync(importer.SyncRequest{PreviewID: former.ID})
	h.wantHealth(settings.NeverRun, changed.UpdatedAt, "")
	h.slot()
	since = h.wantHealth(settings.OK, time.Time{}, "")

	// Undos do not count, and they pause the schedule.
	wantState(t, h.undo(first), run.Done)
	paused := h.wantHealth(settings.Paused, time.Time{}, "was undone")
	h.save(importer.SettingsRequest{IntervalHours: ptr(2), Paused: true})
	h.wantHealth(settings.Paused, paused, "was undone")
	h.save(importer.SettingsRequest{IntervalHours: ptr(2)})
	h.wantHealth(settings.OK, since, "")
	h.save(importer.SettingsRequest{IntervalHours: ptr(2), Paused: true})
	h.wantHealth(settings.Paused, time.Time{}, "Resume it")
	h.save(importer.SettingsRequest{})
	h.wantHealth(settings.OK, since, "")
}

// TestHealthKnowsTheSyncOfThePreviewThatIsSaved saves a preview as the job after Sync Now, as the page's steps go.
func TestHealthKnowsTheSyncOfThePreviewThatIsSaved(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.answers(nil, people(20)...)
	unused, used := h.preview(), h.preview()
	h.save(importer.SettingsRequest{PreviewID: unused.ID, IntervalHours: ptr(1)})
	h.wantHealth(settings.NeverRun, time.Time{}, "")
	if _, err := h.service.DeleteSettings(t.Context(), h.id); err != nil {
		t.Fatal(err)
	}
	done := h.sync(importer.SyncRequest{PreviewID: used.ID})
	wantState(t, done, run.Done)
	h.save(importer.SettingsRequest{PreviewID: used.ID, IntervalHours: ptr(1)})
	h.wantHealth(settings.OK, done.FinishedAt, "nothing to do")
	if last := h.settings().LastRun; last == nil || last.ID != done.ID {
		t.Errorf("the last run is %v, want the sync of the preview", last)
	}
	// It ran with another search than what is saved now.
	other := &settings.Advanced{Filter: "(mail=*)"}
	h.save(importer.SettingsRequest{PreviewID: used.ID, Advanced: other, IntervalHours: ptr(1)})
	h.wantHealth(settings.NeverRun, time.Time{}, "")
	h.slot()
	h.wantHealth(settings.OK, time.Time{}, "")
	// The job has run since: what the preview's sync found is no news.
	h.save(importer.SettingsRequest{PreviewID: used.ID, IntervalHours: ptr(1)})
	h.wantHealth(settings.NeverRun, time.Time{}, "")

	h.answers(nil, people(5)...)
	fewer := h.preview()
	wantState(t, h.sync(importer.SyncRequest{PreviewID: fewer.ID, Options: ptr(removing())}), run.Blocked)
	if _, err := h.service.DeleteSettings(t.Context(), h.id); err != nil {
		t.Fatal(err)
	}
	h.save(importer.SettingsRequest{PreviewID: fewer.ID, IntervalHours: ptr(1)})
	h.wantHealth(settings.Blocked, time.Time{}, "confirm")
}

// TestHealthOfSettingsThatVersion04Stored reads settings that name only their newest sync.
func TestHealthOfSettingsThatVersion04Stored(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.answers(nil, ann)
	saved := h.schedule(1)
	jobs := h.store.Jobs().For(h.id.Account)
	forget := func() {
		_, err := runs.UpdateSettings(t.Context(), jobs, func(s *settings.Saved) error {
			s.Health = settings.Health{}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	forget()
	h.wantHealth(settings.NeverRun, saved.UpdatedAt, "")
	h.answers(incomplete())
	h.slot()
	forget()
	h.wantHealth(settings.Failing, h.history()[0].FinishedAt, "The server stopped early.")
}

func TestThreeRefusedPasswordsPauseTheSchedule(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// steps are scheduled syncs by how the directory answers; nil is a good answer.
		steps  []error
		paused bool
	}{
		"two":                        {[]error{refusal(), refusal()}, false},
		"three":                      {[]error{refusal(), refusal(), refusal()}, true},
		"with an outage between":     {[]error{refusal(), unreachable(), refusal(), unreachable(), refusal()}, true},
		"with a success between":     {[]error{refusal(), refusal(), nil, refusal(), refusal()}, false},
		"another error at the bind":  {[]error{invalidName(), invalidName(), invalidName()}, false},
		"outages":                    {[]error{unreachable(), unreachable(), unreachable(), unreachable()}, false},
		"three after a success":      {[]error{nil, refusal(), refusal(), refusal()}, true},
		"a failed read after a bind": {[]error{refusal(), refusal(), incomplete(), refusal(), refusal()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.schedule(1)
			for _, err := range test.steps {
				h.answers(err, ann)
				h.directory.bound = err == nil || failsAfterBind(err)
				if h.slot() != 1 {
					t.Fatal("the schedule started nothing")
				}
			}
			s := h.settings().Schedule
			if s.Paused != test.paused {
				t.Errorf("paused %t (%s), want %t", s.Paused, s.PausedReason, test.paused)
			}
			if !test.paused {
				return
			}
			for _, says := range []string{"refused", "lock", "Enter the right password", "resume"} {
				if !strings.Contains(s.PausedReason, says) {
					t.Errorf("the reason %q lacks %q", s.PausedReason, says)
				}
			}
			h.wantHealth(settings.Paused, s.PausedAt, s.PausedReason)
			if h.slot() != 0 {
				t.Error("the schedule went on")
			}
		})
	}
}

func failsAfterBind(err error) bool { return strings.HasPrefix(err.Error(), directory.StepSearch) }

func invalidName() error {
	return &directory.Error{Code: directory.CodeInvalidCredentials, Step: directory.StepBind, Message: "No DN."}
}

func TestANewPasswordStartsTheCountAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.answers(refusal())
	h.schedule(1)
	h.slot()
	h.slot()
	// Syncs by hand are somebody's own tries; they neither count nor start the count again.
	for range 3 {
		wantState(t, h.sync(importer.SyncRequest{}), run.Failed)
	}
	if h.settings().Schedule.Paused {
		t.Fatal("syncs by hand paused the schedule")
	}
	// A sync that was started with the former password says nothing about the new one.
	h.clock = h.next().Add(time.Minute)
	if _, err := h.service.StartDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	same := func(change func(*importer.SettingsRequest)) func(*importer.SettingsRequest) error {
		return func(req *importer.SettingsRequest) error { change(req); return nil }
	}
	patch := func(change func(*importer.SettingsRequest)) {
		t.Helper()
		_, err := h.service.PatchSettings(t.Context(), h.id, importer.SettingsPatch{Change: same(change)})
		if err != nil {
			t.Fatal(err)
		}
	}
	patch(func(req *importer.SettingsRequest) { req.Connection.Password = secret.New("another") })
	h.mustDeliver()
	for n := range 3 {
		if s := h.settings(); s.Schedule.Paused || s.Refusals != n {
			t.Fatalf("after %d refusals of the new password: %d counted, schedule %+v", n, s.Refusals, s.Schedule)
		}
		h.slot()
	}
	if !h.settings().Schedule.Paused {
		t.Fatal("three refusals of the new password did not pause the schedule")
	}
	// Whoever resumes without a new password gets one more try.
	resume := func(req *importer.SettingsRequest) { req.Paused = false }
	patch(resume)
	if h.slot() != 1 || !h.settings().Schedule.Paused {
		t.Error("the schedule went on after a fourth refusal")
	}
	patch(resume)
	h.answers(nil, ann)
	if h.slot() != 1 || h.settings().Schedule.Paused || h.settings().Refusals != 0 {
		t.Errorf("after a success: %+v", h.settings().Schedule)
	}
}

// fullDisk is a store of runs whose next writes of settings, and of runs, fail.
type fullDisk struct {
	runs.Store
	settings, runs *int
}

type fullDiskJobs struct {
	runs.Jobs
	fullDisk
}

func (s fullDisk) For(a user.Account) runs.Jobs { return fullDiskJobs{s.Store.For(a), s} }

func (j fullDiskJobs) PutSettings(
	ctx context.Context, s settings.Saved, entries ...runs.AuditEntry,
) (settings.Saved, error) {
	if *j.settings > 0 {
		*j.settings--
		return s, errUnreachable
	}
	return j.Jobs.PutSettings(ctx, s, entries...)
}

func (j fullDiskJobs) UpdateRun(ctx context.Context, id string, change func(*run.Run) error) (run.Run, error) {
	stored, err := j.Run(ctx, id)
	if err == nil && stored.State == run.Running && *j.runs > 0 {
		*j.runs--
		return stored, errUnreachable
	}
	return j.Jobs.UpdateRun(ctx, id, change)
}

// TestNoRunBindsTwiceWithARefusedPassword has a store that fails, or a worker that dies, while the refusal is to be
// stored.
func TestNoRunBindsTwiceWithARefusedPassword(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings, runs int
		dies           bool
	}{
		"the settings cannot be stored":         {settings: 3},
		"the run cannot be stored":              {runs: 1, settings: 2},
		"the worker dies with the run stored":   {settings: 1, dies: true},
		"the worker dies again, and then again": {settings: 3, dies: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.answers(refusal())
			h.save(importer.SettingsRequest{Connection: connection()})
			c := h.config
			c.Jobs = fullDisk{h.store.Jobs(), &test.settings, &test.runs}
			if !test.dies {
				c.Sleep = func(context.Context, time.Duration) error { return nil }
			}
			r := h.start(importer.SyncRequest{})
			for tries := 0; len(h.queue.messages) > 0 && tries < 10; tries++ {
				h.worker = importer.NewWorker(c)
				if err := h.deliver(); err != nil {
					h.outlast()
				}
			}
			r = h.run(r.ID)
			wantState(t, r, run.Failed)
			if h.directory.reads != 1 || test.settings+test.runs != 0 {
				t.Errorf("the directory was asked %d times, want once; %d failures of the store are left",
					h.directory.reads, test.settings+test.runs)
			}
			if r.Failure.Step != directory.StepBind || len(r.Steps) != 1 {
				t.Errorf("failure %+v, steps %+v", r.Failure, r.Steps)
			}
		})
	}
}
