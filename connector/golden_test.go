package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/address"
	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// reader is the importer's Directory.
type reader interface {
	Read(context.Context, settings.Connection, directory.Query, func(run.Step), func(*directory.Entry) error) (
		directory.Info, error)
	Find(context.Context, settings.Connection, directory.Question, func(run.Step)) (directory.Answer, error)
}

// planned is a plan as it is stored, with all else that a read says.
type planned struct {
	file []byte
	info directory.Info
	// steps are without what differs from read to read: how long each took, and the port of the connection.
	steps []run.Step
}

// planOf makes the plan of a read by whichever way, as the importer does.
func planOf(t *testing.T, from reader, imp settings.Import, since []run.Cursor) (out planned) {
	t.Helper()
	collector := extract.NewCollector(rulesOf(t, imp))
	query := queryOf(t, imp, since)
	query.Found, query.Memory = collector.Values, collector.Memory
	var err error
	out.info, err = from.Read(t.Context(), imp.Connection, query, out.step, func(e *directory.Entry) error {
		collector.Add(e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	found := collector.Result()
	var file bytes.Buffer
	writer := planfile.NewWriter(&file)
	nobody := func() func() *user.User { return func() *user.User { return nil } }
	result, err := plan.Build(plan.Desired{Entries: found.Entries(), Claims: found.Claims, Skipped: found.Skipped},
		nobody, plan.Policy{DirectoryID: out.info.DirectoryID, Exclude: address.Patterns{}}, writer.Add)
	if err != nil {
		t.Fatal(err)
	}
	result.Hint = out.info.Hint
	if err := writer.Close(planfile.Meta{Result: result, CreatedAt: time.Unix(0, 0)}); err != nil {
		t.Fatal(err)
	}
	out.file = file.Bytes()
	return out
}

func (p *planned) step(s run.Step) {
	s.MS = 0
	p.steps = append(p.steps, s)
}

func queryOf(t *testing.T, imp settings.Import, since []run.Cursor) directory.Query {
	t.Helper()
	rules := rulesOf(t, imp)
	return directory.Query{SearchBase: imp.Advanced.SearchBase, Filter: imp.Advanced.Filter,
		Attributes: rules.Attributes(), Named: rules.Named(), Since: since}
}

// The plan, what is said of the read, and the answer to a question are the same through a connector, byte for byte.
func TestThePlanThroughAConnectorIsThatOfADirectRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enrol()
	directories := demoDirectories(t)
	for _, d := range directories {
		c := connectionOf(d)
		s.do(d.Connection.Password, "password", "-host", c.Host, "-port", itoa(c.Port), "-username", c.Username, "-ca",
			d.CAFile)
	}
	s.start()
	for _, d := range directories {
		for name, change := range map[string]func(*settings.Import){
			"as it is":          func(*settings.Import) {},
			"nobody found":      func(i *settings.Import) { i.Advanced.Filter = "(mail=nobody@*)" },
			"without addresses": func(i *settings.Import) { i.Advanced.Filter = "(objectClass=domain)" },
		} {
			t.Run(d.Name+" "+name, func(t *testing.T) {
				imp := settings.Import{Connection: connectionOf(d)}
				change(&imp)
				own := directory.New(directory.Config{})
				want := planOf(t, own, imp, nil)
				got := planOf(t, s.through(t, own, connector.ReadOf(imp, queryOf(t, imp, nil))), imp, nil)
				same(t, want, got)
				if cursor := want.info.Tracking.Cursor; cursor != nil {
					since := []run.Cursor{*cursor}
					want := planOf(t, own, imp, since)
					got := planOf(t, s.through(t, own, connector.ReadOf(imp, queryOf(t, imp, since))), imp, since)
					same(t, want, got)
				}
				parsed, err := address.Parse("anna.schmidt@example.com")
				if err != nil {
					t.Fatal(err)
				}
				question := rulesOf(t, imp).Question(imp.Advanced, parsed)
				answer, err := own.Find(t.Context(), imp.Connection, question, func(run.Step) {})
				if err != nil {
					t.Fatal(err)
				}
				through, err := s.through(t, own, connector.FindOf(imp, question)).Find(t.Context(), imp.Connection, question,
					func(run.Step) {})
				if diff := cmp.Diff(answer, through); diff != "" || err != nil {
					t.Error(err, diff)
				}
			})
		}
	}
}

// through has the connector do a request, and returns what plays it.
func (s *site) through(t *testing.T, bounds *directory.Reader, r connector.Request) reader {
	t.Helper()
	// The password of a direct read goes nowhere.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	player, err := s.cloud.Wait(ctx, s.cloud.Order(r), bounds)
	if err != nil {
		t.Fatal(err)
	}
	return player
}

func same(t *testing.T, want, got planned) {
	t.Helper()
	if !bytes.Equal(want.file, got.file) {
		t.Errorf("the plans differ: %d bytes and %d", len(want.file), len(got.file))
	}
	if diff := cmp.Diff(want.info, got.info); diff != "" {
		t.Error(diff)
	}
	if len(want.steps) != len(got.steps) {
		t.Fatalf("steps %v, want %v", got.steps, want.steps)
	}
	for i := range want.steps {
		w, g := want.steps[i], got.steps[i]
		if w.Step != g.Step || w.Host != g.Host || w.OK != g.OK || w.Detail != g.Detail {
			t.Errorf("step %+v, want %+v", g, w)
		}
	}
}
