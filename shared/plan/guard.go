package plan

import (
	"fmt"

	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// fewRemovals is the number of removals that the limit never blocks within 24 hours: in a small company a tenth is one
// person.
const fewRemovals = 5

// Question is what the guard judges a plan by.
type Question struct {
	Result  run.Result
	Options settings.Options
	// SettingsChanged means that the last successful run used other settings and that nobody has seen a preview
	// with these.
	SettingsChanged bool
	// Day is what the runs before this one removed in the last 24 hours.
	Day run.Day
	// Confirmed is the number of removals that somebody confirmed, nil where nobody did.
	Confirmed *int
}

// Judge is the removal guard: it blocks a plan that removes more users than a mistake should be able to.
func Judge(q Question) run.Guard {
	g, limit := run.Guard{Stored: q.Result.Census.Stored}, q.Options.RemovalLimit
	removals := q.Result.Census.Removals
	if q.Options.RemoveScope == settings.RemoveImported {
		g.Stored, removals = q.Result.Census.StoredImported, q.Result.Census.RemovalsImported
	}
	if q.Options.RemoveAccounts {
		g.Removals = removals
	}
	switch {
	case q.Result.Summary.Addresses == 0:
		g.Blocked, g.Reason = true, run.GuardEmptyRead
		g.Message = fmt.Sprintf("The directory gave no address that can be imported (%d entries were read). "+
			"Nothing is changed: check the search base, the filter string, and what the user may read.",
			q.Result.Summary.Entries)
		if q.Result.Hint != "" {
			g.Message += " " + q.Result.Hint
		}
	case g.Removals == 0 || Confirms(q.Confirmed, g):
	case q.SettingsChanged:
		g.Blocked, g.Reason = true, run.GuardSettingsChanged
		g.Message = fmt.Sprintf("The connection or the advanced settings changed since the last sync, "+
			"and %d of %d users would be removed. "+
			"Preview with the new settings and sync that preview, or confirm the removal of %d.",
			g.Removals, g.Stored, g.Removals)
	case overLimit(g.Removals, g.Stored, limit):
		g.Blocked, g.Reason = true, run.GuardRemovalLimit
		g.Message = fmt.Sprintf("%d of %d users would be removed, more than the limit of %d %% or %d. "+
			"If that is right, confirm the removal of %d.",
			g.Removals, g.Stored, limit.Percent, limit.Count, g.Removals)
	case overLimit(g.Removals+q.Day.Removed, max(g.Stored, q.Day.Stored), limit):
		g.Blocked, g.Reason = true, run.GuardRemovalLimitDay
		g.Message = fmt.Sprintf("%d of %d users would be removed. With the %d that were removed in the last 24 hours "+
			"that is more than the limit of %d %% or %d. "+
			"If that is right, confirm the removal of %d; the count then starts again.",
			g.Removals, g.Stored, q.Day.Removed, limit.Percent, limit.Count, g.Removals)
	}
	return g
}

// Confirms reports whether a confirmed number, nil where nobody confirmed one, lets a plan's removals pass.
func Confirms(confirmed *int, g run.Guard) bool {
	return confirmed != nil && *confirmed == g.Removals && g.Removals > 0
}

func overLimit(removals, stored int, limit settings.RemovalLimit) bool {
	return removals > fewRemovals && (removals > limit.Count || removals*100 > limit.Percent*stored)
}

// Applies reports whether a sync with these options writes the row.
func Applies(row *Row, o settings.Options) bool {
	switch row.Change {
	case Create, Update:
		return true
	case Delete:
		return o.RemoveAccounts && (o.RemoveScope != settings.RemoveImported || row.Before.Source == user.FromDirectory)
	}
	return false
}
