package importer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

var (
	errDamaged  = errors.New("the record is damaged")
	errUnlisted = errors.New("a record could not be listed")
)

// badJobs is a store in which the records of some accounts cannot be read, and no run with exclusions fits.
type badJobs struct {
	runs.Store
	bad   map[user.Account]bool
	reads *tally
	// unlisted comes with the first list.
	unlisted error
}

func (s *badJobs) Due(ctx context.Context, now time.Time, limit int) ([]user.Account, error) {
	due, err := s.Store.Due(ctx, now, limit)
	err = errors.Join(err, s.unlisted)
	s.unlisted = nil
	return due, err
}

// tally counts by account.
type tally struct {
	mu sync.Mutex
	of map[user.Account]int
}

func (c *tally) add(a user.Account) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[a]++
}

type badAccountJobs struct {
	runs.Jobs
	account user.Account
	store   *badJobs
}

func (s *badJobs) For(a user.Account) runs.Jobs {
	return badAccountJobs{s.Store.For(a), a, s}
}

func (j badAccountJobs) Settings(ctx context.Context) (settings.Saved, error) {
	j.store.reads.add(j.account)
	if j.store.bad[j.account] {
		return settings.Saved{}, errDamaged
	}
	return j.Jobs.Settings(ctx)
}

func (j badAccountJobs) UpdateRun(
	ctx context.Context, id string, change func(*run.Run) error,
) (run.Run, error) {
	if j.store.bad[j.account] {
		return run.Run{}, errDamaged
	}
	return j.Jobs.UpdateRun(ctx, id, change)
}

func (j badAccountJobs) TakeSlot(ctx context.Context, s settings.Saved, r run.Run) (run.Run, error) {
	if err := j.Fits(r); err != nil {
		return r, err
	}
	return j.Jobs.TakeSlot(ctx, s, r)
}

func (badAccountJobs) Fits(r run.Run) error {
	if len(r.Import.Advanced.Exclude) > 0 {
		return fmt.Errorf("write: %w", runs.ErrTooLarge)
	}
	return nil
}

// withBad gives the harness's service a store in which some accounts are bad.
func (h *harness) withBad(accounts ...user.Account) *badJobs {
	reads := &tally{of: make(map[user.Account]int)}
	jobs := &badJobs{Store: h.store.Jobs(), bad: make(map[user.Account]bool), reads: reads}
	for _, a := range accounts {
		jobs.bad[a] = true
	}
	h.config.Jobs = jobs
	h.service = importer.NewService(h.config)
	return jobs
}

// plant stores settings whose schedule is due.
func (h *harness) plant(account user.Account, due time.Time, exclude ...string) {
	h.t.Helper()
	s := settings.Saved{Schedule: &settings.Schedule{IntervalHours: 1, NextRunAt: due}}
	s.Connection, s.Options, s.Advanced.Exclude = *connection(), settings.DefaultOptions(), exclude
	if _, err := h.store.Jobs().For(account).PutSettings(h.t.Context(), s); err != nil {
		h.t.Fatal(err)
	}
}

// badAccounts plants more accounts than are looked up at a time, each longer overdue than all others.
func (h *harness) badAccounts() []user.Account {
	var bad []user.Account
	for i := range 130 {
		account := user.Account(fmt.Sprintf("bad%03d", i))
		h.plant(account, h.clock.Add(-2*time.Hour))
		bad = append(bad, account)
	}
	return bad
}

func TestATickGoesOnPastAccountsThatFail(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	bad := h.badAccounts()
	for i := range 3 {
		h.plant(user.Account(fmt.Sprint("good", i)), h.clock.Add(-time.Hour))
	}
	told := &tally{of: make(map[user.Account]int)}
	h.config.Failed = func(_ context.Context, account user.Account) { told.add(account) }
	jobs := h.withBad(bad...)
	jobs.unlisted = errUnlisted
	started, err := h.service.StartDue(t.Context())
	if started != 3 || len(h.queue.messages) != 3 {
		t.Errorf("%d syncs started and %d messages sent, want 3 and 3", started, len(h.queue.messages))
	}
	if !errors.Is(err, errDamaged) || !errors.Is(err, errUnlisted) || !strings.Contains(err.Error(), "130 of 133") ||
		len(err.Error()) > 2000 {
		t.Errorf("error %v; want a short one that says that 130 of 133 failed", err)
	}
	if len(told.of) != len(bad) {
		t.Errorf("somebody was told of %d accounts, want the %d that failed", len(told.of), len(bad))
	}
	for _, account := range bad {
		if n := jobs.reads.of[account]; n != 1 || !strings.Contains(h.log.String(), "account="+string(account)) {
			t.Fatalf("%s was read %d times, want once and a line in the log", account, n)
		}
	}
}

func TestRunsOfAccountsThatFailHideNoOthers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	queued := func(account user.Account, id string) {
		t.Helper()
		run := run.Run{ID: id, Kind: run.KindSync, State: run.Queued, CreatedAt: h.clock}
		if _, err := h.store.Jobs().For(account).CreateRun(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 130 {
		queued("bad", fmt.Sprintf("01JA%03d", i))
	}
	h.clock = h.clock.Add(10 * time.Minute)
	for i := range 130 {
		queued("good", fmt.Sprintf("01JB%03d", i))
	}
	h.withBad("bad")
	for name, overdueAt := range map[string]time.Duration{"now": time.Hour, "ahead of now": 3 * time.Hour} {
		if name == "now" {
			h.clock = h.clock.Add(time.Hour)
			overdueAt = 0
		}
		h.queue.messages = nil
		cared, err := h.service.CareFor(t.Context(), h.clock.Add(overdueAt))
		if cared != 130 || len(h.queue.messages) != 130 {
			t.Errorf("%s: %d runs were looked after and %d messages sent, want 130", name, cared, len(h.queue.messages))
		}
		if !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), "130 of 260") || len(err.Error()) > 2000 {
			t.Errorf("%s: error %v; want a short one that says that 130 of 260 failed", name, err)
		}
	}
}

func TestASyncThatDoesNotFitIsSetAsideForOneInterval(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	due := h.clock.Add(-30 * time.Minute)
	h.plant("large", due, "a@example.com")
	h.plant("good", due.Add(time.Minute))
	jobs := h.withBad()
	started, err := h.service.StartDue(t.Context())
	if started != 1 || !errors.Is(err, runs.ErrTooLarge) {
		t.Errorf("%d syncs started, error %v; want the good one, and the other's error", started, err)
	}
	large := run.Identity{Account: "large", Subject: "a"}
	saved, err := h.service.Settings(t.Context(), large)
	if err != nil {
		t.Fatal(err)
	}
	next, paused, failures := saved.Schedule.NextRunAt, saved.Schedule.Paused, saved.ConsecutiveFailures
	if !next.Equal(due.Add(time.Hour)) || paused || failures != 1 {
		t.Errorf("next run at %s, paused %t, %d failures; want the next slot and 1", next, paused, failures)
	}
	last := saved.LastRun
	if last == nil || last.State != run.Failed || last.Trigger != run.TriggerSchedule ||
		last.FinishedAt.IsZero() || last.Failure == nil || last.Failure.Code != "settings_too_large" ||
		last.Import.Connection.Host != connection().Host || last.Applied == nil {
		t.Fatalf("last run %+v; want a failed one that says why", last)
	}
	if len(saved.Advanced.Exclude) != 1 {
		t.Errorf("the settings have %d exclusions, want theirs", len(saved.Advanced.Exclude))
	}
	before := jobs.reads.of["large"]
	if _, err := h.service.StartDue(t.Context()); err != nil || jobs.reads.of["large"] != before {
		t.Errorf("the next tick: error %v after %d reads of the account, want none", err, jobs.reads.of["large"]-before)
	}
	h.clock = h.clock.Add(time.Hour)
	if _, err := h.service.StartDue(t.Context()); !errors.Is(err, runs.ErrTooLarge) {
		t.Errorf("an interval later: error %v, want %v", err, runs.ErrTooLarge)
	}
}

func TestSettingsWhoseSyncDoesNotFitAreRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.withBad()
	_, err := h.service.SaveSettings(t.Context(), h.id, importer.SettingsRequest{
		Connection: connection(), Advanced: &settings.Advanced{Exclude: []string{"a@example.com"}},
	})
	var e *importer.Error
	if !errors.As(err, &e) || e.Class != importer.Invalid || len(e.Fields) != 1 ||
		e.Fields[0].Field != "advanced.exclude" {
		t.Errorf("error %v, want one that names advanced.exclude", err)
	}
	if _, err := h.store.Jobs().For(h.id.Account).Settings(t.Context()); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("the settings were stored all the same (error %v)", err)
	}
}

// slowQueue takes a time for each message, and counts how many it takes at once.
type slowQueue struct {
	wait         time.Duration
	mu           sync.Mutex
	now, most, n int
}

func (q *slowQueue) Send(context.Context, queue.Message) error {
	q.mu.Lock()
	q.now++
	q.n++
	q.most = max(q.most, q.now)
	q.mu.Unlock()
	time.Sleep(q.wait)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.now--
	return nil
}

func TestATickEndsBeforeItsDeadlineAndCountsWhatIsLeft(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	const accounts = 40
	for i := range accounts {
		h.plant(user.Account(fmt.Sprint("account", i)), h.clock.Add(-time.Hour))
	}
	slow := &slowQueue{wait: 1500 * time.Millisecond}
	h.config.Queue = slow
	h.service = importer.NewService(h.config)
	// The margin leaves time for one round of starts.
	deadline := time.Now().Add(importer.WalkMargin + time.Second)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	started, err := h.service.StartDue(ctx)
	if started == 0 || started == accounts || time.Until(deadline) < importer.WalkMargin/2 {
		t.Errorf("%d of %d syncs started, %s before the deadline; want some, in time",
			started, accounts, time.Until(deadline))
	}
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d are left", accounts-started)) {
		t.Errorf("error %v, want one that says that %d are left", err, accounts-started)
	}
	if slow.most < 2 || slow.most > 16 {
		t.Errorf("%d starts at a time, want up to 16", slow.most)
	}
	slow.wait = 0
	if rest, err := h.service.StartDue(t.Context()); err != nil || started+rest != accounts {
		t.Errorf("the next tick started %d, error %v; want the other %d", rest, err, accounts-started)
	}
}

func TestQueuedAndCancelledSyncsDoNotHideARunningScheduledOne(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	first := h.schedule(1).Schedule.NextRunAt
	h.clock = first.Add(time.Minute)
	if started, err := h.service.StartDue(t.Context()); err != nil || started != 1 {
		t.Fatalf("%d syncs started, error %v; want 1", started, err)
	}
	for range 25 {
		if _, err := h.service.CancelSync(t.Context(), h.id, h.start(importer.SyncRequest{}).ID); err != nil {
			t.Fatal(err)
		}
	}
	// Saving the settings forgets nothing either.
	h.schedule(1)
	h.clock = first.Add(time.Hour + time.Minute)
	if started, err := h.service.StartDue(t.Context()); err != nil || started != 0 {
		t.Errorf("%d syncs started while the first one waits, error %v; want none", started, err)
	}
	h.mustDeliver()
	h.clock = first.Add(2*time.Hour + time.Minute)
	if h.tick() != 1 {
		t.Error("no sync started after the first one had ended")
	}
}

func TestSettingsOfEarlierBuildsFindTheirRunningSync(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	first := h.schedule(1).Schedule.NextRunAt
	h.clock = first.Add(time.Minute)
	tick := func() int {
		t.Helper()
		started, err := h.service.StartDue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return started
	}
	tick()
	jobs := h.store.Jobs().For(h.id.Account)
	old, err := jobs.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run := old.ScheduledRunID
	old.ScheduledRunID = ""
	if _, err := jobs.PutSettings(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	h.clock = first.Add(time.Hour + time.Minute)
	if n := tick(); n != 0 {
		t.Errorf("%d syncs started while the first one waits", n)
	}
	if got, err := jobs.Settings(t.Context()); err != nil || got.ScheduledRunID != run || run == "" {
		t.Errorf("the settings name run %q, error %v; want %q", got.ScheduledRunID, err, run)
	}
}
