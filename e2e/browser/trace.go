package browser

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
)

// LongestTask does something and returns for how long a page's one thread worked at a time at most. It is the thread's own time:
// what other programs on the machine take meanwhile is none of the page's. Pages that other tabs show count too.
func (tab *Tab) LongestTask(do func()) time.Duration {
	tab.t.Helper()
	ctx, cancel := context.WithCancel(tab.ctx)
	defer cancel()
	var events []json.RawMessage
	complete := make(chan struct{})
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *tracing.EventDataCollected:
			for _, v := range e.Value {
				events = append(events, json.RawMessage(v))
			}
		case *tracing.EventTracingComplete:
			close(complete)
		}
	})
	if err != nil {
		tab.t.Fatal(err)
	}
	call(tab, tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{
		IncludedCategories: []string{"disabled-by-default-devtools.timeline"}, ExcludedCategories: []string{"*"},
	}})
	do()
	call(tab, tracing.End, cdp.Empty{})
	select {
	case <-complete:
	case <-time.After(2 * waitLimit):
		tab.t.Fatal("the trace did not end")
	}
	longest, err := longestTask(events)
	if err != nil {
		tab.t.Fatal(err)
	}
	return longest
}

var errNoTask = errors.New("the trace has no task of a page")

// longestTask finds the longest task on a page's main thread in a trace (the Trace Event Format; tdur is the thread's time in µs).
func longestTask(events []json.RawMessage) (time.Duration, error) {
	type thread struct{ Pid, Tid int }
	pages, longest := make(map[thread]bool), make(map[thread]float64)
	for _, raw := range events {
		var e struct {
			Pid, Tid int
			Name     string
			Tdur     float64
			Args     struct{ Name string }
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return 0, err
		}
		switch {
		case e.Name == "thread_name" && e.Args.Name == "CrRendererMain":
			pages[thread{e.Pid, e.Tid}] = true
		case e.Name == "RunTask":
			t := thread{e.Pid, e.Tid}
			longest[t] = max(longest[t], e.Tdur)
		}
	}
	var most float64
	for t := range pages {
		most = max(most, longest[t])
	}
	if most == 0 {
		return 0, errNoTask
	}
	return time.Duration(most * float64(time.Microsecond)), nil
}
