// Package usercsv prints plans and the Users List as CSV (RFC 4180) that spreadsheets open as it is meant: UTF-8 with a byte
// order mark, CRLF, and no cell that a spreadsheet would run.
package usercsv

import (
	"bufio"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// Header is the first line of every file.
const Header = "Address,Address Type,Primary Address,Object Type,Change,Reason,Distinguished Name"

// bom is the byte order mark, without which spreadsheets take UTF-8 for the system's own encoding.
const bom = "\ufeff"

// Writer writes one file. It keeps one buffer, whatever the number of rows.
type Writer struct {
	out  *bufio.Writer
	rows int
}

// NewWriter returns a writer that has written the header to w.
func NewWriter(w io.Writer) *Writer {
	out := bufio.NewWriterSize(w, 64<<10)
	// A bufio.Writer keeps its first error for Flush.
	_, _ = out.WriteString(bom + Header + "\r\n")
	return &Writer{out: out}
}

// Row writes a row of a plan. What the row's notes say follows its reason.
func (w *Writer) Row(r *plan.Row) error {
	reason := string(r.Reason)
	if len(r.Notes) > 0 {
		parts := r.Notes
		if reason != "" {
			parts = append([]string{reason}, r.Notes...)
		}
		reason = strings.Join(parts, "; ")
	}
	return w.line(r.Address, string(r.Kind), r.PrimaryAddress, string(r.Type), string(r.Change), reason, r.DN)
}

// User writes a user of the Users List, to whom nothing changes.
func (w *Writer) User(u user.User) error {
	return w.line(u.Address, string(u.Kind), u.PrimaryAddress, string(u.Type), "", "", u.DN)
}

// Rows returns the number of rows written, the header not among them.
func (w *Writer) Rows() int { return w.rows }

// Flush writes what is buffered and returns the first error of all writes.
func (w *Writer) Flush() error { return w.out.Flush() }

func (w *Writer) line(cells ...string) error {
	w.rows++
	out := w.out.AvailableBuffer()
	for i, text := range cells {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendCell(out, text)
	}
	_, err := w.out.Write(append(out, '\r', '\n'))
	return err
}

// appendCell writes one cell, quoted where it must be.
func appendCell(out []byte, text string) []byte {
	quote, formula, clean := inspect(text)
	if !clean {
		text = printable(text)
		quote, formula, _ = inspect(text)
	}
	if !quote && !formula {
		return append(out, text...)
	}
	out = append(out, '"')
	if formula {
		out = append(out, '\'')
	}
	for at := strings.IndexByte(text, '"'); at >= 0; at = strings.IndexByte(text, '"') {
		out = append(append(out, text[:at+1]...), '"')
		text = text[at+1:]
	}
	return append(append(out, text...), '"')
}

// inspect tells whether a cell needs quotes, whether a spreadsheet would run it as a formula (OWASP, CSV Injection: =, +, -,
// @, their full-width forms, also behind space), and whether all of it can be shown. Nearly every cell takes one look at eight of its
// bytes at a time: within an address or a DN the signs of a formula are common, and a space as well.
func inspect(text string) (quote, formula, clean bool) {
	if len(text) < 8 {
		return inspectShort(text)
	}
	if startsUnusually(text[0]) || text[len(text)-1] == ' ' {
		return inspectRunes(text)
	}
	for i := 0; i < len(text); i += 8 {
		// The last word overlaps the one before.
		w := word(text[min(i, len(text)-8):])
		if unusual(w) {
			return inspectRunes(text)
		}
		quote = quote || quoted(w)
	}
	return quote, false, true
}

// inspectShort is inspect for less than a word: mostly a kind, a type or nothing.
func inspectShort(text string) (quote, formula, clean bool) {
	for i := range len(text) {
		if c := text[i]; c < 'a' || c > 'z' {
			return inspectRunes(text)
		}
	}
	return false, false, true
}

// startsUnusually tells the bytes that may start a formula, and the space.
func startsUnusually(c byte) bool { return c == '=' || c == '+' || c == '-' || c == '@' || c == ' ' }

// word returns eight bytes as a number.
func word(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// ones has a one in each of its bytes, and tops the highest bit of each.
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// anyBelow tells whether one of a word's bytes is below c, which is at most 0x80, and anyIs whether one is c (Warren, Hacker's
// Delight, 6-1).
func anyBelow(w, c uint64) bool { return (w-ones*c)&^w&tops != 0 }
func anyIs(w, c uint64) bool    { return anyBelow(w^ones*c, 1) }

// unusual tells whether one of eight bytes is a control character or not ASCII.
func unusual(w uint64) bool { return w&tops != 0 || anyBelow(w, ' ') || anyIs(w, 0x7f) }

// quoted tells whether one of eight bytes needs quotes.
func quoted(w uint64) bool { return anyIs(w, '"') || anyIs(w, ',') }

// inspectRunes is inspect for any text.
func inspectRunes(text string) (quote, formula, clean bool) {
	clean = true
	start := true
	for i, r := range text {
		switch {
		case r == '"' || r == ',':
			quote = true
		case r == ' ':
			quote = quote || i == 0 || i == len(text)-1
		case r < ' ', r == utf8.RuneError, r >= 0x7f && unicode.IsControl(r):
			clean = false
		}
		if start && !unicode.IsSpace(r) {
			start = false
			formula = strings.ContainsRune("=+-@＝＋－＠", r)
		}
	}
	return quote, formula, clean
}

// printable puts U+FFFD in place of control characters and broken UTF-8: a line break within a cell would look like a row.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// PreviewFileName returns the file name of a preview's CSV.
func PreviewFileName(previewID string) string { return "rollcall-preview-" + previewID + ".csv" }

// UsersFileName returns the file name of the Users List's CSV.
func UsersFileName(at time.Time) string {
	return "rollcall-users-" + at.UTC().Format("2006-01-02T150405Z") + ".csv"
}
