package directory

import (
	"context"

	"rollcall/shared/run"
)

// The most steps that one read tells of: those of each server, with and without TLS, and of an SRV record.
const maxSteps = 100

// Receiver holds a read that comes by another way than an LDAP connection, from a connector, to the bounds that a
// Reader has for directories: whoever sends it may be hostile too.
type Receiver struct {
	budget
	info  Info
	bytes int64
	steps int
}

// Receive begins such a read; memory is the Query's. The context ends when a search would have to, and Release when the
// read is over.
func (r *Reader) Receive(ctx context.Context, memory func() int64) (context.Context, *Receiver, context.CancelFunc) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.c.SearchTimeout,
		incomplete("it took longer than %s", r.c.SearchTimeout))
	to := &Receiver{budget: budget{limits: &r.c, all: r.inUse, memory: memory}}
	return ctx, to, func() {
		to.release()
		cancel()
	}
}

// Entry reports by an error, an *Error, that an entry is more than may be taken.
func (r *Receiver) Entry(e *Entry) error {
	size := e.size()
	if size > max(r.limits.MaxMessage, maxHeld) {
		return incomplete("an entry has %d bytes, more than are read", size)
	}
	if r.bytes += int64(size); r.bytes > r.limits.MaxBytes {
		return incomplete("it has more than %d bytes, the most that are read", r.limits.MaxBytes)
	}
	if r.info.Entries++; r.info.Entries > r.limits.MaxEntries {
		return incomplete("it has more than %d entries, the most that are read", r.limits.MaxEntries)
	}
	return r.afford(0, size, e.values(), r.info.Entries)
}

// Step returns a step in the bounds of those that a Reader reports.
func (r *Receiver) Step(s run.Step) (run.Step, error) {
	if r.steps++; r.steps > maxSteps {
		return s, incomplete("it has more than %d steps", maxSteps)
	}
	return BoundedStep(s), nil
}

// BoundedStep returns a step in the bounds of those that a Reader reports.
func BoundedStep(s run.Step) run.Step {
	s.Step, s.Host, s.Detail = shorten(s.Step, 16), shorten(s.Host, maxDiagnostic), shorten(s.Detail, maxDetail)
	if c := s.Certificate; c != nil {
		seen := *c
		seen.Subject, seen.Issuer = shorten(c.Subject, maxCertificateText), shorten(c.Issuer, maxCertificateText)
		seen.SHA256 = shorten(c.SHA256, 64)
		seen.Names = make([]string, min(len(c.Names), maxCertificateNames))
		for i := range seen.Names {
			seen.Names[i] = shorten(c.Names[i], maxCertificateText)
		}
		s.Certificate = &seen
	}
	return s
}

// maxNotes is how many notes one read has at most.
const maxNotes = 100

// Info returns what a read found in the bounds of what a Reader returns.
func (r *Receiver) Info(i Info) (Info, error) {
	if len(i.DirectoryID) > maxDirectoryID || len(i.Notes) > maxNotes || len(i.References) > maxReferences ||
		len(i.Base)+len(i.Filter) > maxSearch {
		return i, incomplete("the connector says more of the directory than a read can find")
	}
	i.Hint = shorten(i.Hint, maxDetail)
	for n := range i.Notes {
		i.Notes[n] = shorten(i.Notes[n], maxDetail)
	}
	for n := range i.References {
		i.References[n] = shorten(i.References[n], maxDiagnostic)
	}
	i.Tracking.Reason = shorten(i.Tracking.Reason, maxDetail)
	if c := i.Tracking.Cursor; c != nil && !plainCursor(c) {
		return i, incomplete("the connector notes of its changes what no directory has")
	}
	return i, nil
}

// maxSearch bounds base and filter of a search together, in bytes, and maxCursor what is noted for the next look.
const (
	maxSearch = 128 << 10
	maxCursor = 32 << 10
)

// plainCursor reports whether a cursor is one that a read could have noted.
func plainCursor(c *run.Cursor) bool {
	known := c.By == byUSN || (c.By == byCSN || c.By == byTime) && plainTime(c.Since)
	return known && len(c.Server) <= 64 && len(c.Since) <= 64 && len(c.Seen) <= maxCursor && c.USN >= 0
}

// Failed returns the error of a read in the bounds of those that a Reader returns.
func (r *Receiver) Failed(e Error) *Error {
	return &Error{Code: shorten(e.Code, 64), Step: shorten(e.Step, 16), Message: shorten(e.Message, maxDetail),
		Refused: e.Refused}
}

// Incomplete is the error of a read that did not come whole, for a reason.
func Incomplete(format string, args ...any) error {
	return incomplete(format, args...)
}

// Cause returns the *Error for which a context of Receive ended, or err.
func Cause(ctx context.Context, err error) error {
	if cause, ok := context.Cause(ctx).(*Error); ok && ctx.Err() != nil { //nolint:errorlint // set above
		return cause
	}
	return err
}
