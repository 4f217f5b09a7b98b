package importer

import (
	"context"
	"errors"
	"time"

	"rollcall/shared/ports/objects"
	"rollcall/shared/run"
)

// exportWait is how long a request waits for its export before a worker takes it over.
const exportWait = 20 * time.Second

// Export is a CSV that was asked for. URL is empty until Run is done.
type Export struct {
	Run       run.Run
	URL       string
	ExpiresAt time.Time
}

// ExportPreview writes the CSV of those rows of a preview that a filter chooses; nil chooses all.
func (s *Service) ExportPreview(ctx context.Context, id run.Identity, runID string, f *run.Filter) (Export, error) {
	if _, err := s.readablePreview(ctx, id, runID); err != nil {
		return Export{}, err
	}
	export, err := s.export(ctx, id, run.Run{PreviewID: runID, Filter: f})
	return export, pageError(err, codePreviewExpired, previewExpired)
}

// ExportSync writes the CSV of those changes of a sync that a filter chooses; nil chooses all.
func (s *Service) ExportSync(ctx context.Context, id run.Identity, runID string, f *run.Filter) (Export, error) {
	if _, err := s.plannedSync(ctx, id, runID); err != nil {
		return Export{}, err
	}
	export, err := s.export(ctx, id, run.Run{SyncID: runID, Filter: f})
	return export, pageError(err, codeJournalExpired, journalExpired)
}

// ExportUsers writes the CSV of those users that a filter chooses; nil chooses all.
func (s *Service) ExportUsers(ctx context.Context, id run.Identity, f *run.Filter) (Export, error) {
	return s.export(ctx, id, run.Run{Filter: f})
}

// export writes the CSV that r asks for within the request; if that takes longer than exportWait, a worker does it
// again.
func (s *Service) export(ctx context.Context, id run.Identity, r run.Run) (Export, error) {
	jobs := s.c.Jobs.For(id.Account)
	r.ID, r.Kind, r.State, r.StartedBy, r.CreatedAt = s.c.NewID(), run.KindExport, run.Queued, id.Subject, s.c.now()
	r.ExpiresAt = r.CreatedAt.Add(PlanLifetime)
	if err := s.admit(ctx, jobs, r.Kind, r.ID); err != nil {
		return Export{}, err
	}
	r, err := jobs.CreateRun(ctx, r, s.startEntry(id, r))
	if err != nil {
		return Export{}, err
	}
	soon, stop := context.WithTimeout(ctx, exportWait)
	defer stop()
	written, err := s.c.writeExport(soon, id.Account, r)
	if err == nil {
		_, err = jobs.UpdateRun(ctx, r.ID, func(r *run.Run) error {
			r.State, r.Export, r.FinishedAt = run.Done, written, s.c.now()
			return nil
		})
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = s.c.Queue.Send(ctx, message(id.Account, &r))
	}
	if failure := failureOf(err); failure != nil {
		// The request answers it: no worker is to find the same again.
		_, endErr := jobs.UpdateRun(ctx, r.ID, func(r *run.Run) error {
			r.State, r.Failure, r.FinishedAt = run.Failed, failure, s.c.now()
			return nil
		})
		err = errors.Join(err, endErr)
	}
	if err != nil {
		return Export{}, err
	}
	return s.Export(ctx, id, r.ID)
}

// Export returns an export, with a fresh link where it is done.
func (s *Service) Export(ctx context.Context, id run.Identity, exportID string) (Export, error) {
	r, err := s.run(ctx, id, run.KindExport, exportID)
	if err != nil {
		return Export{}, err
	}
	if !s.c.now().Before(r.ExpiresAt) {
		return Export{}, expiredExport()
	}
	export := Export{Run: r}
	if r.State != run.Done {
		return export, nil
	}
	stored := s.c.Objects.For(id.Account)
	export.URL, export.ExpiresAt, err = stored.Link(ctx, r.Export.ObjectKey, r.Export.FileName, LinkLifetime)
	if errors.Is(err, objects.ErrNotFound) {
		return Export{}, expiredExport()
	}
	return export, err
}

func expiredExport() *Error {
	return problem(Gone, "export_expired", "The CSV was deleted a day after it was written. Export again.")
}
