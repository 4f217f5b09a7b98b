// Package explain says what a sync would make of one address, and why: it plans the entries that have the address as a
// sync would, with the same rules and the same planner, and puts what comes of it into one verdict and one sentence. It
// reads nothing itself.
package explain

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/plan"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// The most that an explanation looks up and shows: rows of an entry, and users of the Users List.
const (
	mostRows  = 25
	mostUsers = 100
	// mostBytes bounds the explanation as JSON: its run's record is limited (400 kB in DynamoDB).
	mostBytes = 128 << 10
)

// Case is what is known of an address.
type Case struct {
	Server   settings.ServerType
	Advanced settings.Advanced
	// Asked is what somebody asked for; of an entry, its DN.
	Asked run.Asked
	// Answer is what the directory has of it.
	Answer directory.Answer
	// NewSince is the plan's (plan.Policy).
	NewSince int64
	// Stored returns the user with a canonical address, nil where the Users List has none.
	Stored func(key string) (*user.User, error)
}

// Explain returns the explanation of a case. Its error is Stored's, or says that the settings cannot be read.
func Explain(c Case) (run.Explanation, error) {
	e := &explainer{Case: c}
	var err error
	if e.rules, err = extract.NewRules(c.Server, c.Advanced); err != nil {
		return run.Explanation{}, err
	}
	if e.exclude, err = address.ParsePatterns(c.Advanced.Exclude); err != nil {
		return run.Explanation{}, fmt.Errorf("read the exclusions: %w", err)
	}
	if err := e.plan(); err != nil {
		return run.Explanation{}, err
	}
	e.judgeEntries()
	out := run.Explanation{Address: e.address.Display, Stored: e.stored[e.address.Key]}
	for i := range e.entries {
		out.Entries = append(out.Entries, e.entries[i].ExplainedEntry)
	}
	out.Verdict, out.Sentence = e.verdict()
	return shortened(out)
}

// shortened leaves rows and then entries out of an explanation that is too long for its run's record, and says so.
func shortened(x run.Explanation) (run.Explanation, error) {
	for cut := false; ; cut = true {
		text, err := json.Marshal(x)
		switch {
		case err != nil:
			return x, fmt.Errorf("measure the explanation: %w", err)
		case len(text) <= mostBytes || len(x.Entries) == 0:
			if cut {
				x.Sentence += " The rest is too long to be shown."
			}
			return x, nil
		}
		if last := &x.Entries[len(x.Entries)-1]; len(last.Rows) > 1 {
			last.Rows = last.Rows[:1]
		} else {
			x.Entries = x.Entries[:len(x.Entries)-1]
		}
	}
}

// Primary returns the primary address of the entry that was asked for by its DN, as an import finds it: the address
// that the whole question is about, empty where it has none.
func Primary(c Case) (string, error) {
	e := &explainer{Case: c}
	var err error
	if e.rules, err = extract.NewRules(c.Server, c.Advanced); err != nil {
		return "", err
	}
	e.findPrimary()
	return e.address.Display, nil
}

// explainer works one case out.
type explainer struct {
	Case
	rules   *extract.Rules
	exclude address.Patterns
	// address is the address that it is about, zero for an entry without one.
	address address.Address
	stored  map[string]*user.User
	// rows are those of a sync of the entries that it would read.
	rows    []plan.Row
	entries []entry
}

// entry is an entry with what is made of it.
type entry struct {
	run.ExplainedEntry
	found *directory.Found
	// rows are those of the plan that are this entry's, row the one of the address. bare are those that it would give
	// without any settings.
	rows []plan.Row
	row  *plan.Row
	bare []plan.Row
}

// plan plans what a sync would read of the entries.
func (e *explainer) plan() error {
	if e.Asked.Address != "" {
		// It was checked when it was asked for. An address with an invisible character has a form all the same.
		parsed, err := address.Parse(e.Asked.Address)
		if err != nil && !errors.Is(err, address.ErrInvisible) {
			return fmt.Errorf("read the address: %w", err)
		}
		e.address = parsed
	} else {
		e.findPrimary()
	}
	var read []*directory.Entry
	for i := range e.Answer.Found {
		if f := &e.Answer.Found[i]; f.InBase && f.Matches {
			read = append(read, &f.Entry)
		}
	}
	found := collect(e.rules, read)
	if err := e.lookUp(found); err != nil {
		return err
	}
	e.rows = e.build(found, e.stored, e.exclude)
	return nil
}

// findPrimary finds the primary address of the entry that was asked for.
func (e *explainer) findPrimary() {
	if len(e.Answer.Found) == 0 {
		return
	}
	found := collect(e.rules, []*directory.Entry{&e.Answer.Found[0].Entry})
	take := func(primary string) bool {
		parsed, err := address.Parse(primary)
		if err == nil {
			e.address = parsed
		}
		return err == nil
	}
	if claim := found.Claims()(); claim != nil && take(claim.PrimaryAddress) {
		return
	}
	for next := found.Skipped(); ; {
		skipped := next()
		if skipped == nil || skipped.Kind == user.Primary && take(skipped.Address) {
			return
		}
	}
}

func collect(rules *extract.Rules, entries []*directory.Entry) *extract.Result {
	collector := extract.NewCollector(rules)
	for _, e := range entries {
		collector.Add(e)
	}
	return collector.Result()
}

// lookUp reads the users that the rows depend on: that of the address, and those of what the entries claim besides.
func (e *explainer) lookUp(found *extract.Result) error {
	e.stored = make(map[string]*user.User)
	look := func(key string) error {
		if _, known := e.stored[key]; known || key == "" || len(e.stored) >= mostUsers {
			return nil
		}
		u, err := e.Stored(key)
		e.stored[key] = u
		return err
	}
	if err := look(e.address.Key); err != nil {
		return err
	}
	if former, differs := address.FormerKey(e.address); differs {
		if err := look(former); err != nil {
			return err
		}
	}
	perEntry := make(map[string]int)
	for next := found.Claims(); ; {
		claim := next()
		if claim == nil {
			break
		}
		if perEntry[claim.DN]++; perEntry[claim.DN] > mostRows && claim.Kind != user.Primary {
			continue
		}
		if err := look(claim.Key); err != nil {
			return err
		}
	}
	// The users of an entry name its primary as it was: what an entry that was renamed hands on.
	for _, u := range sortedUsers(e.stored) {
		if key, err := address.Canonical(u.PrimaryAddress); err == nil {
			if err := look(key); err != nil {
				return err
			}
		}
	}
	return nil
}

// build plans entries as a sync does.
func (e *explainer) build(
	found *extract.Result, stored map[string]*user.User, exclude address.Patterns,
) (rows []plan.Row) {
	desired := plan.Desired{Entries: found.Entries(), Claims: found.Claims, Skipped: found.Skipped}
	policy := plan.Policy{DirectoryID: e.Answer.DirectoryID, Exclude: exclude, NewSince: e.NewSince}
	// The error would be emit's.
	_, _ = plan.Build(desired, walk(stored), policy, func(r *plan.Row) error {
		row := *r
		row.Notes, row.After = slices.Clone(r.Notes), nil
		rows = append(rows, row)
		return nil
	})
	return rows
}

// walk goes over users in the order of their keys.
func walk(stored map[string]*user.User) plan.Walk[user.User] {
	sorted := sortedUsers(stored)
	return func() func() *user.User {
		rest := sorted
		return func() *user.User {
			if len(rest) == 0 {
				return nil
			}
			first := rest[0]
			rest = rest[1:]
			return first
		}
	}
}
