package embedded

import (
	"encoding/hex"
	"testing"
	"time"

	"rollcall/shared/user"
)

// TestStoredUsersKeepTheirBytes holds that a folder of an older version can be read: what is stored there never
// changes.
func TestStoredUsersKeepTheirBytes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 0, 0, 123, time.UTC)
	for name, test := range map[string]struct {
		u    user.User
		want string
	}{
		"alias": {user.User{
			Key: "a@b.example", Address: "A@b.example", Kind: user.Alias, PrimaryAddress: "c@b.example",
			Type:   user.TypeShared,
			Source: user.FromDirectory, DirectoryID: "dc=b", SourceID: "id-1", DN: "CN=ä",
			HeldSpamReport: user.ReportOff,
			Protected:      true, Version: 1_795_000_000_000, LastRunID: "01J", CreatedAt: at,
			UpdatedAt: at.Add(time.Hour),
		}, "0180f8b2e5bd680330314a01030d0407f681d2fc9b90d2ea31f6819788e2e1d3ea310c4140622e6578616d706c65" +
			"0c6340622e6578616d706c650464633d620469642d3105434e3dc3a4"},
		"primary by hand": {user.User{
			Key: "c@b.example", Address: "c@b.example", Kind: user.Primary, PrimaryAddress: "c@b.example", Type: "odd",
			Source: user.Manual, HeldSpamReport: user.ReportDaily, Version: 7,
		}, "010e00000200036f6464050600000000000000"},
	} {
		if got := hex.EncodeToString(appendUser(nil, &test.u)); got != test.want {
			t.Errorf("%s is stored as\n%s, want\n%s", name, got, test.want)
		}
		stored, err := hex.DecodeString(test.want)
		if err != nil {
			t.Fatal(err)
		}
		if u, err := decodeUser(test.u.Key, stored); err != nil || u != test.u {
			t.Errorf("%s is read as %+v, error %v; want %+v", name, u, err, test.u)
		}
	}
}
