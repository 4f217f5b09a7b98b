package planfile

import (
	"testing"

	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// FuzzRow reads rows from any bytes: a checksum keeps most damage from the codec, but it must bear all of it.
func FuzzRow(f *testing.F) {
	u := user.User{
		Key: "a@b.example", Address: "A@b.example", Kind: user.Primary, PrimaryAddress: "A@b.example",
		Type: user.TypeUser, DN: "CN=a", Version: 3,
	}
	row := plan.Row{
		Key: u.Key, Address: u.Address, PrimaryAddress: u.Address, PrimaryKey: u.Key, DN: u.DN,
		Notes: []string{"note"}, Reason: "odd", Before: &u, After: &u,
	}
	f.Add(appendRow(nil, &row), byte(0))
	f.Add([]byte{0xff, 0xff, 0xff}, byte(200))
	f.Fuzz(func(t *testing.T, data []byte, s byte) {
		var row plan.Row
		d := newDecoder(string(data))
		d.row(section(int(s)%sectionCount()), &row)
		d.usersOf(&row)
		if d.Err() != nil {
			return
		}
		// What can be read is written and read again as the same.
		var again plan.Row
		d = newDecoder(string(appendRow(nil, &row)))
		d.row(section(int(s)%sectionCount()), &again)
		d.usersOf(&again)
		if d.Err() != nil || again.Key != row.Key || again.DN != row.DN || len(again.Notes) != len(row.Notes) ||
			(row.After != nil && *again.After != *row.After) {
			t.Fatalf("%+v came back as %+v, error %v", row, again, d.Err())
		}
	})
}
