package plan

import (
	"rollcall/shared/address"
	"rollcall/shared/user"
)

func claimRow(c *address.Claim) Row {
	row := Row{
		Key: c.Key, Address: c.Address, Kind: c.Kind, PrimaryAddress: c.PrimaryAddress, PrimaryKey: c.PrimaryKey,
		Type: c.Type, DN: c.DN, Notes: c.Notes,
	}
	if c.Inferred && c.Kind == user.Primary {
		row.Notes = append([]string{c.InferredNote}, c.Notes...)
	}
	return row
}

func duplicateRow(loser, winner *address.Claim) Row {
	row := claimRow(loser)
	row.Change, row.Reason = Skipped, ReasonDuplicate
	row.Notes = append(row.Notes[:len(row.Notes):len(row.Notes)], "also claimed by "+winner.DN+", which keeps it")
	return row
}

func skippedRow(s *address.Skipped) Row {
	row := Row{
		Key: s.Key, Address: s.Address, Kind: s.Kind, PrimaryAddress: s.PrimaryAddress,
		Type: s.Type, DN: s.DN, Change: Skipped, Reason: s.Reason,
	}
	if key, err := address.Canonical(s.PrimaryAddress); err == nil {
		row.PrimaryKey = key
	}
	if s.Detail != "" {
		row.Notes = []string{s.Detail}
	}
	return row
}

func storedRow(u *user.User) Row {
	row := Row{
		Key: u.Key, Address: u.Address, Kind: u.Kind, PrimaryAddress: u.PrimaryAddress,
		Type: u.Type, DN: u.DN, Before: u,
	}
	if key, err := address.Canonical(u.PrimaryAddress); err == nil {
		row.PrimaryKey = key
	}
	return row
}
