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
	"rollcall/shared/user"
)

const (
	// workers is how many messages of each queue are handled at a time, each of another account: whoever waits for a
	// preview does not wait behind the syncs of a schedule.
	workers = 4
	// deliveries is how often a message is handed out before it goes to the dead letters.
	deliveries = 8
	// firstDelay is the wait after a failed delivery; it doubles with each.
	firstDelay = 200 * time.Millisecond
)

// Queue is a queue in this process, kept on disk: what was sent is handled, also after a kill.
type Queue struct {
	db   *bolt.DB
	log  *slog.Logger
	wake chan struct{}
}

func newQueue(db *bolt.DB, log *slog.Logger) *Queue {
	return &Queue{db: db, log: log, wake: make(chan struct{}, 1)}
}

// letter is a stored message.
type letter struct {
	queue.Message
	Deliveries int `json:"deliveries"`
	key        uint64
}

// group is what messages are handled in order within.
type group struct {
	queue   queue.Name
	account user.Account
}

// Send stores a message. The same one sent again while it waits counts once.
func (q *Queue) Send(_ context.Context, m queue.Message) error {
	var damaged []damagedRecord
	err := q.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketQueue)
		var waiting []letter
		waiting, damaged = letters(tx, bucketQueue)
		if err := keepDamaged(tx, damaged); err != nil {
			return err
		}
		for _, l := range waiting {
			if l.Message == m {
				return nil
			}
		}
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		return save(b, letterKey(n), letter{Message: m})
	})
	if err != nil {
		return fmt.Errorf("send a message: %w", err)
	}
	q.logDamaged(damaged)
	q.ring()
	return nil
}

func (q *Queue) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func letterKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// letters reads the messages in a top-level bucket, the oldest first, and returns those that cannot be read beside
// them.
func letters(tx *bolt.Tx, top []byte) (all []letter, damaged []damagedRecord) {
	c := tx.Bucket(top).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		l, err := readLetter(k, v)
		if err != nil {
			damaged = append(damaged, damagedRecord{
				group: bucketQueue, path: [][]byte{top}, key: bytes.Clone(k), value: bytes.Clone(v), err: err,
			})
			continue
		}
		all = append(all, l)
	}
	return all, damaged
}

func readLetter(k, v []byte) (l letter, err error) {
	if len(k) != len(letterKey(0)) {
		return l, fmt.Errorf("its key has %d bytes", len(k))
	}
	if err := json.Unmarshal(v, &l); err != nil {
		return l, err
	}
	if l.Account == "" || l.RunID == "" {
		return l, errors.New("it names no run")
	}
	l.key = binary.BigEndian.Uint64(k)
	return l, nil
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
	done := make(chan group)
	busy := make(map[group]bool)
	for ctx.Err() == nil {
		if err := q.handOut(busy, func(l letter, g group) {
			running.Go(func() {
				q.deliver(ctx, l, handle)
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

// handOut starts the oldest message of each group that is not busy.
func (q *Queue) handOut(busy map[group]bool, start func(letter, group)) error {
	var waiting []letter
	var damaged []damagedRecord
	err := q.db.View(func(tx *bolt.Tx) error {
		waiting, damaged = letters(tx, bucketQueue)
		return nil
	})
	if err == nil && len(damaged) > 0 {
		err = q.db.Update(func(tx *bolt.Tx) error { return keepDamaged(tx, damaged) })
		q.logDamaged(damaged)
	}
	if err != nil {
		return err
	}
	atWork := make(map[queue.Name]int)
	for g := range busy {
		atWork[g.queue]++
	}
	for _, l := range waiting {
		g := group{l.Queue(), l.Account}
		if busy[g] || atWork[g.queue] == workers {
			continue
		}
		busy[g] = true
		atWork[g.queue]++
		start(l, g)
	}
	return nil
}

// deliver handles one message, again and again with growing waits where it fails, and then deletes it.
func (q *Queue) deliver(ctx context.Context, l letter, handle queue.Handler) {
	delay := firstDelay
	for {
		l.Deliveries++
		err := handle(ctx, l.Message)
		if ctx.Err() != nil && err != nil {
			return
		}
		if err == nil || l.Deliveries >= deliveries {
			if removeErr := q.remove(l, err); removeErr != nil {
				q.log.Error("a message cannot be removed", "run", l.RunID, "error", removeErr)
			}
			return
		}
		q.log.Warn("a message comes again", "task", l.Task, "account", l.Account, "run", l.RunID, "deliveries", l.Deliveries, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		delay *= 2
	}
}

// remove deletes a message; one that failed to the last goes to the dead letters.
func (q *Queue) remove(l letter, failure error) error {
	return q.db.Update(func(tx *bolt.Tx) error {
		err := tx.Bucket(bucketQueue).Delete(letterKey(l.key))
		if failure != nil {
			q.log.Error("a message failed for good", "task", l.Task, "account", l.Account, "run", l.RunID, "deliveries", l.Deliveries, "error", failure)
			err = errors.Join(err, save(tx.Bucket(bucketDead), letterKey(l.key), l))
		}
		return err
	})
}
