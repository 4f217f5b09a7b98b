package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

const (
	// readRows is the most users that one query of a shard reads. All shards together hold up to two such pages each,
	// about 16 MB.
	readRows = 500
	// searchRows bounds how many users one page of a search looks at.
	searchRows = 20_000
)

// findsInFlight is how many reads one Find has under way at a time.
const findsInFlight = 16

// Find asks for each user by itself: a batch of requests costs as many read units.
func (a accountUsers) Find(ctx context.Context, keys []string) ([]user.User, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	all := make([]*user.User, len(keys))
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(findsInFlight, len(keys)) {
		readers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(keys) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				u, err := a.Get(ctx, keys[i])
				switch {
				case err == nil:
					all[i] = &u
				case !errors.Is(err, users.ErrNotFound):
					cancel(err)
				}
			}
		})
	}
	readers.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var found []user.User
	for _, u := range all {
		if u != nil {
			found = append(found, *u)
		}
	}
	return found, nil
}

func (a accountUsers) All(ctx context.Context) iter.Seq2[user.User, error] {
	return func(yield func(user.User, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		m := a.merge(ctx, users.Query{}, readRows, true)
		for {
			u, ok, err := m.next()
			if err != nil {
				yield(user.User{}, err)
				return
			}
			if !ok || !yield(u, nil) {
				return
			}
		}
	}
}

func (a accountUsers) List(ctx context.Context, q users.Query) (users.Page, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var page users.Page
	if q.After != "" && !strings.HasPrefix(q.After, q.Prefix) {
		// No page with this prefix ended there.
		return page, nil
	}
	match := q.Matcher()
	m := a.merge(ctx, q, share(q.Limit), match != nil)
	last := ""
	for ; ; page.Scanned++ {
		u, ok, err := m.next()
		if err != nil {
			return users.Page{}, err
		}
		if !ok {
			return page, nil
		}
		if len(page.Users) == q.Limit || page.Scanned == searchRows {
			page.Next = last
			return page, nil
		}
		last = u.Key
		if match == nil || match(&u) {
			page.Users = append(page.Users, u)
		}
	}
}

// share is how many users of each shard a page of limit users most likely needs: an even share and a half more, since
// chance does not share evenly.
func share(limit int) int { return min(readRows, limit*3/2/shards+min(limit, 3)) }

// merge reads the users of all shards that have the query's prefix and stand behind its After, in one order.
func (a accountUsers) merge(ctx context.Context, q users.Query, rows int, ahead bool) *merge {
	m := new(merge)
	for i := range m.shards {
		m.shards[i] = &shard{rows: rows, ahead: ahead, next: q.After, more: true,
			read: func(after string, rows int) ([]user.User, string, error) {
				return a.readShard(ctx, i, q.Prefix, after, rows)
			}}
		m.shards[i].start()
	}
	return m
}

// readShard reads up to rows users of one shard that have a prefix, behind after. next is where to go on, and empty at
// the end. The reads are consistent: a sync that follows another must see all that it wrote, or would plan it again.
func (a accountUsers) readShard(
	ctx context.Context, i int, prefix, after string, rows int,
) (users []user.User, next string, err error) {
	condition, values := rangeOf(prefix, after)
	values[":shard"] = str(partition(a.account, i))
	out, err := a.client.Query(ctx, &awsdynamodb.QueryInput{
		TableName: &a.table, KeyConditionExpression: &condition, ExpressionAttributeValues: values,
		Limit: aws.Int32(int32(rows)), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, "", fmt.Errorf("read the users of shard %d: %w", i, ended(ctx, err))
	}
	users = make([]user.User, len(out.Items))
	for n, found := range out.Items {
		if users[n], err = decodeUser(found); err != nil {
			return nil, "", err
		}
	}
	return users, text(out.LastEvaluatedKey, manifest.UsersSort), nil
}

// rangeOf is the condition for the keys with a prefix that stand behind after. There can be one for the sort key.
func rangeOf(prefix, after string) (condition string, values item) {
	const shard, key = manifest.UsersPartition + " = :shard", " AND " + manifest.UsersSort
	switch {
	case prefix == "" && after == "":
		return shard, item{}
	case prefix == "":
		return shard + key + " > :after", item{":after": str(after[:min(len(after), maxKey)])}
	case after == "":
		return shard + " AND begins_with(" + manifest.UsersSort + ", :prefix)", item{":prefix": str(prefix)}
	}
	// What comes next is after with the least character behind it.
	from := after[:min(len(after), maxKey-1)] + "\x00"
	to := prefix + string(unicode.MaxRune)
	return shard + key + " BETWEEN :from AND :to", item{":from": str(from), ":to": str(to)}
}

// merge is the shards of an account as one list, ordered by key.
type merge struct{ shards [shards]*shard }

// next takes the next user of all shards; ok is false at the end.
func (m *merge) next() (u user.User, ok bool, err error) {
	var first *shard
	for _, s := range m.shards {
		if err := s.fill(); err != nil {
			return user.User{}, false, err
		}
		if len(s.users) > 0 && (first == nil || s.users[0].Key < first.users[0].Key) {
			first = s
		}
	}
	if first == nil {
		return user.User{}, false, nil
	}
	u, first.users = first.users[0], first.users[1:]
	return u, true, nil
}

// shard is one shard's users in their order, read page by page.
type shard struct {
	read func(after string, rows int) (users []user.User, next string, err error)
	// ahead reads a page while the one before is used.
	ahead bool
	// rows is how many users the next query asks for. It doubles up to readRows: a short page is most often enough.
	rows int
	// users are read and not taken yet. more reports whether there may be others behind next.
	users []user.User
	more  bool
	next  string
	// coming brings the page that is being read; it is nil where none is.
	coming chan shardPage
}

type shardPage struct {
	users []user.User
	next  string
	err   error
}

// start begins to read the next page.
func (s *shard) start() {
	coming := make(chan shardPage, 1)
	after, rows := s.next, s.rows
	s.coming, s.rows = coming, min(2*s.rows, readRows)
	go func() {
		users, next, err := s.read(after, rows)
		coming <- shardPage{users, next, err}
	}()
}

// fill makes sure that the shard's first user is there, unless there is none. A page may be empty and yet not the last.
func (s *shard) fill() error {
	for len(s.users) == 0 && s.more {
		if s.coming == nil {
			s.start()
		}
		page := <-s.coming
		if page.err != nil {
			return page.err
		}
		s.coming, s.users, s.next, s.more = nil, page.users, page.next, page.next != ""
		if s.ahead && s.more {
			s.start()
		}
	}
	return nil
}

// Erase deletes all users of an account and returns how many there were. progress, which may be nil, is told now and
// then how many are gone.
func (u *Users) Erase(ctx context.Context, account user.Account, progress func(deleted int)) (int, error) {
	e := eraser{client: u.client, table: u.table, partitionKey: manifest.UsersPartition, sortKey: manifest.UsersSort,
		progress: progress}
	for i := range shards {
		if err := e.partition(ctx, partition(account, i)); err != nil {
			return e.deleted, fmt.Errorf("erase the users of account %q: %w", account, err)
		}
	}
	return e.deleted, nil
}
