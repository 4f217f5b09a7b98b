// Command consumer is an example of a mail filter that keeps a copy of an account's Users List: it takes the webhook
// rollcall.users.changed in, catches up by the API on what it missed, and begins with an export. With the event bus in
// place of the webhook, Handle gets the messages of the queue that rule.template.json makes.
//
//	ROLLCALL_TOKEN=… ROLLCALL_WEBHOOK_SECRET=whsec_… consumer -api https://api.example.com -addr 127.0.0.1:9000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"
)

// every is how often the copy catches up, whatever events came.
const every = 15 * time.Minute

func main() {
	api := flag.String("api", "http://127.0.0.1:8080", "the API")
	addr := flag.String("addr", "127.0.0.1:9000", "where webhooks arrive")
	flag.Parse()
	c := &Copy{API: *api, Token: os.Getenv("ROLLCALL_TOKEN"), Client: &http.Client{Timeout: time.Minute}}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx, c, *addr, os.Getenv("ROLLCALL_WEBHOOK_SECRET")); err != nil {
		fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}

// serve keeps the copy until ctx ends.
func serve(ctx context.Context, c *Copy, addr, secret string) error {
	server := &http.Server{
		Addr: addr, Handler: receiver(c, secret, slog.Default()), ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout: time.Minute,
	}
	go func() {
		defer server.Close()
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			if err := c.CatchUp(ctx); err != nil {
				slog.ErrorContext(ctx, "the copy is not up to date", "error", err)
			} else {
				slog.InfoContext(ctx, "the copy is up to date", "users", len(c.Users()))
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
