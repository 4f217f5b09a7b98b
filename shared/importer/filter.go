package importer

import (
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
)

// RowsOf is a filter for the rows of a plan.
func RowsOf(f run.Filter) planfile.Filter {
	return planfile.Filter{
		Changes: run.Texts[plan.Change](f.Changes), Kinds: f.Kinds, Types: f.Types, Domains: f.Domains,
		Reasons: f.Reasons, Prefix: f.Prefix, Primary: f.Primary, Q: f.Q,
	}
}

// ChangesOf is a filter for the changes of a sync.
func ChangesOf(f run.Filter) ChangeQuery {
	return ChangeQuery{Filter: RowsOf(f), Outcomes: run.Texts[Outcome](f.Outcomes)}
}

// UsersOf is a filter for the Users List.
func UsersOf(f run.Filter) users.Query {
	return users.Query{Q: f.Q, Types: f.Types, Domains: f.Domains, Prefix: f.Prefix}
}
