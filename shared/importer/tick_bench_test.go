package importer_test

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// callTime is what each call of a store or a queue takes on AWS.
const callTime = 5 * time.Millisecond

// farJobs is a store in which every call takes its time. The accounts that are due are numbers below due.
type farJobs struct {
	mu    sync.Mutex
	due   int
	taken map[user.Account]bool
}

func (s *farJobs) Due(_ context.Context, _ time.Time, limit int) ([]user.Account, error) {
	time.Sleep(callTime)
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []user.Account
	for i := 0; i < s.due && len(due) < limit; i++ {
		if account := user.Account(strconv.Itoa(i)); !s.taken[account] {
			due = append(due, account)
		}
	}
	return due, nil
}

func (*farJobs) DueLooks(context.Context, time.Time, int) ([]user.Account, error) { return nil, nil }

func (*farJobs) DueDeliveries(context.Context, time.Time, int) ([]runs.Ref, error) { return nil, nil }

func (*farJobs) Overdue(context.Context, time.Time, int) ([]runs.Ref, error) { return nil, nil }

func (s *farJobs) For(a user.Account) runs.Jobs { return farAccountJobs{store: s, account: a} }

type farAccountJobs struct {
	runs.Jobs
	store   *farJobs
	account user.Account
}

func (farAccountJobs) Settings(context.Context) (settings.Saved, error) {
	time.Sleep(callTime)
	s := settings.Saved{ScheduledRunID: "01J", Schedule: &settings.Schedule{IntervalHours: 1}}
	s.Options = settings.DefaultOptions()
	return s, nil
}

func (farAccountJobs) Runs(context.Context, runs.Query) (runs.Page, error) {
	time.Sleep(callTime)
	return runs.Page{}, nil
}

func (farAccountJobs) LeanRun(context.Context, string) (run.Run, error) {
	time.Sleep(callTime)
	return run.Run{State: run.Done}, nil
}

// TakeSlot takes two calls: what is stored is read again first.
func (j farAccountJobs) TakeSlot(_ context.Context, _ settings.Saved, r run.Run) (run.Run, error) {
	time.Sleep(2 * callTime)
	j.store.mu.Lock()
	defer j.store.mu.Unlock()
	j.store.taken[j.account] = true
	return r, nil
}

type farQueue struct{}

func (farQueue) Send(context.Context, queue.Message) error {
	time.Sleep(callTime)
	return nil
}

// BenchmarkTick starts the syncs of 500 accounts whose schedules are due.
func BenchmarkTick(b *testing.B) {
	const accounts = 500
	for b.Loop() {
		jobs := &farJobs{due: accounts, taken: make(map[user.Account]bool)}
		config := importer.Config{Jobs: jobs, Queue: farQueue{}, Log: slog.New(slog.DiscardHandler)}
		service := importer.NewService(config)
		if started, err := service.StartDue(b.Context()); err != nil || started != accounts {
			b.Fatalf("%d syncs started, error %v; want %d", started, err, accounts)
		}
	}
	b.ReportMetric(float64(accounts*b.N)/b.Elapsed().Seconds(), "starts/s")
}
