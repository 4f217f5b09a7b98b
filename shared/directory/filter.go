package directory

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// The bounds of filters: reading one is recursive, and servers refuse long ones; in parts within parts, and in bytes.
const (
	maxFilterDepth  = 64
	maxFilterLength = 16 << 10
)

// CheckFilter returns a filter (RFC 4515) as it is searched with: without the stray spaces and line breaks of a pasted
// one, in parentheses. Spaces within a value stay; those at its ends go, and are written \20 where they are meant. Its
// error names the character where the text goes wrong, counted from 1 in the text as it was typed. An empty filter
// stays empty.
func CheckFilter(text string) (string, error) {
	c, err := parseFilter(text)
	if err != nil || c == nil {
		return "", err
	}
	return c.text, nil
}

// clause is a part of a filter: an "and", an "or" or a "not" of parts, or a comparison.
type clause struct {
	// operator is &, | or !, and 0 for a comparison.
	operator byte
	// text is the clause as it is searched with, in parentheses.
	text string
	// attribute is the attribute that a comparison is about, by the name or OID that was typed, without options.
	attribute string
	parts     []*clause
}

// comparisons returns the comparisons of a clause, from the left.
func (c *clause) comparisons() []*clause {
	if c.operator == 0 {
		return []*clause{c}
	}
	var all []*clause
	for _, part := range c.parts {
		all = append(all, part.comparisons()...)
	}
	return all
}

// parseFilter is CheckFilter for whoever needs the filter's parts. An empty filter is nil.
func parseFilter(text string) (*clause, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("the filter is not valid UTF-8 text")
	}
	if len(text) > maxFilterLength {
		return nil, fmt.Errorf("the filter is longer than %d bytes", maxFilterLength)
	}
	p := filterParser{scanner: scanner{in: []rune(strings.TrimRightFunc(text, isFilterSpace)), what: "the filter"}}
	if p.skip(); p.atEnd() {
		return nil, nil
	}
	c, err := p.whole()
	if err != nil {
		return nil, err
	}
	// The library decides: what it cannot compile cannot be sent.
	if _, err := ldap.CompileFilter(c.text); err != nil {
		return nil, fmt.Errorf("the filter cannot be read: %s", ldapReason(err))
	}
	return c, nil
}

// filterParser reads a filter and writes it tidied. It knows where in the typed text it is, which the library's
// compiler does not say.
type filterParser struct {
	scanner
	depth int
}

// whole reads all of the text; outer parentheses may be missing.
func (p *filterParser) whole() (*clause, error) {
	read := p.part
	if p.next() != '(' {
		read = p.bare
	}
	c, err := read()
	if err != nil {
		return nil, err
	}
	p.skip()
	switch {
	case p.atEnd():
		return c, nil
	case p.next() == ')':
		return nil, p.wrong(p.at, "there is a ) too many")
	}
	return nil, p.wrong(p.at, "the filter has ended before %q; join several as (&(…)(…)) or (|(…)(…))",
		excerpt(p.in[p.at:]))
}

// part reads one filter with its parentheses.
func (p *filterParser) part() (*clause, error) {
	if p.depth++; p.depth > maxFilterDepth {
		return nil, p.wrong(p.at, "it nests deeper than %d", maxFilterDepth)
	}
	open := p.at
	p.at++
	c, err := p.bare()
	if err != nil {
		return nil, err
	}
	p.skip()
	if p.next() != ')' {
		if p.atEnd() {
			return nil, p.wrong(p.at, "it lacks %d ) at its end", p.depth)
		}
		return nil, p.wrong(p.at, "a ) is missing before %q, for the ( at character %d", excerpt(p.in[p.at:]), open+1)
	}
	p.at++
	p.depth--
	return c, nil
}

// bare reads a filter without its parentheses and writes it with them.
func (p *filterParser) bare() (*clause, error) {
	p.skip()
	switch p.next() {
	case '&', '|':
		return p.clause(p.list)
	case '!':
		return p.clause(p.negation)
	case '(':
		return nil, p.wrong(p.at, "there is a ( too many; after a ( comes &, |, ! or a comparison such as mail=*")
	}
	return p.clause(p.item)
}

// clause lets read fill a clause and writes parentheses around what it writes.
func (p *filterParser) clause(read func(*clause) error) (*clause, error) {
	start := p.out.Len()
	c := new(clause)
	p.out.WriteByte('(')
	if err := read(c); err != nil {
		return nil, err
	}
	p.out.WriteByte(')')
	c.text = p.out.String()[start:]
	return c, nil
}

// list reads the parts of an "and" or an "or". (&) and (|) without any are always true and always false (RFC 4526).
func (p *filterParser) list(c *clause) error {
	c.operator = byte(p.next())
	at := p.at
	p.out.WriteByte(c.operator)
	p.at++
	p.skip()
	if p.next() != '(' && p.next() != ')' {
		return p.wrong(at, "after %c come one or more parts in parentheses", c.operator)
	}
	for p.next() == '(' {
		part, err := p.part()
		if err != nil {
			return err
		}
		c.parts = append(c.parts, part)
		p.skip()
	}
	return nil
}

// negation reads a "not". Active Directory's tools take (!mail=*), so that is what people paste; it means (!(mail=*)).
func (p *filterParser) negation(c *clause) (err error) {
	c.operator, c.parts = '!', make([]*clause, 1)
	p.out.WriteByte('!')
	p.at++
	p.skip()
	switch p.next() {
	case '(':
		c.parts[0], err = p.part()
	case '&', '|', '!', ')':
		err = p.wrong(p.at, "after ! comes one part in parentheses")
	default:
		c.parts[0], err = p.clause(p.item)
	}
	return err
}
