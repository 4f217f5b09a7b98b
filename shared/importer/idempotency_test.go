package importer_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

func TestEqualRequestsAtOnceGetOneRun(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	once := importer.Idempotency{Key: "k1", Body: []byte("{}")}
	req := importer.PreviewRequest{Connection: connection(), Idempotency: once}
	// Of the runs that may wait, one place is left: requests that come second must not be refused for the first's run.
	others := importer.PreviewRequest{Connection: connection()}
	for range 9 {
		if _, err := h.service.StartPreview(t.Context(), h.id, others); err != nil {
			t.Fatal(err)
		}
	}
	config := h.config
	waiting := &waitingJobs{Store: h.store.Jobs(), requests: 12}
	waiting.met.Add(12)
	config.Jobs, config.Queue = waiting, new(lockedQueue)
	service := importer.NewService(config)
	ids, failures := make(chan string, 12), make(chan error, 12)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			run, err := service.StartPreview(t.Context(), h.id, req)
			ids <- run.ID
			failures <- err
		})
	}
	all.Wait()
	first := <-ids
	for range 11 {
		if id := <-ids; id != first {
			t.Errorf("one request got the run %q, another %q", first, id)
		}
	}
	for range 12 {
		if err := <-failures; err != nil {
			t.Errorf("a request failed: %v", err)
		}
	}
}

// waitingJobs lets a number of requests meet where each has found that there is no run yet.
type waitingJobs struct {
	runs.Store
	requests int32
	asked    atomic.Int32
	met      sync.WaitGroup
}

func (w *waitingJobs) For(a user.Account) runs.Jobs { return waitingAccount{w.Store.For(a), w} }

type waitingAccount struct {
	runs.Jobs
	w *waitingJobs
}

func (a waitingAccount) Run(ctx context.Context, id string) (run.Run, error) {
	run, err := a.Jobs.Run(ctx, id)
	if a.w.asked.Add(1) <= a.w.requests {
		a.w.met.Done()
		a.w.met.Wait()
	}
	return run, err
}

// lockedQueue is a sendQueue for several senders.
type lockedQueue struct {
	mu sync.Mutex
	sendQueue
}

func (q *lockedQueue) Send(ctx context.Context, m queue.Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sendQueue.Send(ctx, m)
}

func TestTheRecordOfAnIdempotencyKeyAllowsNoGuessing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	body, key := []byte(`{"connection":{"host":"dc1"}}`), "a-key-of-the-client"
	keys := &keptKeys{Store: h.store.Jobs()}
	config := h.config
	config.Jobs = keys
	once := importer.Idempotency{Key: key, Body: body}
	req := importer.PreviewRequest{Connection: connection(), Idempotency: once}
	_, err := importer.NewService(config).StartPreview(t.Context(), h.id, req)
	if err != nil {
		t.Fatal(err)
	}
	plain := sha256.Sum256(body)
	record := fmt.Sprintf("%+v", keys.taken)
	if strings.Contains(record, key) || strings.Contains(record, hex.EncodeToString(plain[:])) {
		t.Errorf("the record %s holds the key or a plain hash of the body", record)
	}
	if !keys.taken.Hashed() {
		t.Error("the record looks like one of a build that stored the key itself")
	}
}

// keptKeys keeps the last use of a key.
type keptKeys struct {
	runs.Store
	taken runs.Key
}

func (k *keptKeys) For(a user.Account) runs.Jobs { return keptJobs{k.Store.For(a), k} }

type keptJobs struct {
	runs.Jobs
	kept *keptKeys
}

func (j keptJobs) TakeKey(ctx context.Context, k runs.Key) (runs.Key, error) {
	j.kept.taken = k
	return j.Jobs.TakeKey(ctx, k)
}
