package importer_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

// plantedPassword is looked for in everything that was written.
const plantedPassword = "Tr0ub4dor-planted-secret"

// person is one entry of the fake directory: its id, its primary address, its aliases.
type person struct {
	id, primary string
	aliases     []string
}

// fakeDirectory answers a Read with people, or with err after them.
type fakeDirectory struct {
	mu     sync.Mutex
	people []person
	err    error
	// block, when it is set, holds a read until it is closed or the read's context ends.
	block chan struct{}
	// seen is the connection of the last read, query its query, and reads how many there were.
	seen  settings.Connection
	query directory.Query
	reads int
	// answer is what Find returns, and asked its questions.
	answer func(directory.Question) directory.Answer
	asked  []directory.Question
	// bound has a read say that it signed in.
	bound bool
	changeCounter
}

func (d *fakeDirectory) set(people ...person) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count(people)
	d.people, d.err = people, nil
}

func (d *fakeDirectory) Read(ctx context.Context, c settings.Connection, q directory.Query, onStep func(run.Step),
	onEntry func(*directory.Entry) error) (directory.Info, error) {
	d.mu.Lock()
	people, failure, block := d.people, d.err, d.block
	d.seen, d.query = c, q
	d.reads++
	bound := d.bound
	people, tracking, other := d.since(people, q.Since)
	d.mu.Unlock()
	if bound {
		onStep(run.Step{Step: directory.StepBind, OK: true})
	}
	if other != nil {
		return directory.Info{}, other
	}
	onStep(run.Step{Step: "base", OK: true})
	for _, p := range people {
		values := [][]byte{[]byte("SMTP:" + p.primary)}
		for _, a := range p.aliases {
			values = append(values, []byte("smtp:"+a))
		}
		entry := directory.Entry{DN: []byte("CN=" + p.id + ",DC=example,DC=com"), Attributes: []directory.Attribute{
			{Name: "objectGUID", Values: [][]byte{[]byte(fmt.Sprintf("%-16s", p.id))}},
			{Name: "objectClass", Values: [][]byte{[]byte("person"), []byte("user")}},
			{Name: "proxyAddresses", Values: values},
		}}
		if err := onEntry(&entry); err != nil {
			return directory.Info{}, err
		}
	}
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return directory.Info{}, ctx.Err()
		}
	}
	info := directory.Info{DirectoryID: "dc=example,dc=com", Entries: len(people), Tracking: tracking}
	if q.Found() == 0 {
		info.Hint = "Try (mail=*)."
	}
	return info, failure
}

func (d *fakeDirectory) Find(
	_ context.Context, c settings.Connection, q directory.Question, onStep func(run.Step),
) (directory.Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = c
	d.asked = append(d.asked, q)
	onStep(run.Step{Step: directory.StepBase, OK: true})
	if d.err != nil {
		return directory.Answer{}, d.err
	}
	return d.answer(q), nil
}

// sendQueue keeps the messages for the test to deliver.
type sendQueue struct {
	mu       sync.Mutex
	messages []queue.Message
}

func (q *sendQueue) Send(_ context.Context, m queue.Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = append(q.messages, m)
	return nil
}

// faultyUsers lets a number of Apply calls through and fails the rest, as a store that is out of reach does. With
// lose set the failing call is done all the same: its answer is lost.
type faultyUsers struct {
	users.Store
	calls *int
	lose  bool
	wrote *int
	read  *int
}

var errUnreachable = errors.New("the store cannot be reached")

func (f faultyUsers) For(a user.Account) users.Users { return faultyAccount{f.Store.For(a), f} }

type faultyAccount struct {
	users.Users
	f faultyUsers
}

func (f faultyAccount) All(ctx context.Context) iter.Seq2[user.User, error] {
	return func(yield func(user.User, error) bool) {
		for u, err := range f.Users.All(ctx) {
			*f.f.read++
			if !yield(u, err) {
				return
			}
		}
	}
}

func (f faultyAccount) Find(ctx context.Context, keys []string) ([]user.User, error) {
	*f.f.read += len(keys)
	return f.Users.Find(ctx, keys)
}

func (f faultyAccount) Apply(ctx context.Context, fence users.Fence, changes []users.Change) ([]users.Outcome, error) {
	*f.f.wrote += len(changes)
	if *f.f.calls == 0 {
		if f.f.lose {
			if _, err := f.Users.Apply(ctx, fence, changes); err != nil {
				return nil, err
			}
		}
		*f.f.calls = -1
		return nil, errUnreachable
	}
	*f.f.calls--
	return f.Users.Apply(ctx, fence, changes)
}

// harness is the whole importer on the embedded adapters, with a fake directory and a clock.
type harness struct {
	t         *testing.T
	dir       string
	service   *importer.Service
	worker    *importer.Worker
	store     *embedded.Store
	directory *fakeDirectory
	queue     *sendQueue
	log       *strings.Builder
	config    importer.Config
	events    *eventList
	told      *told
	// calls counts down the writes until one fails; negative numbers never reach zero. wrote counts changes sent, and
	// read the users that were asked for.
	calls, wrote, read int
	clock              time.Time
	id                 run.Identity
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{
		t: t, dir: t.TempDir(), directory: &fakeDirectory{}, queue: &sendQueue{}, log: &strings.Builder{},
		events: &eventList{t: t}, told: &told{t: t}, calls: -1,
		clock: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
		id:    run.Identity{Account: "acme", Subject: "admin@acme.example"},
	}
	var ticking sync.Mutex
	now := func() time.Time {
		ticking.Lock()
		defer ticking.Unlock()
		h.clock = h.clock.Add(time.Millisecond)
		return h.clock
	}
	store, err := embedded.Open(h.dir, embedded.Options{Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h.store = store
	config := importer.Config{
		Users: faultyUsers{Store: store.Users(), calls: &h.calls, wrote: &h.wrote, read: &h.read},
		Jobs:  store.Jobs(), Objects: store.Objects(), Queue: h.queue,
		Sealer: store.Sealer(), Opener: store.Sealer(), Directory: h.directory, Now: now,
		Log: slog.New(slog.NewTextHandler(h.log, nil)), Tick: time.Hour,
		// A worker whose store fails gives up at once; the test delivers the message again.
		Sleep: func(context.Context, time.Duration) error { return errUnreachable },
	}
	config.Events, config.Notifier = h.events, h.told
	h.config = config
	h.service, h.worker = importer.NewService(config), importer.NewWorker(config)
	return h
}

func connection() *settings.Connection {
	return &settings.Connection{ServerType: settings.Exchange, Host: "dc1.example.com", Port: 389,
		Username: "reader@example.com", Password: secret.New(plantedPassword)}
}

// deliver hands out every waiting message once.
func (h *harness) deliver() error {
	h.t.Helper()
	messages := h.queue.messages
	h.queue.messages = nil
	for i, m := range messages {
		if err := h.worker.Work(h.t.Context(), m); err != nil {
			h.queue.messages = append(h.queue.messages, messages[i:]...)
			return err
		}
	}
	return nil
}

func (h *harness) mustDeliver() {
	h.t.Helper()
	if err := h.deliver(); err != nil {
		h.t.Fatal(err)
	}
}

// outlast lets the time pass that a worker that died keeps its account's lease.
func (h *harness) outlast() { h.clock = h.clock.Add(2 * time.Minute) }

// preview runs a preview to its end.
func (h *harness) preview() run.Run {
	h.t.Helper()
	r, err := h.service.StartPreview(h.t.Context(), h.id, importer.PreviewRequest{Connection: connection()})
	if err != nil {
		h.t.Fatal(err)
	}
	h.mustDeliver()
	r, err = h.service.Preview(h.t.Context(), h.id, r.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// sync runs a sync to its end.
func (h *harness) sync(req importer.SyncRequest) run.Run {
	h.t.Helper()
	r := h.start(req)
	h.mustDeliver()
	return h.run(r.ID)
}

func (h *harness) start(req importer.SyncRequest) run.Run {
	h.t.Helper()
	r, err := h.service.StartSync(h.t.Context(), h.id, req)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *harness) run(id string) run.Run {
	h.t.Helper()
	r, err := h.service.Sync(h.t.Context(), h.id, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// importAll previews and syncs with Remove Accounts, confirming whatever would be removed.
func (h *harness) importAll() run.Run {
	h.t.Helper()
	preview := h.preview()
	options := removing()
	return h.sync(importer.SyncRequest{PreviewID: preview.ID, Options: &options,
		ConfirmRemovals: &preview.Guard.Removals})
}

func removing() settings.Options {
	options := settings.DefaultOptions()
	options.RemoveAccounts = true
	return options
}

// users returns the Users List as one line a user.
func (h *harness) users() []string {
	h.t.Helper()
	var lines []string
	for u, err := range h.store.Users().For(h.id.Account).All(h.t.Context()) {
		if err != nil {
			h.t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s %s", u.Key, u.Kind, u.HeldSpamReport)
		if u.Protected {
			line += " protected"
		}
		lines = append(lines, line)
	}
	return lines
}

func (h *harness) rows(previewID string, f planfile.Filter) []string {
	h.t.Helper()
	page, err := h.service.PreviewRows(h.t.Context(), h.id, previewID, f, "", 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	var lines []string
	for _, r := range page.Rows {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Row.Change, r.Row.Key, r.Row.Reason)))
	}
	return lines
}

func (h *harness) changes(syncID string) []string {
	h.t.Helper()
	page, err := h.service.Changes(h.t.Context(), h.id, syncID, importer.ChangeQuery{Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	var lines []string
	for _, c := range page.Changes {
		lines = append(lines, fmt.Sprintf("%s %s %s", c.Change, c.Key, c.Outcome))
	}
	return lines
}

func (h *harness) patch(address string, patch importer.UserPatch) {
	h.t.Helper()
	if _, err := h.service.PatchUser(h.t.Context(), h.id, address, patch); err != nil {
		h.t.Fatal(err)
	}
}

// files lists every file of the data folder.
func (h *harness) files() []string {
	h.t.Helper()
	var files []string
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return files
}

// wantCode fails unless err is an importer.Error with the code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *importer.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error is %v, want code %s", err, code)
	}
}

func wantState(t *testing.T, r run.Run, state run.State) {
	t.Helper()
	if r.State != state {
		t.Fatalf("%s %s is %s (failure %+v, guard %+v), want %s", r.Kind, r.ID, r.State, r.Failure, r.Guard, state)
	}
}

func counts(s run.Summary) string {
	return fmt.Sprintf("create %d update %d delete %d unchanged %d skipped %d conflicts %d", s.Create, s.Update,
		s.Delete, s.Unchanged, s.Skipped, s.Conflicts)
}

func ptr[T any](v T) *T { return &v }
