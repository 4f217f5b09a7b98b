package run_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall/shared/run"
	"rollcall/shared/settings"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestRemovalsOfADay(t *testing.T) {
	t.Parallel()
	sync := func(id string, hour, removed, stored int) run.Removal {
		at := noon.Add(time.Duration(hour) * time.Hour)
		return run.Removal{RunID: id, At: at, Removed: removed, Stored: stored, StoredImported: stored / 2}
	}
	later := run.Removals{}.Note(sync("a", 0, 5, 1000)).Note(sync("a", 3, 25, 1000))
	three := run.Removals{}.Note(sync("a", 0, 0, 1000)).Note(sync("b", 1, 10, 1000)).Note(sync("c", 2, 20, 990))
	ahead := run.Removals{}.Note(sync("a", 1000, 5, 100))
	for name, test := range map[string]struct {
		removals run.Removals
		hour     int
		scope    settings.RemoveScope
		want     run.Day
	}{
		"nothing":                        {nil, 0, settings.RemoveAll, run.Day{}},
		"all of a day":                   {three, 3, settings.RemoveAll, run.Day{Removed: 30, Stored: 1000}},
		"the other scope":                {three, 3, settings.RemoveImported, run.Day{Removed: 30, Stored: 500}},
		"what is a day old is forgotten": {three, 25, settings.RemoveAll, run.Day{Removed: 20, Stored: 990}},
		"all is a day old":               {three, 26, settings.RemoveAll, run.Day{}},
		"a sync that goes on":            {later, 3, settings.RemoveAll, run.Day{Removed: 25, Stored: 1000}},
		"undone":                         {three.Undone("b"), 3, "all", run.Day{Removed: 20, Stored: 1000}},
		"another one undone":             {three.Undone("x"), 3, "all", run.Day{Removed: 30, Stored: 1000}},
		"a clock that was ahead":         {ahead.Note(sync("b", 0, 1, 100)), 25, settings.RemoveAll, run.Day{}},
		"a clock that is ahead":          {ahead, 0, settings.RemoveAll, run.Day{Removed: 5, Stored: 100}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.removals.Day(noon.Add(time.Duration(test.hour)*time.Hour), test.scope); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestRemovalsStaySmall(t *testing.T) {
	t.Parallel()
	var idle, busy run.Removals
	for i := range 1000 {
		at := noon.Add(time.Duration(i) * time.Second)
		r := run.Removal{RunID: fmt.Sprint(i), At: at, Stored: 5000, StoredImported: 5000}
		idle = idle.Note(r)
		r.Removed, r.Stored = 1, 5000-i
		busy = busy.Note(r)
	}
	if len(idle) != 1 || len(busy) > 200 {
		t.Errorf("%d syncs that removed nobody and %d that did are kept apart, want 1 and at most 200",
			len(idle), len(busy))
	}
	if got := busy.Day(noon.Add(time.Hour), settings.RemoveAll); got != (run.Day{Removed: 1000, Stored: 5000}) {
		t.Errorf("counted %+v, want all 1000 removals of 5000", got)
	}
}
