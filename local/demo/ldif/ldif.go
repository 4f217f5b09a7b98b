// Package ldif reads and writes directory entries as LDIF content records (RFC 2849). The demo directories are
// embedded in this form, and the end-to-end tests load it into real servers.
package ldif

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrSyntax means that a line is no content record of RFC 2849.
var ErrSyntax = errors.New("not an LDIF content record")

// maxLine is the longest line that Read takes, in bytes.
const maxLine = 1 << 20

// Attribute is one attribute description with its values; a value is text or any bytes.
type Attribute struct {
	Name   string
	Values []string
}

// Entry is one entry. The order of attributes and values is that of the file.
type Entry struct {
	DN         string
	Attributes []Attribute
}

// Add appends values to the attribute, which is made where it is missing. Adding no value does nothing.
func (e *Entry) Add(name string, values ...string) {
	if len(values) == 0 {
		return
	}
	for i := range e.Attributes {
		if strings.EqualFold(e.Attributes[i].Name, name) {
			e.Attributes[i].Values = append(e.Attributes[i].Values, values...)
			return
		}
	}
	e.Attributes = append(e.Attributes, Attribute{Name: name, Values: values})
}

// Get returns the attribute's values; names match without regard to case (RFC 4512, 2.5).
func (e *Entry) Get(name string) []string {
	for _, a := range e.Attributes {
		if strings.EqualFold(a.Name, name) {
			return a.Values
		}
	}
	return nil
}

// Append appends an entry as a record to b and returns it. Lines are not folded, which RFC 2849 allows, so that a
// line can be searched for.
func Append(b []byte, e *Entry) []byte {
	b = appendLine(b, "dn", e.DN)
	for _, a := range e.Attributes {
		for _, v := range a.Values {
			b = appendLine(b, a.Name, v)
		}
	}
	return append(b, '\n')
}

func appendLine(b []byte, name, value string) []byte {
	b = append(b, name...)
	if safe(value) {
		b = append(b, ": "...)
		b = append(b, value...)
	} else {
		b = append(b, ":: "...)
		b = base64.StdEncoding.AppendEncode(b, []byte(value))
	}
	return append(b, '\n')
}

// Writer writes entries. Errors stick: after one, every call returns it.
type Writer struct {
	out    *bufio.Writer
	record []byte
}

// NewWriter returns a writer; call Flush at the end.
func NewWriter(w io.Writer) *Writer { return &Writer{out: bufio.NewWriterSize(w, 1<<16)} }

// Write writes one entry.
func (w *Writer) Write(e *Entry) error {
	w.record = Append(w.record[:0], e)
	_, err := w.out.Write(w.record)
	return err
}

// Flush writes what is buffered and returns the first error of any write.
func (w *Writer) Flush() error { return w.out.Flush() }

// safe reports whether a value may stand as it is: SAFE-STRING of RFC 2849, without a space at its end.
func safe(v string) bool {
	if v == "" {
		return true
	}
	if strings.ContainsRune(" :<", rune(v[0])) || v[len(v)-1] == ' ' {
		return false
	}
	for i := range len(v) {
		if c := v[i]; c == 0 || c == '\n' || c == '\r' || c > 0x7e {
			return false
		}
	}
	return true
}

// Read returns the entries of a file of content records; comments and a version line are passed over.
func Read(r io.Reader) ([]Entry, error) {
	var entries []Entry
	var current *Entry
	err := logicalLines(r, func(number int, line string) error {
		if line == "" {
			current = nil
			return nil
		}
		name, value, err := split(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		switch {
		case strings.EqualFold(name, "dn"):
			entries = append(entries, Entry{DN: value})
			current = &entries[len(entries)-1]
		case current != nil:
			current.Add(name, value)
		case len(entries) > 0 || !strings.EqualFold(name, "version"):
			return fmt.Errorf("line %d: %w: %q stands before a dn", number, ErrSyntax, name)
		}
		return nil
	})
	return entries, err
}

// logicalLines calls each with the lines of r, folded ones joined, comments left out, and an empty one at the end.
func logicalLines(r io.Reader, each func(number int, line string) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLine)
	var pending strings.Builder
	comment := false
	number, start := 0, 0
	flush := func() error {
		line := pending.String()
		pending.Reset()
		if comment || start == 0 {
			return nil
		}
		return each(start, line)
	}
	for scanner.Scan() {
		number++
		line := strings.TrimSuffix(scanner.Text(), "\r")
		if strings.HasPrefix(line, " ") && start > 0 {
			pending.WriteString(line[1:])
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		start, comment = number, strings.HasPrefix(line, "#")
		pending.WriteString(line)
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("read LDIF after line %d: %w", number, err)
	}
	return flush()
}

func split(line string) (name, value string, err error) {
	name, value, found := strings.Cut(line, ":")
	if !found || name == "" {
		return "", "", fmt.Errorf("%w: %q has no name and colon", ErrSyntax, line)
	}
	if strings.HasPrefix(value, "<") {
		return "", "", fmt.Errorf("%w: %s is a URL, and none is followed", ErrSyntax, name)
	}
	encoded, isBase64 := strings.CutPrefix(value, ":")
	if !isBase64 {
		return name, strings.TrimLeft(value, " "), nil
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimLeft(encoded, " "))
	if err != nil {
		return "", "", fmt.Errorf("%w: %s: %w", ErrSyntax, name, err)
	}
	return name, string(decoded), nil
}
