// Package usercsv prints plans and the Users List as CSV (RFC 4180) that spreadsheets show as it is: UTF-8 with a
// byte order mark, CRLF, and no cell that a spreadsheet would run.
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

const (
	// Header is the first line of a preview's and of the Users List's file.
	Header = "Address,Address Type,Primary Address,Object Type,Change,Reason,Distinguished Name"
	// ChangesHeader is the first line of the file of a sync's changes.
	ChangesHeader = Header + ",Outcome"
)

// bom is the byte order mark, without which spreadsheets take UTF-8 for the system's own encoding.
const bom = "\ufeff"

// Writer writes one file. It keeps one buffer, whatever the number of rows.
type Writer struct {
	out  *bufio.Writer
	rows int
}

// NewWriter returns a writer of a plan, or of the Users List, that has written the header to w.
func NewWriter(w io.Writer) *Writer { return newWriter(w, Header) }

// NewChangesWriter returns a writer of a sync's changes that has written the header to w.
func NewChangesWriter(w io.Writer) *Writer { return newWriter(w, ChangesHeader) }

func newWriter(w io.Writer, header string) *Writer {
	out := bufio.NewWriterSize(w, 64<<10)
	// A bufio.Writer keeps its first error for Flush.
	_, _ = out.WriteString(bom + header + "\r\n")
	return &Writer{out: out}
}

// Row writes a row of a plan. What the row's notes say follows its reason.
func (w *Writer) Row(r *plan.Row) error {
	return w.line(r.Address, string(r.Kind), r.PrimaryAddress, string(r.Type), string(r.Change), reasonOf(r), r.DN)
}

// Change writes a row of a sync's plan, and what became of it.
func (w *Writer) Change(r *plan.Row, outcome string) error {
	return w.line(
		r.Address, string(r.Kind), r.PrimaryAddress, string(r.Type), string(r.Change), reasonOf(r), r.DN, outcome,
	)
}

// reasonOf returns a row's reason and its notes.
func reasonOf(r *plan.Row) string {
	reason := string(r.Reason)
	if len(r.Notes) > 0 {
		parts := r.Notes
		if reason != "" {
			parts = append([]string{reason}, r.Notes...)
		}
		reason = strings.Join(parts, "; ")
	}
	return reason
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

// appendCell writes one cell, quoted where RFC 4180 asks for it, where a space at an end could get lost, and where a
// spreadsheet would run it. encoding/csv quotes for the first reason only.
func appendCell(out []byte, text string) []byte {
	if text == "" {
		return out
	}
	if !isPrintableASCII(text) {
		text = strings.Map(printable, text)
	}
	formula := isFormula(text)
	if strings.IndexByte(text, ';') >= 0 || strings.IndexByte(text, '|') >= 0 {
		text = quoteParts(text)
	}
	spaced := text[0] == ' ' || text[len(text)-1] == ' '
	if !formula && !spaced && !strings.Contains(text, ",") && !strings.Contains(text, `"`) {
		return append(out, text...)
	}
	out = append(out, '"')
	if formula {
		out = append(out, '\'')
	}
	return append(append(out, strings.ReplaceAll(text, `"`, `""`)...), '"')
}

// isPrintableASCII reports whether a text, as nearly every one, can be shown as it is.
func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// printable puts U+FFFD in place of a control character: a line break within a cell would look like a new row.
// strings.Map puts it in place of broken UTF-8.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return utf8.RuneError
	}
	return r
}

// isFormula reports whether a spreadsheet would run a text: it begins with =, +, -, @ or their full-width forms, also
// after white space (OWASP, CSV Injection).
func isFormula(text string) bool {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	first, _ := utf8.DecodeRuneInString(text)
	switch first {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠':
		return true
	}
	return false
}

// quoteParts puts a quote before each formula that follows a semicolon or a vertical bar. A spreadsheet that takes one
// of these for the separator, as many do by their country, would begin a cell there. Tabs, the third of them, are gone.
func quoteParts(text string) string {
	var b strings.Builder
	for {
		end := strings.IndexAny(text, ";|") + 1
		if end == 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:end])
		text = text[end:]
		// A quotation mark where a cell begins belongs to the file and not to the cell.
		if isFormula(strings.TrimLeftFunc(text, func(r rune) bool { return r == '"' || unicode.IsSpace(r) })) {
			b.WriteByte('\'')
		}
	}
}

// What a CSV holds, as its file's name says it.
const (
	Preview = "preview"
	Changes = "sync"
	Users   = "users"
)

// maxNamePart bounds the account in a file's name, in bytes: a name has at most 255 (ext4, NTFS).
const maxNamePart = 80

// FileName returns the name of a CSV of an account that was asked for at a time: rollcall-ACCOUNT-KIND-TIME.csv. What
// of the account is neither a letter or digit of ASCII nor one of ".", "_", "-" and "@" becomes "_".
func FileName(account user.Account, kind string, at time.Time) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._@-", r):
			return r
		}
		return '_'
	}, string(account))
	return "rollcall-" + name[:min(len(name), maxNamePart)] + "-" + kind + "-" +
		at.UTC().Format("2006-01-02T150405Z") + ".csv"
}
