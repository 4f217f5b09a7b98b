package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"rollcall/functions/export/exports"
	"rollcall/functions/preview/previews"
	"rollcall/functions/sync/syncs"
	"rollcall/local/demo"
	"rollcall/portal"
	"rollcall/shared/adapters/embedded"
	"rollcall/shared/api"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/events"
	"rollcall/shared/ports/queue"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// config is what the flags say, and where to write to.
type config struct {
	addr, data string
	demo       bool
	// aws keeps everything on AWS, or on what stands in for it, and create makes the tables and the bucket there.
	aws, create bool
	// hour is how long an hour of a schedule lasts.
	hour time.Duration
	out  io.Writer
	log  *slog.Logger
}

// accountHeader names the account of a request; only local reads it.
const accountHeader = "X-Rollcall-Account"

const defaultAccount = "demo"

// maxHeader bounds a request's line and headers in bytes; net/http adds 4 KiB.
const maxHeader = 64 << 10

// maxAccount bounds an account's name in bytes: it names a folder too.
const maxAccount = 120

// errAccount means that a request's account cannot be one.
var errAccount = errors.New("the account's name is longer than 120 bytes")

const (
	// sweepInterval is how often objects past their time are deleted.
	sweepInterval = 10 * time.Minute
	// ticksPerHour is how often the schedules are looked at.
	ticksPerHour = 120
)

// serve runs everything until ctx ends.
func serve(ctx context.Context, c config) (err error) {
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
	defer func() { err = errors.Join(err, store.close()) }()
	if c.demo {
		directories, stopDemo, err := demo.Start(ctx, c.data, c.log)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stopDemo()) }()
		if err := demo.Print(c.out, directories); err != nil {
			return err
		}
	}
	work := store.ports
	work.Directory, work.Hour, work.Log = directory.New(directory.Config{}), c.hour, c.log
	if work.Events == nil {
		work.Events = events.Log{Log: c.log}
	}
	// A goroutine that stays behind would use a closed store: all of them end before it closes.
	background, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	service := importer.NewService(work)
	if _, err := service.CareFor(ctx, store.abandoned); err != nil && ctx.Err() == nil {
		// One account's damaged run must not keep the others from starting.
		c.log.ErrorContext(ctx, "not all unfinished runs could be looked after", "error", err)
	}
	c.startWork(background, &running, store, work)
	c.startClocks(background, &running, store, service)
	return c.listenAndServe(ctx, listener, base, routes(service, store.downloads, base, c.log))
}

// startWork handles the queues' messages until ctx ends.
func (c config) startWork(ctx context.Context, running *sync.WaitGroup, store *backend, work importer.Config) {
	worker := importer.NewWorker(work)
	handlers := map[queue.Name]queue.Handler{
		queue.Previews: previews.Worker(worker), queue.Syncs: syncs.Worker(worker), queue.Scheduled: syncs.Worker(worker),
	}
	running.Go(func() {
		err := store.receive(ctx, func(ctx context.Context, m queue.Message) error { return handlers[m.Queue()](ctx, m) })
		if err != nil {
			c.log.Error("the queue stopped", "error", err)
		}
	})
}

// startClocks does what is done now and then until ctx ends.
func (c config) startClocks(ctx context.Context, running *sync.WaitGroup, store *backend, service *importer.Service) {
	running.Go(func() {
		every(ctx, sweepInterval, func() error {
			_, err := service.CareFor(ctx, time.Now())
			if store.sweep != nil {
				err = errors.Join(err, store.sweep(ctx))
			}
			return err
		}, c.log.With("job", "look after old runs and files"))
	})
	running.Go(func() {
		every(ctx, max(c.hour/ticksPerHour, time.Millisecond), func() error { return syncs.Schedule(ctx, service, c.log) }, c.log.With("job", "start due syncs"))
	})
}

// listen takes a loopback address: the API has no sign-in here, so nobody else may reach it.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("-addr %q is not host:port, such as 127.0.0.1:8080", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("-addr %q is not a loopback address: local has no sign-in, so it listens on 127.0.0.1 or [::1] only", addr)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program: choose another with -addr 127.0.0.1:8081 (make run ADDR=127.0.0.1:8081)", addr)
	}
	return listener, err
}

// routes mounts everything that is served.
func routes(service *importer.Service, downloads http.Handler, base string, log *slog.Logger) http.Handler {
	v1 := newAPI(service, log)
	mux := http.NewServeMux()
	mux.Handle("/v1/", v1)
	if downloads != nil {
		mux.Handle(embedded.DownloadPath, downloads)
	}
	// Without a configuration the page asks nobody to sign in.
	mux.Handle("/", portal.Handler(portal.Config{}))
	return logged(log, guarded(base, mux))
}

// newAPI registers the routes of all functions on one API.
func newAPI(service *importer.Service, log *slog.Logger) *api.API {
	v1 := api.New(api.Config{Identify: identify, Log: log})
	previews.Register(v1, service)
	exports.Register(v1, service)
	syncs.Register(v1, service, time.Now)
	return v1
}

// identify takes the account from the header. Whoever reaches a loopback address is trusted with all of it.
func identify(r *http.Request) (api.Caller, error) {
	account := r.Header.Get(accountHeader)
	if account == "" {
		account = defaultAccount
	}
	if len(account) > maxAccount {
		return api.Caller{}, errAccount
	}
	return api.Caller{Identity: run.Identity{Account: user.Account(account), Subject: "local"}, Scopes: []api.Scope{api.ScopeAdmin}}, nil
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
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(limit)
	}()
	fmt.Fprintln(c.out, "ready:", base)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// every does a job at once and then at each interval, until ctx ends.
func every(ctx context.Context, interval time.Duration, job func() error, log *slog.Logger) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := job(); err != nil && ctx.Err() == nil {
			log.Error("a background job failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
