package main

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/shared/address"
	"rollcall/shared/connector"
	"rollcall/shared/connector/connectortest"
	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

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
				cursor := s.samePlan(t, own, imp, nil)
				if cursor != nil {
					s.samePlan(t, own, imp, []run.Cursor{*cursor})
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
				player := s.through(t, own, connector.FindOf(imp, question))
				through, err := player.Find(t.Context(), imp.Connection, question, func(run.Step) {})
				if diff := cmp.Diff(answer, through); diff != "" || err != nil {
					t.Error(err, diff)
				}
			})
		}
	}
}

// through has the connector do a request, and returns what plays it.
func (s *site) through(t *testing.T, bounds *directory.Reader, r connector.Request) connectortest.Directory {
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

// samePlan compares the two ways of one read, and returns its cursor.
func (s *site) samePlan(t *testing.T, own *directory.Reader, imp settings.Import, since []run.Cursor) *run.Cursor {
	t.Helper()
	query, _, err := connectortest.Query(imp, since)
	if err != nil {
		t.Fatal(err)
	}
	want, err := connectortest.PlanOf(t.Context(), own, imp, since)
	if err != nil {
		t.Fatal(err)
	}
	got, err := connectortest.PlanOf(t.Context(), s.through(t, own, connector.ReadOf(imp, query)), imp, since)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(run.Certificate{})); diff != "" || err != nil {
		t.Errorf("a direct read (-) and one through the connector (+) differ: %v\n%.3000s", err, diff)
	}
	return want.Info.Tracking.Cursor
}
