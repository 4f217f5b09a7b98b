package importer

import (
	"context"

	"rollcall/shared/ports/events"
	"rollcall/shared/run"
)

// announce tells others how a sync ended. It comes before the end is stored: a crash in between repeats an event, and
// loses none.
func (j *job) announce(ctx context.Context, state run.State, failure *run.Failure) error {
	if j.Events == nil || j.run.Kind != run.KindSync {
		return nil
	}
	s := j.result.Summary
	event := events.Event{
		Account: j.account, RunID: j.run.ID, At: j.now(), Trigger: string(j.run.Trigger), Created: s.Create, Updated: s.Update, Deleted: s.Delete,
		SendHSR: j.run.Import.Options.SendHSR,
	}
	if s.Create > 0 && j.run.Trigger != run.TriggerUndo && (state == run.Done || state == run.Blocked && j.progress.Applied > 0) {
		imported := event
		imported.Name = events.UsersImported
		imported.NewUsers = "/v1/syncs/" + j.run.ID + "/changes?change=create&kind=primary"
		if err := j.Events.Publish(ctx, imported); err != nil {
			return err
		}
	}
	switch state {
	case run.Blocked:
		event.Name, event.Code, event.Message = events.SyncBlocked, string(j.guard.Reason), j.guard.Message
	case run.Failed:
		event.Name, event.Code, event.Message = events.SyncFailed, failure.Code, failure.Message
	default:
		return nil
	}
	return j.Events.Publish(ctx, event)
}
