package planfile

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// TestStoredRowsKeepTheirBytes holds that a journal of an older version can be read: what is stored never changes
// without a new format version.
func TestStoredRowsKeepTheirBytes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 0, 0, 123, time.UTC)
	before := user.User{
		Key: "a@b.example", Address: "A@b.example", Kind: user.Primary, PrimaryAddress: "A@b.example",
		Type:   user.TypeUser,
		Source: user.FromDirectory, DirectoryID: "dc=b", SourceID: "id-1", DN: "CN=ä",
		HeldSpamReport: user.ReportDaily,
		Protected:      true, Version: 1_795_000_000_000, LastRunID: "01J", CreatedAt: at, UpdatedAt: at.Add(time.Hour),
	}
	after := before
	after.DN, after.HeldSpamReport, after.Version, after.LastRunID = "CN=b", "odd", 0, ""
	row := plan.Row{
		Key: before.Key, Address: before.Address, Kind: before.Kind, PrimaryAddress: before.Address,
		PrimaryKey: before.Key,
		Type:       before.Type, DN: after.DN, Change: plan.Update, Reason: plan.ReasonPresent, Notes: []string{"note"},
		New:    true,
		Before: &before, After: &after,
	}
	const want = "070b6140622e6578616d706c650c4140622e6578616d706c65" +
		"000c4140622e6578616d706c6504434e3d621301046e6f7465" +
		"5b00000006434e3dc3a40564633d620569642d310430314a060802040180f8b2e5bd68f681d2fc9b90d2ea31f6" +
		"819788e2e1d3ea31" +
		"00000005434e3d6200000106080200036f64640100f681d2fc9b90d2ea31f6819788e2e1d3ea31"
	if got := hex.EncodeToString(appendRow(nil, &row)); got != want {
		t.Errorf("the row is stored as\n%s, want\n%s", got, want)
	}
	stored, err := hex.DecodeString(want)
	if err != nil {
		t.Fatal(err)
	}
	d := newDecoder(string(stored))
	var got plan.Row
	d.row(sectionOf(row.Change, row.Kind, row.Type), &got)
	d.usersOf(&got)
	if diff := cmp.Diff(row, got); diff != "" || d.Err() != nil || d.Left() > 0 {
		t.Errorf("row (-stored +read), error %v, %d bytes left:\n%s", d.Err(), d.Left(), diff)
	}
}
