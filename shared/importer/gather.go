package importer

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/planfile/userlist"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// makePlan stores the run's plan at key: an undo's from the journal, any other from the directory.
func (j *job) makePlan(ctx context.Context, key string) error {
	ctx, stop := j.withinTime(ctx)
	defer stop()
	// The next plan of this process may be as large: without this, what this one needed stays until the heap has twice
	// its size. It takes a millisecond, as little of a plan's memory has pointers.
	defer runtime.GC()
	return cause(ctx, j.planInto(ctx, key))
}

func (j *job) planInto(ctx context.Context, key string) error {
	if j.run.UndoOf != "" {
		return j.planUndo(ctx, key)
	}
	looks, err := j.jobs.Looks(ctx)
	if err != nil {
		return fmt.Errorf("read what was noted of the last look: %w", err)
	}
	gather := j.gather
	if j.run.Trigger == run.TriggerQuick {
		gather = j.gatherChanges
	}
	in, err := gather(ctx, &looks)
	if err != nil {
		return err
	}
	// What reading and sorting left behind is as much as a plan of renames keeps: the plan takes its place.
	runtime.GC()
	j.set(func() { j.progress.Phase = run.PhasePlanning })
	return j.writePlan(ctx, key, in.build)
}

// gathered is what a plan is made of.
type gathered struct {
	found  *extract.Result
	stored *userlist.List
	policy plan.Policy
	// hint is the directory's where it gave no addresses.
	hint string
}

func (g *gathered) build(emit func(*plan.Row) error) (run.Result, error) {
	desired := plan.Desired{Entries: g.found.Entries(), Claims: g.found.Claims, Skipped: g.found.Skipped}
	result, err := plan.Build(desired, g.stored.Walk, g.policy, emit)
	result.Hint = g.hint
	return result, err
}

// policy is what decides beside what was read.
func (j *job) policy(info directory.Info) (plan.Policy, error) {
	exclude, err := address.ParsePatterns(j.run.Import.Advanced.Exclude)
	if err != nil {
		err = fmt.Errorf("read the exclusions of run %s: %w", j.run.ID, err)
	}
	return plan.Policy{DirectoryID: info.DirectoryID, Exclude: exclude}, err
}

// writePlan stores the rows that build emits as the plan at key. A sync's plan is its journal, which is kept for long:
// the rows that change nothing are only counted.
func (j *job) writePlan(
	ctx context.Context, key string, build func(emit func(*plan.Row) error) (run.Result, error),
) error {
	var result run.Result
	err := j.Objects.For(j.account).Put(ctx, key, func(w io.Writer) error {
		writer := planfile.NewWriter(w)
		rows := 0
		built, err := build(func(row *plan.Row) error {
			if rows++; rows%1024 == 0 && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if row.Change == plan.Unchanged && j.run.Kind == run.KindSync {
				return nil
			}
			return writer.Add(row)
		})
		if err != nil {
			return err
		}
		result = built
		return writer.Close(planfile.Meta{Result: built, Fingerprint: j.run.Import.Fingerprint(), CreatedAt: j.now()})
	})
	if err != nil {
		return fmt.Errorf("store the plan of run %s: %w", j.run.ID, err)
	}
	j.set(func() { j.result = result })
	return nil
}

// gather reads the directory and, at the same time, the account's stored users.
func (j *job) gather(ctx context.Context, looks *run.Looks) (*gathered, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type loaded struct {
		users *userlist.List
		err   error
	}
	load := make(chan loaded, 1)
	go func() {
		users, err := j.loadUsers(ctx)
		if err != nil {
			cancel(err)
		}
		load <- loaded{users, err}
	}()
	found, info, err := j.readDirectory(ctx, nil)
	if err != nil {
		cancel(err)
	}
	stored := <-load
	// Whichever of the two failed first ended the other, and is the cause.
	if err != nil || stored.err != nil {
		return nil, context.Cause(ctx)
	}
	policy, err := j.policy(info)
	policy.NewSince = newSince(looks)
	return &gathered{found, stored.users, policy, info.Hint}, err
}

func (j *job) loadUsers(ctx context.Context) (*userlist.List, error) {
	users := new(userlist.List)
	for u, err := range j.Users.For(j.account).All(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read the Users List: %w", err)
		}
		users.Append(&u)
	}
	return users, nil
}

// readDirectory reads the directory into addresses: all of it, or what changed since one of the cursors.
func (j *job) readDirectory(ctx context.Context, since []run.Cursor) (*extract.Result, directory.Info, error) {
	connection, rules, err := j.access(ctx)
	if err != nil {
		return nil, directory.Info{}, err
	}
	j.beginReading()
	collector, advanced := extract.NewCollector(rules), j.run.Import.Advanced
	query := directory.Query{
		SearchBase: advanced.SearchBase, Filter: advanced.Filter, Attributes: rules.Attributes(),
		Named: rules.Named(), Found: collector.Values, Memory: collector.Memory, Since: since,
	}
	entries := 0
	info, err := j.reader().Read(ctx, connection, query, j.onStep, func(e *directory.Entry) error {
		collector.Add(e)
		if entries++; entries%256 == 0 {
			j.set(func() {
				j.progress.Entries, j.progress.Addresses = entries, collector.Addresses()
			})
		}
		return nil
	})
	if err != nil {
		return nil, info, err
	}
	addresses, found := collector.Addresses(), collector.Result()
	j.set(func() {
		j.progress.Entries, j.progress.Addresses = entries, addresses
		j.notes, j.tracking = append(slices.Clip(info.Notes), found.Notes()...), info.Tracking
	})
	return found, info, nil
}

// onStep records a step of the connection as soon as it ends.
func (j *job) onStep(s run.Step) {
	level := slog.LevelInfo
	if j.run.Trigger == run.TriggerQuick {
		// There are many, and nearly all find nothing.
		level = slog.LevelDebug
	}
	j.log.Log(context.Background(), level, "connection step",
		"step", s.Step, "host", s.Host, "ok", s.OK, "ms", s.MS, "detail", s.Detail)
	j.set(func() {
		// A new slice, since the reporter may be marshalling the old one.
		j.steps = append(slices.Clip(j.steps), s)
		if s.OK && s.Step == directory.StepBase {
			j.progress.Phase = run.PhaseReading
		}
	})
}

// access returns the run's connection, with the password opened, and the rules of what is read.
func (j *job) access(ctx context.Context) (c settings.Connection, rules *extract.Rules, err error) {
	c = j.run.Import.Connection
	if j.run.SealedPassword != nil {
		if c.Password, err = j.Opener.Open(ctx, j.run.SealedPassword, binding(j.account, c)); err != nil {
			return c, nil, fmt.Errorf("open the password of run %s: %w", j.run.ID, err)
		}
	}
	if rules, err = extract.NewRules(c.ServerType, j.run.Import.Advanced); err != nil {
		err = fmt.Errorf("read the advanced settings of run %s: %w", j.run.ID, err)
	}
	return c, rules, err
}

// beginReading forgets what an earlier read of the directory showed.
func (j *job) beginReading() {
	j.set(func() {
		j.progress = run.Progress{Phase: run.PhaseConnecting}
		j.steps, j.notes = nil, nil
	})
}
