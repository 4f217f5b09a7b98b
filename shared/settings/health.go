package settings

import "time"

// HealthState says in one word how the syncs of the saved settings fare.
type HealthState string

// The states of health.
const (
	// NeverRun: no sync has ended with this connection and this search.
	NeverRun HealthState = "never_run"
	OK       HealthState = "ok"
	Failing  HealthState = "failing"
	Blocked  HealthState = "blocked"
	// Paused: the schedule is.
	Paused HealthState = "paused"
)

// Health is how the newest sync with the saved settings ended.
type Health struct {
	State HealthState `json:"state" enum:"never_run,ok,failing,blocked,paused" doc:"How the newest full sync with these settings ended" example:"ok"`
	// Since is when the first of the syncs that ended like this, one after the other, did.
	Since time.Time `json:"since" doc:"When this state began" example:"2026-11-26T08:00:00Z"`
	// Message says it in plain words, with what to do.
	Message string `json:"message" doc:"What happened and what to do, in plain words" example:"The last sync ended well."`
}
