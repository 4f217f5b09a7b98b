// Package connectortest is a cloud for the tests of connectors: it gives out orders, takes blocks into memory, and can
// be told to be slow, to break off, or to be hostile.
package connectortest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/connector/recording"
	"rollcall/shared/directory"
)

// Code is the enrolment code that a Cloud takes, once.
const Code = "CODE-1"

// pathBlocks is where links lead.
const pathBlocks = "/blocks/"

// Cloud is an http.Handler that does what the cloud's side has to do. Its fields are for tests to change before
// requests come.
type Cloud struct {
	// Intercept may answer a request in place of the cloud; it then returns true.
	Intercept func(w http.ResponseWriter, r *http.Request) bool
	// Grant changes a grant before it is answered.
	Grant func(*connector.BlockGrant)
	// Now defaults to time.Now. Lease is how long an order stays with an instance that does not poll:
	// connector.LeaseTime.
	Now   func() time.Time
	Lease time.Duration

	mu      sync.Mutex
	code    string
	keys    map[string]ed25519.PublicKey
	numbers map[string]bool
	orders  []*Work
	polls   []connector.Poll
	changes []connector.Change
}

// Work is an order on its way.
type Work struct {
	connector.Order
	// Steps is what was told last of the steps.
	Busy connector.Busy

	instance string
	seen     time.Time
	// given and taken are when the order was given out and when its last block was taken.
	given, taken time.Time
	blocks       map[int][]byte
	granted      map[int]connector.BlockRequest
	sealed       *connector.Sealed
	stop         bool
	ended        chan struct{}
}

// New returns a cloud that knows nobody.
func New() *Cloud {
	return &Cloud{Now: time.Now, Lease: connector.LeaseTime, code: Code, keys: make(map[string]ed25519.PublicKey),
		numbers: make(map[string]bool)}
}

// Order gives an order to whoever asks next.
func (c *Cloud) Order(r connector.Request) *Work {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &Work{Order: connector.Order{ID: fmt.Sprintf("ORDER%d", len(c.orders)), Request: r},
		ended: make(chan struct{})}
	c.orders = append(c.orders, w)
	return w
}

// Stop ends an order.
func (c *Cloud) Stop(w *Work) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.stop = true
}

// Another makes Code work once more, for a further instance.
func (c *Cloud) Another() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.code = Code
}

// Revoke forgets every instance.
func (c *Cloud) Revoke() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.keys)
}

// Polls returns the polls so far, and Changes what was reported.
func (c *Cloud) Polls() []connector.Poll {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.polls)
}

// Changes returns what was reported.
func (c *Cloud) Changes() []connector.Change {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.changes)
}

// Wait returns what plays the order's recording, once it is finished.
func (c *Cloud) Wait(ctx context.Context, w *Work, reader *directory.Reader) (*recording.Player, error) {
	select {
	case <-w.ended:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &recording.Player{Reader: reader, Order: w.Order, Sealed: *w.sealed,
		Block: func(_ context.Context, number int) ([]byte, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			block, there := w.blocks[number]
			if !there {
				return nil, recording.ErrMissing
			}
			return block, nil
		}}, nil
}

// State returns how far an order is: its attempt, and what was told last.
func (c *Cloud) State(w *Work) (attempt int, busy connector.Busy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return w.Attempt, w.Busy
}

// Times returns when an order was given out, and when its last block was taken.
func (c *Cloud) Times(w *Work) (given, taken time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return w.given, w.taken
}

// failure is an answer that is an error.
type failure struct {
	status int
	code   string
	detail string
}

func (f *failure) Error() string { return f.detail }

// ServeHTTP answers a request.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.Intercept != nil && c.Intercept(w, r) {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(recording.MaxBlock)))
	if err != nil {
		return
	}
	status, answer, err := c.answer(r, body)
	var f *failure
	if err != nil {
		if !errors.As(err, &f) {
			f = &failure{http.StatusUnauthorized, codeOf(err), err.Error()}
		}
		status, answer = f.status, map[string]any{"status": f.status, "code": f.code, "detail": f.detail}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if answer != nil {
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func codeOf(err error) string {
	var clock *connector.ClockError
	var protocol *connector.ProtocolError
	switch {
	case errors.As(err, &clock):
		return connector.CodeClock
	case errors.As(err, &protocol):
		return connector.CodeProtocol
	}
	return connector.CodeRevoked
}

func (c *Cloud) answer(r *http.Request, body []byte) (int, any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method == http.MethodPut {
		return c.block(r, body)
	}
	var enrol connector.Enrol
	verifier := connector.Verifier{Now: c.Now, Once: c.once,
		Key: func(_ context.Context, instance string) (ed25519.PublicKey, error) {
			if r.URL.Path == connector.PathEnrol && json.Unmarshal(body, &enrol) == nil {
				return enrol.PublicKey, nil
			}
			if key, known := c.keys[instance]; known {
				return key, nil
			}
			return nil, connector.ErrUnknown
		}}
	instance, err := verifier.Verify(r.Context(), r, r.URL.Path, body)
	if err != nil {
		return 0, nil, err
	}
	switch r.URL.Path {
	case connector.PathEnrol:
		if enrol.Code != c.code || instance != connector.InstanceID(enrol.PublicKey) {
			return 0, nil, &failure{http.StatusForbidden, connector.CodeCode, "the code is wrong, used, or too old"}
		}
		c.code, c.keys[instance] = "", enrol.PublicKey
		return http.StatusCreated, connector.Enrolled{ConnectorID: "CONNECTOR", ConnectorName: "HQ"}, nil
	case connector.PathPoll:
		return c.poll(instance, body)
	case connector.PathBlock:
		return c.grant(instance, body)
	case connector.PathFinish:
		return c.finish(instance, body)
	case connector.PathReport:
		var report connector.Report
		err := json.Unmarshal(body, &report)
		c.changes = append(c.changes, report.Changes...)
		return http.StatusNoContent, nil, err
	}
	return 0, nil, &failure{http.StatusNotFound, "", "there is nothing"}
}

func (c *Cloud) once(_ context.Context, instance, number string, _ time.Time) error {
	if c.numbers[instance+number] {
		return connector.ErrReplayed
	}
	c.numbers[instance+number] = true
	return nil
}

func (c *Cloud) poll(instance string, body []byte) (int, any, error) {
	var poll connector.Poll
	if err := json.Unmarshal(body, &poll); err != nil {
		return 0, nil, err
	}
	c.polls = append(c.polls, poll)
	answer := connector.Polled{WaitSeconds: 1}
	if poll.Busy != nil {
		w, replaced := c.own(instance, poll.Busy.Order, poll.Busy.Attempt)
		if answer.Stop = replaced != nil; !answer.Stop {
			w.seen, w.Busy = c.Now(), *poll.Busy
		}
		return http.StatusOK, answer, nil
	}
	for _, w := range c.orders {
		// An instance that does not say that it is at work lost what it had.
		taken := w.instance != "" && w.instance != instance && c.Now().Sub(w.seen) < c.Lease
		if w.sealed != nil || w.stop || taken {
			continue
		}
		w.Attempt++
		w.instance, w.seen, w.given = instance, c.Now(), c.Now()
		w.blocks, w.granted = make(map[int][]byte), make(map[int]connector.BlockRequest)
		answer.Order = &w.Order
		break
	}
	return http.StatusOK, answer, nil
}

// own returns the order that an instance is at work with.
func (c *Cloud) own(instance, order string, attempt int) (*Work, error) {
	for _, w := range c.orders {
		if w.ID == order && w.Attempt == attempt && w.instance == instance && !w.stop {
			return w, nil
		}
	}
	return nil, &failure{http.StatusConflict, connector.CodeReplaced, "the order is another one's, or has ended"}
}

func (c *Cloud) grant(instance string, body []byte) (int, any, error) {
	var asked connector.BlockRequest
	err := json.Unmarshal(body, &asked)
	if err != nil {
		return 0, nil, err
	}
	w, err := c.own(instance, asked.Order, asked.Attempt)
	if err != nil {
		return 0, nil, err
	}
	w.granted[asked.Number] = asked
	grant := connector.BlockGrant{URL: fmt.Sprintf("%s%s/%d/%d", pathBlocks, w.ID, w.Attempt, asked.Number)}
	if c.Grant != nil {
		c.Grant(&grant)
	}
	return http.StatusOK, grant, nil
}

// block takes a block by its link.
func (c *Cloud) block(r *http.Request, body []byte) (int, any, error) {
	for _, w := range c.orders {
		for number, asked := range w.granted {
			if r.URL.Path != fmt.Sprintf("%s%s/%d/%d", pathBlocks, w.ID, w.Attempt, number) {
				continue
			}
			sum := sha256.Sum256(body)
			if len(body) != asked.Size || !bytes.Equal(sum[:], asked.SHA256) {
				return 0, nil, &failure{http.StatusBadRequest, "", "it is not the block that was asked for"}
			}
			w.blocks[number], w.taken = body, c.Now()
			return http.StatusOK, nil, nil
		}
	}
	return 0, nil, &failure{http.StatusForbidden, "", "there is no such link"}
}

func (c *Cloud) finish(instance string, body []byte) (int, any, error) {
	var finish connector.Finish
	err := json.Unmarshal(body, &finish)
	if err != nil {
		return 0, nil, err
	}
	w, err := c.own(instance, finish.Order, finish.Attempt)
	if err != nil {
		return 0, nil, err
	}
	if w.sealed == nil {
		w.sealed = &finish.Sealed
		close(w.ended)
	}
	return http.StatusNoContent, nil, nil
}
