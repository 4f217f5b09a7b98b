package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

func TestErasingAnAccountLeavesNothingOfItAndAllOfOthers(t *testing.T) {
	t.Parallel()
	client, usersTable, jobsTable := newTables(t, faulty(t, 4))
	list, jobs := dynamodb.NewUsers(client, usersTable, jobsTable), dynamodb.NewJobs(client, jobsTable, nil)
	const n, syncs = 900, 40
	accounts := []user.Account{"acme", "acme#", "acme#1", "other"}
	for _, account := range accounts {
		changes := newUsers(n)
		if _, err := list.For(account).Apply(t.Context(), users.Fence{}, changes); err != nil {
			t.Fatal(err)
		}
		j := jobs.For(account)
		for i := range syncs {
			if _, err := j.CreateRun(t.Context(), run.Run{ID: fmt.Sprintf("01J%03d", i), Kind: run.KindSync,
				CreatedAt: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := j.PutSettings(
			t.Context(), settings.Saved{Schedule: &settings.Schedule{IntervalHours: 1}},
		); err != nil {
			t.Fatal(err)
		}
	}
	last := 0
	progress := func(deleted int) {
		if deleted < last {
			t.Errorf("%d are deleted after %d", deleted, last)
		}
		last = deleted
	}
	// A batch whose answer was lost is deleted once more, and counts once more.
	if deleted, err := list.Erase(t.Context(), "acme", progress); err != nil || deleted < n || deleted != last {
		t.Errorf("%d users are deleted, error %v, progress %d; want %d", deleted, err, last, n)
	}
	if deleted, err := jobs.Erase(t.Context(), "acme", nil); err != nil || deleted < syncs+1 {
		t.Errorf("%d records are deleted, error %v; want %d", deleted, err, syncs+1)
	}
	if deleted, err := list.Erase(t.Context(), "acme", nil); err != nil || deleted != 0 {
		t.Errorf("again %d users, error %v", deleted, err)
	}
	for i, account := range accounts {
		left := 0
		for range list.For(account).All(t.Context()) {
			left++
		}
		page, err := jobs.For(account).Runs(t.Context(), runs.Query{Kind: run.KindSync, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = jobs.For(account).Settings(t.Context()); i == 0 && !errors.Is(err, runs.ErrNotFound) || i > 0 &&
			err != nil {
			t.Errorf("settings of %q: error %v", account, err)
		}
		if want := min(i, 1); left != want*n || len(page.Runs) != want*syncs {
			t.Errorf("account %q has %d users and %d runs left, want %d and %d", account, left, len(page.Runs), want*n,
				want*syncs)
		}
	}
	if due, err := jobs.Due(t.Context(), time.Now(), 10); err != nil || len(due) != len(accounts)-1 {
		t.Errorf("due are %q, error %v", due, err)
	}
}

// TestSettingsThatAreLong stores what an administrator with ten thousand exceptions enters, and lists runs made of it.
func TestSettingsThatAreLong(t *testing.T) {
	t.Parallel()
	client, _, table := newTables(t, nil)
	j := dynamodb.NewJobs(client, table, nil).For("acme")
	var s settings.Saved
	for i := range 10_000 {
		s.Advanced.Exclude = append(s.Advanced.Exclude,
			fmt.Sprintf("somebody.with.a.long.name.%05d@department%d.example.com", i, i%17))
	}
	saved, err := j.PutSettings(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := j.CreateRun(t.Context(), run.Run{ID: fmt.Sprint("01J", i), Kind: run.KindPreview,
			CreatedAt: time.Now(), Import: saved.Import}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := j.Runs(t.Context(), runs.Query{Kind: run.KindPreview, Limit: 3})
	if err != nil || len(page.Runs) != 3 || page.Next != page.Runs[2].ID {
		t.Fatalf("%d runs, next %q, error %v", len(page.Runs), page.Next, err)
	}
	if r, err := j.Run(t.Context(), page.Next); err != nil || len(r.Import.Advanced.Exclude) != 10_000 {
		t.Errorf("%d exclusions, error %v", len(r.Import.Advanced.Exclude), err)
	}
}

func TestAContextThatHasEnded(t *testing.T) {
	t.Parallel()
	client, usersTable, jobsTable := newTables(t, nil)
	list := dynamodb.NewUsers(client, usersTable, jobsTable)
	changes := newUsers(20_000)
	ctx, cancel := context.WithCancelCause(t.Context())
	errStopped := errors.New("stopped")
	done := make(chan error, 1)
	go func() {
		_, err := list.For("acme").Apply(ctx, users.Fence{}, changes)
		done <- err
	}()
	time.Sleep(200 * time.Millisecond)
	cancel(errStopped)
	if err := <-done; !errors.Is(err, errStopped) {
		t.Errorf("Apply: error %v, want %v", err, errStopped)
	}
	if _, err := list.For("acme").List(ctx, users.Query{Limit: 1}); !errors.Is(err, errStopped) {
		t.Errorf("List: error %v, want %v", err, errStopped)
	}
}
