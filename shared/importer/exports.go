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

// ExportPreview writes the CSV of a preview.
func (s *Service) ExportPreview(ctx context.Context, id run.Identity, runID string) (Export, error) {
	if _, err := s.readyPreview(ctx, id, runID); err != nil {
		return Export{}, err
	}
	return s.export(ctx, id, runID)
}

// ExportUsers writes the CSV of the Users List.
func (s *Service) ExportUsers(ctx context.Context, id run.Identity) (Export, error) {
	return s.export(ctx, id, "")
}

// export writes the CSV within the request; if that takes longer than exportWait, a worker does it again.
func (s *Service) export(ctx context.Context, id run.Identity, previewID string) (Export, error) {
	now := s.c.now()
	jobs := s.c.Jobs.For(id.Account)
	runID := s.c.NewID()
	if err := s.admit(ctx, jobs, run.KindExport, runID); err != nil {
		return Export{}, err
	}
	r, err := jobs.CreateRun(ctx, run.Run{
		ID: runID, Kind: run.KindExport, State: run.Queued, StartedBy: id.Subject, PreviewID: previewID,
		CreatedAt: now, ExpiresAt: now.Add(PlanLifetime),
	})
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
	if err != nil {
		return Export{}, pageError(err, codePreviewExpired, previewExpired)
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
	export.URL, export.ExpiresAt, err = s.c.Objects.For(id.Account).Link(ctx, r.Export.ObjectKey, r.Export.FileName, LinkLifetime)
	if errors.Is(err, objects.ErrNotFound) {
		return Export{}, expiredExport()
	}
	return export, err
}

func expiredExport() *Error {
	return problem(Gone, "export_expired", "The CSV was deleted a day after it was written. Export again.")
}
