package main

import (
	"context"
	"fmt"
	"net/http"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/shared/extract"
	"rollcall/shared/settings"
)

// renaming measures the memory of previews and syncs of n entries against a full list: one that has all of their
// addresses, and one in which each of them had another primary address. A feed has them, see there.
func (b *bench) renaming(ctx context.Context, n int) error {
	rules, err := extract.NewRules(settings.Exchange, settings.Advanced{})
	if err != nil {
		return err
	}
	b.say("encoding %s entries, twice", thousands(n))
	before, err := newFeed(company(n), rules.Attributes())
	if err != nil {
		return err
	}
	defer before.Close()
	after, err := newFeed(renamed(company(n)), rules.Attributes())
	if err != nil {
		return err
	}
	defer after.Close()
	const sameList = "%s entries against their %s stored users"
	const otherList = "%s entries, each with another primary address than in a list of %s"
	return inFolder(func(data string) error {
		l := fullFolder{b, data, n}
		err := b.withProgram(data, func(p *program) error { return p.saveAndSync(ctx, fullAccount, before.request()) })
		for _, read := range []fullRead{
			{"preview of " + sameList, "/v1/previews", before, 0}, {"sync of " + sameList, "/v1/syncs", before, 0},
			{"preview of " + otherList, "/v1/previews", after, n}, {"sync of " + otherList, "/v1/syncs", after, n},
		} {
			if err == nil {
				err = l.measure(ctx, read)
			}
		}
		return err
	})
}

// fullFolder is a folder in which an account has all addresses of so many entries.
type fullFolder struct {
	*bench
	data    string
	entries int
}

// fullAccount is the account that has them.
const fullAccount = "full"

// fullRead is a preview or a sync of a feed that finds so many new users.
type fullRead struct {
	work, path string
	from       *feed
	created    int
}

// measure adds the row of one read. Each is in a process of its own, so that its memory does not count as another's.
func (l fullFolder) measure(ctx context.Context, read fullRead) error {
	return l.withProgram(l.data, func(p *program) error {
		var saved any
		if err := p.call(ctx, fullAccount, http.MethodPut, "/v1/settings", read.from.request(), &saved); err != nil {
			return err
		}
		one, err := p.timed(func() error {
			done, err := p.finish(ctx, fullAccount, read.path, map[string]any{})
			if s := done.Summary; err == nil && (s.Entries != l.entries || s.Create != read.created) {
				err = fmt.Errorf("%d entries and %d new users, want %d and %d", s.Entries, s.Create, l.entries,
					read.created)
			}
			return err
		})
		if err != nil {
			return err
		}
		work := fmt.Sprintf(read.work, thousands(l.entries), thousands(ldapserver.PeopleAddresses(l.entries)))
		r := row{work: work, ours: series{one}}
		r.memory(fullListLimit)
		l.add(r)
		return nil
	})
}
