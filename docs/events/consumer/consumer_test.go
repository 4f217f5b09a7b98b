package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/functions/export/exports"
	"rollcall/functions/sync/syncs"
	"rollcall/shared/adapters/embedded"
	"rollcall/shared/api"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/notify"
	"rollcall/shared/ports/events"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

// rollcall is the program with its API, a directory that names people, and what it published.
type rollcall struct {
	tb      testing.TB
	store   *embedded.Store
	service *importer.Service
	worker  *importer.Worker
	server  *httptest.Server
	people  []string
	waiting []queue.Message
	bus     [][]byte
	id      run.Identity
}

func (r *rollcall) Send(_ context.Context, m queue.Message) error {
	r.waiting = append(r.waiting, m)
	return nil
}

func (r *rollcall) Publish(_ context.Context, e events.Event) error {
	if e.Name != events.Name(notify.UsersChanged) {
		return nil
	}
	text, err := json.Marshal(e.Detail)
	r.bus = append(r.bus, text)
	return err
}

func (r *rollcall) Read(
	_ context.Context, _ settings.Connection, _ directory.Query, onStep func(run.Step),
	onEntry func(*directory.Entry) error,
) (directory.Info, error) {
	onStep(run.Step{Step: directory.StepBase, OK: true})
	for _, name := range r.people {
		entry := directory.Entry{DN: []byte("CN=" + name + ",DC=example,DC=com"), Attributes: []directory.Attribute{
			{Name: "objectGUID", Values: [][]byte{fmt.Appendf(nil, "%-16s", name)}},
			{Name: "objectClass", Values: [][]byte{[]byte("person"), []byte("user")}},
			{Name: "proxyAddresses", Values: [][]byte{[]byte("SMTP:" + name + "@Example.com")}},
		}}
		if err := onEntry(&entry); err != nil {
			return directory.Info{}, err
		}
	}
	return directory.Info{DirectoryID: "dc=example,dc=com", Entries: len(r.people)}, nil
}

func (*rollcall) Find(
	context.Context, settings.Connection, directory.Question, func(run.Step),
) (directory.Answer, error) {
	return directory.Answer{}, nil
}

func start(tb testing.TB, dir string) *rollcall {
	tb.Helper()
	r := &rollcall{tb: tb, id: run.Identity{Account: "acme", Subject: "ann"}}
	log := slog.New(slog.DiscardHandler)
	var err error
	r.store, err = embedded.Open(dir, embedded.Options{BaseURL: func() string { return r.server.URL }, Log: log})
	if err != nil {
		tb.Fatal(err)
	}
	config := importer.Config{
		Users: r.store.Users(), Jobs: r.store.Jobs(), Objects: r.store.Objects(), Queue: r, Directory: r, Events: r,
		Sealer: r.store.Sealer(), Opener: r.store.Sealer(), Log: log, Tick: time.Hour,
	}
	r.service, r.worker = importer.NewService(config), importer.NewWorker(config)
	a := api.New(api.Config{Log: log, Identify: func(request *http.Request) (api.Caller, error) {
		if request.Header.Get("Authorization") != "Bearer token" {
			return api.Caller{}, fmt.Errorf("no token")
		}
		return api.Caller{Identity: r.id, Scopes: []api.Scope{api.ScopeAdmin}}, nil
	}})
	syncs.Register(a, r.service, time.Now)
	exports.Register(a, r.service)
	mux := http.NewServeMux()
	mux.Handle("/v1/", a)
	mux.Handle(embedded.DownloadPath, r.store.DownloadHandler())
	r.server = httptest.NewServer(mux)
	options := settings.DefaultOptions()
	options.RemoveAccounts, options.RemovalLimit = true, settings.RemovalLimit{Percent: 100, Count: 1000}
	_, err = r.service.SaveSettings(context.Background(), r.id, importer.SettingsRequest{
		Connection: &settings.Connection{ServerType: settings.Exchange, Host: "dc1.example.com", Port: 389,
			Username: "reader", Password: secret.New("password")}, Options: &options,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func (r *rollcall) stop() {
	r.server.Close()
	if err := r.store.Close(); err != nil {
		r.tb.Error(err)
	}
}

func (r *rollcall) copy() *Copy {
	return &Copy{API: r.server.URL, Token: "token", Client: r.server.Client()}
}

// work runs what was started to its end.
func (r *rollcall) work() {
	waiting := r.waiting
	r.waiting = nil
	for _, m := range waiting {
		if err := r.worker.Work(context.Background(), m); err != nil {
			r.tb.Fatal(err)
		}
	}
}

func (r *rollcall) sync(people ...string) run.Run {
	r.people = people
	started, err := r.service.StartSync(context.Background(), r.id, importer.SyncRequest{})
	if err != nil {
		r.tb.Fatal(err)
	}
	r.work()
	return started
}

// users are those of the Users List, as a copy has them.
func (r *rollcall) users() map[string]User {
	all := make(map[string]User)
	for u, err := range r.store.Users().For(r.id.Account).All(context.Background()) {
		if err != nil {
			r.tb.Fatal(err)
		}
		all[strings.ToLower(u.Address)] = User{u.Address, string(u.Kind), u.PrimaryAddress, string(u.Type)}
	}
	return all
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("P%03d", i))
	}
	return all
}

// change does something to the Users List.
func (r *rollcall) change(random *rand.Rand) {
	// Of some the directory knows nothing.
	ctx, name := context.Background(), fmt.Sprintf("%c%03d@example.com", "ph"[random.IntN(2)], random.IntN(6))
	switch random.IntN(5) {
	case 0:
		//nolint:errcheck // it may be there
		r.service.AddUser(ctx, r.id, importer.UserRequest{
			Address: name, Type: user.TypeGroup, HeldSpamReport: user.ReportOff,
		})
	case 1:
		//nolint:errcheck // it may be gone
		r.service.RemoveUser(ctx, r.id, name)
	case 2:
		if page, err := r.service.Syncs(ctx, r.id, runs.Query{Limit: 20}); err == nil && len(page.Runs) > 0 {
			//nolint:errcheck // there may be nothing to undo
			r.service.Undo(ctx, r.id, page.Runs[random.IntN(len(page.Runs))].ID, importer.Idempotency{})
			r.work()
		}
	default:
		people := names(6)
		random.Shuffle(len(people), func(i, k int) { people[i], people[k] = people[k], people[i] })
		r.sync(people[:1+random.IntN(6)]...)
	}
}

// TestTheCopyFollows changes the Users List in random ways. Events that come twice and in any order make the copy what
// the list is, and so does catching up where events were lost.
func TestTheCopyFollows(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, seed))
		r := start(t, t.TempDir())
		c := r.copy()
		equals := func(after string) {
			t.Helper()
			if diff := cmp.Diff(r.users(), c.Users()); diff != "" {
				t.Errorf("seed %d, %s (-list +copy):\n%s", seed, after, diff)
			}
		}
		for range 3 {
			if err := c.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			equals("after catching up")
			r.bus = nil
			for range 1 + random.IntN(4) {
				r.change(random)
			}
			if random.IntN(2) == 0 {
				continue // They are lost.
			}
			told := append(slices.Clone(r.bus), r.bus...)
			random.Shuffle(len(told), func(i, k int) { told[i], told[k] = told[k], told[i] })
			for _, event := range told {
				if err := c.Handle(t.Context(), event); err != nil {
					t.Fatal(err)
				}
			}
			equals(fmt.Sprint("after events: ", len(told)))
		}
		r.stop()
	}
}

// Many changes are not named: the copy asks what they were.
func TestManyChanges(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir())
	defer r.stop()
	c := r.copy()
	if err := c.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{150, 1200} {
		r.sync(names(n)...)
		event := r.bus[len(r.bus)-1]
		if strings.Contains(string(event), `"changes":`) {
			t.Fatalf("%d changes are named: %s", n, event)
		}
		if err := c.Handle(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		if len(c.Users()) != n || !cmp.Equal(r.users(), c.Users()) {
			t.Errorf("the copy has %d users, want %d", len(c.Users()), n)
		}
	}
}

// sign adds the headers of a Standard Webhooks message, by the words of its specification.
func sign(header http.Header, secret, id string, body []byte, at time.Time) {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac.Write([]byte(id + "." + stamp + "." + string(body)))
	header.Set("webhook-id", id)
	header.Set("webhook-timestamp", stamp)
	header.Set("webhook-signature", "v1,bm90IHRoaXMgb25l v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func TestTheReceiver(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir())
	defer r.stop()
	r.sync("ann")
	c, now := r.copy(), time.Now()
	// The example of https://www.standardwebhooks.com has this secret.
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	for name, test := range map[string]struct {
		secret, id string
		at         time.Time
		status     int
	}{
		"signed":             {secret, "1", now, http.StatusNoContent},
		"signed by somebody": {"whsec_" + strings.Repeat("A", 32), "1", now, http.StatusBadRequest},
		"too old":            {secret, "1", now.Add(-6 * time.Minute), http.StatusBadRequest},
	} {
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(r.bus[0])))
		sign(request.Header, test.secret, test.id, r.bus[0], test.at)
		answer := httptest.NewRecorder()
		receiver(c, secret, slog.New(slog.DiscardHandler)).ServeHTTP(answer, request)
		if answer.Code != test.status {
			t.Errorf("%s: %d, want %d", name, answer.Code, test.status)
		}
	}
	if !cmp.Equal(r.users(), c.Users()) || len(c.Users()) != 1 {
		t.Errorf("the copy has %v", c.Users())
	}
	// Where the API cannot be reached, the event has to come again.
	r.server.Close()
	request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(r.bus[0])))
	sign(request.Header, secret, "1", r.bus[0], now)
	answer := httptest.NewRecorder()
	receiver(c, secret, slog.New(slog.DiscardHandler)).ServeHTTP(answer, request)
	if answer.Code != http.StatusServiceUnavailable {
		t.Errorf("without the API: %d", answer.Code)
	}
}
