package plan_test

import (
	"strings"
	"testing"

	"rollcall/shared/plan"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

func TestJudgeCountsTheDay(t *testing.T) {
	t.Parallel()
	five, six, day := run.Day{Removed: 3, Stored: 13}, run.Day{Removed: 5, Stored: 15}, run.Day{Removed: 40, Stored: 1000}
	one := 1
	tests := map[string]struct {
		stored, removals int
		day              run.Day
		confirmed        *int
		reason           run.GuardReason
	}{
		"the percentage is of the day's most": {960, 60, day, nil, ""},
		"one more than that":                  {960, 61, day, nil, run.GuardRemovalLimitDay},
		"a second tenth":                      {900, 90, run.Day{Removed: 100, Stored: 1000}, nil, run.GuardRemovalLimitDay},
		"fewer users in the day than now":     {1000, 60, run.Day{Removed: 40, Stored: 900}, nil, ""},
		"the count is the day's too":          {100_000, 1, run.Day{Removed: 500, Stored: 100_000}, nil, run.GuardRemovalLimitDay},
		"five are few in a day":               {10, 2, five, nil, ""},
		"six in a day are not":                {10, 1, six, nil, run.GuardRemovalLimitDay},
		"confirmed":                           {10, 1, six, &one, ""},
		"another number confirmed":            {9, 2, six, &one, run.GuardRemovalLimitDay},
		"over the limit by itself":            {100, 11, six, nil, run.GuardRemovalLimit},
		"nothing to remove":                   {10, 0, run.Day{Removed: 50, Stored: 60}, nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := settings.DefaultOptions()
			options.RemoveAccounts = true
			got := plan.Judge(plan.Question{Options: options, Day: test.day, Confirmed: test.confirmed, Result: run.Result{
				Summary: run.Summary{Addresses: 1}, Census: run.Census{Stored: test.stored, Removals: test.removals},
			}})
			blocked := test.reason != ""
			if got.Blocked != blocked || got.Reason != test.reason || got.Removals != test.removals || got.Stored != test.stored {
				t.Errorf("got %+v, want reason %q with %d of %d", got, test.reason, test.removals, test.stored)
			}
			if blocked == (got.Message == "") || strings.Contains(got.Message, "%!") {
				t.Errorf("the message is %q", got.Message)
			}
		})
	}
}
