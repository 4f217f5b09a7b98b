package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"rollcall/shared/connector"
)

// errRevoked means that the cloud does not know this instance's key: trying again is no use.
var errRevoked = errors.New("the cloud does not know this connector any more")

// status is what run writes down, for the command status.
type status struct {
	// LastAnswer is when the cloud answered last; Error why it does not, empty where it does.
	LastAnswer time.Time `json:"lastAnswer,omitzero"`
	Error      string    `json:"error,omitempty"`
	// Results are how the last read of each directory went.
	Results []result `json:"results"`
}

// runner asks for work and does it, until it is told to end.
type runner struct {
	state  *state
	key    ed25519.PrivateKey
	log    *slog.Logger
	status status
	client *client
	// of is what the client was made for.
	of local
}

// run asks for work until ctx ends, which is no error.
func (r *runner) run(ctx context.Context) error {
	if err := r.state.read(statusFile, &r.status); err != nil {
		r.log.Warn("What was noted of earlier reads is lost.", "error", err)
	}
	r.log.Info("The connector runs.", "version", version)
	for pause, wait := time.Second, time.Duration(0); sleep(ctx, wait) == nil; {
		var err error
		wait, err = r.turn(ctx)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, errRevoked):
			return err
		case err != nil:
			wait, pause = pause, min(2*pause, connector.MaxWait)
			r.fails(err)
		default:
			pause = time.Second
			r.answers()
		}
	}
	r.log.Info("The connector ends.")
	return nil
}

// turn asks for work once, and does it.
func (r *runner) turn(ctx context.Context) (wait time.Duration, err error) {
	set, err := r.prepare()
	if err != nil {
		return 0, err
	}
	if err := r.report(ctx); err != nil {
		return 0, revoked(err)
	}
	var polled connector.Polled
	if err := r.client.call(ctx, connector.PathPoll,
		connector.Poll{Version: version, Targets: set.targets()}, &polled); err != nil {
		return 0, revoked(err)
	}
	r.answers()
	if polled.Order != nil {
		w := &worker{client: r.client, local: &set, order: *polled.Order, log: r.log, version: version}
		result, err := w.do(ctx)
		r.note(result)
		if err == nil {
			return 0, nil
		}
		if err = revoked(err); !errors.Is(err, errRevoked) {
			// Logged, and the cloud gives the order out again or ends it. What is broken shows at the next poll.
			err = nil
		}
		return time.Second, err
	}
	return min(max(time.Duration(polled.WaitSeconds)*time.Second, time.Second), connector.MaxWait), nil
}

// prepare reads what is set, which commands may have changed, and makes the client for it.
func (r *runner) prepare() (local, error) {
	if err := r.state.check(); err != nil {
		return local{}, err
	}
	set, err := r.state.load()
	if err != nil {
		return set, err
	}
	if r.client == nil || set.URL != r.of.URL || set.CA != r.of.CA {
		if r.client, err = newClient(set, r.key); err != nil {
			return set, err
		}
		r.of = set
	}
	return set, nil
}

// report tells the audit log what was changed on site.
func (r *runner) report(ctx context.Context) error {
	changes, err := r.state.changes()
	if err != nil || len(changes) == 0 {
		return err
	}
	changes = changes[:min(len(changes), 100)]
	if err := r.client.call(ctx, connector.PathReport, connector.Report{Changes: changes}, nil); err != nil {
		return err
	}
	return r.state.reported(changes)
}

// revoked tells an answer that no further try changes from others.
func revoked(err error) error {
	var p *problem
	if !errors.As(err, &p) || !isRefused(p) {
		return err
	}
	return errors.Join(errRevoked, err)
}

// isRefused reports whether the cloud takes no request of this key.
func isRefused(p *problem) bool {
	return p.Code != connector.CodeClock && (p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden)
}

// fails notes why the cloud gives no work, and says it once.
func (r *runner) fails(err error) {
	if r.status.Error != err.Error() {
		r.log.Warn("The cloud gives no work; this is tried again.", "error", err)
	}
	r.status.Error = err.Error()
	r.store()
}

// answers notes that the cloud answered, once a minute.
func (r *runner) answers() {
	if r.status.Error != "" || r.status.LastAnswer.IsZero() {
		r.log.Info("The cloud answers.", "url", r.of.URL)
	}
	if r.status.Error == "" && time.Since(r.status.LastAnswer) < time.Minute {
		return
	}
	r.status.Error, r.status.LastAnswer = "", time.Now().UTC()
	r.store()
}

// note notes how a read went.
func (r *runner) note(of result) {
	for i := range r.status.Results {
		if r.status.Results[i].Target == of.Target {
			r.status.Results[i] = of
			r.store()
			return
		}
	}
	r.status.Results = append(r.status.Results, of)
	r.store()
}

func (r *runner) store() {
	if err := r.state.write(statusFile, r.status); err != nil {
		r.log.Warn("The status could not be written down.", "error", err)
	}
}
