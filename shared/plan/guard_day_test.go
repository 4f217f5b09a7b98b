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
	three, five := run.Day{Removed: 3, Stored: 13}, run.Day{Removed: 5, Stored: 15}
	some, tenth := run.Day{Removed: 40, Stored: 1000}, run.Day{Removed: 100, Stored: 1000}
	large := run.Day{Removed: 500, Stored: 100_000}
	one := 1
	tests := map[string]struct {
		stored, removals int
		day              run.Day
		confirmed        *int
		reason           run.GuardReason
	}{
		"the percentage is of the day's most": {960, 60, some, nil, ""},
		"one more than that":                  {960, 61, some, nil, run.GuardRemovalLimitDay},
		"a second tenth":                      {900, 90, tenth, nil, run.GuardRemovalLimitDay},
		"fewer users in the day than now":     {1000, 60, run.Day{Removed: 40, Stored: 900}, nil, ""},
		"the count is the day's too":          {100_000, 1, large, nil, run.GuardRemovalLimitDay},
		"five are few in a day":               {10, 2, three, nil, ""},
		"six in a day are not":                {10, 1, five, nil, run.GuardRemovalLimitDay},
		"confirmed":                           {10, 1, five, &one, ""},
		"another number confirmed":            {9, 2, five, &one, run.GuardRemovalLimitDay},
		"over the limit by itself":            {100, 11, five, nil, run.GuardRemovalLimit},
		"nothing to remove":                   {10, 0, run.Day{Removed: 50, Stored: 60}, nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := settings.DefaultOptions()
			options.RemoveAccounts = true
			result := run.Result{
				Summary: run.Summary{Addresses: 1}, Census: run.Census{Stored: test.stored, Removals: test.removals},
			}
			got := plan.Judge(plan.Question{
				Result: result, Options: options, Day: test.day, Confirmed: test.confirmed,
			})
			message := got.Message
			got.Message = ""
			want := run.Guard{
				Blocked: test.reason != "", Reason: test.reason, Removals: test.removals, Stored: test.stored,
			}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if want.Blocked == (message == "") || strings.Contains(message, "%!") {
				t.Errorf("the message is %q", message)
			}
		})
	}
}
