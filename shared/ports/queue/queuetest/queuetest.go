// Package queuetest holds what every adapter of queue must do.
package queuetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/users/userstest"
	"rollcall/shared/user"
)

// Queue is a sender, and what hands the messages out.
type Queue interface {
	queue.Sender
	// Run hands out messages until ctx ends, and then waits for the handlers at work; their context ends too.
	Run(ctx context.Context, handle queue.Handler) error
}

// patience is how long a message may take to come.
const patience = 20 * time.Second

// Run holds a queue to the contract of package queue. open returns an empty one, which handles at least two messages
// of a queue at a time and brings a failed one back within seconds.
func Run(t *testing.T, open func(*testing.T) Queue) {
	for name, test := range map[string]func(*testing.T, Queue){
		"in order within an account, and each once":      order,
		"one at a time within an account and queue":      oneAtATime,
		"accounts and queues do not wait for each other": independence,
		"an error brings a message back, before others":  failure,
		"what was not handled comes again":               stop,
		"a handler can send what goes on":                continuation,
		"what is sent again with another number counts":  again,
		"scheduled syncs hold nobody up":                 scheduled,
		"an explanation waits for no preview":            explanations,
		"a receiver that is slow holds up no other":      deliveries,
		"any account's name":                             accounts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// Sync returns a message of the queue of syncs.
func Sync(account user.Account, run string) queue.Message {
	return queue.Message{Task: queue.TaskSync, Account: account, RunID: run}
}

func send(t *testing.T, q queue.Sender, messages ...queue.Message) {
	t.Helper()
	for _, m := range messages {
		if err := q.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
}

// Handled runs a queue until n messages were handled without an error, and returns them in that order. handle may be
// nil.
func Handled(t *testing.T, q Queue, n int, handle queue.Handler) []queue.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var mu sync.Mutex
	var got []queue.Message
	err := q.Run(ctx, func(ctx context.Context, m queue.Message) error {
		if handle != nil {
			if err := handle(ctx, m); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if got = append(got, m); len(got) == n {
			// A moment for the queue to remove the message, and for a duplicate to show itself.
			time.AfterFunc(200*time.Millisecond, cancel)
		}
		return nil
	})
	if err != nil || len(got) != n {
		t.Fatalf("%d messages were handled, want %d; error %v", len(got), n, err)
	}
	return got
}

func order(t *testing.T, q Queue) {
	for i := range 5 {
		for _, account := range []user.Account{"a", "b"} {
			m := Sync(account, fmt.Sprint(i))
			send(t, q, m, m)
		}
	}
	got := make(map[user.Account][]string)
	for _, m := range Handled(t, q, 10, nil) {
		got[m.Account] = append(got[m.Account], m.RunID)
	}
	for account, runs := range got {
		if !slices.Equal(runs, []string{"0", "1", "2", "3", "4"}) {
			t.Errorf("account %s got %q", account, runs)
		}
	}
}

func oneAtATime(t *testing.T, q Queue) {
	for i := range 4 {
		send(t, q, Sync("a", fmt.Sprint(i)))
	}
	var busy sync.Mutex
	Handled(t, q, 4, func(context.Context, queue.Message) error {
		if !busy.TryLock() {
			t.Error("two messages of one account are handled at a time")
			return nil
		}
		defer busy.Unlock()
		time.Sleep(30 * time.Millisecond)
		return nil
	})
}

func independence(t *testing.T, q Queue) {
	preview := queue.Message{Task: queue.TaskPreview, Account: "a", RunID: "2"}
	send(t, q, Sync("a", "1"), preview, Sync("b", "3"))
	var others sync.WaitGroup
	others.Add(2)
	got := Handled(t, q, 3, func(_ context.Context, m queue.Message) error {
		if m.RunID != "1" {
			others.Done()
			return nil
		}
		others.Wait()
		return nil
	})
	if got[2] != Sync("a", "1") {
		t.Errorf("the last message was %+v", got[2])
	}
}

func failure(t *testing.T, q Queue) {
	send(t, q, Sync("a", "1"), Sync("a", "2"))
	tries := 0
	got := Handled(t, q, 2, func(_ context.Context, m queue.Message) error {
		if m.RunID != "1" {
			return nil
		}
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if tries != 3 || got[0].RunID != "1" {
		t.Errorf("%d tries, want 3; the first handled is %q", tries, got[0].RunID)
	}
}

func stop(t *testing.T, q Queue) {
	send(t, q, Sync("a", "1"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	begun := false
	if err := q.Run(ctx, func(ctx context.Context, _ queue.Message) error {
		begun = true
		cancel()
		<-ctx.Done()
		return context.Cause(ctx)
	}); err != nil || !begun {
		t.Fatalf("a handler began: %t; error %v", begun, err)
	}
	if got := Handled(t, q, 1, nil); got[0] != Sync("a", "1") {
		t.Errorf("came back as %+v", got[0])
	}
}

func continuation(t *testing.T, q Queue) {
	send(t, q, Sync("a", "1"))
	got := Handled(t, q, 3, func(ctx context.Context, m queue.Message) error {
		if m.Slice < 2 {
			m.Slice++
			return q.Send(ctx, m)
		}
		return nil
	})
	for slice, m := range got {
		if m.Slice != slice {
			t.Errorf("slice %d came as number %d", m.Slice, slice)
		}
	}
}

// again sends a message that was handled a moment ago: with another number it is another one.
func again(t *testing.T, q Queue) {
	first := Sync("a", "1")
	send(t, q, first)
	Handled(t, q, 1, nil)
	second := first
	second.Again = 1
	send(t, q, second, second)
	if got := Handled(t, q, 1, nil); got[0] != second {
		t.Errorf("handled %+v, want %+v", got[0], second)
	}
}

// scheduled has the syncs of more accounts at work than a queue handles at a time. One that somebody started does not
// wait for them, also in an account of theirs.
func scheduled(t *testing.T, q Queue) {
	const many = 8
	for i := range many {
		m := Sync(user.Account(fmt.Sprint("a", i)), "1")
		m.Scheduled = true
		send(t, q, m)
	}
	send(t, q, Sync("a0", "2"))
	byHand := make(chan struct{})
	Handled(t, q, many+1, func(ctx context.Context, m queue.Message) error {
		if !m.Scheduled {
			close(byHand)
			return nil
		}
		select {
		case <-byHand:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// explanations has an account preview for as long as its explanations are not done, one after the other.
func explanations(t *testing.T, q Queue) {
	send(t, q, queue.Message{Task: queue.TaskPreview, Account: "a", RunID: "0"})
	for _, id := range []string{"1", "2"} {
		send(t, q, queue.Message{Task: queue.TaskExplanation, Account: "a", RunID: id})
	}
	done := make(chan struct{})
	got := Handled(t, q, 3, func(ctx context.Context, m queue.Message) error {
		switch m.RunID {
		case "0":
			select {
			case <-done:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		case "2":
			defer close(done)
		}
		return nil
	})
	if got[0].RunID != "1" {
		t.Errorf("handled first: %+v", got[0])
	}
}

// deliveries has an account's webhook not answer before its mail, its test and another account's webhook were handled.
func deliveries(t *testing.T, q Queue) {
	slow := queue.Message{Task: queue.TaskWebhook, Account: "a", RunID: "1"}
	send(t, q, slow)
	others := []queue.Message{
		{Task: queue.TaskMail, Account: "a", RunID: "2"}, {Task: queue.TaskTest, Account: "a", RunID: "3"},
		{Task: queue.TaskWebhook, Account: "b", RunID: "4"}, Sync("a", "5"),
	}
	send(t, q, others...)
	var waiting sync.WaitGroup
	waiting.Add(len(others))
	got := Handled(t, q, len(others)+1, func(_ context.Context, m queue.Message) error {
		if m == slow {
			waiting.Wait()
			return nil
		}
		waiting.Done()
		return nil
	})
	if got[len(others)] != slow {
		t.Errorf("the last message was %+v", got[len(others)])
	}
}

func accounts(t *testing.T, q Queue) {
	want := make(map[user.Account]bool)
	for _, account := range userstest.Accounts {
		want[account] = true
		send(t, q, Sync(account, "1"))
	}
	for _, m := range Handled(t, q, len(want), nil) {
		if !want[m.Account] {
			t.Errorf("account %q was not sent, or came twice", m.Account)
		}
		delete(want, m.Account)
	}
}
