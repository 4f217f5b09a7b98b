package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// CareFor looks after the runs that are overdue at a time, and returns how many it did something for. An unfinished one
// gets its message again: whoever stored it may have died before sending one. An ended one loses the sealed password
// whose time is over. Pass a time ahead of now where no worker is at work, so as not to wait for lost ones. A run that
// fails is logged, and the others go on; the error says how many failed.
func (s *Service) CareFor(ctx context.Context, overdueAt time.Time) (cared int, err error) {
	overdue := func(limit int) ([]runs.Ref, error) { return s.c.Jobs.Overdue(ctx, overdueAt, limit) }
	cared, err = walk(ctx, overdue, func(ref runs.Ref) (bool, error) {
		done, err := s.careForRun(ctx, ref, overdueAt)
		if err != nil {
			s.c.failed(ctx, "an overdue run cannot be looked after", ref.Account, err, "run", ref.RunID)
			err = fmt.Errorf("run %s of %q: %w", ref.RunID, ref.Account, err)
		}
		return done, err
	})
	if err != nil {
		return cared, fmt.Errorf("look after overdue runs: %w", err)
	}
	return cared, nil
}

// careForRun does what one overdue run needs, unless somebody wrote it meanwhile.
func (s *Service) careForRun(ctx context.Context, ref runs.Ref, overdueAt time.Time) (bool, error) {
	var open *queue.Message
	_, err := s.c.Jobs.For(ref.Account).UpdateRun(ctx, ref.RunID, func(r *run.Run) error {
		open = nil
		at := r.OverdueAt()
		switch {
		case at.IsZero() || at.After(overdueAt):
			return errEnded
		case !r.State.Ended():
			// Storing it moves that time, so that it is not sent again at every turn.
			again := message(ref.Account, r)
			open = &again
		case s.c.now().Before(r.ExpiresAt):
			return errEnded
		default:
			r.SealedPassword = nil
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnded), errors.Is(err, runs.ErrNotFound):
		return false, nil
	case err != nil || open == nil:
		return err == nil, err
	}
	s.c.Log.InfoContext(ctx, "an unfinished run gets its message again",
		"task", open.Task, "account", open.Account, "run", open.RunID, "slice", open.Slice)
	return true, s.c.Queue.Send(ctx, *open)
}
