package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"rollcall/e2e/servers/ldapserver"
)

// importing measures previews and syncs of n entries through the API of the built program.
func (b *bench) importing(ctx context.Context, n int) error {
	return b.withDirectory(ctx, n, startTLS, func(d *slapd) error {
		connection, err := d.connection()
		if err != nil {
			return err
		}
		if n == syncedUsers {
			if err := b.syncing(ctx, connection); err != nil {
				return err
			}
		}
		return inFolder(func(data string) error {
			account := emptyAccount
			if n == syncedUsers {
				account = syncedAccount
				// In a process of its own, so that its memory does not count as the preview's.
				err := b.withProgram(data, func(p *program) error {
					return p.saveAndSync(ctx, account, primaryRequest(connection))
				})
				if err != nil {
					return err
				}
			}
			return b.withProgram(data, func(p *program) error {
				if err := b.previewing(ctx, p, d, connection, account); err != nil {
					return err
				}
				if n == syncedUsers {
					list := stored{p, account, primaryRequest(connection), n, syncedUsers}
					if err := b.unchanged(ctx, list, 0); err != nil {
						return err
					}
				}
				return b.paging(ctx, p, connection, n)
			})
		})
	})
}

// inFolder makes a folder for a program's data and removes it after use.
func inFolder(use func(data string) error) error {
	data, err := os.MkdirTemp("", "rollcall-bench-")
	if err != nil {
		return err
	}
	return errors.Join(use(data), os.RemoveAll(data))
}

// withProgram starts the program on a folder and stops it after use.
func (b *bench) withProgram(data string, use func(*program) error) error {
	p, err := startProgram(b.binary, data)
	if err != nil {
		return err
	}
	return errors.Join(use(p), p.stop())
}

// syncedUsers is how many users the rows about syncs have.
const syncedUsers = 100_000

// The accounts that are previewed: one that has no users, and one that has syncedUsers.
const (
	emptyAccount  = "empty"
	syncedAccount = "synced"
)

// previewLimits are the goals of a whole preview in MB, by its entries.
var previewLimits = map[int]float64{100_000: 192, 1_000_000: fullListLimit}

// previewing is a whole preview beside ldapsearch: read, extract, plan against what the account has, store the plan.
func (b *bench) previewing(ctx context.Context, p *program, d *slapd, connection map[string]any, account string) error {
	against := "an empty list"
	if account == syncedAccount {
		against = thousands(syncedUsers) + " stored users"
	}
	r := row{
		work: fmt.Sprintf("preview of %s entries against %s", thousands(d.entries), against),
		peer: "ldapsearch, " + d.security,
	}
	ours := p.preview(ctx, account, map[string]any{"connection": connection}, d.entries)
	if err := b.alternate(ctx, &r, rounds, ours, d.ldapsearch()); err != nil {
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

// primaryRequest asks for one address an entry, so that 100,000 entries are 100,000 users.
func primaryRequest(connection map[string]any) map[string]any {
	mail := []string{"mail"}
	attributes := map[string]any{"primary": mail, "aliases": mail}
	return map[string]any{"connection": connection, "advanced": map[string]any{"attributes": attributes}}
}

// syncing measures a first sync beside the store's own batched writes of the same bytes.
func (b *bench) syncing(ctx context.Context, connection map[string]any) error {
	r := row{
		work: fmt.Sprintf("first sync of %s users from a preview", thousands(syncedUsers)),
		peer: "bbolt's own batched writes of the same bytes",
	}
	for round := range rounds + 1 {
		err := inFolder(func(data string) error {
			var ours sample
			err := b.withProgram(data, func(p *program) (err error) {
				ours, err = p.firstSync(ctx, primaryRequest(connection))
				return err
			})
			if err != nil {
				return err
			}
			base, err := b.library(ctx, "raw", filepath.Join(data, "rollcall.db"))
			if err == nil && round > 0 {
				r.ours, r.base = append(r.ours, ours), append(r.base, base)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	r.ratio("wall", wall, 1.5)
	b.add(r)
	return nil
}

// firstSync measures the sync of a preview into an empty account.
func (p *program) firstSync(ctx context.Context, request map[string]any) (sample, error) {
	preview, err := p.finish(ctx, "first", "/v1/previews", request)
	if err != nil {
		return sample{}, err
	}
	return p.timed(func() error {
		done, err := p.finish(ctx, "first", "/v1/syncs", map[string]any{"previewId": preview.ID})
		if err == nil && done.Progress.Applied != syncedUsers {
			err = fmt.Errorf("the sync wrote %d users, want %d", done.Progress.Applied, syncedUsers)
		}
		return err
	})
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

// stored is an account of a program that has all users that a request brings.
type stored struct {
	*program
	account        string
	request        map[string]any
	entries, users int
}

// unchanged is a sync that finds everything as it is, beside a preview of the same. A memory of 0 is no goal.
func (b *bench) unchanged(ctx context.Context, s stored, memory float64) error {
	written := 0
	again := func(context.Context) (sample, error) {
		return s.timed(func() error {
			done, err := s.finish(ctx, s.account, "/v1/syncs", map[string]any{})
			written += done.Progress.Applied + done.Progress.ToApply
			if err == nil && done.Summary.Unchanged != s.users {
				err = fmt.Errorf("the sync found %d users unchanged, want %d", done.Summary.Unchanged, s.users)
			}
			return err
		})
	}
	r := row{
		work: fmt.Sprintf("second sync of %s unchanged users", thousands(s.users)), peer: "a preview of the same",
	}
	if err := b.alternate(ctx, &r, rounds, again, s.preview(ctx, s.account, s.request, s.entries)); err != nil {
		return err
	}
	r.ratio("wall", wall, 1.1)
	if memory > 0 {
		r.memory(memory)
	}
	r.goals = append(r.goals, goal{what: "writes", got: float64(written), most: 0})
	b.add(r)
	return nil
}

// fullListLimit is the goal of a preview and of a sync of 1,000,000 entries in MB, whatever users there are.
const fullListLimit = 640

// fullList measures a preview and a sync of n entries against a list that has all of their addresses.
func (b *bench) fullList(ctx context.Context, n int) error {
	return b.withDirectory(ctx, n, startTLS, func(d *slapd) error {
		connection, err := d.connection()
		if err != nil {
			return err
		}
		const account = "full"
		request := map[string]any{"connection": connection}
		return inFolder(func(data string) error {
			// In a process of its own, so that its memory does not count as the preview's.
			err := b.withProgram(data, func(p *program) error { return p.saveAndSync(ctx, account, request) })
			if err != nil {
				return err
			}
			return b.withProgram(data, func(p *program) error {
				list := stored{p, account, request, n, ldapserver.PeopleAddresses(n)}
				return errors.Join(b.previewOfAll(ctx, list, d), b.unchanged(ctx, list, fullListLimit))
			})
		})
	})
}

// previewOfAll is a preview that finds everything as it is, beside ldapsearch.
func (b *bench) previewOfAll(ctx context.Context, s stored, d *slapd) error {
	against := fmt.Sprintf("their %s stored users", thousands(s.users))
	r := row{
		work: fmt.Sprintf("preview of %s entries against %s", thousands(s.entries), against),
		peer: "ldapsearch, " + d.security,
	}
	err := b.alternate(ctx, &r, rounds, s.preview(ctx, s.account, s.request, s.entries), d.ldapsearch())
	if err != nil {
		return err
	}
	r.ratio("wall", wall, 2)
	r.memory(fullListLimit)
	b.add(r)
	return nil
}
