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

// LongestTask does something and returns for how long a page's one thread worked at a time at most. It is the thread's
// own time: what other programs on the machine take meanwhile is none of the page's. Pages that other tabs show count
// too. It does it again where the trace had not begun: Chromium says that it has a moment before a page's process takes
// part.
func (tab *Tab) LongestTask(do func()) time.Duration {
	tab.t.Helper()
	const tries = 10
	for range tries {
		events := tab.trace(func() {
			Eval[bool](tab, `Boolean(performance.mark('`+traceMark+`'))`)
			do()
		})
		longest, err := longestTask(events)
		if err == nil {
			return longest
		}
		if !errors.Is(err, errNoMark) {
			tab.t.Fatal(err)
		}
	}
	tab.t.Fatalf("%d traces began too late", tries)
	return 0
}

// traceMark is what a page's thread notes before the work that is traced: a trace without it began later.
const traceMark = "what is traced begins"

// trace does something and returns what Chromium noted meanwhile.
func (tab *Tab) trace(do func()) (events []json.RawMessage) {
	tab.t.Helper()
	ctx, cancel := context.WithCancel(tab.ctx)
	defer cancel()
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
		IncludedCategories: []string{"disabled-by-default-devtools.timeline", "blink.user_timing"},
		ExcludedCategories: []string{"*"},
	}})
	do()
	// The answer of a script is sent from within its task: the next one's shows that the task is over.
	Eval[bool](tab, "true")
	call(tab, tracing.End, cdp.Empty{})
	select {
	case <-complete:
	case <-time.After(2 * waitLimit):
		tab.t.Fatal("the trace did not end")
	}
	return events
}

// errNoTask and errNoMark are why a trace tells nothing.
var (
	errNoTask = errors.New("the trace has no task of a page")
	errNoMark = errors.New("the trace began after the work")
)

// longestTask finds the longest task on a page's main thread in a trace (the Trace Event Format; tdur is the thread's
// time in µs).
func longestTask(events []json.RawMessage) (time.Duration, error) {
	type thread struct{ Pid, Tid int }
	pages, longest := make(map[thread]bool), make(map[thread]float64)
	marked := false
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
		case e.Name == traceMark:
			marked = true
		case e.Name == "thread_name" && e.Args.Name == "CrRendererMain":
			pages[thread{e.Pid, e.Tid}] = true
		case e.Name == "RunTask":
			t := thread{e.Pid, e.Tid}
			longest[t] = max(longest[t], e.Tdur)
		}
	}
	if !marked {
		return 0, errNoMark
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
