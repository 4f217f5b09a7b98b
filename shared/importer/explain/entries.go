package explain

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/plan"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

func sortedUsers(stored map[string]*user.User) (sorted []*user.User) {
	for _, key := range slices.Sorted(maps.Keys(stored)) {
		if stored[key] != nil {
			sorted = append(sorted, stored[key])
		}
	}
	return sorted
}

// judgeEntries finds out what each entry's rules and rows are, and puts first what counts most.
func (e *explainer) judgeEntries() {
	for i := range e.Answer.Found {
		f := &e.Answer.Found[i]
		en := entry{found: f, bare: e.rowsBy(settings.Advanced{}, &f.Entry), ExplainedEntry: run.ExplainedEntry{
			DN: extract.ShownDN(&f.Entry), InBase: f.InBase, MatchesFilter: f.Matches, FailedClause: f.FailedClause,
		}}
		for j := range e.rows {
			if e.belongs(&e.rows[j], f) {
				en.rows = append(en.rows, e.rows[j])
			}
		}
		slices.SortStableFunc(en.rows, func(a, b plan.Row) int { return cmp.Compare(e.rank(&a), e.rank(&b)) })
		if len(en.rows) > 0 && (en.rows[0].Key == e.address.Key || e.address.Key == "") {
			en.row = &en.rows[0]
		}
		en.Rules = e.rulesOf(&en)
		en.Rows = e.shownRows(&en)
		e.entries = append(e.entries, en)
	}
	if e.Asked.DN == "" {
		slices.SortStableFunc(e.entries, func(a, b entry) int { return cmp.Compare(place(&a), place(&b)) })
	}
}

// place orders entries: whose row is written, which have a row, those in the search base, the others.
func place(en *entry) int {
	switch {
	case en.row != nil && en.row.Change != plan.Skipped:
		return 0
	case en.row != nil:
		return 1
	case en.InBase:
		return 2
	}
	return 3
}

// belongs reports whether a row is an entry's. What a sync does not read has none: the row of a protected user names
// the entry that it came from once. An alias that is an entry of its own gives its row to the account.
func (e *explainer) belongs(row *plan.Row, f *directory.Found) bool {
	if row.Change == plan.Delete || !f.InBase || !f.Matches {
		return false
	}
	return row.DN == extract.ShownDN(&f.Entry) || e.isAlias(f) && row.Key == e.address.Key
}

func (e *explainer) isAlias(f *directory.Found) bool { return e.rules.IsAlias(&f.Entry) }

// rank puts the row of the address first, then those that are written, then the others.
func (e *explainer) rank(row *plan.Row) int {
	rank := 0
	if row.Key != e.address.Key {
		rank += 2
	}
	if row.Change == plan.Skipped {
		rank++
	}
	return rank
}

// shownRows returns the entry's rows as they are shown: those whose users were looked up.
func (e *explainer) shownRows(en *entry) (shown []run.ExplainedRow) {
	for i := range en.rows {
		row := &en.rows[i]
		if _, known := e.stored[row.Key]; !known && row.Change != plan.Skipped || len(shown) == mostRows {
			continue
		}
		r := run.ExplainedRow{
			Address: row.Address, Kind: row.Kind, PrimaryAddress: row.PrimaryAddress, Type: row.Type,
			Change: string(row.Change), Reason: string(row.Reason), DN: row.DN, Notes: row.Notes,
		}
		if row.Before != nil {
			r.Source = row.Before.Source
		}
		shown = append(shown, r)
	}
	return shown
}

// reasons returns why the address of an entry would be skipped, if the settings had no other rules than those of only.
func (e *explainer) reasons(en *entry, only settings.Advanced) map[address.Reason]string {
	read := []*directory.Entry{&en.found.Entry}
	if e.isAlias(en.found) {
		// It is nothing without its account.
		for i := range e.Answer.Found {
			if f := &e.Answer.Found[i]; f != en.found {
				read = append(read, &f.Entry)
			}
		}
	}
	reasons := make(map[address.Reason]string)
	for _, row := range e.rowsBy(only, read...) {
		if (row.Key == e.address.Key || e.address.Key == "") && row.Reason != "" {
			reasons[row.Reason] = strings.Join(row.Notes, "; ")
		}
	}
	return reasons
}

// rowsBy returns what an import of entries makes of them, if the settings had no other rules than those of only.
func (e *explainer) rowsBy(only settings.Advanced, read ...*directory.Entry) []plan.Row {
	only.Attributes = e.Advanced.Attributes
	rules, err := extract.NewRules(e.Server, only)
	exclude, patternErr := address.ParsePatterns(only.Exclude)
	if err != nil || patternErr != nil {
		// The same settings were read with all their rules.
		return nil
	}
	return e.build(collect(rules, read), nil, exclude)
}

// typ returns what kind of object the entry is.
func (en *entry) typ() user.Type {
	if len(en.bare) == 0 {
		return user.TypeUnknown
	}
	return en.bare[0].Type
}
