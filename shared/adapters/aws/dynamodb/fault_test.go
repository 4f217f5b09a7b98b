package dynamodb_test

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/e2e/servers/dynamolocal"
	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/adapters/embedded"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/runs/runstest"
	"rollcall/shared/ports/users"
	"rollcall/shared/ports/users/userstest"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// faulty is a client that goes wrong in one call of ten.
func faulty(t *testing.T, seed uint64) *dynamolocal.Faults {
	f := dynamolocal.NewFaults(seed)
	f.Throttle, f.Fail, f.Lose = 0.04, 0.03, 0.03
	t.Cleanup(func() { t.Log("faults:", f.Injected()) })
	return f
}

func TestUsersThroughFaults(t *testing.T) {
	t.Parallel()
	userstest.Run(t, func(t *testing.T) users.Store {
		f := faulty(t, 1)
		// A delete of nothing and one whose answer was lost look the same, and count as applied; TestASyncThroughFaults
		// has those.
		f.Spare = "DeleteItem"
		client, list, jobs := newTables(t, f)
		return dynamodb.NewUsers(client, list, jobs)
	})
}

func TestEditsThroughFaults(t *testing.T) {
	t.Parallel()
	userstest.RunEdits(t, func(t *testing.T) (users.Store, runs.Store) {
		client, list, jobs := newTables(t, faulty(t, 2))
		return dynamodb.NewUsers(client, list, jobs), dynamodb.NewJobs(client, jobs, nil)
	})
}

func TestJobsThroughFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			runstest.Run(t, func(t *testing.T, now func() time.Time) runs.Store {
				client, _, jobs := newTables(t, faulty(t, seed))
				return dynamodb.NewJobs(client, jobs, now)
			})
		})
	}
}

// people are a directory's entries by number, each with a primary address and an alias.
type people struct {
	importer.Directory
	primaries map[int]string
}

func (p people) Read(
	_ context.Context, _ settings.Connection, _ directory.Query, onStep func(run.Step),
	onEntry func(*directory.Entry) error,
) (directory.Info, error) {
	onStep(run.Step{Step: "base", OK: true})
	for _, n := range slices.Sorted(maps.Keys(p.primaries)) {
		entry := directory.Entry{DN: fmt.Appendf(nil, "CN=%d,DC=example,DC=com", n), Attributes: []directory.Attribute{
			{Name: "objectGUID", Values: [][]byte{fmt.Appendf(nil, "%016d", n)}},
			{Name: "objectClass", Values: [][]byte{[]byte("person"), []byte("user")}},
			{Name: "proxyAddresses", Values: [][]byte{[]byte("SMTP:" + p.primaries[n]),
				fmt.Appendf(nil, "smtp:alias%d@example.com", n)}},
		}}
		if err := onEntry(&entry); err != nil {
			return directory.Info{}, err
		}
	}
	return directory.Info{DirectoryID: "dc=example,dc=com", Entries: len(p.primaries)}, nil
}

// messages is a queue that the test delivers by hand.
type messages []queue.Message

func (q *messages) Send(_ context.Context, m queue.Message) error {
	*q = append(*q, m)
	return nil
}

// portal is the importer with its users and jobs in DynamoDB.
type portal struct {
	*testing.T
	service *importer.Service
	worker  *importer.Worker
	queue   *messages
	users   *dynamodb.Users
	faults  *dynamolocal.Faults
	id      run.Identity
}

func newPortal(t *testing.T, from importer.Directory) *portal {
	t.Helper()
	store, err := embedded.Open(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	p := &portal{T: t, queue: new(messages), faults: faulty(t, 20_000),
		id: run.Identity{Account: "acme", Subject: "ann"}}
	client, users, jobs := newTables(t, p.faults)
	p.users = dynamodb.NewUsers(client, users, jobs)
	config := importer.Config{
		Users: p.users, Jobs: dynamodb.NewJobs(client, jobs, nil), Objects: store.Objects(), Queue: p.queue,
		Sealer: store.Sealer(), Opener: store.Sealer(),
		Directory: from, Log: slog.New(slog.DiscardHandler),
	}
	p.service, p.worker = importer.NewService(config), importer.NewWorker(config)
	return p
}

// deliver does what was left to be done and returns the run as it is then.
func (p *portal) deliver(r run.Run, err error) run.Run {
	p.Helper()
	for err == nil && len(*p.queue) > 0 {
		m := (*p.queue)[0]
		*p.queue = (*p.queue)[1:]
		err = p.worker.Work(p.Context(), m)
	}
	if err == nil {
		if r.Kind == run.KindPreview {
			r, err = p.service.Preview(p.Context(), p.id, r.ID)
		} else {
			r, err = p.service.Sync(p.Context(), p.id, r.ID)
		}
	}
	if err != nil || r.State != run.Done {
		p.Fatalf("%s %s is %s (failure %+v, guard %+v), error %v", r.Kind, r.ID, r.State, r.Failure, r.Guard, err)
	}
	return r
}

// importAll previews the directory and syncs that, with whatever it removes.
func (p *portal) importAll() run.Run {
	p.Helper()
	preview := p.deliver(p.service.StartPreview(p.Context(), p.id,
		importer.PreviewRequest{Connection: &settings.Connection{
			ServerType: settings.Exchange, Host: "dc1.example.com", Port: 389,
		}}))
	options := settings.DefaultOptions()
	options.RemoveAccounts = true
	return p.deliver(p.service.StartSync(p.Context(), p.id, importer.SyncRequest{
		PreviewID: preview.ID, Options: &options, ConfirmRemovals: &preview.Guard.Removals,
	}))
}

// wantOnce holds a run to having written n users, each once, and to having met no conflict.
func (p *portal) wantOnce(what string, r run.Run, n int) {
	p.Helper()
	writes := p.faults.Writes()
	for key, times := range writes {
		if times != 1 {
			p.Errorf("%s: %s was written %d times", what, key, times)
		}
	}
	if r.Progress.Applied != n || r.Result.Summary.Conflicts != 0 || len(writes) != n {
		p.Errorf("%s: applied %d with %d conflicts, and wrote %d users; want %d, 0 and %d", what, r.Progress.Applied,
			r.Result.Summary.Conflicts, len(writes), n, n)
	}
}

// list is the Users List without what every write changes.
func list(t *testing.T, users iter.Seq2[user.User, error]) []user.User {
	t.Helper()
	var all []user.User
	for u, err := range users {
		if err != nil {
			t.Fatal(err)
		}
		u.Version, u.LastRunID, u.UpdatedAt = 0, "", time.Time{}
		all = append(all, u)
	}
	return all
}

// faultEntries is how many entries TestASyncThroughFaults imports; make soak takes ten thousand.
var faultEntries = flag.Int("entries", 1000, "how many directory entries the sync through faults imports")

// TestASyncThroughFaults imports two users an entry while one call in ten goes wrong.
func TestASyncThroughFaults(t *testing.T) {
	t.Parallel()
	entries := *faultEntries
	company := people{primaries: make(map[int]string)}
	for n := range entries {
		company.primaries[n] = fmt.Sprintf("user%d@example.com", n)
	}
	p := newPortal(t, company)
	p.wantOnce("the first sync", p.importAll(), 2*entries)
	before := list(t, p.users.For("acme").All(t.Context()))
	if len(before) != 2*entries {
		t.Fatalf("%d users are stored, want %d", len(before), 2*entries)
	}
	p.wantOnce("the second sync", p.importAll(), 0)

	removed, renamed := entries*15/100, entries*5/100
	for n := range removed {
		delete(company.primaries, n)
	}
	for n := removed; n < removed+renamed; n++ {
		company.primaries[n] = fmt.Sprintf("renamed%d@example.com", n)
	}
	// Those who left lose two addresses; those with another primary lose one and get one, and their alias names it.
	changes := p.importAll()
	p.wantOnce("a sync with removals", changes, 2*removed+3*renamed)
	undo := p.deliver(p.service.Undo(t.Context(), p.id, changes.ID, importer.Idempotency{}))
	p.wantOnce("its undo", undo, 2*removed+3*renamed)
	if diff := cmp.Diff(before, list(t, p.users.For("acme").All(t.Context()))); diff != "" {
		t.Errorf("after the undo (-before +after):\n%.2000s", diff)
	}
}
