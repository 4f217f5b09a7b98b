package importer_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/connector/recording"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

// outOfReach is the directory as the cloud sees it.
type outOfReach struct{ t *testing.T }

func (u outOfReach) Read(context.Context, settings.Connection, directory.Query, func(run.Step),
	func(*directory.Entry) error) (directory.Info, error) {
	u.t.Error("the cloud reads the directory itself")
	return directory.Info{}, errUnreachable
}

func (u outOfReach) Find(context.Context, settings.Connection, directory.Question, func(run.Step)) (
	directory.Answer, error) {
	u.t.Error("the cloud asks the directory itself")
	return directory.Answer{}, errUnreachable
}

// site is a customer's network with a connector, whose directory is the harness's.
type site struct {
	*harness
	desk        *importer.Desk
	connectorID string
}

// newSite returns an importer whose directory only the machines of a connector reach, none of which runs yet.
func newSite(t *testing.T) *site {
	t.Helper()
	h := newHarness(t)
	h.config.Connectors, h.config.Bounds = h.store.Connectors(), directory.New(directory.Config{})
	h.config.Directory = outOfReach{t}
	h.service, h.worker = importer.NewService(h.config), importer.NewWorker(h.config)
	c, _, err := h.service.AddConnector(t.Context(), h.id, "HQ")
	if err != nil {
		t.Fatal(err)
	}
	return &site{harness: h, desk: importer.NewDesk(h.config), connectorID: c.ID}
}

// connection is the one of connection() through the connector.
func (s *site) connection() *settings.Connection {
	c := connection()
	c.ConnectorID, c.Password = s.connectorID, secret.String{}
	return c
}

func (s *site) connector() connectors.Connector {
	s.t.Helper()
	c, err := s.store.Connectors().For(s.id.Account).Get(s.t.Context(), s.connectorID)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// machine is an instance of the connector.
type machine struct {
	*site
	key     ed25519.PrivateKey
	targets []connector.Target
	// bulk is how many bytes each entry has that nobody imports: with some megabytes a recording has several blocks.
	bulk int
}

// enrol brings a machine that holds the directory's password.
func (s *site) enrol() *machine {
	s.t.Helper()
	_, code, err := s.service.NewEnrolmentCode(s.t.Context(), s.id, s.connectorID)
	if err != nil {
		s.t.Fatal(err)
	}
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	enrol := connector.Enrol{Code: code.Code, PublicKey: public, Name: "srv", Version: "1"}
	if _, err := s.desk.Enrol(s.t.Context(), enrol); err != nil {
		s.t.Fatal(err)
	}
	return &machine{s, key, []connector.Target{connector.TargetOf(*connection())}, 0}
}

// signed signs a request and has it checked.
func (m *machine) signed() (i importer.Instance, err error) {
	m.t.Helper()
	r := httptest.NewRequestWithContext(m.t.Context(), http.MethodPost, connector.PathPoll, nil)
	if err := connector.Sign(r, nil, m.key, m.clock); err != nil {
		m.t.Fatal(err)
	}
	_, err = m.desk.Verifier(&i).Verify(m.t.Context(), r, connector.PathPoll, nil)
	return i, err
}

func (m *machine) instance() importer.Instance {
	m.t.Helper()
	i, err := m.signed()
	if err != nil {
		m.t.Fatal(err)
	}
	return i
}

func (m *machine) poll(busy *connector.Busy) connector.Polled {
	m.t.Helper()
	answer, err := m.desk.Poll(m.t.Context(), m.instance(),
		connector.Poll{Version: "1", Targets: m.targets, Busy: busy})
	if err != nil {
		m.t.Fatal(err)
	}
	return answer
}

// take polls for an order, which has to be there.
func (m *machine) take() connector.Order {
	m.t.Helper()
	answer := m.poll(nil)
	if answer.Order == nil {
		m.t.Fatalf("no order was given: %+v", answer)
	}
	return *answer.Order
}

// put asks for a block's link and sends the block there.
func (m *machine) put(o connector.Order, number int, block []byte) error {
	sum := sha256.Sum256(block)
	grant, err := m.desk.Block(m.t.Context(), m.instance(), connector.BlockRequest{Order: o.ID, Attempt: o.Attempt,
		Number: number, Size: len(block), SHA256: sum[:]})
	if err != nil {
		return err
	}
	w := httptest.NewRecorder()
	m.store.UploadHandler().ServeHTTP(w, httptest.NewRequestWithContext(m.t.Context(), http.MethodPut, grant.URL,
		bytes.NewReader(block)))
	if w.Code >= http.StatusMultipleChoices {
		return errors.New(w.Body.String())
	}
	return nil
}

// read does an order, all but telling that it is done.
func (m *machine) read(o connector.Order) (connector.Finish, error) {
	m.t.Helper()
	// Blocks come several at a time, and the harness's clock is read by one goroutine at a time.
	var one sync.Mutex
	recorder := recording.New(m.t.Context(), o, func(_ context.Context, number int, block []byte) error {
		one.Lock()
		defer one.Unlock()
		return m.put(o, number, block)
	})
	var sealed connector.Sealed
	var err error
	if q := o.Request.Question; q != nil {
		answer, readErr := m.directory.Find(m.t.Context(), o.Request.Connection, *q, recorder.Step)
		sealed, err = recorder.Answer(answer, readErr)
	} else {
		q, entries := *o.Request.Query, 0
		q.Found = func() int { return entries }
		info, readErr := m.directory.Read(m.t.Context(), o.Request.Connection, q, recorder.Step,
			func(e *directory.Entry) error {
				entries++
				e.Attributes = append(e.Attributes, directory.Attribute{Name: "description",
					Values: [][]byte{bytes.Repeat([]byte{byte(entries)}, m.bulk)}})
				return recorder.Entry(e)
			})
		sealed, err = recorder.Close(info, readErr)
	}
	return connector.Finish{Order: o.ID, Attempt: o.Attempt, Sealed: sealed}, err
}

func (m *machine) finish(f connector.Finish) error {
	return m.desk.Finish(m.t.Context(), m.instance(), f)
}

// work does an order to its end, and has the cloud go on.
func (m *machine) work() connector.Order {
	m.t.Helper()
	o := m.take()
	finish, err := m.read(o)
	if err == nil {
		err = m.finish(finish)
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.mustDeliver()
	return o
}

// record returns a run of any kind.
func (s *site) record(id string) run.Run {
	s.t.Helper()
	r, err := s.store.Jobs().For(s.id.Account).Run(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// parked fails unless the run waits for the connector, without a worker, a lease or a death.
func (s *site) parked(id string) {
	s.t.Helper()
	r := s.record(id)
	if r.State != run.Running || r.Parked == "" || r.Progress.Phase != run.PhaseConnector || r.Deaths != 0 ||
		len(r.Steps) != 0 || len(s.queue.messages) != 0 {
		text, _ := json.Marshal(r)
		s.t.Fatalf("the run is not parked: %s; messages %+v", text, s.queue.messages)
	}
	jobs, now := s.store.Jobs().For(s.id.Account), s.clock
	lease := runs.Lease{RunID: "another", Attempt: 1, ExpiresAt: now.Add(time.Minute)}
	if err := jobs.AcquireLease(s.t.Context(), lease, now); err != nil {
		s.t.Errorf("the account's lease is held: %v", err)
	}
	if _, err := jobs.ReleaseLease(s.t.Context(), lease); err != nil {
		s.t.Fatal(err)
	}
}

// ended fails unless the run ended so and its orders are gone.
func (s *site) ended(id string, state run.State) run.Run {
	s.t.Helper()
	r := s.record(id)
	wantState(s.t, r, state)
	if orders := s.connector().Orders; len(orders) != 0 {
		s.t.Errorf("orders remain: %+v", orders)
	}
	return r
}

func (s *site) startPreview() run.Run {
	s.t.Helper()
	r, err := s.service.StartPreview(s.t.Context(), s.id, importer.PreviewRequest{Connection: s.connection()})
	if err != nil {
		s.t.Fatal(err)
	}
	s.mustDeliver()
	return r
}

// wantFailure fails unless the run failed with a code, in words that say something.
func wantFailure(t *testing.T, r run.Run, code, says string) {
	t.Helper()
	wantState(t, r, run.Failed)
	if r.Failure.Code != code || !bytes.Contains([]byte(r.Failure.Message), []byte(says)) {
		t.Errorf("failed with %s: %s; want %s that says %q", r.Failure.Code, r.Failure.Message, code, says)
	}
}

// wantIs fails unless err is the one wanted.
func wantIs(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

// meddling does something each time that an order was given.
type meddling struct {
	connectors.Store
	then func()
}

func (m meddling) For(a user.Account) connectors.Connectors {
	return meddlingAccount{m.Store.For(a), m.then}
}

type meddlingAccount struct {
	connectors.Connectors
	then func()
}

func (m meddlingAccount) Update(ctx context.Context, id string,
	change func(*connectors.Connector) ([]runs.AuditEntry, error)) (connectors.Connector, error) {
	c, err := m.Connectors.Update(ctx, id, change)
	if len(c.Orders) > 0 {
		m.then()
	}
	return c, err
}

// lostQueue loses messages.
type lostQueue struct{}

func (lostQueue) Send(context.Context, queue.Message) error { return errUnreachable }
