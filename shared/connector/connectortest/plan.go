package connectortest

import (
	"bytes"
	"context"
	"sync"
	"time"

	"rollcall/shared/address"
	"rollcall/shared/connector"
	"rollcall/shared/connector/recording"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// Directory is the importer's: a directory.Reader, or what plays a recording.
type Directory interface {
	Read(context.Context, settings.Connection, directory.Query, func(run.Step), func(*directory.Entry) error) (
		directory.Info, error)
	Find(context.Context, settings.Connection, directory.Question, func(run.Step)) (directory.Answer, error)
}

// Planned is the plan of a read, as a file, with all else that the read says.
type Planned struct {
	File []byte
	Info directory.Info
	// Steps are without how long each took.
	Steps []run.Step
}

// Query returns what an import asks a directory for.
func Query(imp settings.Import, since []run.Cursor) (directory.Query, *extract.Rules, error) {
	rules, err := extract.NewRules(imp.Connection.ServerType, imp.Advanced)
	if err != nil {
		return directory.Query{}, nil, err
	}
	return directory.Query{SearchBase: imp.Advanced.SearchBase, Filter: imp.Advanced.Filter,
		Attributes: rules.Attributes(), Named: rules.Named(), Since: since}, rules, nil
}

// PlanOf makes the plan of a read by whichever way, as the importer does for an empty Users List.
func PlanOf(ctx context.Context, from Directory, imp settings.Import, since []run.Cursor) (out Planned, err error) {
	query, rules, err := Query(imp, since)
	if err != nil {
		return out, err
	}
	collector := extract.NewCollector(rules)
	query.Found, query.Memory = collector.Values, collector.Memory
	onStep := func(s run.Step) {
		s.MS = 0
		out.Steps = append(out.Steps, s)
	}
	out.Info, err = from.Read(ctx, imp.Connection, query, onStep, func(e *directory.Entry) error {
		collector.Add(e)
		return nil
	})
	if err != nil {
		return out, err
	}
	found := collector.Result()
	var file bytes.Buffer
	writer := planfile.NewWriter(&file)
	nobody := func() func() *user.User { return func() *user.User { return nil } }
	result, err := plan.Build(plan.Desired{Entries: found.Entries(), Claims: found.Claims, Skipped: found.Skipped},
		nobody, plan.Policy{DirectoryID: out.Info.DirectoryID, Exclude: address.Patterns{}}, writer.Add)
	if err != nil {
		return out, err
	}
	result.Hint = out.Info.Hint
	err = writer.Close(planfile.Meta{Result: result, CreatedAt: time.Unix(0, 0)})
	out.File = file.Bytes()
	return out, err
}

// Record records a read of an import in this process, and returns what plays it.
func Record(ctx context.Context, from Directory, bounds *directory.Reader, imp settings.Import,
) (*recording.Player, error) {
	query, rules, err := Query(imp, nil)
	if err != nil {
		return nil, err
	}
	collector := extract.NewCollector(rules)
	query.Found = collector.Values
	order := connector.Order{ID: "ORDER", Attempt: 1, Request: connector.ReadOf(imp, query)}
	var blocks sync.Map
	r := recording.New(ctx, order, func(_ context.Context, number int, block []byte) error {
		blocks.Store(number, bytes.Clone(block))
		return nil
	})
	info, readErr := from.Read(ctx, imp.Connection, query, r.Step, func(e *directory.Entry) error {
		collector.Add(e)
		return r.Entry(e)
	})
	sealed, err := r.Close(info, readErr)
	return &recording.Player{Reader: bounds, Order: order, Sealed: sealed,
		Block: func(_ context.Context, number int) ([]byte, error) {
			block, there := blocks.Load(number)
			if !there {
				return nil, recording.ErrMissing
			}
			return block.([]byte), nil //nolint:forcetypeassert // stored above
		}}, err
}
