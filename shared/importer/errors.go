package importer

import (
	"errors"
	"fmt"
	"time"

	"rollcall/shared/planfile"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/settings"
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
	// SyncID is the sync that stands in the way, where it is one.
	SyncID string
	// RetryAfter says when to try again, in errors of the class TooMany.
	RetryAfter time.Duration
}

// Error returns the message with its code.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func problem(class Class, code, format string, args ...any) *Error {
	return &Error{Class: class, Code: code, Message: fmt.Sprintf(format, args...)}
}

func invalid(fields ...settings.FieldError) *Error {
	return &Error{Class: Invalid, Code: "invalid_request",
		Message: "Some fields are wrong; errors names each and says what to do.", Fields: fields}
}

// InvalidFields is the error for fields of a request that are wrong.
func InvalidFields(wrong ...settings.FieldError) *Error { return invalid(wrong...) }

// BadCursor is the error for a cursor that no page of the list gave.
func BadCursor() *Error {
	e := problem(Malformed, "invalid_cursor",
		"The cursor is not one that this list gave with these filters. Leave it out to begin at the first page.")
	e.Fields = []settings.FieldError{{Field: "cursor", Message: "is not the next of a page of this list"}}
	return e
}

// notFound turns a store's "not found" into the caller's error and leaves every other error alone.
func notFound(err error, code, format string, args ...any) error {
	if errors.Is(err, runs.ErrNotFound) || errors.Is(err, users.ErrNotFound) || errors.Is(err, objects.ErrNotFound) {
		return problem(NotFound, code, format, args...)
	}
	return err
}

// What is said where the objects of a run are gone or cannot be read, to whoever asks and in a run's record.
const (
	codePreviewExpired = "preview_expired"
	previewExpired     = "The rows of this preview were deleted: they are kept for a day. Take a new preview."
	codeJournalExpired = "journal_expired"
	journalExpired     = "The journal of this sync was deleted after 90 days; it can no longer be read or undone."
	codePlanDamaged    = "plan_damaged"
	planDamaged        = "The stored plan or journal of this run is damaged. " +
		"A sync that had not begun to write wrote nothing. Take a new preview; what a damaged journal names cannot " +
		"be undone."
)

// pageError gives the errors of reading a plan or a journal the caller's words: code and message say that it is gone.
func pageError(err error, code, message string) error {
	switch {
	case errors.Is(err, planfile.ErrBadCursor):
		return BadCursor()
	case errors.Is(err, objects.ErrNotFound):
		return &Error{Class: Gone, Code: code, Message: message}
	case errors.Is(err, planfile.ErrDamaged):
		return problem(Gone, codePlanDamaged, planDamaged)
	case errors.Is(err, planfile.ErrVersion):
		return problem(Gone, code,
			"What this run found was stored by another version of this program, which alone can read it.")
	}
	return err
}
