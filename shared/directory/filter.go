package directory

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/settings"
)

// The bounds of filters: reading one is recursive, and servers refuse long ones; in parts within parts, and in bytes.
const (
	maxFilterDepth  = 64
	maxFilterLength = 16 << 10
)

// maxBaseLength bounds a search base in characters.
const maxBaseLength = 4096

// CheckFilter returns a filter (RFC 4515) as it is searched with: without the stray spaces and line breaks of a pasted
// one, in parentheses. Spaces within a value stay; those at its ends go, and are written \20 where they are meant. Its
// error names the character where the text goes wrong, counted from 1 in the text as it was typed. An empty filter
// stays empty.
func CheckFilter(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("the filter is not valid UTF-8 text")
	}
	if len(text) > maxFilterLength {
		return "", fmt.Errorf("the filter is longer than %d bytes", maxFilterLength)
	}
	p := filterParser{in: []rune(strings.TrimRightFunc(text, isFilterSpace))}
	if p.skip(); p.atEnd() {
		return "", nil
	}
	if err := p.whole(); err != nil {
		return "", err
	}
	filter := p.out.String()
	// The library decides: what it cannot compile cannot be sent.
	if _, err := ldap.CompileFilter(filter); err != nil {
		return "", fmt.Errorf("the filter cannot be read: %s", ldapReason(err))
	}
	return filter, nil
}

// filterParser reads a filter and writes it tidied. It knows where in the typed text it is, which the library's
// compiler does not say.
type filterParser struct {
	in    []rune
	at    int
	depth int
	out   strings.Builder
}

// isFilterSpace reports whether a character is white space that pasting leaves between the parts of a filter.
func isFilterSpace(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' }

func (p *filterParser) atEnd() bool { return p.at >= len(p.in) }

// next returns the rune to be read, and 0 at the end.
func (p *filterParser) next() rune {
	if p.atEnd() {
		return 0
	}
	return p.in[p.at]
}

func (p *filterParser) skip() {
	for !p.atEnd() && isFilterSpace(p.in[p.at]) {
		p.at++
	}
}

// wrong makes an error for the character at an index, which its text counts from 1.
func (p *filterParser) wrong(at int, format string, args ...any) error {
	return fmt.Errorf("the filter goes wrong at character %d: %s", at+1, fmt.Sprintf(format, args...))
}

// whole reads all of the text; outer parentheses may be missing.
func (p *filterParser) whole() error {
	read := p.part
	if p.next() != '(' {
		read = p.bare
	}
	if err := read(); err != nil {
		return err
	}
	p.skip()
	switch {
	case p.atEnd():
		return nil
	case p.next() == ')':
		return p.wrong(p.at, "there is a ) too many")
	}
	return p.wrong(p.at, "the filter has ended before %q; join several as (&(…)(…)) or (|(…)(…))", excerpt(p.in[p.at:]))
}

// part reads one filter with its parentheses.
func (p *filterParser) part() error {
	if p.depth++; p.depth > maxFilterDepth {
		return p.wrong(p.at, "it nests deeper than %d", maxFilterDepth)
	}
	open := p.at
	p.at++
	if err := p.bare(); err != nil {
		return err
	}
	p.skip()
	if p.next() != ')' {
		if p.atEnd() {
			return p.wrong(p.at, "it lacks %d ) at its end", p.depth)
		}
		return p.wrong(p.at, "a ) is missing before %q, for the ( at character %d", excerpt(p.in[p.at:]), open+1)
	}
	p.at++
	p.depth--
	return nil
}

// bare reads a filter without its parentheses and writes it with them.
func (p *filterParser) bare() error {
	p.out.WriteByte('(')
	p.skip()
	var err error
	switch p.next() {
	case '&', '|':
		err = p.list()
	case '!':
		err = p.negation()
	default:
		err = p.item()
	}
	p.out.WriteByte(')')
	return err
}

// list reads the parts of an "and" or an "or". (&) and (|) without any are always true and always false (RFC 4526).
func (p *filterParser) list() error {
	operator, at := p.next(), p.at
	p.out.WriteRune(operator)
	p.at++
	p.skip()
	if p.next() != '(' && p.next() != ')' {
		return p.wrong(at, "after %c come one or more parts in parentheses", operator)
	}
	for p.next() == '(' {
		if err := p.part(); err != nil {
			return err
		}
		p.skip()
	}
	return nil
}

// negation reads a "not". Active Directory's tools take (!mail=*), so that is what people paste; it means (!(mail=*)).
func (p *filterParser) negation() error {
	p.out.WriteByte('!')
	p.at++
	p.skip()
	if p.next() == '(' {
		return p.part()
	}
	p.out.WriteByte('(')
	err := p.item()
	p.out.WriteByte(')')
	return err
}

// item reads one comparison: attribute, operator, value.
func (p *filterParser) item() error {
	start := p.at
	for !p.atEnd() && !strings.ContainsRune("=~<>()", p.next()) {
		p.at++
	}
	name := strings.TrimFunc(string(p.in[start:p.at]), isFilterSpace)
	if p.atEnd() || strings.ContainsRune("()", p.next()) {
		return p.wrong(start, "%s", withoutOperator(name))
	}
	operator := string(p.next())
	if operator != "=" {
		p.at++
		if p.next() != '=' {
			return p.wrong(p.at-1, "%s is no comparison; there are =, ~=, >= and <=", operator)
		}
		operator += "="
	}
	if err := p.description(start, name, operator); err != nil {
		return err
	}
	p.out.WriteString(name + operator)
	p.at++
	return p.value()
}

func withoutOperator(name string) string {
	if name == "" {
		return "a comparison such as mail=* is missing"
	}
	return fmt.Sprintf("%q has no comparison; write for example %s=*", name, name)
}

// description checks an attribute description (RFC 4512, 2.5), or that of an extensible match: attribute:dn:rule:.
func (p *filterParser) description(start int, name, operator string) error {
	attribute, rule, extensible := strings.Cut(name, ":")
	switch {
	case extensible && (operator != "=" || !strings.HasSuffix(rule, ":") && rule != ""):
		return p.wrong(start, "%q is no matching rule; write attribute:rule:=value", name)
	case attribute == "" && strings.Trim(rule, ":") == "":
		return p.wrong(start, "the name of an attribute is missing before %s", operator)
	case settings.IsSecretAttribute(attribute):
		return p.wrong(start, "%q holds passwords or keys, which no search may ask about", attribute)
	case attribute == "":
		return p.wrong(start, "%q compares every attribute, passwords among them; name one before it", name)
	}
	for i, r := range []rune(name) {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-.;_:", r) {
			for isFilterSpace(p.in[start]) {
				start++
			}
			return p.wrong(start+i, "%q cannot stand in the name of an attribute", r)
		}
	}
	return nil
}

// value reads a value up to the ) that ends it.
func (p *filterParser) value() error {
	p.skip()
	for !p.atEnd() && p.next() != ')' {
		r := p.next()
		switch {
		case isFilterSpace(r):
			p.out.WriteString(p.space())
			continue
		case r == '(':
			return p.wrong(p.at, `a ( within a value is written \28; `+
				`to begin a new part, close the one before it with )`)
		case r == 0:
			return p.wrong(p.at, `the character NUL is written \00`)
		case r == '\\' && !p.escaped():
			return p.wrong(p.at, `after a \ come two hexadecimal digits; the \ itself is written \5c`)
		}
		p.out.WriteRune(r)
		p.at++
	}
	return nil
}

// space reads a run of white space within a value. At the value's end it means nothing, and where a line was broken it
// stands for one space; other spaces are the value's own.
func (p *filterParser) space() string {
	start := p.at
	p.skip()
	if p.atEnd() || p.next() == ')' {
		return ""
	}
	run := string(p.in[start:p.at])
	if strings.ContainsAny(run, "\r\n\t\v\f\u0085\u00a0\u2028\u2029\ufeff\u200b") {
		return " "
	}
	return run
}

// escaped reports whether two hexadecimal digits follow the \ that is to be read.
func (p *filterParser) escaped() bool {
	if len(p.in)-p.at < 3 {
		return false
	}
	for _, r := range p.in[p.at+1 : p.at+3] {
		if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
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

// CheckBase returns a search base without the space around it and the line breaks of a pasted one; its error says what
// is wrong with the DN (RFC 4514).
func CheckBase(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("the search base is not valid UTF-8 text")
	}
	if utf8.RuneCountInString(text) > maxBaseLength {
		return "", fmt.Errorf("the search base is longer than %d characters", maxBaseLength)
	}
	var parts []string
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return isFilterSpace(r) && r != ' ' }) {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	base := strings.Join(parts, " ")
	if base == "" {
		return "", nil
	}
	if _, err := ldap.ParseDN(base); err != nil {
		return "", fmt.Errorf("%q is no distinguished name such as OU=Staff,DC=example,DC=com: %s", base,
			ldapReason(err))
	}
	return base, nil
}
