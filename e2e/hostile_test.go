package e2e

import (
	"bytes"
	"crypto/ed25519"
	numbers "encoding/binary"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/connector"
	"rollcall/shared/connector/recording"
	"rollcall/shared/directory"
)

// lies are recordings that are not what was read: how each is handed over. Every one is an incomplete read.
func lies(entries []directory.Entry) map[string]func(i *instance, o connector.Order) connector.Sealed {
	// of uploads an honest recording with a change.
	of := func(change func(o connector.Order, blocks [][]byte, sealed *connector.Sealed) [][]byte,
	) func(*instance, connector.Order) connector.Sealed {
		return func(i *instance, o connector.Order) connector.Sealed {
			blocks, sealed := chain(o, honestRecords(i.t, entries)...)
			i.uploads(o, change(o, blocks, &sealed))
			return sealed
		}
	}
	// made uploads blocks of records that no connector makes.
	made := func(records func(i *instance) [][]byte) func(*instance, connector.Order) connector.Sealed {
		return func(i *instance, o connector.Order) connector.Sealed {
			blocks, sealed := chain(o, records(i)...)
			i.uploads(o, blocks)
			return sealed
		}
	}
	sum := func(change func(*connector.Sealed)) func(*instance, connector.Order) connector.Sealed {
		return of(func(_ connector.Order, blocks [][]byte, sealed *connector.Sealed) [][]byte {
			change(sealed)
			return blocks
		})
	}
	type blocks = [][]byte
	return map[string]func(i *instance, o connector.Order) connector.Sealed{
		"another hash":    sum(func(s *connector.Sealed) { s.SHA256 = make([]byte, 32) }),
		"a block fewer":   sum(func(s *connector.Sealed) { s.Blocks-- }),
		"a block more":    sum(func(s *connector.Sealed) { s.Blocks++ }),
		"blocks for ever": sum(func(s *connector.Sealed) { s.Blocks = 10_000 }),
		"fewer bytes":     sum(func(s *connector.Sealed) { s.Bytes-- }),
		"a missing block": of(func(_ connector.Order, b blocks, _ *connector.Sealed) blocks {
			return blocks{b[0], nil, b[2]}
		}),
		"a repeated block": of(func(_ connector.Order, b blocks, _ *connector.Sealed) blocks {
			return blocks{b[0], b[0], b[2]}
		}),
		"another order": of(func(_ connector.Order, b blocks, _ *connector.Sealed) blocks {
			return blocks{b[1], b[0], b[2]}
		}),
		"half of the entries": of(func(o connector.Order, b blocks, _ *connector.Sealed) blocks {
			// The last block fits neither.
			short, _ := chain(o, nil, nil)
			return blocks{short[0], short[1], b[2]}
		}),
		"no end": made(func(i *instance) [][]byte { return honestRecords(i.t, entries)[:2] }),
		"more after the end": made(func(i *instance) [][]byte {
			return [][]byte{withEnd(i.t, entries[:1]), withEnd(i.t, entries[1:])}
		}),
		"another read's blocks": func(i *instance, o connector.Order) connector.Sealed {
			blocks, sealed := chain(connector.Order{ID: o.ID, Attempt: o.Attempt - 1, Request: o.Request},
				honestRecords(i.t, entries)...)
			i.uploads(o, blocks)
			return sealed
		},
		// Of some bytes a gigabyte.
		"a block that unfolds": func(i *instance, o connector.Order) connector.Sealed {
			block := sealedBlock(0, o.Seed(), numbers.AppendUvarint(nil, 1<<30))
			i.uploads(o, [][]byte{block})
			return connector.Sealed{Blocks: 1, Bytes: int64(len(block)), SHA256: blockRequest(o, 0, block).SHA256}
		},
		// Of some kilobytes more than the 64 GiB that a read may have: the same entry, in a few bytes, again and again.
		"entries that unfold": made(func(i *instance) [][]byte {
			large := employees(1, strings.Repeat("x", 3<<18))
			one, two := records(i.t, large...), records(i.t, append(large, large...)...)
			return [][]byte{append(one, bytes.Repeat(two[len(one):], 120_000)...), withEnd(i.t, nil)}
		}),
	}
}

// TestALyingConnectorChangesNobody has a connector lie about what the directory holds, in each way. The account's syncs
// remove who is gone; none of the lies may.
func TestALyingConnectorChangesNobody(t *testing.T) {
	t.Parallel()
	p := account(t)
	i := newInstance(p)
	p.must(http.StatusOK, "PUT", "/v1/settings", object{"connection": i.connection(),
		"options": object{"removeAccounts": true}})
	start := func() string {
		return "/v1/syncs/" + p.must(http.StatusAccepted, "POST", "/v1/syncs", object{}).text("id")
	}
	entries := employees(20, "")
	first := start()
	i.honest(i.take(), entries)
	wantDone(t, p.wait(first))
	users := p.list("/v1/users", nil)
	if len(users) != len(entries) {
		t.Fatalf("%d users, want %d", len(users), len(entries))
	}
	for name, lie := range lies(entries) {
		path := start()
		o := i.take()
		i.finishes(http.StatusNoContent, o, lie(i, o))
		run := p.wait(path)
		if run.text("state") != "failed" || run.text("error.code") != directory.CodeIncompleteRead ||
			run.text("guard.reason") != "incomplete_read" {
			t.Errorf("%s: the sync is %s: %v, guard %v", name, run.text("state"), run["error"], run["guard"])
		}
		if diff := cmp.Diff(users, p.list("/v1/users", nil)); diff != "" {
			t.Fatalf("%s: the Users List changed:\n%.2000s", name, diff)
		}
	}
	last := start()
	i.honest(i.take(), employees(21, ""))
	wantDone(t, p.wait(last))
	if n := len(p.list("/v1/users", nil)); n != 21 {
		t.Errorf("at last there are %d users, want 21", n)
	}
}

// TestAHostileConnectorIsRefused sends what is too large, what was sent before, what is of an earlier attempt, and what
// another account's connector has no business with. The read that all of it is about goes well.
func TestAHostileConnectorIsRefused(t *testing.T) {
	t.Parallel()
	p := account(t)
	i, stranger := newInstance(p), newInstance(account(t))
	id := p.must(http.StatusAccepted, "POST", "/v1/previews", object{"connection": i.connection()}).text("id")
	old := i.take()
	entries := employees(20, "")
	blocks, sealed := chain(old, honestRecords(t, entries)...)

	t.Log("oversized, and without end")
	for name, hurt := range map[string]func(*connector.BlockRequest){
		"a large block": func(b *connector.BlockRequest) { b.Size = recording.MaxBlock + 1 },
		"no size":       func(b *connector.BlockRequest) { b.Size = 0 },
		"one too many":  func(b *connector.BlockRequest) { b.Number = 10_000 },
		"half a hash":   func(b *connector.BlockRequest) { b.SHA256 = b.SHA256[:16] },
	} {
		t.Log(name)
		b := blockRequest(old, 0, blocks[0])
		hurt(&b)
		i.says(http.StatusBadRequest, connector.PathBlock, b, nil)
	}
	endless := connector.Poll{Version: strings.Repeat("x", connector.MaxBody)}
	i.says(http.StatusBadRequest, connector.PathPoll, endless, nil)
	link := i.link(old, 0, blocks[0])
	for name, content := range map[string][]byte{
		"more": append(slices.Clone(blocks[0]), 0), "less": blocks[0][1:],
		"other": slices.Repeat([]byte{1}, len(blocks[0])),
	} {
		if status := i.put(link, content); status < 400 || status >= 500 {
			t.Errorf("%s than the link was made for: status %d", name, status)
		}
	}

	t.Log("replayed")
	poll := i.signed(connector.PathPoll, connector.Poll{Targets: []connector.Target{i.target}})
	body, _ := poll.GetBody()
	if status := i.send(poll, nil); status != http.StatusOK {
		t.Fatalf("a poll: status %d", status)
	}
	poll.Body = body
	if status := i.send(poll, nil); status != http.StatusUnauthorized {
		t.Errorf("a request that comes again: status %d", status)
	}
	other := i.signed(connector.PathPoll, connector.Poll{})
	other.Body, other.ContentLength = io.NopCloser(strings.NewReader(`{"version":"2"}`)), 15
	if status := i.send(other, nil); status != http.StatusUnauthorized {
		t.Errorf("another body under a signature: status %d", status)
	}
	_, unknown, _ := ed25519.GenerateKey(nil)
	(&instance{program: p, key: unknown}).says(http.StatusUnauthorized, connector.PathPoll, connector.Poll{}, nil)

	t.Log("of an earlier attempt")
	o := i.take()
	if o.ID != old.ID || o.Attempt <= old.Attempt {
		t.Fatalf("given out again is %s, attempt %d", o.ID, o.Attempt)
	}
	i.says(http.StatusConflict, connector.PathBlock, blockRequest(old, 0, blocks[0]), nil)
	i.finishes(http.StatusConflict, old, sealed)

	t.Log("of another account")
	if got := stranger.poll().Order; got != nil {
		t.Errorf("another account's connector has the order %+v", got)
	}
	blocks, sealed = chain(o, honestRecords(t, entries)...)
	stranger.says(http.StatusConflict, connector.PathBlock, blockRequest(o, 0, blocks[0]), nil)
	stranger.finishes(http.StatusConflict, o, sealed)
	var polled connector.Polled
	stranger.says(http.StatusOK, connector.PathPoll,
		connector.Poll{Busy: &connector.Busy{Order: o.ID, Attempt: o.Attempt}}, &polled)
	if !polled.Stop || polled.Order != nil {
		t.Errorf("another account's connector at this order: %+v", polled)
	}
	theirs := stranger.must(http.StatusAccepted, "POST", "/v1/previews", object{"connection": stranger.connection()})
	own := stranger.take()
	bent := stranger.link(own, 0, blocks[0])
	bent.URL = strings.Replace(bent.URL, own.ID, o.ID, 1)
	if status := stranger.put(bent, blocks[0]); status != http.StatusForbidden {
		t.Errorf("a link that was bent to another order: status %d", status)
	}
	stranger.must(http.StatusOK, "POST", "/v1/previews/"+theirs.text("id")+"/cancel", nil)
	stranger.must(http.StatusUnprocessableEntity, "POST", "/v1/previews", object{"connection": i.connection()})
	stranger.must(http.StatusNotFound, "DELETE", "/v1/connectors/"+i.id, nil)

	i.uploads(o, blocks)
	i.finishes(http.StatusNoContent, o, sealed)
	// The numbers that came first count, also where the run has not ended yet.
	i.send(i.signed(connector.PathFinish, connector.Finish{Order: o.ID, Attempt: o.Attempt,
		Sealed: connector.Sealed{Blocks: 1, Bytes: 1, SHA256: sealed.SHA256}}), nil)
	done := p.wait("/v1/previews/" + id)
	wantDone(t, done)
	if n := done.number("summary.addresses"); n != len(entries) {
		t.Errorf("the preview has %d addresses, want %d", n, len(entries))
	}
	i.finishes(http.StatusConflict, o, sealed)
	if n := len(p.list("/v1/users", nil)); n != 0 {
		t.Errorf("a preview changed %d users", n)
	}
}
