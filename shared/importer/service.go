package importer

import (
	"context"
	"errors"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// Service takes the requests of an account's people: each method checks its input, does what is quick at once, and
// leaves a run for a Worker where the work is long.
type Service struct {
	c core
}

// NewService returns a service on the ports in c; Opener and Directory are not used.
func NewService(c Config) *Service { return &Service{newCore(c)} }

// start stores a new run and puts it on its queue. With an idempotency key the run of the first request is returned.
func (s *Service) start(ctx context.Context, id run.Identity, r run.Run, once Idempotency) (run.Run, error) {
	jobs := s.c.Jobs.For(id.Account)
	r.ID, r.State, r.StartedBy, r.CreatedAt = s.c.NewID(), run.Queued, id.Subject, s.c.now()
	if r.Kind != run.KindSync {
		r.ExpiresAt = r.CreatedAt.Add(PlanLifetime)
	}
	if once.Key != "" {
		taken, err := s.takeKey(ctx, jobs, r, once)
		if err != nil {
			return run.Run{}, err
		}
		if first, err := jobs.Run(ctx, taken); err == nil {
			return first, nil
		}
		// The request that took the key stored no run: this one takes its place.
		r.ID = taken
	}
	stored, err := r, s.admit(ctx, jobs, r.Kind, r.ID)
	if err == nil {
		stored, err = create(ctx, jobs, r, s.startEntry(id, r))
	}
	if err != nil && once.Key != "" {
		// An equal request at the same time may have stored the run, and taken the last place.
		if first, readErr := jobs.Run(ctx, r.ID); readErr == nil {
			return first, nil
		}
	}
	if err != nil {
		return run.Run{}, tooLarge(err)
	}
	return stored, s.c.Queue.Send(ctx, message(id.Account, &stored))
}

// tooLarge turns a store's "too large" into the caller's error, with what makes settings and runs so, and leaves every
// other error alone.
func tooLarge(err error) error {
	if !errors.Is(err, runs.ErrTooLarge) {
		return err
	}
	return invalid(settings.FieldError{Field: "advanced.exclude",
		Message: "makes the settings too large to be stored: " +
			"exclude whole domains (*@example.com) in place of their addresses, or use a filter; " +
			"connection.caCertificate and advanced.acceptedDomains count too"})
}

// takeKey returns the id of the run that the idempotency key stands for.
func (s *Service) takeKey(ctx context.Context, jobs runs.Jobs, r run.Run, once Idempotency) (string, error) {
	want := keyOf(r, once)
	got, err := jobs.TakeKey(ctx, want)
	if err != nil {
		return "", err
	}
	return runOf(got, want)
}

func keyOf(r run.Run, once Idempotency) runs.Key {
	k := runs.NewKey(string(r.Kind)+"/"+r.UndoOf, once.Key, once.Body)
	k.RunID, k.At = r.ID, r.CreatedAt
	return k
}

// runOf returns the run that a stored key stands for, or an error where it came with another request than this one.
func runOf(stored, asked runs.Key) (string, error) {
	if stored.Request != asked.Request {
		return "", problem(Reused, "idempotency_key_reused",
			"This Idempotency-Key came with another request before. Send a new key with a new request.")
	}
	return stored.RunID, nil
}

// cancel asks a run to stop. One that has ended already stays as it is.
func (s *Service) cancel(ctx context.Context, id run.Identity, record run.Run) (run.Run, error) {
	r, err := s.c.Jobs.For(id.Account).EditRun(ctx, record.ID, func(r *run.Run) ([]runs.AuditEntry, error) {
		if r.State.Ended() {
			return nil, problem(Conflict, string(r.Kind)+"_ended", "The %s has ended already (%s).", r.Kind, r.State)
		}
		var entries []runs.AuditEntry
		if !r.CancelRequested {
			entries = append(entries, s.cancelEntry(id, record))
		}
		r.CancelRequested = true
		if r.State == run.Queued || r.Parked != "" {
			r.Applied, r.Parked = new(run.Applied), ""
			r.State, r.FinishedAt, r.SealedPassword = run.Cancelled, s.c.now(), keepPassword(r)
		}
		return entries, nil
	})
	// The edit leaves out what is long of it.
	r.Import = record.Import
	if connector := r.Import.Connection.ConnectorID; err == nil && r.State.Ended() && connector != "" {
		err = dropOrders(ctx, s.c.Connectors.For(id.Account), connector, r.ID)
	}
	return r, err
}

// run returns a run of one kind, or a NotFound error whose code names the kind.
func (s *Service) run(ctx context.Context, id run.Identity, kind run.Kind, runID string) (run.Run, error) {
	r, err := s.c.Jobs.For(id.Account).Run(ctx, runID)
	if err == nil && r.Kind != kind {
		err = runs.ErrNotFound
	}
	if err != nil {
		return run.Run{}, notFound(err, string(kind)+"_not_found", "There is no %s %s.", kind, runID)
	}
	return r, nil
}
