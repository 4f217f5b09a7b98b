package plan_test

import (
	"strings"
	"testing"

	"rollcall/shared/plan"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	remove := settings.DefaultOptions()
	remove.RemoveAccounts = true
	imported := remove
	imported.RemoveScope = settings.RemoveImported
	keep := settings.DefaultOptions()
	number := func(n int) *int { return &n }
	census := func(stored, removals int) run.Result {
		return run.Result{
			Summary: run.Summary{Addresses: 100, Entries: 100},
			Census: run.Census{
				Stored: stored, Removals: removals, StoredImported: stored / 2, RemovalsImported: removals,
			},
		}
	}
	tests := map[string]struct {
		question plan.Question
		blocked  run.GuardReason
		removals int
	}{
		"nothing to remove":  {plan.Question{Result: census(100, 0), Options: remove}, "", 0},
		"five of ten is few": {plan.Question{Result: census(10, 5), Options: remove}, "", 5},
		"six of ten is over the percentage": {plan.Question{Result: census(10, 6), Options: remove},
			run.GuardRemovalLimit, 6},
		"exactly ten percent passes": {plan.Question{Result: census(100, 10), Options: remove}, "", 10},
		"one over ten percent blocks": {plan.Question{Result: census(100, 11), Options: remove},
			run.GuardRemovalLimit, 11},
		"exactly the count passes": {plan.Question{Result: census(100_000, 500), Options: remove}, "", 500},
		"one over the count blocks": {plan.Question{Result: census(100_000, 501), Options: remove},
			run.GuardRemovalLimit, 501},
		"the scope halves what is stored": {plan.Question{Result: census(100, 6), Options: imported},
			run.GuardRemovalLimit, 6},
		"confirmed": {plan.Question{Result: census(10, 6), Options: remove,
			Confirmed: number(6)}, "", 6},
		"another number confirmed": {plan.Question{Result: census(10, 6), Options: remove,
			Confirmed: number(5)}, run.GuardRemovalLimit, 6},
		"Remove Accounts off": {plan.Question{Result: census(10, 10), Options: keep}, "", 0},
		"the day's removals count": {plan.Question{Result: census(900, 90), Options: remove,
			Day: run.Day{Removed: 100, Stored: 1000}},
			run.GuardRemovalLimitDay, 90},
		"the percentage is of the day's most": {plan.Question{Result: census(960, 60), Options: remove,
			Day: run.Day{Removed: 40, Stored: 1000}}, "", 60},
		"one more than that": {plan.Question{Result: census(960, 61), Options: remove,
			Day: run.Day{Removed: 40, Stored: 1000}}, run.GuardRemovalLimitDay, 61},
		"the count is the day's too": {plan.Question{Result: census(100_000, 1), Options: remove,
			Day: run.Day{Removed: 500, Stored: 100_000}}, run.GuardRemovalLimitDay, 1},
		"five are few in a day": {plan.Question{Result: census(10, 2), Options: remove,
			Day: run.Day{Removed: 3, Stored: 13}}, "", 2},
		"six in a day are not": {plan.Question{Result: census(10, 1), Options: remove,
			Day: run.Day{Removed: 5, Stored: 15}}, run.GuardRemovalLimitDay, 1},
		"a run over the limit by itself": {plan.Question{Result: census(100, 11), Options: remove,
			Day: run.Day{Removed: 5, Stored: 105}},
			run.GuardRemovalLimit, 11},
		"the day's removals, confirmed": {plan.Question{Result: census(10, 1), Options: remove,
			Day: run.Day{Removed: 5, Stored: 15}, Confirmed: number(1)}, "", 1},
		"a day over the limit blocks nothing but removals": {plan.Question{Result: census(10, 0), Options: remove,
			Day: run.Day{Removed: 50, Stored: 60}}, "", 0},
		"settings changed": {plan.Question{Result: census(100, 1), Options: remove,
			SettingsChanged: true}, run.GuardSettingsChanged, 1},
		"settings changed and confirmed": {plan.Question{Result: census(100, 1), Options: remove,
			SettingsChanged: true, Confirmed: number(1)}, "", 1},
		"settings changed, nothing to remove": {plan.Question{Result: census(100, 0), Options: remove,
			SettingsChanged: true}, "", 0},
		"empty read": {plan.Question{Result: run.Result{Census: run.Census{Stored: 10,
			Removals: 10}}, Options: remove}, run.GuardEmptyRead, 10},
		"empty read cannot be confirmed": {plan.Question{Result: run.Result{Census: run.Census{Stored: 10,
			Removals: 10}}, Options: remove, Confirmed: number(10)}, run.GuardEmptyRead, 10},
		"empty read without Remove Accounts fails": {plan.Question{Options: keep}, run.GuardEmptyRead, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			guard := plan.Judge(test.question)
			if guard.Blocked != (test.blocked != "") || guard.Reason != test.blocked ||
				guard.Removals != test.removals {
				t.Errorf("got %+v, want reason %q with %d removals", guard, test.blocked, test.removals)
			}
			if guard.Blocked == (guard.Message == "") || strings.Contains(guard.Message, "%!") {
				t.Errorf("message %q does not fit blocked %t", guard.Message, guard.Blocked)
			}
		})
	}
}

func TestApplies(t *testing.T) {
	t.Parallel()
	byHand, fromDirectory := &user.User{Source: user.Manual}, &user.User{Source: user.FromDirectory}
	off, all := settings.DefaultOptions(), settings.DefaultOptions()
	all.RemoveAccounts = true
	importedOnly := all
	importedOnly.RemoveScope = settings.RemoveImported
	tests := map[string]struct {
		row     plan.Row
		options settings.Options
		want    bool
	}{
		"create":                            {plan.Row{Change: plan.Create}, off, true},
		"update":                            {plan.Row{Change: plan.Update}, off, true},
		"unchanged":                         {plan.Row{Change: plan.Unchanged}, all, false},
		"skipped":                           {plan.Row{Change: plan.Skipped}, all, false},
		"delete, Remove Accounts off":       {plan.Row{Change: plan.Delete, Before: fromDirectory}, off, false},
		"delete, Remove Accounts on":        {plan.Row{Change: plan.Delete, Before: byHand}, all, true},
		"delete of a hand-made user, scope": {plan.Row{Change: plan.Delete, Before: byHand}, importedOnly, false},
		"delete of an imported user, with scope": {
			plan.Row{Change: plan.Delete, Before: fromDirectory}, importedOnly, true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := plan.Applies(&test.row, test.options); got != test.want {
				t.Errorf("Applies = %t, want %t", got, test.want)
			}
		})
	}
}
