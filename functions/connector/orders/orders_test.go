package orders_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rollcall/functions/connector/orders"
	"rollcall/shared/adapters/embedded"
	"rollcall/shared/connector"
	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
	"rollcall/shared/run"
)

type noQueue struct{}

func (noQueue) Send(context.Context, queue.Message) error { return nil }

// cloud is the handler on a store of its own, with a clock, and one connector.
type cloud struct {
	t       testing.TB
	handler http.Handler
	service *importer.Service
	id      run.Identity
	clock   time.Time
	log     *strings.Builder
	// connector and code are those of the connector that there is.
	connector, code string
	store           *embedded.Store
}

func newCloud(t testing.TB) *cloud {
	t.Helper()
	c := &cloud{t: t, id: run.Identity{Account: "acme", Subject: "admin"},
		log: new(strings.Builder), clock: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	now := func() time.Time { return c.clock }
	store, err := embedded.Open(t.TempDir(), embedded.Options{Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	config := importer.Config{Jobs: store.Jobs(), Connectors: store.Connectors(), Objects: store.Objects(),
		Queue: noQueue{}, Now: now, NewID: store.NewID}
	c.store, c.service = store, importer.NewService(config)
	c.handler = orders.Handler(importer.NewDesk(config), slog.New(slog.NewTextHandler(c.log, nil)))
	added, code, err := c.service.AddConnector(t.Context(), c.id, "HQ")
	if err != nil {
		t.Fatal(err)
	}
	c.connector, c.code = added.ID, code.Code
	return c
}

// request is one that somebody may change before it is sent.
func (c *cloud) request(path string, body []byte, key ed25519.PrivateKey) *http.Request {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), http.MethodPost, path, bytes.NewReader(body))
	if key != nil {
		if err := connector.Sign(r, body, key, c.clock); err != nil {
			c.t.Fatal(err)
		}
	}
	return r
}

// send sends a request and returns the status, the problem's code where it is one, and the body.
func (c *cloud) send(r *http.Request) (status int, code, body string) {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	if w.Code >= http.StatusBadRequest {
		var p struct {
			Status       int
			Code, Detail string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Code == "" ||
			p.Detail == "" || w.Header().Get("Content-Type") != "application/problem+json" {
			c.t.Errorf("status %d with %s, which is no problem (%v)", w.Code, w.Body, err)
		}
		code = p.Code
	}
	return w.Code, code, w.Body.String()
}

func (c *cloud) want(r *http.Request, status int, code string) string {
	c.t.Helper()
	got, gotCode, body := c.send(r)
	if got != status || gotCode != code {
		c.t.Errorf("%s %s is %d %q, want %d %q: %s", r.Method, r.URL.Path, got, gotCode, status, code, body)
	}
	return body
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (c *cloud) enrolment(key ed25519.PrivateKey) []byte {
	public, _ := key.Public().(ed25519.PublicKey)
	return marshal(c.t, connector.Enrol{Code: c.code, PublicKey: public, Name: "srv", Version: "1"})
}

// enrol makes an instance known.
func (c *cloud) enrol() ed25519.PrivateKey {
	c.t.Helper()
	key := newKey(c.t)
	c.want(c.request(connector.PathEnrol, c.enrolment(key), key), http.StatusCreated, "")
	return key
}

var poll = []byte(`{"version":"1","targets":[]}`)

// TestOnlySignedRequestsAreTaken changes one thing about a good request.
func TestOnlySignedRequestsAreTaken(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	key := c.enrol()
	signedFor := func(path string, body []byte) string {
		return c.request(path, body, key).Header.Get("Authorization")
	}
	for name, test := range map[string]struct {
		change func(r *http.Request)
		status int
		code   string
	}{
		"as it is":     {func(*http.Request) {}, http.StatusOK, ""},
		"no signature": {func(r *http.Request) { r.Header.Del("Authorization") }, 401, "unauthenticated"},
		"a bearer's":   {func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc") }, 401, "unauthenticated"},
		"no token": {func(r *http.Request) {
			r.Header.Set("Authorization", "Connector abc")
		}, 401, "unauthenticated"},
		"no algorithm": {func(r *http.Request) {
			// {"alg":"none"}
			parts := strings.Split(r.Header.Get("Authorization"), ".")
			r.Header.Set("Authorization", "Connector eyJhbGciOiJub25lIn0."+parts[1]+".")
		}, 401, "unauthenticated"},
		"another path's": {func(r *http.Request) {
			r.Header.Set("Authorization", signedFor(connector.PathReport, poll))
		}, 401, "unauthenticated"},
		"another body's": {func(r *http.Request) {
			r.Header.Set("Authorization", signedFor(connector.PathPoll, []byte("{}")))
		}, 401, "unauthenticated"},
		"an unknown key's": {func(r *http.Request) {
			r.Header.Set("Authorization", c.request(connector.PathPoll, poll, newKey(t)).Header.Get("Authorization"))
		}, 401, "unauthenticated"},
		"an old clock's": {func(r *http.Request) {
			if err := connector.Sign(r, poll, key, c.clock.Add(-6*time.Minute)); err != nil {
				t.Error(err)
			}
		}, 401, connector.CodeClock},
		"a fast clock's": {func(r *http.Request) {
			if err := connector.Sign(r, poll, key, c.clock.Add(6*time.Minute)); err != nil {
				t.Error(err)
			}
		}, 401, connector.CodeClock},
	} {
		t.Run(name, func(*testing.T) {
			r := c.request(connector.PathPoll, poll, key)
			test.change(r)
			c.want(r, test.status, test.code)
		})
	}
	r := c.request(connector.PathPoll, poll, key)
	again := c.request(connector.PathPoll, poll, nil)
	again.Header = r.Header
	c.want(r, http.StatusOK, "")
	c.want(again, http.StatusUnauthorized, "unauthenticated")
}

// TestAnotherProtocolIsToldSo, whatever its bodies look like.
func TestAnotherProtocolIsToldSo(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, path := range []string{connector.PathEnrol, connector.PathPoll} {
		r := c.request(path, []byte(`{"targets":"all","publicKey":7}`), nil)
		// {"alg":"EdDSA"}.{"v":2}
		r.Header.Set("Authorization", "Connector eyJhbGciOiJFZERTQSJ9.eyJ2IjoyfQ.AAAA")
		body := c.want(r, http.StatusBadRequest, connector.CodeProtocol)
		if !strings.Contains(body, "newer than the service") {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestWhatIsNoRequestOfAConnector(t *testing.T) {
	t.Parallel()
	tooLong := make([]byte, connector.MaxBody+1)
	c := newCloud(t)
	key := c.enrol()
	for name, test := range map[string]struct {
		method, path string
		body         []byte
		status       int
		code         string
	}{
		"no JSON":        {http.MethodPost, connector.PathPoll, []byte("{"), 400, "malformed_request"},
		"an array":       {http.MethodPost, connector.PathFinish, []byte("[]"), 400, "malformed_request"},
		"nothing":        {http.MethodPost, connector.PathReport, nil, 400, "malformed_request"},
		"too long":       {http.MethodPost, connector.PathPoll, tooLong, 400, "malformed_request"},
		"no block":       {http.MethodPost, connector.PathBlock, []byte("{}"), 400, "malformed_request"},
		"no order":       {http.MethodPost, connector.PathFinish, finished(t, "nobody's"), 409, connector.CodeReplaced},
		"no enrolment":   {http.MethodPost, connector.PathEnrol, []byte("null"), 401, "unauthenticated"},
		"a used code":    {http.MethodPost, connector.PathEnrol, c.enrolment(key), 403, connector.CodeCode},
		"another method": {http.MethodGet, connector.PathPoll, nil, 404, "route_not_found"},
		"another path":   {http.MethodPost, "/v1/connector/other", nil, 404, "route_not_found"},
	} {
		t.Run(name, func(*testing.T) {
			r := c.request(test.path, test.body, key)
			r.Method = test.method
			c.want(r, test.status, test.code)
		})
	}
	if c.log.String() != "" {
		t.Errorf("what others send is logged as an error: %s", c.log)
	}
}

func finished(t *testing.T, order string) []byte {
	t.Helper()
	return marshal(t, connector.Finish{Order: order, Attempt: 1,
		Sealed: connector.Sealed{Blocks: 1, Bytes: 1, SHA256: make([]byte, 32)}})
}

func TestARevokedConnectorIsRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	key := c.enrol()
	c.want(c.request(connector.PathPoll, poll, key), http.StatusOK, "")
	if err := c.service.RevokeConnector(t.Context(), c.id, c.connector); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{connector.PathPoll, connector.PathBlock, connector.PathFinish, connector.PathReport} {
		status, _, _ := c.send(c.request(path, poll, key))
		if status != http.StatusUnauthorized && status != http.StatusForbidden {
			t.Errorf("%s is answered %d", path, status)
		}
	}
}

// TestAFaultOfTheStoreIsLogged and tells nobody outside what it is.
func TestAFaultOfTheStoreIsLogged(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	key := c.enrol()
	c.store.Close()
	body := c.want(c.request(connector.PathPoll, poll, key), http.StatusInternalServerError, "internal")
	if strings.Contains(body, "database") || !strings.Contains(c.log.String(), "database") {
		t.Errorf("answered %s, logged %s", body, c.log)
	}
}

// FuzzRequests sends signed and unsigned bytes to each path: whatever they are, the answer is a sentence.
func FuzzRequests(f *testing.F) {
	f.Add(0, poll, true, "")
	f.Add(1, []byte(`{"order":"a","attempt":1,"number":-1,"size":1,"sha256":"AA=="}`), true, "")
	f.Add(2, []byte(`{"order":"a","attempt":1,"blocks":1}`), true, "")
	f.Add(3, []byte(`{"changes":[{"id":"1","at":"2026-11-26T08:00:00Z"}]}`), true, "")
	f.Add(4, []byte(`{"code":"a","publicKey":"AAAA"}`), false, "Connector eyJhbGciOiJFZERTQSJ9.eyJ2IjoxfQ.AAAA")
	c := newCloud(f)
	key := c.enrol()
	paths := []string{connector.PathPoll, connector.PathBlock, connector.PathFinish, connector.PathReport,
		connector.PathEnrol}
	f.Fuzz(func(t *testing.T, path int, body []byte, sign bool, authorization string) {
		c := *c
		c.t = t
		r := c.request(paths[uint(path)%uint(len(paths))], body, nil)
		if sign {
			r = c.request(r.URL.Path, body, key)
		} else {
			r.Header.Set("Authorization", authorization)
		}
		status, _, answer := c.send(r)
		if status >= http.StatusInternalServerError || !sign && status < http.StatusBadRequest {
			t.Errorf("status %d: %s", status, answer)
		}
	})
}
