package main

import (
	"context"
	"io"
	"net/http"
	"time"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
)

// backend is where local keeps everything: a folder, or AWS.
type backend struct {
	// ports are the stores, the queue, the keys and the events.
	ports importer.Config
	// receive hands out messages until its context ends, and then waits for the handlers at work.
	receive func(context.Context, queue.Handler) error
	// abandoned is the time at which a run counts as overdue when local starts.
	abandoned func() time.Time
	// sweep deletes what is past its time, downloads serves the links; nil where the backend does that itself.
	sweep     func(context.Context) (embedded.Swept, error)
	downloads http.Handler
	// uploads takes what is sent to upload links, which begin with uploadPath.
	uploads    http.Handler
	uploadPath string
	// state counts what is stored; nil where the backend's own metrics do that.
	state func() (embedded.State, error)
	// backup writes a copy of everything; nil where the backend does that itself.
	backup func(context.Context, io.Writer) error
	close  func() error
}

// open opens the backend that the flags choose. base is where the folder's download links lead to.
func (c config) open(ctx context.Context, base string) (*backend, error) {
	if c.aws {
		return openAWS(ctx, c)
	}
	return openFolder(c, base)
}

// openFolder opens the data folder.
func openFolder(c config, base string) (*backend, error) {
	store, err := embedded.Open(c.data, embedded.Options{
		BaseURL: func() string { return base }, Clock: c.clock, Log: c.log, Workers: workersFor(c.memory),
	})
	if err != nil {
		return nil, err
	}
	return &backend{
		ports: importer.Config{
			Users: store.Users(), Jobs: store.Jobs(), Connectors: store.Connectors(),
			Objects: store.Objects(), Queue: store.Queue(),
			Sealer: store.Sealer(), Opener: store.Sealer(), NewID: store.NewID,
		},
		receive: store.Queue().Run,
		// Nobody else is at work on this folder: what is unfinished now was left by a process that died.
		abandoned: func() time.Time { return c.clock().Add(time.Hour) },
		sweep:     store.Sweep, downloads: store.DownloadHandler(),
		uploads: store.UploadHandler(), uploadPath: embedded.UploadPath,
		backup: store.Backup, state: store.State,
		close: store.Close,
	}, nil
}
