package snapshot

import (
	"encoding/binary"
	"fmt"
	"time"

	"rollcall/shared/address"
	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// The parts of a row that are there.
const (
	hasBefore = 1 << iota
	hasAfter
	isNew
)

// The texts that rows repeat most, by number; any other is written out after a 0.
var wellKnown = []string{
	"", "", string(user.FromDirectory), string(user.Manual), string(user.ReportDaily), string(user.ReportOff),
	string(user.Primary), string(user.Alias),
	string(user.TypeUser), string(user.TypeContact), string(user.TypeGroup), string(user.TypePublicFolder), string(user.TypeResource),
	string(user.TypeShared), string(user.TypeUnknown),
	string(plan.ReasonProtected), string(plan.ReasonExcluded), string(plan.ReasonDuplicate), string(plan.ReasonNotFound), string(plan.ReasonPresent),
}

// appendRow writes a row without its change, kind and type, which its section tells.
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
	b = putText(b, r.Key)
	b = putTwin(b, r.Address, r.Key)
	b = putTwin(b, r.PrimaryKey, r.Key)
	b = putTwin(b, r.PrimaryAddress, r.PrimaryKey)
	b = putText(b, r.DN)
	b = putKnown(b, string(r.Reason))
	b = binary.AppendUvarint(b, uint64(len(r.Notes)))
	for _, n := range r.Notes {
		b = putText(b, n)
	}
	if r.Before != nil {
		b = appendUser(b, r.Before, rowUser(r))
	}
	if r.After != nil {
		base := rowUser(r)
		if r.Before != nil {
			base = r.Before
		}
		b = appendUser(b, r.After, base)
	}
	return b
}

// rowUser is what a row says of its user, which the row's users mostly repeat.
func rowUser(r *plan.Row) *user.User {
	return &user.User{Key: r.Key, Address: r.Address, Kind: r.Kind, PrimaryAddress: r.PrimaryAddress, Type: r.Type, DN: r.DN}
}

// appendUser writes a user as its difference from base.
func appendUser(b []byte, u, base *user.User) []byte {
	b = putTwin(b, u.Key, base.Key)
	b = putTwin(b, u.Address, base.Address)
	b = putTwin(b, u.PrimaryAddress, base.PrimaryAddress)
	b = putTwin(b, u.DN, base.DN)
	b = putTwin(b, u.DirectoryID, base.DirectoryID)
	b = putTwin(b, u.SourceID, base.SourceID)
	b = putTwin(b, u.LastRunID, base.LastRunID)
	for _, s := range []string{string(u.Kind), string(u.Type), string(u.Source), string(u.HeldSpamReport)} {
		b = putKnown(b, s)
	}
	protected := byte(0)
	if u.Protected {
		protected = 1
	}
	b = append(b, protected)
	b = binary.AppendVarint(b, u.Version)
	b = putTime(b, u.CreatedAt)
	return putTime(b, u.UpdatedAt)
}

func putText(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

// putTwin writes s, or 0 where it equals its twin.
func putTwin(b []byte, s, twin string) []byte {
	if s == twin {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(s))+1), s...)
}

func putKnown(b []byte, s string) []byte {
	for i := 1; i < len(wellKnown); i++ {
		if wellKnown[i] == s {
			return append(b, byte(i))
		}
	}
	return putText(append(b, 0), s)
}

func putTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, t.UnixNano())
}

// decoder reads what the functions above write. Its first error sticks, and everything it returns afterwards is empty. Text
// shares the memory of the input.
type decoder struct {
	text string
	at   int
	err  error
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = ErrDamaged
	}
	d.at = len(d.text)
}

func (d *decoder) byte() byte {
	if d.at >= len(d.text) {
		d.fail()
		return 0
	}
	d.at++
	return d.text[d.at-1]
}

func (d *decoder) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		c := d.byte()
		if d.err != nil {
			return 0
		}
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	d.fail()
	return 0
}

func (d *decoder) varint() int64 {
	n := d.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

func (d *decoder) take(n uint64) string {
	if n > uint64(len(d.text)-d.at) {
		d.fail()
		return ""
	}
	d.at += int(n)
	return d.text[d.at-int(n) : d.at]
}

func (d *decoder) string() string { return d.take(d.uvarint()) }

func (d *decoder) twin(twin string) string {
	n := d.uvarint()
	if n == 0 {
		return twin
	}
	return d.take(n - 1)
}

func (d *decoder) known() string {
	n := d.byte()
	switch {
	case n == 0:
		return d.string()
	case int(n) >= len(wellKnown):
		d.fail()
		return ""
	}
	return wellKnown[n]
}

func (d *decoder) time() time.Time {
	n := d.varint()
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// row reads a row of a section. scratch holds the row's users, whose memory it may reuse.
func (d *decoder) row(s section, row *plan.Row, scratch *[2]user.User) {
	flags := d.byte()
	*row = plan.Row{Change: s.change(), Kind: s.kind(), Type: s.typ(), New: flags&isNew != 0}
	row.Key = d.string()
	row.Address = d.twin(row.Key)
	row.PrimaryKey = d.twin(row.Key)
	row.PrimaryAddress = d.twin(row.PrimaryKey)
	row.DN = d.string()
	row.Reason = address.Reason(d.known())
	notes := d.uvarint()
	if notes > uint64(len(d.text)-d.at) {
		d.fail()
		return
	}
	for range notes {
		row.Notes = append(row.Notes, d.string())
	}
	base := rowUser(row)
	if flags&hasBefore != 0 {
		d.user(&scratch[0], base)
		row.Before, base = &scratch[0], &scratch[0]
	}
	if flags&hasAfter != 0 {
		d.user(&scratch[1], base)
		row.After = &scratch[1]
	}
}

func (d *decoder) user(u, base *user.User) {
	*u = user.User{Key: d.twin(base.Key), Address: d.twin(base.Address), PrimaryAddress: d.twin(base.PrimaryAddress), DN: d.twin(base.DN)}
	u.DirectoryID, u.SourceID, u.LastRunID = d.twin(base.DirectoryID), d.twin(base.SourceID), d.twin(base.LastRunID)
	u.Kind, u.Type = user.Kind(d.known()), user.Type(d.known())
	u.Source, u.HeldSpamReport = user.Source(d.known()), user.HeldSpamReport(d.known())
	u.Protected = d.byte() == 1
	u.Version = d.varint()
	u.CreatedAt, u.UpdatedAt = d.time(), d.time()
}

func (d *decoder) finish(what string) error {
	if d.err != nil {
		return fmt.Errorf("%s: %w", what, d.err)
	}
	return nil
}
