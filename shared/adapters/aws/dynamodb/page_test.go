package dynamodb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// pagesClient answers queries with pages, as DynamoDB may: some are empty and yet have a continuation key.
type pagesClient struct {
	Client
	mu    sync.Mutex
	pages map[string][]item
	// every n-th page is empty; read counts the items that were handed out.
	every, turn, read int
	// startOf is the place in pages that a query starts at.
	startOf func(*awsdynamodb.QueryInput, []item) int
}

func (c *pagesClient) Query(_ context.Context, q *awsdynamodb.QueryInput,
	_ ...func(*awsdynamodb.Options)) (*awsdynamodb.QueryOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := text(q.ExpressionAttributeValues, ":shard") + text(q.ExpressionAttributeValues, ":prefix")
	all := c.pages[name]
	at := c.startOf(q, all)
	c.turn++
	if c.turn%c.every == 0 && at < len(all) {
		// As if what lies between two items had been looked at and dropped.
		looked := " "
		if at > 0 {
			looked = text(all[at-1], manifest.UsersSort) + " "
		}
		return &awsdynamodb.QueryOutput{LastEvaluatedKey: item{manifest.UsersSort: str(looked),
			"at": number(int64(at))}}, nil
	}
	end := min(len(all), at+int(aws.ToInt32(q.Limit)))
	out := &awsdynamodb.QueryOutput{Items: all[at:end]}
	c.read += end - at
	if end < len(all) {
		out.LastEvaluatedKey = item{manifest.UsersSort: all[end-1][manifest.UsersSort], "at": number(int64(end))}
	}
	return out, nil
}

// readSoFar counts what was handed out; a page that was read ahead may still be coming.
func (c *pagesClient) readSoFar() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read
}

// startAfter is where a query of users starts: behind :after.
func startAfter(q *awsdynamodb.QueryInput, all []item) int {
	after := text(q.ExpressionAttributeValues, ":after")
	at, found := slices.BinarySearchFunc(all, after,
		func(i item, key string) int { return strings.Compare(text(i, manifest.UsersSort), key) })
	if found {
		at++
	}
	return at
}

// startKey is where a query of anything else starts: where the continuation key says.
func startKey(q *awsdynamodb.QueryInput, _ []item) int {
	if at, ok := q.ExclusiveStartKey["at"].(*types.AttributeValueMemberN); ok {
		n, _ := strconv.Atoi(at.Value)
		return n
	}
	return 0
}

// usersOf are n users in the pages of their shards.
func usersOf(n, every int) (*pagesClient, []user.User) {
	c := &pagesClient{pages: make(map[string][]item), every: every, startOf: startAfter}
	var all []user.User
	for i := range n {
		u := user.User{Key: fmt.Sprintf("user%06d@example.com", i), Address: fmt.Sprint(i), Version: int64(i + 1)}
		all = append(all, u)
		shard := partition("acme", shardOf(u.Key))
		c.pages[shard] = append(c.pages[shard], encodeUser("acme", &u))
	}
	return c, all
}

func TestUsersAreTheMergeOfTheirShards(t *testing.T) {
	for _, test := range []struct{ n, every int }{{0, 2}, {1, 2}, {5, 3}, {3000, 1 << 30}, {20_000, 7}} {
		c, want := usersOf(test.n, test.every)
		u := NewUsers(c, "users", "jobs").For("acme")
		var all []user.User
		for found, err := range u.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, found)
		}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("all of %d (-want +got):\n%.1000s", test.n, diff)
		}
		var listed []user.User
		for q := (users.Query{Limit: 700}); ; {
			page, err := u.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			listed = append(listed, page.Users...)
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if diff := cmp.Diff(want, listed); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%.1000s", test.n, diff)
		}
	}
}

func TestAPageReadsLittleMoreThanItShows(t *testing.T) {
	for _, limit := range []int{1, 20, 100, 1000} {
		c, _ := usersOf(50_000, 1<<30)
		u := NewUsers(c, "users", "jobs").For("acme")
		if page, err := u.List(t.Context(), users.Query{Limit: limit, After: "user020000@example.com"}); err != nil ||
			len(page.Users) != limit {
			t.Fatalf("%d users, error %v", len(page.Users), err)
		}
		// Half as much again, and a few of each shard.
		if read, most := c.readSoFar(), 2*limit+4*shards; read > most {
			t.Errorf("a page of %d reads %d users, want at most %d", limit, read, most)
		}
	}
}

func TestSearchesGoInBoundedSteps(t *testing.T) {
	c, _ := usersOf(50_000, 5)
	u := NewUsers(c, "users", "jobs").For("acme")
	page, err := u.List(t.Context(), users.Query{Limit: 10, Q: "user049999"})
	if err != nil || len(page.Users) != 0 || page.Next != fmt.Sprintf("user%06d@example.com", searchRows-1) {
		t.Errorf("the first step finds %d and goes on after %q, error %v", len(page.Users), page.Next, err)
	}
	if read := c.readSoFar(); read > searchRows+3*shards*readRows {
		t.Errorf("it reads %d users for %d", read, searchRows)
	}
}

// TestPagesOfRunsWhoseFilterDropsAll has pages that are empty, and pages of runs that are all past their time and not
// deleted yet.
func TestPagesOfRunsWhoseFilterDropsAll(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	c := &pagesClient{pages: make(map[string][]item), every: 3, startOf: startKey}
	jobs := NewJobs(c, "jobs", func() time.Time { return now })
	a := accountJobs{jobs, "acme"}
	due := make(item)
	a.putDue(due, dueRuns, now)
	var want []string
	for i := range 50 {
		row := run.Run{ID: fmt.Sprintf("01J%02d", 50-i), Kind: run.KindSync, CreatedAt: now.Add(-91 * 24 * time.Hour)}
		if i >= 20 && i < 30 || i == 49 {
			row.CreatedAt = now
			want = append(want, row.ID)
		}
		r, err := a.newRun(t.Context(), &row)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := a.item(prefixRun+row.ID, r.after(record{}))
		if err != nil {
			t.Fatal(err)
		}
		c.pages["sync#"] = append(c.pages["sync#"], stored)
		shard := text(due, manifest.DueShard)
		c.pages[shard] = append(c.pages[shard], item{manifest.JobsPartition: str("acme"),
			manifest.JobsSort: str(prefixRun + row.ID), manifest.DueAt: number(int64(i))})
	}
	page, err := a.Runs(t.Context(), runs.Query{Kind: run.KindSync, Limit: 11})
	var got []string
	for _, r := range page.Runs {
		got = append(got, r.ID)
	}
	if err != nil || page.Next != "" || !cmp.Equal(want, got) {
		t.Errorf("runs %v, next %q, error %v; want %v", got, page.Next, err, want)
	}
	if page, err = a.Runs(t.Context(), runs.Query{Kind: run.KindSync, Limit: 10}); err != nil || len(page.Runs) != 10 ||
		page.Next != want[9] {
		t.Errorf("ten runs: %d, next %q, error %v", len(page.Runs), page.Next, err)
	}
	if refs, err := jobs.Overdue(t.Context(), now, 100); err != nil || len(refs) != 50 {
		t.Errorf("%d runs are overdue, error %v; want 50", len(refs), err)
	}
}

func TestAnIndexItemThatCannotBeReadHidesNoOthers(t *testing.T) {
	now := time.Now()
	c := &pagesClient{pages: make(map[string][]item), every: 3, startOf: startKey}
	jobs := NewJobs(c, "jobs", nil)
	for i, account := range []string{"acme", "bad", "other"} {
		due := make(item)
		accountJobs{jobs, user.Account(account)}.putDue(due, dueSchedules, now)
		listed := item{
			manifest.JobsPartition: str(account), manifest.JobsSort: str(recordSettings),
			manifest.DueAt: number(int64(i)),
		}
		if account == "bad" {
			listed[manifest.DueAt] = &types.AttributeValueMemberN{Value: "1.5"}
		}
		shard := text(due, manifest.DueShard)
		c.pages[shard] = append(c.pages[shard], listed)
	}
	accounts, err := jobs.Due(t.Context(), now, 2)
	if !cmp.Equal(accounts, []user.Account{"acme", "other"}) || err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("due %q, error %v; want the other two, and an error that names bad", accounts, err)
	}
}
