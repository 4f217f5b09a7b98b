package directory

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/go-ldap/ldap/v3"
)

// scanner reads a text that somebody typed and writes it tidied. It knows where in the typed text it is.
type scanner struct {
	in  []rune
	at  int
	out strings.Builder
	// what is the text, in the words of its errors.
	what string
}

// isFilterSpace reports whether a character is white space that pasting leaves between the parts of a filter.
func isFilterSpace(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' }

func (p *scanner) atEnd() bool { return p.at >= len(p.in) }

// next returns the rune to be read, and 0 at the end.
func (p *scanner) next() rune {
	if p.atEnd() {
		return 0
	}
	return p.in[p.at]
}

func (p *scanner) skip() {
	for !p.atEnd() && isFilterSpace(p.in[p.at]) {
		p.at++
	}
}

// wrong makes an error for the character at an index, which its text counts from 1.
func (p *scanner) wrong(at int, format string, args ...any) error {
	return fmt.Errorf("%s goes wrong at character %d: %s", p.what, at+1, fmt.Sprintf(format, args...))
}

// identifier checks a short name or an OID (RFC 4512, 1.4). RFC 4512 has no _ in names, but some old servers have.
func (p *scanner) identifier(start int, name, what string) error {
	if err := p.letters(start, name, what, "-_."); err != nil {
		return err
	}
	if c := name[0]; c >= '0' && c <= '9' || c == '.' {
		for arc := range strings.SplitSeq(name, ".") {
			if strings.Trim(arc, "0123456789") != "" || arc == "" || len(arc) > 1 && arc[0] == '0' || arc == name {
				return p.wrong(start, "%q is neither a name nor an OID, which looks like 1.2.840.113556.1.2.210", name)
			}
		}
		return nil
	}
	if !unicode.IsLetter(rune(name[0])) || strings.Contains(name, ".") {
		return p.wrong(start, "%q is no name of %s; one begins with a letter and has letters, digits and - in it",
			name, what)
	}
	return nil
}

// letters names the first character of a name that is neither an ASCII letter nor a digit nor one of the others.
func (p *scanner) letters(start int, name, what, others string) error {
	for i, r := range []rune(name) {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(others, r) {
			return p.wrong(start+i, "%q cannot stand in the name of %s", r, what)
		}
	}
	return nil
}

// excerpt returns the beginning of a longer text.
func excerpt(text []rune) string {
	const most = 40
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// ldapReason returns go-ldap's own words for a client-side error, without its number.
func ldapReason(err error) string {
	var e *ldap.Error
	if errors.As(err, &e) && e.Err != nil {
		return strings.TrimPrefix(e.Err.Error(), "ldap: ")
	}
	return err.Error()
}
