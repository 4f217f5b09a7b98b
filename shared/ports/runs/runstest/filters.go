package runstest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// filterRuns lists runs by state and trigger. Only the oldest of more than one page may look at was blocked.
func filterRuns(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	const n = runs.MaxScan + 50
	for i := range n {
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
		if _, err := j.CreateRun(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
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
		var got []string
		test.query.Kind = run.KindSync
		for pages := 0; ; pages++ {
			page, err := j.Runs(ctx, test.query)
			if err != nil || len(page.Runs) > test.query.Limit || pages > 20 {
				t.Fatalf("%s: page %d has %d runs, error %v", name, pages, len(page.Runs), err)
			}
			for _, r := range page.Runs {
				got = append(got, r.ID)
			}
			if test.query.After = page.Next; page.Next == "" {
				break
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	page, err := j.Runs(ctx, runs.Query{Kind: run.KindSync, States: []run.State{run.Blocked}, Limit: 10})
	if err != nil || len(page.Runs) > 0 || page.Next == "" {
		t.Errorf("beyond %d others %d are found, next %q, error %v", runs.MaxScan, len(page.Runs), page.Next, err)
	}
}

// every lists the ids of every 200th run, the newest first.
func every(newest, oldest int) (ids []string) {
	for i := newest; i >= oldest; i -= 200 {
		ids = append(ids, fmt.Sprintf("01J%04d", i))
	}
	return ids
}
