package syncs

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

// ticks counts what a tick does, and fails with err if there is one.
type ticks struct {
	started, looks, cared int
	err, looksErr         error
}

func (s *ticks) StartDue(context.Context) (int, error)   { s.started++; return 3, s.err }
func (s *ticks) StartLooks(context.Context) (int, error) { s.looks++; return 0, s.looksErr }
func (s *ticks) CareFor(_ context.Context, at time.Time) (int, error) {
	if d := time.Since(at); d < 0 || d > time.Minute {
		return 0, errors.New("the time is not now")
	}
	s.cared++
	return 0, nil
}

// endless is a tick whose start of syncs takes until runs are looked after.
type endless struct{ cared chan struct{} }

func (s endless) StartDue(ctx context.Context) (int, error) {
	select {
	case <-s.cared:
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (endless) StartLooks(context.Context) (int, error) { return 0, nil }

func (s endless) CareFor(context.Context, time.Time) (int, error) {
	close(s.cared)
	return 0, nil
}

func TestRunsAreLookedAfterWhileSyncsAreStarted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := Tick(ctx, endless{make(chan struct{})}, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("error %v", err)
	}
}

func TestATickDoesBothAndFailsWithEither(t *testing.T) {
	t.Parallel()
	s := &ticks{}
	if err := Tick(t.Context(), s, slog.New(slog.DiscardHandler)); err != nil || s.started != 1 || s.looks != 1 ||
		s.cared != 1 {
		t.Errorf("error %v after %+v", err, s)
	}
	s.err = errors.New("the table is away")
	if err := Tick(t.Context(), s, slog.New(slog.DiscardHandler)); err == nil || s.cared != 2 || s.looks != 2 {
		t.Errorf("error %v after %+v; want the failure, and runs looked after all the same", err, s)
	}
	s.err, s.looksErr = nil, errors.New("the looks are away")
	if err := Tick(t.Context(), s, slog.New(slog.DiscardHandler)); !errors.Is(err, s.looksErr) {
		t.Errorf("error %v, want that of the looks", err)
	}
}
