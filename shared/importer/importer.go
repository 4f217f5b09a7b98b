// Package importer is the import itself: it takes requests (Service) and does the work they ask for (Worker). All
// else is behind ports, so that the same code runs in one process and as functions on AWS. A preview is a plan that
// is stored, a sync a plan that is applied, an undo the inverse of one.
package importer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"rollcall/shared/planfile"
	"rollcall/shared/ports/events"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/secret"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// How long things are kept and links work.
const (
	PlanLifetime   = 24 * time.Hour
	RecordLifetime = 90 * 24 * time.Hour
	LinkLifetime   = time.Hour
)

// Class is the kind of mistake an Error reports; the API turns it into a status.
type Class int

// The classes of error.
const (
	// Invalid input: Fields names every wrong field.
	Invalid Class = iota + 1
	// Malformed input outside the body's fields, such as a cursor.
	Malformed
	// NotFound, also for what belongs to another account.
	NotFound
	// Gone: it was there and has expired.
	Gone
	// Conflict with the state that the thing is in.
	Conflict
	// Stale: the caller's version is not the stored one.
	Stale
	// Reused: an idempotency key came again with another request.
	Reused
	// TooMany requests, or runs that wait.
	TooMany
)

// Error is a request's mistake, in words for the caller. Code is stable.
type Error struct {
	Class   Class
	Code    string
	Message string
	Fields  []settings.FieldError
}

// Error returns the message with its code.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func problem(class Class, code, format string, args ...any) *Error {
	return &Error{Class: class, Code: code, Message: fmt.Sprintf(format, args...)}
}

func invalid(fields ...settings.FieldError) *Error {
	return &Error{Class: Invalid, Code: "invalid_request", Message: "Some fields are wrong; errors names each with the mend.", Fields: fields}
}

// notFound turns a store's "not found" into the caller's error and leaves every other error alone.
func notFound(err error, code, format string, args ...any) error {
	if errors.Is(err, runs.ErrNotFound) || errors.Is(err, users.ErrNotFound) || errors.Is(err, objects.ErrNotFound) {
		return problem(NotFound, code, format, args...)
	}
	return err
}

// Config is what a Service and a Worker are made of. Opener and Directory are only the Worker's, Sealer only the
// Service's: what takes requests can neither read a password nor reach a directory.
type Config struct {
	Users     users.Store
	Jobs      runs.Store
	Objects   objects.Store
	Queue     queue.Sender
	Sealer    secret.Sealer
	Opener    secret.Opener
	Directory Directory
	// Events gets what others want to know of; nil tells nobody.
	Events events.Publisher
	// Ended is told of each run that a worker ended, after its end was stored; nil tells nobody.
	Ended func(ctx context.Context, account user.Account, r run.Run)
	// Hour is how long an hour of a schedule lasts: time.Hour, or less to try a schedule out.
	Hour time.Duration
	// Now defaults to time.Now, NewID to a new ULID, Log to slog.Default, Tick to half a second: how often a worker
	// stores its progress and looks whether it was cancelled.
	Now   func() time.Time
	NewID func() string
	Log   *slog.Logger
	Tick  time.Duration

	// plans remembers the footers of the plans that were looked at last.
	plans *planfile.Opener
}
