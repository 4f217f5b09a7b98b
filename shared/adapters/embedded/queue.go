package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/queue"
)

const (
	// deliveries is how often a message is handed out before it goes to the dead letters.
	deliveries = 8
	// firstDelay is the wait after a failed delivery; it doubles with each.
	firstDelay = 200 * time.Millisecond
	// mostExplanations and mostDeliveries are how many explanations and deliveries are at work at a time, besides the
	// workers: they take little memory, somebody waits for each explanation, and deliveries wait for receivers.
	mostExplanations = 4
	mostDeliveries   = 32
)

// Queue is a queue in this process, kept on disk: what was sent is handled, also after a kill.
type Queue struct {
	db      *database
	workers int
	log     *slog.Logger
	wake    chan struct{}
}

func newQueue(db *database, workers int, log *slog.Logger) *Queue {
	return &Queue{db: db, workers: workers, log: log, wake: make(chan struct{}, 1)}
}

// storedMessage is a message with what the queue knows of it.
type storedMessage struct {
	queue.Message
	Deliveries int `json:"deliveries"`
	key        uint64
}

// Send stores a message. One that waits already is not stored twice.
func (q *Queue) Send(_ context.Context, m queue.Message) error {
	var damaged []damagedRecord
	err := q.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketQueue)
		var waiting []storedMessage
		waiting, damaged = storedMessages(tx, bucketQueue)
		if err := keepDamaged(tx, damaged); err != nil {
			return err
		}
		for _, w := range waiting {
			if w.Message == m {
				return nil
			}
		}
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		return save(b, messageKey(n), storedMessage{Message: m})
	})
	if err != nil {
		return fmt.Errorf("send a message: %w", err)
	}
	q.logDamaged(damaged)
	q.wakeUp()
	return nil
}

func (q *Queue) wakeUp() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func messageKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// storedMessages reads the messages in a top-level bucket, the oldest first, and returns the unreadable ones apart.
func storedMessages(tx *bolt.Tx, top []byte) (all []storedMessage, damaged []damagedRecord) {
	c := tx.Bucket(top).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		m, err := readMessage(k, v)
		if err != nil {
			damaged = append(damaged, damagedRecord{
				group: bucketQueue, path: [][]byte{top}, key: bytes.Clone(k), value: bytes.Clone(v), err: err,
			})
			continue
		}
		all = append(all, m)
	}
	return all, damaged
}

func readMessage(k, v []byte) (m storedMessage, err error) {
	if len(k) != len(messageKey(0)) {
		return m, fmt.Errorf("its key has %d bytes", len(k))
	}
	if err := json.Unmarshal(v, &m); err != nil {
		return m, err
	}
	if m.Account == "" || m.RunID == "" {
		return m, errors.New("it names no run")
	}
	m.key = binary.BigEndian.Uint64(k)
	return m, nil
}

// logDamaged says which messages were set aside. The run of one that is lost with it gets another when it is overdue.
func (q *Queue) logDamaged(damaged []damagedRecord) {
	for _, d := range damaged {
		q.log.Error("a message cannot be read; it is set aside", "key", fmt.Sprintf("%x", d.key), "error", d.err)
	}
}

// Run hands out messages until ctx ends, and then waits for the handlers at work; their context ends too.
func (q *Queue) Run(ctx context.Context, handle queue.Handler) error {
	var running sync.WaitGroup
	defer running.Wait()
	done := make(chan queue.Group)
	busy := make(map[queue.Group]bool)
	for ctx.Err() == nil {
		if err := q.handOut(busy, func(m storedMessage, g queue.Group) {
			running.Go(func() {
				q.deliver(ctx, m, handle)
				select {
				case done <- g:
				case <-ctx.Done():
				}
			})
		}); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case g := <-done:
			delete(busy, g)
		case <-q.wake:
		}
	}
	return nil
}

// mostScheduled is how many workers the syncs of schedules may have: whoever waits for a preview or a sync does not
// wait behind them.
func (q *Queue) mostScheduled() int { return max(1, q.workers-(q.workers+3)/4) }

// handOut starts the oldest message of each group that is not busy.
func (q *Queue) handOut(busy map[queue.Group]bool, start func(storedMessage, queue.Group)) error {
	var waiting []storedMessage
	var damaged []damagedRecord
	err := q.db.View(func(tx *bolt.Tx) error {
		waiting, damaged = storedMessages(tx, bucketQueue)
		return nil
	})
	if err == nil && len(damaged) > 0 {
		err = q.db.Update(func(tx *bolt.Tx) error { return keepDamaged(tx, damaged) })
		q.logDamaged(damaged)
	}
	if err != nil {
		return err
	}
	scheduled, inPool := 0, make(map[pool]int)
	count := func(g queue.Group) {
		if g.Queue == queue.Scheduled {
			scheduled++
		}
		inPool[poolOf(g)]++
	}
	for g := range busy {
		count(g)
	}
	for _, m := range waiting {
		g := m.Group()
		full := inPool[poolOf(g)] == q.size(poolOf(g))
		if busy[g] || full || g.Queue == queue.Scheduled && scheduled == q.mostScheduled() {
			continue
		}
		busy[g] = true
		count(g)
		start(m, g)
	}
	return nil
}

// pool are messages that have a bound of their own on how many are at work at a time.
type pool int

const (
	poolWorkers pool = iota
	poolExplanations
	poolDeliveries
)

func poolOf(g queue.Group) pool {
	switch {
	case g.Queue == queue.Deliveries:
		return poolDeliveries
	case g.Lane == queue.LaneExplanations:
		return poolExplanations
	}
	return poolWorkers
}

func (q *Queue) size(p pool) int {
	return map[pool]int{poolWorkers: q.workers, poolExplanations: mostExplanations, poolDeliveries: mostDeliveries}[p]
}

// deliver handles one message and deletes it. One that fails is tried again, with growing waits.
func (q *Queue) deliver(ctx context.Context, m storedMessage, handle queue.Handler) {
	delay := firstDelay
	for {
		m.Deliveries++
		err := handle(ctx, m.Message)
		if ctx.Err() != nil && err != nil {
			return
		}
		if err == nil || m.Deliveries >= deliveries {
			if removeErr := q.remove(m, err); removeErr != nil {
				q.log.Error("a message cannot be removed", "run", m.RunID, "error", removeErr)
			}
			return
		}
		q.log.Warn("a message is tried again", "task", m.Task, "account", m.Account, "run", m.RunID,
			"deliveries", m.Deliveries, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		delay *= 2
	}
}

// remove deletes a message; one that failed every time moves to the dead letters.
func (q *Queue) remove(m storedMessage, failure error) error {
	return q.db.Update(func(tx *bolt.Tx) error {
		err := tx.Bucket(bucketQueue).Delete(messageKey(m.key))
		if failure != nil {
			q.log.Error("a message failed for the last time", "task", m.Task, "account", m.Account, "run", m.RunID,
				"deliveries", m.Deliveries, "error", failure)
			err = errors.Join(err, save(tx.Bucket(bucketDead), messageKey(m.key), m))
		}
		return err
	})
}
