package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"rollcall/functions/connector/orders"
	"rollcall/functions/export/exports"
	"rollcall/functions/preview/explanations"
	"rollcall/functions/preview/previews"
	"rollcall/functions/sync/syncs"
	"rollcall/local/demo"
	"rollcall/portal"
	"rollcall/shared/adapters/embedded"
	"rollcall/shared/api"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/notify/delivery"
	"rollcall/shared/ports/events"
	"rollcall/shared/ports/queue"
)

// config is what the flags say, and where to write to.
type config struct {
	addr, data string
	demo       bool
	// frames may show the page in a frame, and pages of callers may call the API.
	frames, callers origins
	// directories are the demo's, once they are served.
	directories []demo.Directory
	// aws keeps everything on AWS, or on what stands in for it, and create makes the tables and the bucket there.
	aws, create bool
	// hour is how long an hour of a schedule lasts.
	hour time.Duration
	// tick is how often a run stores how far it is, and sees that it was stopped.
	tick time.Duration
	out  io.Writer
	log  *slog.Logger
	// directory and clock stand in for a real directory and time.Now in tests; nil means those.
	directory importer.Directory
	clock     func() time.Time
	// smtp is host:port of the mail server, empty for none, and mailFrom the address that mails come from.
	smtp, mailFrom string
	// memory is how many bytes the program may use.
	memory int64
}

const defaultAccount = "demo"

// maxHeader bounds a request's line and headers in bytes; net/http adds 4 KiB.
const maxHeader = 64 << 10

const (
	// sweepInterval is how often expired objects and records are deleted.
	sweepInterval = 10 * time.Minute
	// ticksPerHour is how often the schedules are checked.
	ticksPerHour = 120
	// drainTime is how long requests under way may take to end when the process stops, and stopTime how long work may.
	// Both together are less than the ten seconds after which a container is killed.
	drainTime = 5 * time.Second
	stopTime  = 3 * time.Second
)

// serve runs everything until ctx ends.
func serve(ctx context.Context, c config) (err error) {
	c = c.withDefaults()
	listener, err := listen(ctx, c.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	base := "http://" + listener.Addr().String()
	store, err := c.open(ctx, base)
	if err != nil {
		return err
	}
	// A goroutine that stays behind would use a closed store: all of them end before it closes.
	background, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer func() {
		stop()
		if !ended(&running, stopTime) {
			c.log.Error("some work did not stop; the next start goes on with it")
			return
		}
		err = errors.Join(err, store.close())
	}()
	if c.demo {
		directories, stopDemo, err := c.startDemo(ctx)
		if err != nil {
			return err
		}
		c.directories = directories
		defer func() { err = errors.Join(err, stopDemo()) }()
	}
	count := newMetrics(c.clock(), store.state)
	work := store.ports
	work.Directory, work.Hour, work.Tick, work.Now, work.Log = c.directory, c.hour, c.tick, c.clock, c.log
	work.Ended, work.Failed = count.ended, count.failed
	if work.Events == nil {
		work.Events = events.Log{Log: c.log}
	}
	work = c.notifications(work)
	service := importer.NewService(work)
	handler, err := c.handler(service, importer.NewDesk(work), store, count, base)
	if err != nil {
		return err
	}
	if store.backup != nil {
		defer os.Remove(filepath.Join(c.data, serverFile))
	}
	c.resume(ctx, service, store)
	c.startWork(background, &running, store, c.handle(work, base+"/"))
	c.startClocks(background, &running, store, service, c.notifier(work))
	return c.listenAndServe(ctx, listener, base, handler)
}

// withDefaults fills in what only tests say.
func (c config) withDefaults() config {
	if c.clock == nil {
		c.clock = time.Now
	}
	if c.memory == 0 {
		c.memory = limitMemory()
	}
	if c.directory == nil {
		// The other half is for the stored users, the plans and the garbage.
		c.directory = directory.New(directory.Config{MaxMemory: c.memory / 4, MaxMemoryOfAll: c.memory / 2})
	}
	return c
}

// ended waits until all that runs has ended, and reports whether it has after a time.
func ended(running *sync.WaitGroup, most time.Duration) bool {
	all := make(chan struct{})
	go func() {
		running.Wait()
		close(all)
	}()
	select {
	case <-all:
		return true
	case <-time.After(most):
		return false
	}
}

// startDemo serves the demo directories and says where.
func (c config) startDemo(ctx context.Context) (directories []demo.Directory, stop func() error, err error) {
	directories, stop, err = demo.Start(ctx, c.data, c.log)
	if err != nil {
		return nil, nil, err
	}
	if err := demo.Print(c.out, directories); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return directories, stop, nil
}

// resume takes up what the last process left, deletes what is past its time, and says what it found.
func (c config) resume(ctx context.Context, service *importer.Service, store *backend) {
	resumed, err := service.CareFor(ctx, store.abandoned())
	if err != nil && ctx.Err() == nil {
		// One account's damaged run must not keep the others from starting.
		c.log.ErrorContext(ctx, "not all unfinished runs could be resumed", "error", err)
	}
	found := []any{"version", build().Version, "runsResumed", resumed}
	if store.sweep != nil {
		swept, err := store.sweep(ctx)
		if err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "not all old data could be deleted", "error", err)
		}
		records := swept.Runs + swept.Audit + swept.Keys + swept.Deliveries + swept.Messages
		found = append(found, "data", c.data, "recordsDeleted", records, "filesDeleted", swept.Files)
	}
	if store.state != nil {
		state, err := store.state()
		if err != nil {
			c.log.ErrorContext(ctx, "the stored messages cannot be counted", "error", err)
		}
		waiting := 0
		for _, n := range state.Messages {
			waiting += n
		}
		found = append(found, "messagesWaiting", waiting, "messagesFailed", state.DeadMessages,
			"recordsSetAside", state.SetAside)
	}
	c.log.InfoContext(ctx, "started", found...)
}

// startWork handles the queues' messages until ctx ends.
func (c config) startWork(ctx context.Context, running *sync.WaitGroup, store *backend, handle queue.Handler) {
	running.Go(func() {
		err := store.receive(ctx, handle)
		if err != nil {
			c.log.Error("the queue stopped", "error", err)
		}
	})
}

// startClocks does what is done now and then until ctx ends.
func (c config) startClocks(
	ctx context.Context, running *sync.WaitGroup, store *backend, service *importer.Service, n delivery.Notifier,
) {
	if store.sweep != nil {
		running.Go(func() {
			sweep := func() error {
				_, err := store.sweep(ctx)
				return err
			}
			every(ctx, sweepInterval, sweep, c.log.With("job", "delete what is old"))
		})
	}
	running.Go(func() {
		log := c.log.With("job", "start due syncs")
		tick := func() error {
			_, err := n.SendDue(ctx)
			return errors.Join(err, syncs.Tick(ctx, service, c.log))
		}
		try(ctx, tick, log)
		every(ctx, max(c.hour/ticksPerHour, time.Millisecond), tick, log)
	})
}

// listen takes a loopback address: the API has no sign-in here, so nobody else may reach it.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("-addr %q is not host:port, such as 127.0.0.1:8080", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("-addr %q is not a loopback address: local has no sign-in, so it listens on 127.0.0.1 "+
			"or [::1] only", addr)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program: choose another with "+
			"-addr 127.0.0.1:8081 (make run ADDR=127.0.0.1:8081)", addr)
	}
	return listener, err
}

// handler serves everything: the API, downloads, the page, and what operators ask for.
func (c config) handler(
	service *importer.Service, desk *importer.Desk, store *backend, count *metrics, base string,
) (http.Handler, error) {
	v1 := newAPI(service, c.clock, c.log)
	count.know(v1)
	mux := http.NewServeMux()
	mux.Handle("/v1/", v1)
	mux.Handle("/v1/connector/", orders.Handler(desk, c.log))
	if store.downloads != nil {
		mux.Handle(embedded.DownloadPath, store.downloads)
	}
	mux.Handle(store.uploadPath, store.uploads)
	mux.Handle("GET /metrics", count)
	mux.HandleFunc("GET /healthz", count.healthz)
	mux.HandleFunc("GET /version", version)
	if store.backup != nil {
		own, err := announce(c.data, base)
		if err != nil {
			return nil, err
		}
		mux.Handle("GET "+backupPath, c.backups(own.Token, store.backup))
	}
	if c.directories != nil {
		mux.Handle("GET "+portal.DemoPath, demo.Handler(c.directories))
	}
	// Without an issuer the page asks nobody to sign in.
	mux.Handle("/", portal.Handler(portal.Config{Demo: c.directories != nil, Portals: c.frames}))
	return c.observed(count, c.guarded(base, mux)), nil
}

// newAPI registers the routes of all functions on one API.
func newAPI(service *importer.Service, clock func() time.Time, log *slog.Logger) *api.API {
	v1 := api.New(api.Config{Identify: identify, Log: log})
	previews.Register(v1, service)
	explanations.Register(v1, service)
	exports.Register(v1, service)
	syncs.Register(v1, service, clock)
	return v1
}

// listenAndServe answers requests until ctx ends, and lets those under way finish.
func (c config) listenAndServe(ctx context.Context, listener net.Listener, base string, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		c.log.Info("stopping")
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		err := server.Shutdown(limit)
		if errors.Is(err, context.DeadlineExceeded) {
			c.log.Warn("requests that took too long were cut off")
			err = server.Close()
		}
		stopped <- err
	}()
	fmt.Fprintln(c.out, "ready:", base)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// every does a job at each interval until ctx ends.
func every(ctx context.Context, interval time.Duration, job func() error, log *slog.Logger) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			try(ctx, job, log)
		}
	}
}

// try does a job, and logs its error.
func try(ctx context.Context, job func() error, log *slog.Logger) {
	if err := job(); err != nil && ctx.Err() == nil {
		log.ErrorContext(ctx, "a background job failed", "error", err)
	}
}
