package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// importing measures previews and syncs of n entries through the API of the built program.
func (b *bench) importing(ctx context.Context, n int) error {
	return b.withDirectory(ctx, n, startTLS, func(d *slapd) error {
		connection, err := d.connection()
		if err != nil {
			return err
		}
		data, err := os.MkdirTemp("", "rollcall-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(data)
		p, err := startProgram(b.binary, data)
		if err != nil {
			return err
		}
		defer func() {
			if p != nil {
				_ = p.stop() // an error was on its way already
			}
		}()
		if n == syncedUsers {
			err = b.syncing(ctx, p, d, connection)
		} else {
			err = b.previewing(ctx, p, d, connection, "empty")
		}
		if err != nil {
			return err
		}
		if err := b.looking(ctx, p, connection, n); err != nil {
			return err
		}
		err, p = p.stop(), nil
		if err != nil || n != syncedUsers {
			return err
		}
		return b.storing(ctx, filepath.Join(data, "rollcall.db"))
	})
}

// syncedUsers is how many users the rows about syncs have.
const syncedUsers = 100_000

// previewLimits are the goals of a whole preview in MB, by its entries.
var previewLimits = map[int]float64{100_000: 192, 1_000_000: 1024}

// previewing is a whole preview beside ldapsearch: read, extract, plan against what the account has, store the plan.
func (b *bench) previewing(ctx context.Context, p *program, d *slapd, connection map[string]any, account string) (err error) {
	r := row{work: fmt.Sprintf("preview of %s entries against %s", thousands(d.entries), map[string]string{"empty": "an empty list", "synced": thousands(syncedUsers) + " stored users"}[account]),
		peer: "ldapsearch, " + d.security}
	if r.ours, r.base, err = alternate(ctx, rounds, p.preview(ctx, account, map[string]any{"connection": connection}, d.entries), d.ldapsearch()); err != nil {
		return err
	}
	r.ratio("wall", wall, 2)
	r.memory(previewLimits[d.entries])
	b.add(r)
	return nil
}

// preview measures one preview.
func (p *program) preview(ctx context.Context, account string, request map[string]any, entries int) work {
	return func(context.Context) (sample, error) {
		return p.timed(func() error {
			done, err := p.finish(ctx, account, "/v1/previews", request)
			if err == nil && done.Summary.Entries != entries {
				err = fmt.Errorf("the preview has %d entries, want %d", done.Summary.Entries, entries)
			}
			return err
		})
	}
}

// primariesOnly imports one address an entry, so that 100,000 entries are 100,000 users.
var primariesOnly = map[string]any{"attributes": map[string]any{"primary": []string{"mail"}, "aliases": []string{"mail"}}}

// syncing measures a first sync, previews against what it stored, and syncs that find nothing changed.
func (b *bench) syncing(ctx context.Context, p *program, d *slapd, connection map[string]any) error {
	request := map[string]any{"connection": connection, "advanced": primariesOnly}
	first := row{work: fmt.Sprintf("first sync of %s users", thousands(syncedUsers))}
	for round := range rounds + 1 {
		// An account of its own each time: a first sync happens once.
		account := fmt.Sprint("first-", round)
		preview, err := p.finish(ctx, account, "/v1/previews", request)
		if err != nil {
			return err
		}
		s, err := p.timed(func() error {
			done, err := p.finish(ctx, account, "/v1/syncs", map[string]any{"previewId": preview.ID})
			if err == nil && done.Progress.Applied != syncedUsers {
				err = fmt.Errorf("the sync wrote %d users, want %d", done.Progress.Applied, syncedUsers)
			}
			return err
		})
		if err != nil {
			return err
		}
		if round > 0 {
			first.ours = append(first.ours, s)
		}
	}
	b.firstSync = first
	if err := p.saveAndSync(ctx, "synced", request); err != nil {
		return err
	}
	if err := b.previewing(ctx, p, d, connection, "synced"); err != nil {
		return err
	}
	return b.unchanged(ctx, p, request)
}

// saveAndSync makes an account that has the request's users.
func (p *program) saveAndSync(ctx context.Context, account string, request map[string]any) error {
	var saved any
	if err := p.call(ctx, account, http.MethodPut, "/v1/settings", request, &saved); err != nil {
		return err
	}
	_, err := p.finish(ctx, account, "/v1/syncs", map[string]any{})
	return err
}

// unchanged is a sync that finds everything as it is, beside a preview of the same.
func (b *bench) unchanged(ctx context.Context, p *program, request map[string]any) (err error) {
	written := 0
	again := func(context.Context) (sample, error) {
		return p.timed(func() error {
			done, err := p.finish(ctx, "synced", "/v1/syncs", map[string]any{})
			written += done.Progress.Applied + done.Progress.ToApply
			if err == nil && done.Summary.Unchanged != syncedUsers {
				err = fmt.Errorf("the sync found %d users unchanged, want %d", done.Summary.Unchanged, syncedUsers)
			}
			return err
		})
	}
	r := row{work: fmt.Sprintf("second sync of %s unchanged users", thousands(syncedUsers)), peer: "a preview of the same"}
	if r.ours, r.base, err = alternate(ctx, rounds, again, p.preview(ctx, "synced", request, syncedUsers)); err != nil {
		return err
	}
	r.ratio("wall", wall, 1.1)
	r.goals = append(r.goals, goal{what: "writes", got: float64(written), most: 0})
	b.add(r)
	return nil
}

// storing is the first sync's peer: the store's own batched writes of the same bytes.
func (b *bench) storing(ctx context.Context, database string) error {
	r := b.firstSync
	r.peer = "bbolt's own batched writes of the same bytes"
	for round := range rounds + 1 {
		s, err := b.child(ctx, "raw", database)
		if err != nil {
			return err
		}
		if round > 0 {
			r.base = append(r.base, s)
		}
	}
	r.ratio("wall", wall, 1.5)
	b.add(r)
	return nil
}
