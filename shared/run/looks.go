package run

import (
	"slices"
	"time"
)

// Tracking is whether and how a directory tells what changed, as a read found it. The zero value is that of a run that
// read none.
type Tracking struct {
	// Reason says why looks are not possible, or what would make them cheaper.
	Reason string `json:"reason,omitempty"`
	// Cursor is where the next look begins, nil where looks are not possible.
	Cursor *Cursor `json:"cursor,omitempty"`
}

// Cursor is how far the changes of one server were read.
type Cursor struct {
	// By is the attribute that tells what changed: uSNChanged, entryCSN or modifyTimestamp.
	By string `json:"by"`
	// Server is a domain controller's invocation id, and empty elsewhere: its numbers are not another one's.
	Server string `json:"server,omitempty"`
	// USN is the highest update sequence number that the domain controller had given when the read began.
	USN int64 `json:"usn,omitempty"`
	// Since is the time, by the server's clock and in the attribute's own form, from which on is asked again.
	Since string `json:"since,omitempty"`
	// Seen has a digest of 8 bytes for each time from Since on: of the entries that had it, by name and time.
	Seen []byte `json:"seen,omitempty"`
}

// maxCursors is how many domain controllers a look may meet without waiting for a full sync.
const maxCursors = 8

// Looks is what an account remembers of its quick looks. The zero value is that of one without a full sync.
type Looks struct {
	// Fingerprint is that of the settings with which the last full sync ended. With others there are no looks.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Reason is the Tracking's. Cursors are those of the servers that were read, the latest first; none where looks are
	// not possible.
	Reason  string   `json:"reason,omitempty"`
	Cursors []Cursor `json:"cursors,omitempty"`
	// NewSince is when the first quick sync since the last full one started; zero where there was none.
	NewSince time.Time `json:"newSince,omitzero"`
	// NextAt is when the next look is due; zero where none is.
	NextAt time.Time `json:"nextAt,omitzero"`
	// LastAt is when a look ended last that did not fail. Error is why the last one failed, empty where it did not.
	LastAt time.Time `json:"lastAt,omitzero"`
	Error  string    `json:"error,omitempty"`
	// RunID is the quick sync that the last look started, until it has ended.
	RunID string `json:"runId,omitempty"`
}

// Possible reports whether the directory can be looked at.
func (l *Looks) Possible() bool { return len(l.Cursors) > 0 }

// By is the attribute that tells what changed, empty where looks are not possible.
func (l *Looks) By() string {
	if !l.Possible() {
		return ""
	}
	return l.Cursors[0].By
}

// Note remembers what a read of the directory found.
func (l *Looks) Note(t Tracking) {
	l.Reason = t.Reason
	if t.Cursor == nil {
		l.Cursors = nil
		return
	}
	rest := slices.DeleteFunc(slices.Clone(l.Cursors), func(c Cursor) bool { return c.Server == t.Cursor.Server })
	l.Cursors = append([]Cursor{*t.Cursor}, rest[:min(len(rest), maxCursors-1)]...)
}
