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
	string(user.TypeUser), string(user.TypeContact), string(user.TypeGroup), string(user.TypePublicFolder), string(user.TypeResource),
	string(user.TypeShared), string(user.TypeUnknown),
	string(plan.ReasonProtected), string(plan.ReasonExcluded), string(plan.ReasonDuplicate), string(plan.ReasonNotFound), string(plan.ReasonPresent),
}

// appendRow writes a row without its change, kind and type, which its section tells. Its users come last and with their length, for those
// who read rows without them.
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
	b = packed.AppendTwin(b, r.Address, r.Key)
	b = packed.AppendTwin(b, r.PrimaryKey, r.Key)
	b = packed.AppendTwin(b, r.PrimaryAddress, r.PrimaryKey)
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
		b = appendUser(b, r.Before, base)
		base = r.Before
	}
	if r.After != nil {
		b = appendUser(b, r.After, base)
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
	return &user.User{Key: r.Key, Address: r.Address, Kind: r.Kind, PrimaryAddress: r.PrimaryAddress, Type: r.Type, DN: r.DN}
}

// appendUser writes a user as its difference from base.
func appendUser(b []byte, u, base *user.User) []byte {
	b = packed.AppendTwin(b, u.Key, base.Key)
	b = packed.AppendTwin(b, u.Address, base.Address)
	b = packed.AppendTwin(b, u.PrimaryAddress, base.PrimaryAddress)
	b = packed.AppendTwin(b, u.DN, base.DN)
	b = packed.AppendTwin(b, u.DirectoryID, base.DirectoryID)
	b = packed.AppendTwin(b, u.SourceID, base.SourceID)
	b = packed.AppendTwin(b, u.LastRunID, base.LastRunID)
	for _, s := range []string{string(u.Kind), string(u.Type), string(u.Source), string(u.HeldSpamReport)} {
		b = packed.AppendKnown(b, s, wellKnown)
	}
	b = packed.AppendBool(b, u.Protected)
	b = binary.AppendVarint(b, u.Version)
	b = packed.AppendTime(b, u.CreatedAt)
	return packed.AppendTime(b, u.UpdatedAt)
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
	row.Address = d.Twin(row.Key)
	row.PrimaryKey = d.Twin(row.Key)
	row.PrimaryAddress = d.Twin(row.PrimaryKey)
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
	users := decoder{Reader: packed.NewReader(d.users)}
	base := rowUser(row)
	if d.flags&hasBefore != 0 {
		row.Before = d.newUser()
		users.user(row.Before, base)
		base = row.Before
	}
	if d.flags&hasAfter != 0 {
		row.After = d.newUser()
		users.user(row.After, base)
	}
	if users.Err() != nil || users.Left() > 0 {
		d.Fail()
	}
}

func (d *decoder) user(u, base *user.User) {
	*u = user.User{Key: d.Twin(base.Key), Address: d.Twin(base.Address), PrimaryAddress: d.Twin(base.PrimaryAddress), DN: d.Twin(base.DN)}
	u.DirectoryID, u.SourceID, u.LastRunID = d.Twin(base.DirectoryID), d.Twin(base.SourceID), d.Twin(base.LastRunID)
	u.Kind, u.Type = user.Kind(d.Known(wellKnown)), user.Type(d.Known(wellKnown))
	u.Source, u.HeldSpamReport = user.Source(d.Known(wellKnown)), user.HeldSpamReport(d.Known(wellKnown))
	u.Protected = d.Bool()
	u.Version = d.Varint()
	u.CreatedAt, u.UpdatedAt = d.Time(), d.Time()
}

func (d *decoder) finish(what string) error {
	if d.Err() != nil {
		return fmt.Errorf("%s: %w", what, ErrDamaged)
	}
	return nil
}
