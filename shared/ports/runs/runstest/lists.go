package runstest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// list follows a query to its end, which no more than so many pages may come before, and returns the runs' ids.
func list(t *testing.T, j runs.Jobs, q runs.Query, most int) (ids []string) {
	t.Helper()
	for pages := 0; ; pages++ {
		page, err := j.Runs(t.Context(), q)
		if err != nil || len(page.Runs) > q.Limit || pages > most {
			t.Fatalf("%+v: page %d has %d runs, error %v", q, pages, len(page.Runs), err)
		}
		for _, r := range page.Runs {
			ids = append(ids, r.ID)
		}
		if q.After = page.Next; q.After == "" {
			return ids
		}
	}
}

func listRuns(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	const n = 25
	for i := range n {
		for _, kind := range []run.Kind{run.KindSync, run.KindPreview} {
			if _, err := j.CreateRun(ctx, newRun(fmt.Sprintf("01J%03d%s", i, kind[:1]), kind)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var want []string
	for i := n - 1; i >= 0; i-- {
		want = append(want, fmt.Sprintf("01J%03ds", i))
	}
	for _, limit := range []int{1, 10, n, n + 1} {
		if diff := cmp.Diff(want, list(t, j, runs.Query{Kind: run.KindSync, Limit: limit}, n)); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
}

// filterRuns lists runs by state and trigger. Only the oldest of more than one page may look at was blocked.
func filterRuns(t *testing.T, s runs.Store) {
	j := s.For("acme")
	fillForFilters(t, j)
	for name, test := range map[string]struct {
		query runs.Query
		want  []string
	}{
		"a state":   {runs.Query{States: []run.State{run.Blocked}, Limit: 10}, []string{"01J0000"}},
		"a trigger": {runs.Query{Triggers: []run.Trigger{run.TriggerManual}, Limit: 4}, every(1001, 1)},
		"both": {runs.Query{States: []run.State{run.Failed, run.Blocked}, Triggers: []run.Trigger{run.TriggerSchedule},
			Limit: 1}, append(every(1002, 2), "01J0000")},
		"none": {runs.Query{States: []run.State{run.Cancelled}, Limit: 1000}, nil},
	} {
		test.query.Kind = run.KindSync
		if diff := cmp.Diff(test.want, list(t, j, test.query, 20)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	page, err := j.Runs(t.Context(), runs.Query{Kind: run.KindSync, States: []run.State{run.Blocked}, Limit: 10})
	if err != nil || len(page.Runs) > 0 || page.Next == "" {
		t.Errorf("beyond %d others %d are found, next %q, error %v", runs.MaxScan, len(page.Runs), page.Next, err)
	}
}

// fillForFilters stores syncs of the schedule that are done, but for the oldest and some of every 200.
func fillForFilters(t *testing.T, j runs.Jobs) {
	t.Helper()
	for i := range runs.MaxScan + 50 {
		r := newRun(fmt.Sprintf("01J%04d", i), run.KindSync)
		r.State, r.Trigger = run.Done, run.TriggerSchedule
		switch {
		case i == 0:
			r.State = run.Blocked
		case i%200 == 1:
			r.Trigger = run.TriggerManual
		case i%200 == 2:
			r.State = run.Failed
		}
		if _, err := j.CreateRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// every lists the ids of every 200th run, the newest first.
func every(newest, oldest int) (ids []string) {
	for i := newest; i >= oldest; i -= 200 {
		ids = append(ids, fmt.Sprintf("01J%04d", i))
	}
	return ids
}
