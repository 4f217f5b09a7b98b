package settings

import "time"

// Saved are the saved settings of an account.
type Saved struct {
	Import
	// SealedPassword is nil where no password is stored.
	SealedPassword []byte    `json:"sealedPassword,omitempty"`
	Schedule       *Schedule `json:"schedule,omitempty"`
	// Version moves whenever somebody saves (it is the time in Unix milliseconds, or one more than before); unlike
	// Revision it stays when a run leaves its mark.
	Version int64 `json:"version"`
	// LastSyncID is the newest sync that these settings started; ConsecutiveFailures counts the scheduled ones
	// that failed in a row.
	LastSyncID string `json:"lastSyncId,omitempty"`
	// LastSyncStartedAt is when that sync started: syncs run one at a time, so that of two the later one counts.
	LastSyncStartedAt time.Time `json:"lastSyncStartedAt,omitzero"`
	// ScheduledRunID is the sync that the schedule started last.
	ScheduledRunID      string `json:"scheduledRunId,omitempty"`
	ConsecutiveFailures int    `json:"consecutiveFailures"`
	// Refusals counts the scheduled syncs and quick looks in a row at which the directory refused the stored username
	// and password.
	Refusals int `json:"refusals,omitempty"`
	// Health is how the newest sync with this connection and search ended; without a state where version 0.4 stored it.
	Health Health `json:"health,omitzero"`

	UpdatedAt time.Time `json:"updatedAt"`
	UpdatedBy string    `json:"updatedBy"`
	// Revision is the store's, for optimistic concurrency.
	Revision int64 `json:"revision"`
}

// Schedule is a recurring sync.
type Schedule struct {
	// IntervalHours is 1 to 24.
	IntervalHours int `json:"intervalHours"`
	// QuickMinutes is how often the directory is asked between the syncs for what changed: 5 to 60, 0 for never.
	QuickMinutes int       `json:"quickMinutes,omitempty"`
	NextRunAt    time.Time `json:"nextRunAt"`
	Paused       bool      `json:"paused"`
	PausedReason string    `json:"pausedReason,omitempty"`
	// PausedAt is zero where version 0.4 paused it.
	PausedAt time.Time `json:"pausedAt,omitzero"`
	// MissedAt is when the schedule counts as missed unless a full sync of the settings ends before; zero where an
	// earlier build stored it. Missed is set once that was told.
	MissedAt time.Time `json:"missedAt,omitzero"`
	Missed   bool      `json:"missed,omitempty"`
}

// DueAt is when the tick has to look at the schedule: to start its next sync, or to tell that it was missed. A next run
// that a wrong clock chose is not hidden by the latter.
func (s *Schedule) DueAt() time.Time {
	wait := s.NextRunAt.Sub(s.MissedAt)
	if s.Missed || s.MissedAt.IsZero() || wait <= 0 || wait > MaxInterval*time.Hour {
		return s.NextRunAt
	}
	return s.MissedAt
}
