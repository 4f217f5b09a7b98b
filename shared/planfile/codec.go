package planfile

import (
	"encoding/binary"
	"fmt"

	"rollcall/shared/address"
	"rollcall/shared/plan"
	"rollcall/shared/planfile/packed"
	"rollcall/shared/user"
)

// The parts of a row that are there.
const (
	hasBefore = 1 << iota
	hasAfter
	isNew
)

// wellKnown are the texts that rows repeat most.
var wellKnown = []string{
	"", string(user.FromDirectory), string(user.Manual), string(user.ReportDaily), string(user.ReportOff),
	string(user.Primary), string(user.Alias),
	string(user.TypeUser), string(user.TypeContact), string(user.TypeGroup), string(user.TypePublicFolder),
	string(user.TypeResource), string(user.TypeShared), string(user.TypeUnknown),
	string(plan.ReasonProtected), string(plan.ReasonExcluded), string(plan.ReasonDuplicate),
	string(plan.ReasonNotFound), string(plan.ReasonPresent),
}

// appendRow writes a row without its change, kind and type, which its section tells. Its users come last and with
// their length, for those who read rows without them.
func appendRow(b []byte, r *plan.Row) []byte {
	flags := byte(0)
	if r.Before != nil {
		flags |= hasBefore
	}
	if r.After != nil {
		flags |= hasAfter
	}
	if r.New {
		flags |= isNew
	}
	b = append(b, flags)
	b = packed.AppendText(b, r.Key)
	b = packed.AppendUnless(b, r.Address, r.Key)
	b = packed.AppendUnless(b, r.PrimaryKey, r.Key)
	b = packed.AppendUnless(b, r.PrimaryAddress, r.PrimaryKey)
	b = packed.AppendText(b, r.DN)
	b = packed.AppendKnown(b, string(r.Reason), wellKnown)
	b = binary.AppendUvarint(b, uint64(len(r.Notes)))
	for _, n := range r.Notes {
		b = packed.AppendText(b, n)
	}
	if r.Before == nil && r.After == nil {
		return b
	}
	start := len(b)
	base := rowUser(r)
	if r.Before != nil {
		b = storedUser.Append(b, r.Before, base)
		base = r.Before
	}
	if r.After != nil {
		b = storedUser.Append(b, r.After, base)
	}
	return prefixLength(b, start)
}

// prefixLength puts the length of what was appended since start before it.
func prefixLength(b []byte, start int) []byte {
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(len(b)-start))
	b = append(b, length[:n]...)
	copy(b[start+n:], b[start:])
	copy(b[start:], length[:n])
	return b
}

// rowUser is what a row says of its user, which the row's users mostly repeat.
func rowUser(r *plan.Row) *user.User {
	return &user.User{
		Key: r.Key, Address: r.Address, Kind: r.Kind, PrimaryAddress: r.PrimaryAddress, Type: r.Type, DN: r.DN,
	}
}

// storedUser is how a row's users are stored: as their difference from a base.
var storedUser = packed.Layout{
	Items: []packed.Item{
		{Field: packed.Key, Form: packed.UnlessBase}, {Field: packed.Address, Form: packed.UnlessBase},
		{Field: packed.PrimaryAddress, Form: packed.UnlessBase}, {Field: packed.DN, Form: packed.UnlessBase},
		{Field: packed.DirectoryID, Form: packed.UnlessBase}, {Field: packed.SourceID, Form: packed.UnlessBase},
		{Field: packed.LastRunID, Form: packed.UnlessBase},
		{Field: packed.Kind, Form: packed.FromKnown}, {Field: packed.Type, Form: packed.FromKnown},
		{Field: packed.Source, Form: packed.FromKnown}, {Field: packed.HeldSpamReport, Form: packed.FromKnown},
		{Field: packed.Protected}, {Field: packed.Version}, {Field: packed.CreatedAt}, {Field: packed.UpdatedAt},
	},
	Known: wellKnown,
}

// decoder reads what the functions above write.
type decoder struct {
	packed.Reader
	// flags say which users the row read last has, and users is their text.
	flags byte
	users string
	// memory is for the users of the rows to come; more is made when it is used up.
	memory []user.User
}

func newDecoder(text string) decoder { return decoder{Reader: packed.NewReader(text)} }

// newUser returns memory for one user.
func (d *decoder) newUser() *user.User {
	if len(d.memory) == 0 {
		d.memory = make([]user.User, blockRows)
	}
	u := &d.memory[0]
	d.memory = d.memory[1:]
	return u
}

// row reads a row of a section without its users.
func (d *decoder) row(s section, row *plan.Row) {
	d.flags, d.users = d.Byte(), ""
	*row = plan.Row{Change: s.change(), Kind: s.kind(), Type: s.typ(), New: d.flags&isNew != 0}
	row.Key = d.Text()
	row.Address = d.Unless(row.Key)
	row.PrimaryKey = d.Unless(row.Key)
	row.PrimaryAddress = d.Unless(row.PrimaryKey)
	row.DN = d.Text()
	row.Reason = address.Reason(d.Known(wellKnown))
	for range d.Count() {
		row.Notes = append(row.Notes, d.Text())
	}
	if d.flags&(hasBefore|hasAfter) != 0 {
		d.users = d.Text()
	}
}

// usersOf reads the users of the row that was read last.
func (d *decoder) usersOf(row *plan.Row) {
	if d.flags&(hasBefore|hasAfter) == 0 || d.Err() != nil {
		return
	}
	users := packed.NewReader(d.users)
	base := rowUser(row)
	if d.flags&hasBefore != 0 {
		row.Before = d.newUser()
		storedUser.Read(&users, row.Before, base)
		base = row.Before
	}
	if d.flags&hasAfter != 0 {
		row.After = d.newUser()
		storedUser.Read(&users, row.After, base)
	}
	if users.Err() != nil || users.Left() > 0 {
		d.Fail()
	}
}

func (d *decoder) finish(what string) error {
	if d.Err() != nil {
		return fmt.Errorf("%s: %w", what, ErrDamaged)
	}
	return nil
}
