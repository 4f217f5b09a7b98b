package run

import "rollcall/shared/user"

// Summary counts a plan. Entries is what the search returned; Addresses the distinct addresses accepted, which
// are Primary plus Aliases; Skipped values are not among them.
type Summary struct {
	Entries   int               `json:"entries" doc:"Entries that the search returned" example:"243"`
	Addresses int               `json:"addresses" doc:"Addresses found in them" example:"452"`
	Primary   int               `json:"primary" doc:"Those that are primary" example:"239"`
	Aliases   int               `json:"aliases" doc:"Those that are aliases" example:"213"`
	Create    int               `json:"create" doc:"Users to add" example:"3"`
	Update    int               `json:"update" doc:"Users to change" example:"1"`
	Delete    int               `json:"delete" doc:"Users to remove, also where the removal guard holds them" example:"0"`
	Unchanged int               `json:"unchanged" doc:"Users that stay as they are" example:"448"`
	Skipped   int               `json:"skipped" doc:"Values that are not imported; each row says why" example:"11"`
	Conflicts int               `json:"conflicts" doc:"Rows of an undo that its plan found changed since" example:"0"`
	ByType    map[user.Type]int `json:"byType" doc:"Addresses by object type" example:"{\"user\":430,\"group\":22}"`
}

// Census holds the numbers that the removal guard needs, for each remove scope: the stored users that an import
// manages (neither protected nor excluded) and how many of them the plan would remove.
type Census struct {
	Stored           int `json:"stored"`
	Removals         int `json:"removals"`
	StoredImported   int `json:"storedImported"`
	RemovalsImported int `json:"removalsImported"`
}

// Result is what a plan comes to, besides its rows.
type Result struct {
	Summary Summary `json:"summary"`
	Census  Census  `json:"census"`
	// Hint says what a directory that gave no addresses seems to have, and which setting reads it.
	Hint string `json:"hint,omitempty"`
}

// Applied is what a sync did with those rows of its plan that write. For a run that has ended the six numbers add up to
// Progress.ToApply.
type Applied struct {
	Create int `json:"create"`
	Update int `json:"update"`
	Delete int `json:"delete"`
	// Already counts the users that were in the wanted state before the run wrote.
	Already int `json:"already"`
	// Conflicts counts the users that somebody else wanted otherwise meanwhile.
	Conflicts int `json:"conflicts"`
	// Pending counts the rows that were not written: the run was cancelled or failed, or the guard held them.
	Pending int `json:"pending"`
}

// Written returns how many users the sync wrote.
func (a Applied) Written() int { return a.Create + a.Update + a.Delete }

// GuardReason is why a sync may not go on, or not remove.
type GuardReason string

// The guard's reasons.
const (
	GuardEmptyRead       GuardReason = "empty_read"
	GuardRemovalLimit    GuardReason = "removal_limit"
	GuardRemovalLimitDay GuardReason = "removal_limit_day"
	GuardSettingsChanged GuardReason = "settings_changed"
	GuardIncompleteRead  GuardReason = "incomplete_read"
)

// Guard is the removal guard's verdict on a plan.
type Guard struct {
	Blocked  bool        `json:"blocked" doc:"The removals wait for a confirmation, or another setting"`
	Reason   GuardReason `json:"reason,omitempty" enum:"empty_read,removal_limit,removal_limit_day,settings_changed,incomplete_read" doc:"Why, for programs"`
	Removals int         `json:"removals" doc:"How many users this run would remove" example:"0"`
	Stored   int         `json:"stored" doc:"How many users on the list imports may remove" example:"449"`
	// Message says it in plain words, with the numbers and what to do.
	Message string `json:"message,omitempty" doc:"Why and what to do, in plain words, with the numbers"`
}
