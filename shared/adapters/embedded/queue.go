package embedded

import (
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
	// workers is how many messages are handled at a time, each of another account or queue.
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
	err := q.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketQueue)
		waiting, err := letters(b)
		if err != nil {
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

// letters reads what waits, the oldest first.
func letters(b *bolt.Bucket) ([]letter, error) {
	var all []letter
	err := b.ForEach(func(k, v []byte) error {
		l := letter{key: binary.BigEndian.Uint64(k)}
		if err := json.Unmarshal(v, &l); err != nil {
			return fmt.Errorf("read message %d: %w", l.key, err)
		}
		all = append(all, l)
		return nil
	})
	return all, err
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
	err := q.db.View(func(tx *bolt.Tx) (err error) {
		waiting, err = letters(tx.Bucket(bucketQueue))
		return err
	})
	if err != nil {
		return err
	}
	for _, l := range waiting {
		g := group{l.Queue(), l.Account}
		if busy[g] || len(busy) == workers {
			continue
		}
		busy[g] = true
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
