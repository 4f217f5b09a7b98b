package importer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/oklog/ulid/v2"

	"rollcall/shared/jobstore"
	"rollcall/shared/queue"
	"rollcall/shared/settings"
	"rollcall/shared/snapshot"
)

// Service takes the requests of an account's people: each method checks its input, does what is quick at once, and
// leaves a run for a Worker where the work is long.
type Service struct {
	c Config
}

// NewService returns a service on the ports in c; Opener and Directory are not used.
func NewService(c Config) *Service { return &Service{c: c.withDefaults()} }

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = func() string { return ulid.Make().String() }
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Hour == 0 {
		c.Hour = time.Hour
	}
	if c.Tick == 0 {
		c.Tick = 500 * time.Millisecond
	}
	c.plans = new(snapshot.Opener)
	return c
}

func (c Config) now() time.Time { return c.Now().UTC() }

// start stores a new run and puts it on its queue. With an idempotency key the run of the first request is returned.
func (s *Service) start(ctx context.Context, id Identity, run jobstore.Run, once Idempotency) (jobstore.Run, error) {
	jobs := s.c.Jobs.For(id.Account)
	run.ID, run.State, run.StartedBy, run.CreatedAt = s.c.NewID(), jobstore.Queued, id.Subject, s.c.now()
	if run.Kind == jobstore.KindPreview {
		run.ExpiresAt = run.CreatedAt.Add(PlanLifetime)
	}
	if once.Key != "" {
		claimed, err := s.claim(ctx, jobs, run, once)
		if err != nil {
			return jobstore.Run{}, err
		}
		if first, err := jobs.Run(ctx, claimed); err == nil {
			return first, nil
		}
		// The request that claimed the key died before it stored its run: this one takes its place.
		run.ID = claimed
	}
	err := s.admit(ctx, jobs, run.Kind)
	if err == nil {
		run, err = jobs.CreateRun(ctx, run)
	}
	if err != nil && once.Key != "" {
		// An equal request at the same time may have stored the run, and taken the last place.
		if first, readErr := jobs.Run(ctx, run.ID); readErr == nil {
			return first, nil
		}
	}
	if err != nil {
		return jobstore.Run{}, tooLarge(err)
	}
	return run, s.c.Queue.Send(ctx, queue.Message{Task: queue.Task(run.Kind), Account: id.Account, RunID: run.ID})
}

// tooLarge turns a store's "too large" into the caller's error, with what makes settings and runs so, and leaves every other error
// alone.
func tooLarge(err error) error {
	if !errors.Is(err, jobstore.ErrTooLarge) {
		return err
	}
	return invalid(settings.FieldError{Field: "advanced.exclude", Message: "makes the settings too large to be stored: " +
		"exclude whole domains (*@example.com) in place of their addresses, or use a filter; connection.caCertificate and advanced.acceptedDomains count too"})
}

// The limits of one account.
const (
	// maxWaiting is how many runs of a kind may wait or be at work.
	maxWaiting = 10
	// maxPreviews previews may be started within previewWindow.
	maxPreviews   = 60
	previewWindow = 10 * time.Minute
)

// admit refuses a run where the account has too many already.
func (s *Service) admit(ctx context.Context, jobs jobstore.Jobs, kind jobstore.RunKind) error {
	page, err := jobs.Runs(ctx, jobstore.RunQuery{Kind: kind, Limit: maxPreviews})
	if err != nil {
		return err
	}
	waiting, recent := 0, 0
	for i := range page.Runs {
		if !page.Runs[i].State.Ended() {
			waiting++
		}
		if s.c.now().Sub(page.Runs[i].CreatedAt) < previewWindow {
			recent++
		}
	}
	switch {
	case waiting >= maxWaiting:
		return problem(TooMany, "too_many_waiting", "%d %ss of this account wait already. Cancel some, or wait for them to end.", waiting, kind)
	case kind == jobstore.KindPreview && recent >= maxPreviews:
		return problem(TooMany, "too_many_previews", "%d previews were started within %s. Wait a little before the next.", recent, previewWindow)
	}
	return nil
}

// claim returns the id of the run that the idempotency key stands for.
func (s *Service) claim(ctx context.Context, jobs jobstore.Jobs, run jobstore.Run, once Idempotency) (string, error) {
	want := jobstore.NewKey(string(run.Kind)+"/"+run.UndoOf, once.Key, once.Body)
	want.RunID, want.At = run.ID, run.CreatedAt
	got, err := jobs.ClaimKey(ctx, want)
	if err != nil {
		return "", err
	}
	if got.Request != want.Request {
		return "", problem(Reused, "idempotency_key_reused",
			"This Idempotency-Key came with another request before. Send a new key with a new request.")
	}
	return got.RunID, nil
}

// cancel asks a run to stop. One that has ended already stays as it is.
func (s *Service) cancel(ctx context.Context, id Identity, run jobstore.Run) (jobstore.Run, error) {
	return s.c.Jobs.For(id.Account).UpdateRun(ctx, run.ID, func(r *jobstore.Run) error {
		if r.State.Ended() {
			return problem(Conflict, string(r.Kind)+"_ended", "The %s has ended already (%s).", r.Kind, r.State)
		}
		r.Cancelled = true
		if r.State == jobstore.Queued {
			r.State, r.FinishedAt, r.SealedPassword = jobstore.Cancelled, s.c.now(), keepPassword(r)
		}
		return nil
	})
}

// run returns a run of one kind, or a NotFound error whose code names the kind.
func (s *Service) run(ctx context.Context, id Identity, kind jobstore.RunKind, runID string) (jobstore.Run, error) {
	run, err := s.c.Jobs.For(id.Account).Run(ctx, runID)
	if err == nil && run.Kind != kind {
		err = jobstore.ErrNotFound
	}
	if err != nil {
		return jobstore.Run{}, notFound(err, string(kind)+"_not_found", "There is no %s %s.", kind, runID)
	}
	return run, nil
}
