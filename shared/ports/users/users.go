// Package users is the port to the Users List: conditional writes, ordered reads, one account at a time.
// Its adapters are in packages embedded and (on AWS) dynamodb; package userstest holds what both must do.
package users

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

var (
	// ErrNotFound means that the account has no user with that key.
	ErrNotFound = errors.New("no such user")
	// ErrFenced means that the worker that writes was replaced, or cannot be sure that it was not.
	ErrFenced = errors.New("another worker may write these users")
)

// Store holds the users of all accounts. The only way in is through For, so that no read or write can leave the
// account out.
type Store interface {
	For(account user.Account) Users
}

// Users is one account's Users List. All text in it is valid UTF-8.
type Users interface {
	// Get returns the user with a canonical address, or ErrNotFound.
	Get(ctx context.Context, key string) (user.User, error)
	// Find returns the users that there are of these canonical addresses, in the order of the keys. It reads no other.
	Find(ctx context.Context, keys []string) ([]user.User, error)
	// All yields every user, ordered by key, each as it was at some moment during the call. It ends after the
	// first error.
	All(ctx context.Context) iter.Seq2[user.User, error]
	// List returns one page, ordered by key.
	List(ctx context.Context, q Query) (Page, error)
	// Total returns how many users there are. What Apply changed is in it once runs.ListRecords was told that the list
	// was written; the first call after that may count them all, and no other does.
	Total(ctx context.Context) (int, error)
	// Apply writes each change whose condition holds and returns what became of each, in order. Every change stands
	// alone: one conflict stops no other. An error means that any of them may have been written; applying the
	// same changes again is safe. A worker that was replaced gets ErrFenced.
	Apply(ctx context.Context, f Fence, changes []Change) ([]Outcome, error)
	// Edit writes a change that somebody makes by hand, and with it the audit entry about it and its time as that of
	// the last write to the list (runs.ListRecords), all or nothing. Where the outcome is not Applied nothing was
	// written.
	Edit(ctx context.Context, c Change, e runs.AuditEntry) (Outcome, error)
}

// Fence keeps a worker that was replaced from writing. The zero value keeps nobody.
type Fence struct {
	// RunID and Attempt hold the account's lease. A store that keeps leases and users together checks it as it writes.
	RunID   string
	Attempt int
	// Until returns the time, with its monotonic clock reading, at which the lease runs out as it was renewed last. Any
	// other store sends no write after that time, and waits no longer for an answer.
	Until func() time.Time
}

// Query asks for a page of users.
type Query struct {
	// Q is a substring of the key or of the primary address, without regard to case; empty matches all. The
	// search goes in bounded steps, so that a page may be short and still have Next.
	Q string
	// Types and Domains (canonical) are those to show; empty shows all. They are searched for as Q is.
	Types   []user.Type
	Domains []string
	// Prefix is what the key begins with. Such users are found at once, however many there are.
	Prefix string
	// After is the Next of the page before.
	After string
	// Limit is 1 to 1000.
	Limit int
}

// Matcher returns what reports whether the query chooses a user that has its prefix, or nil where it chooses them all.
func (q *Query) Matcher() func(*user.User) bool {
	want := strings.ToLower(q.Q)
	if want == "" && len(q.Types) == 0 && len(q.Domains) == 0 {
		return nil
	}
	return func(u *user.User) bool {
		return (len(q.Types) == 0 || slices.Contains(q.Types, u.Type)) &&
			(len(q.Domains) == 0 || slices.Contains(q.Domains, u.Key[strings.LastIndexByte(u.Key, '@')+1:])) &&
			(strings.Contains(u.Key, want) || strings.Contains(strings.ToLower(u.Address), want) ||
				strings.Contains(strings.ToLower(u.PrimaryAddress), want))
	}
}

// Page is one page of users. Next is empty at the end. Scanned is how many users were looked at.
type Page struct {
	Users   []user.User
	Next    string
	Scanned int
}

// Change writes After at its key, or with a nil After deletes Key, if the stored row still has version Expect.
// Expect 0 means that there must be no row.
type Change struct {
	Key    string
	Expect int64
	After  *user.User
}

// Done reports whether a stored user is already what the change wants: its kind, primary, type, source id, DN, report
// and protection are, whatever its version and times.
func (c *Change) Done(stored *user.User) bool {
	if c.After == nil || stored == nil {
		return false
	}
	want := *c.After
	return stored.Kind == want.Kind && stored.PrimaryAddress == want.PrimaryAddress && stored.Type == want.Type &&
		stored.SourceID == want.SourceID && stored.DN == want.DN && stored.HeldSpamReport == want.HeldSpamReport &&
		stored.Protected == want.Protected
}

// Outcome is what became of one change.
type Outcome uint8

// The outcomes.
const (
	// Applied: the row is as the change wanted it, also where an earlier attempt of the same run had written it
	// (the stored LastRunID is After's, and not empty).
	Applied Outcome = iota + 1
	// Conflict: the row is not as expected and was left alone.
	Conflict
	// Absent: the row to delete is gone already.
	Absent
	// Already: the row is as the change wants it (see Change.Done), and somebody else made it so. Nothing was written.
	Already
)
