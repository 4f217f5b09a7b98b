package planfile

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"

	"rollcall/shared/plan"
	"rollcall/shared/planfile/packed"
	"rollcall/shared/user"
)

// usualPage is the number of rows that most callers ask for.
const usualPage = 100

// maxScan bounds how many rows one page of a search looks at.
const maxScan = 50_000

// maxAnswer bounds a page in bytes, as answerSize counts them, unless it has a single row: AWS Lambda takes an answer
// of 6 MB.
const maxAnswer = 4 << 20

// Filter chooses rows. Empty fields choose all.
type Filter struct {
	Changes []plan.Change
	Kinds   []user.Kind
	Types   []user.Type
	// Domains are canonical domains of addresses, Reasons the whole texts of rows' reasons.
	Domains []string
	Reasons []string
	// Prefix is what the key begins with: a range of keys, which is found at once.
	Prefix string
	// Primary is a canonical address: its own row and those of its aliases.
	Primary string
	// Q is a substring of address, primary address or DN, without regard to case.
	Q string
	// Keep is asked about each row that fits the rest; nil keeps all. Filters with another Keep have another KeepName.
	Keep     func(*PlacedRow) bool
	KeepName string
	// WithoutUsers leaves Before and After out of the rows, which takes less time, unless Keep looks at them.
	WithoutUsers bool
}

// Position is the place of a row: the batch that it is applied with, and the row within.
type Position struct{ Batch, Row int }

// PlacedRow is a row and its place.
type PlacedRow struct {
	plan.Row
	// block holds the row, as its row-th.
	block, row int
}

// Page is one page of rows, ordered by key. Next is empty at the end. Scanned is how many rows it looked at.
type Page struct {
	Rows    []PlacedRow
	Next    string
	Scanned int
}

// Page returns up to limit rows behind cursor, which is empty for the first page, or ErrBadCursor. A search goes in
// bounded steps, and a page has a bounded length, so that it may be short and still have Next.
func (r *Reader) Page(ctx context.Context, f Filter, cursor string, limit int) (Page, error) {
	m, err := r.merge(f)
	if err != nil {
		return Page{}, err
	}
	if cursor != "" {
		if err := m.resume(r, cursor); err != nil {
			return Page{}, err
		}
	}
	// Most pages are full; a search may find little.
	page := Page{Rows: make([]PlacedRow, 0, min(limit, usualPage))}
	for size := 0; ; page.Scanned++ {
		if page.Scanned%1024 == 0 && ctx.Err() != nil {
			return Page{}, context.Cause(ctx)
		}
		w, err := m.head()
		if err != nil || w == nil {
			return page, err
		}
		if len(page.Rows) == limit || page.Scanned == maxScan {
			page.Next = m.cursor()
			return page, nil
		}
		taken, err := m.take(w)
		if err != nil {
			return page, err
		}
		if taken {
			if size += answerSize(&w.row.Row); size > maxAnswer && len(page.Rows) > 0 {
				page.Next = m.cursor()
				return page, nil
			}
			page.Rows = append(page.Rows, kept(&w.row))
		}
		m.advance()
	}
}

// kept is a row with users of its own.
func kept(row *PlacedRow) PlacedRow {
	out := *row
	for _, u := range []**user.User{&out.Before, &out.After} {
		if *u != nil {
			own := **u
			*u = &own
		}
	}
	return out
}

// matcher is a filter in the form in which rows are compared with it.
type matcher struct {
	Filter
	q string
}

func newMatcher(f Filter) matcher {
	return matcher{Filter: f, q: strings.ToLower(strings.TrimSpace(f.Q))}
}

// matches reports whether a row fits all of the filter but Keep.
func (m *matcher) matches(row *plan.Row) bool {
	if m.Primary != "" && row.PrimaryKey != m.Primary || !wanted(m.Reasons, string(row.Reason)) ||
		len(m.Domains) > 0 && !slices.Contains(m.Domains, domainOf(row.Key)) {
		return false
	}
	if m.q != "" && !contains(row.Key, m.q) && !contains(row.Address, m.q) && !contains(row.PrimaryAddress, m.q) &&
		!contains(row.DN, m.q) && !contains(string(row.Reason), m.q) {
		return false
	}
	return true
}

// contains reports whether text holds q, which is in lower case, without regard to case.
func contains(text, q string) bool {
	if strings.Contains(text, q) {
		return true
	}
	for i := range len(text) {
		if c := text[i]; c >= 'A' && c <= 'Z' || c >= 0x80 {
			return strings.Contains(strings.ToLower(text), q)
		}
	}
	return false
}

func (f *Filter) wants(s section) bool {
	return wanted(f.Changes, s.change()) && wanted(f.Kinds, s.kind()) && wanted(f.Types, s.typ())
}

func wanted[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// tag identifies a filter in a cursor, so that a cursor is not used with another.
func (f *Filter) tag() uint32 {
	var b []byte
	for _, c := range f.Changes {
		b = packed.AppendText(b, string(c))
	}
	b = append(b, 0xff)
	for _, k := range f.Kinds {
		b = packed.AppendText(b, string(k))
	}
	b = append(b, 0xff)
	for _, t := range f.Types {
		b = packed.AppendText(b, string(t))
	}
	for _, list := range [][]string{f.Domains, f.Reasons} {
		b = append(b, 0xff)
		for _, text := range list {
			b = packed.AppendText(b, text)
		}
	}
	b = packed.AppendText(append(b, 0xff), f.Primary)
	b = packed.AppendText(b, f.Prefix)
	b = packed.AppendText(b, f.KeepName)
	return crc32.ChecksumIEEE(packed.AppendText(b, f.Q))
}

// rowPlace is the place of a row in the file: its section, the place of its block there, and its place in the block.
type rowPlace struct {
	section    section
	block, row int
}

// cursor names the last row that was looked at: filter, section, block and row; and a checksum. It has no key, which
// may be longer than a query can be.
func (m *merger) cursor() string {
	b := binary.LittleEndian.AppendUint32(nil, m.tag())
	b = append(b, byte(m.last.section))
	b = binary.AppendUvarint(b, uint64(m.last.block))
	b = binary.AppendUvarint(b, uint64(m.last.row))
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// resume puts the merger behind the row that a cursor names.
func (m *merger) resume(r *Reader, cursor string) error {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) < 10 {
		return ErrBadCursor
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.ChecksumIEEE(body) != sum || binary.LittleEndian.Uint32(body) != m.tag() ||
		int(body[4]) >= sectionCount() {
		return ErrBadCursor
	}
	d := newDecoder(string(body[5:]))
	m.last = rowPlace{section: section(body[4]), block: int(d.Uvarint()), row: int(d.Uvarint())}
	if d.Err() != nil || d.Left() > 0 {
		return ErrBadCursor
	}
	key, err := r.keyAt(m.last)
	if err != nil {
		return err
	}
	for _, w := range m.walkers {
		if err := w.seek(m.last, key); err != nil {
			return err
		}
	}
	return nil
}

// keyAt returns the key of a row, or ErrBadCursor where there is no such row.
func (r *Reader) keyAt(p rowPlace) (string, error) {
	blocks := r.sections[p.section]
	if p.block < 0 || p.block >= len(blocks) || p.row < 0 || p.row >= int(r.blocks[blocks[p.block]].rows) {
		return "", ErrBadCursor
	}
	w := walker{reader: r, section: p.section, blocks: blocks, at: p.block, rowAt: p.row}
	_, err := w.load()
	return w.row.Key, err
}
