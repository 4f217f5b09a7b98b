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

// What a byte means for a cell.
const (
	meansNothing = iota
	meansQuotes
	// meansLooking is what only the whole text tells: spaces, what is not ASCII, and what may start a formula.
	meansLooking
)

// meanings is the table of all bytes, so that nearly every cell takes one look at each of its bytes.
var meanings = func() (table [256]byte) {
	for c := range table {
		switch {
		case c == '"' || c == ',':
			table[c] = meansQuotes
		case c <= ' ' || c >= 0x7f || strings.IndexByte("=+-@", byte(c)) >= 0:
			table[c] = meansLooking
		}
	}
	return table
}()

// inspect tells whether a cell needs quotes, whether a spreadsheet would run it as a formula (OWASP, CSV Injection: =, +, -,
// @, their full-width forms, also behind space), and whether all of it can be shown.
func inspect(text string) (quote, formula, clean bool) {
	for i := range len(text) {
		switch meanings[text[i]] {
		case meansQuotes:
			quote = true
		case meansLooking:
			// Within an address or a DN the signs of a formula are common, and a space as well.
			if c := text[i]; i == 0 || i == len(text)-1 || c < ' ' || c >= 0x7f {
				return inspectRunes(text)
			}
		}
	}
	return quote, false, true
}

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
