package api

import (
	"rollcall/shared/plan"
	"rollcall/shared/run"
)

// Explanation says what a sync would make of an address.
type Explanation struct {
	ID         string           `json:"id" doc:"Names the explanation" example:"01M852AJH242XXNWN3EKWSF2WF"`
	State      run.State        `json:"state" enum:"queued,running,done,failed,blocked,cancelled" doc:"How far it is" example:"done"`
	Error      *Failure         `json:"error" doc:"Why it failed; else null"`
	Connection []run.Step       `json:"connection" doc:"The steps of reaching the directory, in order"`
	Address    string           `json:"address" doc:"As it was asked for, or the primary address of the entry that was" example:"anais.lefevre@example.com"`
	Verdict    run.Verdict      `json:"verdict" example:"not_matched" enum:"imported,skipped,left_out,outside_base,not_matched,not_found," doc:"Empty until the state is done. imported: a sync creates, updates or keeps it. skipped: a system mailbox, no primary, invalid, duplicate. left_out: by an exclusion, object type, domain or disabled account"`
	Sentence   string           `json:"sentence" doc:"Why, and what to change" example:"The filter leaves it out: (mail=b*) does not match."`
	Entries    []ExplainedEntry `json:"entries" doc:"At most 20 entries that have the address, the one that counts first"`
	Stored     *User            `json:"stored" doc:"The user on the Users List, also where it is an alias"`
}

// ExplainedEntry is an entry that has the address.
type ExplainedEntry struct {
	DN            string          `json:"dn" doc:"The entry's name" example:"CN=Anaïs Lefèvre,OU=Osaka,DC=example,DC=com"`
	InBase        bool            `json:"inBase" doc:"It is in the search base"`
	MatchesFilter bool            `json:"matchesFilter" doc:"The filter finds it"`
	FailedClause  string          `json:"failedClause" doc:"The smallest part of the filter that it does not match; empty where it matches" example:"(mail=b*)"`
	Rules         []ExplainedRule `json:"rules" doc:"What each rule decides about the address, whatever the others do"`
	Rows          []Row           `json:"rows" doc:"What a sync makes of the entry, the row of the address first. Whether other entries claim it too is only known of that one"`
}

// ExplainedRule is what one rule decides.
type ExplainedRule struct {
	Rule   string `json:"rule" doc:"The setting, or what every import checks" example:"skipDisabled"`
	OK     bool   `json:"ok" doc:"It lets the address pass"`
	Detail string `json:"detail" doc:"What it decided by" example:"the account is enabled"`
}

// ExplanationView shows an explanation.
func ExplanationView(r run.Run) Explanation {
	view := Explanation{
		ID: r.ID, State: r.State, Error: failureView(r.Failure), Connection: list(r.Steps), Entries: []ExplainedEntry{},
	}
	if r.Asked != nil {
		view.Address = r.Asked.Address
	}
	x := r.Explanation
	if x == nil {
		return view
	}
	view.Address, view.Verdict, view.Sentence, view.Stored = x.Address, x.Verdict, x.Sentence, UserView(x.Stored)
	for i := range x.Entries {
		view.Entries = append(view.Entries, entryView(&x.Entries[i]))
	}
	return view
}

func entryView(e *run.ExplainedEntry) ExplainedEntry {
	out := ExplainedEntry{
		DN: e.DN, InBase: e.InBase, MatchesFilter: e.MatchesFilter, FailedClause: e.FailedClause,
		Rules: make([]ExplainedRule, len(e.Rules)), Rows: make([]Row, len(e.Rows)),
	}
	for i, rule := range e.Rules {
		out.Rules[i] = ExplainedRule(rule)
	}
	for i := range e.Rows {
		row := &e.Rows[i]
		out.Rows[i] = Row{
			Address: row.Address, Kind: row.Kind, PrimaryAddress: row.PrimaryAddress, Type: row.Type,
			Change: plan.Change(row.Change), Reason: row.Reason, DN: row.DN, Source: row.Source, Notes: list(row.Notes),
		}
	}
	return out
}
