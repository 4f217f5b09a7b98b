package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/connector/recording"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// readMemory bounds what one entry and its values may take while it is read, in bytes.
const readMemory = 64 << 20

// errStopped means that the cloud does not want an order's recording any more.
var errStopped = errors.New("the cloud does not need this read any more")

// worker does one order.
type worker struct {
	client *client
	local  *local
	order  connector.Order
	log    *slog.Logger
	// version is told at each poll.
	version string

	mu   sync.Mutex
	busy connector.Busy
}

// result is how an order ended, for status.
type result struct {
	Target connector.Target `json:"target"`
	At     time.Time        `json:"at"`
	// Error is why nothing could be read, empty where something was.
	Error   string `json:"error,omitempty"`
	Entries int    `json:"entries"`
}

// do reads what the order asks for and hands it over. An error means that there is no recording.
func (w *worker) do(ctx context.Context) (result, error) {
	began := time.Now()
	out := result{Target: connector.TargetOf(w.order.Request.Connection)}
	w.log.Info("A read begins.", "host", out.Target.Host, "port", out.Target.Port, "order", w.order.ID,
		"attempt", w.order.Attempt)
	w.busy = connector.Busy{Order: w.order.ID, Attempt: w.order.Attempt, Steps: []run.Step{}}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var beating sync.WaitGroup
	beating.Go(func() { w.beat(ctx, stop) })
	sealed, readErr, err := w.record(ctx)
	if err == nil {
		finish := connector.Finish{Order: w.order.ID, Attempt: w.order.Attempt, Sealed: sealed}
		err = persist(ctx, func() error { return w.client.call(ctx, connector.PathFinish, finish, nil) })
	}
	stop(nil)
	beating.Wait()
	out.At, out.Entries = time.Now().UTC(), w.busy.Entries
	switch {
	case err != nil:
		out.Error = err.Error()
		w.log.Warn("A read was not handed over.", "order", w.order.ID, "error", err)
	case readErr != nil:
		out.Error = readErr.Error()
		w.log.Warn("A read failed, and the cloud was told.", "order", w.order.ID, "error", readErr)
	default:
		w.log.Info("A read was handed over.", "order", w.order.ID, "entries", out.Entries, "bytes", sealed.Bytes,
			"took", time.Since(began).Round(time.Millisecond))
	}
	return out, err
}

// beat keeps the order with this instance, and ends the read when the cloud does not want it.
func (w *worker) beat(ctx context.Context, stop context.CancelCauseFunc) {
	for since := time.Now(); sleep(ctx, connector.BusyPoll) == nil; {
		w.mu.Lock()
		busy := w.busy
		w.mu.Unlock()
		var polled connector.Polled
		err := w.client.call(ctx, connector.PathPoll,
			connector.Poll{Version: w.version, Targets: w.local.targets(), Busy: &busy}, &polled)
		var p *problem
		switch {
		case err == nil && polled.Stop:
			stop(errStopped)
		case err == nil:
			since = time.Now()
		case errors.As(err, &p) && p.final():
			stop(err)
		case time.Since(since) > 2*connector.LeaseTime:
			stop(fmt.Errorf("the cloud gave no answer for %s: %w", time.Since(since).Round(time.Second), err))
		}
	}
}

// record reads and records. readErr is what the read failed with and the recording tells.
func (w *worker) record(ctx context.Context) (sealed connector.Sealed, readErr, err error) {
	request, recorder := w.order.Request, recording.New(ctx, w.order, w.put)
	onStep := func(s run.Step) {
		w.mu.Lock()
		w.busy.Steps = append(slices.Clip(w.busy.Steps), s)
		w.mu.Unlock()
		recorder.Step(s)
	}
	to, trust, readErr := w.allow(request)
	reader := directory.New(directory.Config{Trust: trust, MaxMemory: readMemory})
	kept := keeper{allowed: w.local.allowed()}
	if request.Question != nil {
		var answer directory.Answer
		if readErr == nil {
			answer, readErr = reader.Find(ctx, to, *request.Question, onStep)
		}
		for i := range answer.Found {
			answer.Found[i].Entry = *kept.keep(&answer.Found[i].Entry)
		}
		w.entries(len(answer.Found))
		sealed, err = recorder.Answer(answer, w.onSite(readErr))
		return sealed, readErr, err
	}
	var info directory.Info
	if readErr == nil {
		info, readErr = w.read(ctx, reader, to, onStep, func(e *directory.Entry) error {
			return recorder.Entry(kept.keep(e))
		})
	}
	sealed, err = recorder.Close(info, w.onSite(readErr))
	return sealed, readErr, err
}

// allow decides whether a request is done at all, and how.
func (w *worker) allow(r connector.Request) (settings.Connection, *directory.Trust, error) {
	if (r.Query == nil) == (r.Question == nil) {
		return r.Connection, nil, &directory.Error{Code: connector.CodeRefused, Step: directory.StepBase,
			Message: "The connector does not know this kind of job. Install the newest connector."}
	}
	if err := w.local.allowed().Check(r); err != nil {
		return r.Connection, nil, err
	}
	return w.local.connection(r.Connection)
}

// read reads what a query asks for.
func (w *worker) read(ctx context.Context, reader *directory.Reader, to settings.Connection, onStep func(run.Step),
	onEntry func(*directory.Entry) error) (directory.Info, error) {
	query := *w.order.Request.Query
	addresses, err := newCounter(to.ServerType, w.order.Request.Overrides)
	if err != nil {
		return directory.Info{}, err
	}
	query.Found = addresses.count
	entries := 0
	info, err := reader.Read(ctx, to, query, onStep, func(e *directory.Entry) error {
		addresses.add(e)
		if entries++; entries%256 == 0 {
			w.entries(entries)
		}
		return onEntry(e)
	})
	w.entries(entries)
	return info, err
}

// entries notes how far the read is.
func (w *worker) entries(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy.Entries = n
}

// onSite adds to an error of TLS what to do about it here: what the cloud's page offers does not help.
func (w *worker) onSite(err error) error {
	var e *directory.Error
	if !errors.As(err, &e) || e.Step != directory.StepTLS {
		return err
	}
	told := *e
	told.Message += " The connector takes only certificates that were seen or given on site: if this one is right, " +
		"run rollcall-connector password there again."
	return &told
}

// put hands a block over. It tries for some minutes; the recorder, and with it the directory, waits meanwhile.
func (w *worker) put(ctx context.Context, number int, block []byte) error {
	sum := sha256.Sum256(block)
	of := connector.BlockRequest{Order: w.order.ID, Attempt: w.order.Attempt, Number: number, Size: len(block),
		SHA256: sum[:]}
	return persist(ctx, func() error {
		err := w.client.upload(ctx, of, block)
		var p *problem
		if err != nil && !(errors.As(err, &p) && p.Status == http.StatusConflict) {
			w.log.Warn("A block was not taken.", "order", w.order.ID, "block", number, "error", err)
		}
		return err
	})
}

// counter counts values that should be addresses, until there is one: that is all that a hint needs to know.
type counter struct {
	rules     *extract.Rules
	collector *extract.Collector
	entries   int
}

// counterEntries is how many entries are kept at a time.
const counterEntries = 256

func newCounter(server settings.ServerType, overrides settings.Attributes) (*counter, error) {
	rules, err := extract.NewRules(server, settings.Advanced{Attributes: overrides})
	if err != nil {
		return nil, &directory.Error{Code: connector.CodeRefused, Step: directory.StepBase,
			Message: "The connector cannot read the job: " + err.Error() + "."}
	}
	return &counter{rules: rules, collector: extract.NewCollector(rules)}, nil
}

func (c *counter) count() int { return c.collector.Values() }

func (c *counter) add(e *directory.Entry) {
	if c.count() > 0 {
		return
	}
	if c.entries++; c.entries%counterEntries == 0 {
		c.collector = extract.NewCollector(c.rules)
	}
	c.collector.Add(e)
}

// keeper leaves out of entries what is not allowed, in case a server sends what nobody asked for.
type keeper struct {
	allowed connector.Allowed
	known   map[string]bool
	entry   directory.Entry
}

// maxKnown bounds how many names are remembered.
const maxKnown = 1000

// keep returns the entry, or one with less that is valid as long.
func (k *keeper) keep(e *directory.Entry) *directory.Entry {
	if !slices.ContainsFunc(e.Attributes, func(a directory.Attribute) bool { return !k.has(a.Name) }) {
		return e
	}
	k.entry.DN, k.entry.Attributes = e.DN, k.entry.Attributes[:0]
	for _, a := range e.Attributes {
		if k.has(a.Name) {
			k.entry.Attributes = append(k.entry.Attributes, a)
		}
	}
	return &k.entry
}

func (k *keeper) has(name string) bool {
	allowed, known := k.known[name]
	if !known {
		allowed = k.allowed.Has(name)
		if k.known == nil {
			k.known = make(map[string]bool)
		}
		if len(k.known) < maxKnown {
			k.known[string([]byte(name))] = allowed
		}
	}
	return allowed
}
