package run

import (
	"encoding/json"
	"slices"
	"time"
)

// Told is what was told of an account's syncs and edits. The zero value is that of one whose syncs go well.
type Told struct {
	// State is Failed or Blocked while full syncs end so, as it was told, and empty while they go well. Since is when
	// the first of them ended, Syncs how many did, RunID the newest, and Fingerprint that of its settings.
	State       State     `json:"state,omitempty"`
	Since       time.Time `json:"since,omitzero"`
	Syncs       int       `json:"syncs,omitempty"`
	RunID       string    `json:"runId,omitempty"`
	Fingerprint string    `json:"fingerprint,omitempty"`
	// Code is the reason of the sync with which State was told.
	Code string `json:"code,omitempty"`
	// ToldAt is when somebody was told last, by a mail of its own or by a digest, that syncs fail, are blocked or are
	// missed. Digest is the id of the last digest.
	ToldAt time.Time `json:"toldAt,omitzero"`
	Digest string    `json:"digest,omitempty"`
	// MailedAt is when a change by a quick look or by hand was told last with a mail.
	MailedAt time.Time `json:"mailedAt,omitzero"`
	// Untold are the events that may not be told yet. They are noted before they are told, and forgotten after it:
	// whoever dies in between leaves them to the next one, who tells them again.
	Untold []Untold `json:"untold,omitempty"`
}

// Untold is an event that is to be told.
type Untold struct {
	ID string `json:"id"`
	// At is when it was noted, and Event is the event as JSON.
	At    time.Time       `json:"at"`
	Event json.RawMessage `json:"event"`
	// Edited is the key of the user of whom an edit by hand was about to begin, empty for another event.
	Edited string `json:"edited,omitempty"`
}

// Note notes how a full sync ended at a time, and returns the state that is to be told: Failed or Blocked where the one
// before it did not end so, Done for the first that went well after some that did not, and "" where there is nothing to
// tell. code is the reason for a state that is not Done. It reports whether t changed. A run that is noted again counts
// once.
func (t *Told) Note(r *Run, state State, code string, at time.Time) (tell State, changed bool) {
	switch {
	case state == Done && t.State != "":
		t.State, t.Since, t.Syncs, t.RunID, t.Fingerprint, t.Code = "", time.Time{}, 0, "", "", ""
		return Done, true
	case state != Failed && state != Blocked, t.State == state && t.RunID == r.ID:
		return "", false
	}
	if t.State == "" {
		t.Since = at
	}
	if t.RunID != r.ID {
		t.Syncs++
	}
	if t.State != state {
		tell, t.Code, t.ToldAt = state, code, at
	}
	t.State, t.RunID, t.Fingerprint = state, r.ID, r.Fingerprint()
	return tell, true
}

// Forget removes an event that was told.
func (t *Told) Forget(id string) {
	t.Untold = slices.DeleteFunc(t.Untold, func(u Untold) bool { return u.ID == id })
}
