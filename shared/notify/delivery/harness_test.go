package delivery_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/notify"
	"rollcall/shared/notify/delivery"
	"rollcall/shared/ports/mail"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

// testSecret and testVector are of the tests of Standard Webhooks' own libraries.
const (
	testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	account    = user.Account("acme")
)

// lab is a notifier and its worker on a data folder, with a clock and a queue that the test drives.
type lab struct {
	t        *testing.T
	store    *embedded.Store
	jobs     runs.Jobs
	notifier delivery.Notifier
	worker   *delivery.Worker
	messages []queue.Message
	away     bool // the queue takes nothing
	mails    *mailbox
	now      time.Time
	slept    []time.Duration
}

func (l *lab) Send(_ context.Context, m queue.Message) error {
	if l.away {
		return errors.New("the queue is away")
	}
	l.messages = append(l.messages, m)
	return nil
}

// mailbox takes mails, and has an error for some addresses.
type mailbox struct {
	got  []mail.Message
	fail map[string]error
}

func (b *mailbox) Send(_ context.Context, m mail.Message) error {
	if err := b.fail[m.To]; err != nil {
		return err
	}
	b.got = append(b.got, m)
	return nil
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), mails: &mailbox{fail: map[string]error{}}}
	clock := func() time.Time { return l.now }
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	store, err := embedded.Open(t.TempDir(), embedded.Options{Clock: clock, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	l.store, l.jobs = store, store.Jobs().For(account)
	l.notifier = delivery.Notifier{Jobs: store.Jobs(), Queue: l, Now: clock, Log: log}
	l.worker = &delivery.Worker{
		Notifier: l.notifier, Opener: store.Sealer(), Mail: l.mails, Page: "https://page.example.com/",
		Webhooks: &delivery.Webhooks{Rules: notify.Rules{Insecure: true}, Timeout: time.Second},
		Sleep: func(_ context.Context, d time.Duration) error {
			l.slept = append(l.slept, d)
			l.now = l.now.Add(d)
			return nil
		},
	}
	return l
}

// save stores who is told; an empty url is no webhook.
func (l *lab) save(url string, email ...string) {
	l.t.Helper()
	s := notify.Settings{Email: email, Events: notify.Kinds()}
	if url != "" {
		sealed, err := l.store.Sealer().Seal(l.t.Context(), secret.New(testSecret),
			secret.Binding{Account: string(account), Target: notify.Target(url)})
		if err != nil {
			l.t.Fatal(err)
		}
		s.Webhook = &notify.Webhook{URL: url, SealedSecret: sealed}
	}
	_, err := runs.EditNotifications(l.t.Context(), l.jobs, func(old *notify.Settings) ([]runs.AuditEntry, error) {
		s.Revision = old.Revision
		*old = s
		return nil, nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) tell(e notify.Event) {
	l.t.Helper()
	if err := l.notifier.Tell(l.t.Context(), account, e); err != nil {
		l.t.Fatal(err)
	}
}

// work handles the messages that wait, and returns how many those were.
func (l *lab) work() int {
	l.t.Helper()
	waiting := l.messages
	l.messages = nil
	for _, m := range waiting {
		if err := l.worker.Work(l.t.Context(), m); err != nil {
			l.t.Fatal(err)
		}
	}
	return len(waiting)
}

func (l *lab) sendDue() int {
	l.t.Helper()
	sent, err := l.notifier.SendDue(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return sent
}

func (l *lab) settings() notify.Settings {
	l.t.Helper()
	s, err := l.jobs.Notifications(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return s
}

// outcome returns the last outcome of a receiver, whose address is empty for the webhook.
func (l *lab) outcome(to string) notify.Outcome {
	l.t.Helper()
	last := l.settings().Last
	at := slices.IndexFunc(last, func(o notify.Outcome) bool { return o.To == to })
	if at < 0 {
		l.t.Fatalf("nothing is noted of %q: %+v", to, last)
	}
	return last[at]
}

func failed(id string) notify.Event {
	e := notify.New(notify.SyncFailed, id, account, "syncs/1", time.Date(2026, 11, 26, 11, 59, 0, 0, time.UTC))
	e.Data.SyncID, e.Data.Message = "1", "The server refuses connections."
	return e
}

// receiver is a web server that remembers what it got.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []*http.Request
	body [][]byte
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// receive starts a receiver that answers as a function says.
func receive(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := new(receiver)
	r.Server = httptest.NewServer(r.keeping(answer))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) keeping(answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.got, r.body = append(r.got, request), append(r.body, body)
		r.mu.Unlock()
		answer(w, request)
	})
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// raw listens on loopback and hands each connection over.
func raw(t *testing.T, serve func(net.Conn)) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return "http://" + listener.Addr().String() + "/"
}
