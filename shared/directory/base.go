package directory

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// maxBaseLength bounds a search base in characters.
const maxBaseLength = 4096

// CheckBase returns a search base as it is searched with: without the space around it and the line breaks of a pasted
// one, and in the form of RFC 4514 where it has quotes, semicolons or OID. of the forms before that (RFC 1779, RFC
// 2253). Its error says what is wrong with the DN.
func CheckBase(text string) (string, error) { return checkDN(text, "the search base") }

// CheckDN is CheckBase for a DN that is no search base.
func CheckDN(text string) (string, error) { return checkDN(text, "the DN") }

// checkDN calls the DN what in its errors.
func checkDN(text, what string) (string, error) {
	if !utf8.ValidString(text) {
		return "", fmt.Errorf("%s is not valid UTF-8 text", what)
	}
	if utf8.RuneCountInString(text) > maxBaseLength {
		return "", fmt.Errorf("%s is longer than %d characters", what, maxBaseLength)
	}
	var parts []string
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return isFilterSpace(r) && r != ' ' }) {
		if line = trimSpaces(line); line != "" {
			parts = append(parts, line)
		}
	}
	typed := strings.Join(parts, " ")
	if typed == "" {
		return "", nil
	}
	p := &baseParser{scanner{in: []rune(typed), what: what}}
	if strings.Contains(typed, "=") {
		if err := p.whole(); err != nil {
			return "", err
		}
		typed = trimSpaces(p.out.String())
	}
	// The library decides: what it cannot read cannot be compared.
	if _, err := ldap.ParseDN(typed); err != nil {
		return "", fmt.Errorf("%q is no distinguished name such as OU=Staff,DC=example,DC=com: %s", typed,
			ldapReason(err))
	}
	return typed, nil
}

// trimSpaces leaves out the spaces around a text, but for one at its end that is escaped.
func trimSpaces(text string) string {
	trimmed := strings.Trim(text, " ")
	backslashes := len(trimmed) - len(strings.TrimRight(trimmed, `\`))
	if backslashes%2 == 1 && strings.HasSuffix(text, " ") {
		trimmed += " "
	}
	return trimmed
}

// baseParser reads a DN and writes it in the form of RFC 4514.
type baseParser struct{ scanner }

// whole reads attributes and values up to the end.
func (p *baseParser) whole() error {
	for {
		if err := p.attribute(); err != nil {
			return err
		}
		value := p.value
		if p.copySpaces(); p.next() == '"' {
			value = p.quoted
		}
		if err := value(); err != nil || p.atEnd() {
			return err
		}
		separator := p.next()
		if separator == ';' {
			separator = ','
		}
		p.out.WriteRune(separator)
		p.at++
	}
}

// attribute reads the name or the OID before an equals sign, and that.
func (p *baseParser) attribute() error {
	p.copySpaces()
	start := p.at
	for !p.atEnd() && !strings.ContainsRune("=,;+", p.next()) {
		p.at++
	}
	name := strings.TrimRight(string(p.in[start:p.at]), " ")
	switch {
	case p.atEnd() && name == "":
		return p.wrong(start, "an attribute such as OU= is missing at the end")
	case p.next() != '=', name == "":
		return p.wrong(start, "an attribute such as OU= is missing before %q", excerpt(p.in[start:]))
	}
	if oid, found := cutPrefixFold(name, "oid."); found && oid != "" {
		start += len(name) - len(oid)
		name = oid
	}
	if err := p.identifier(start, name, "an attribute"); err != nil {
		return err
	}
	p.at++
	p.out.WriteString(string(p.in[start:p.at]))
	return nil
}

func (p *baseParser) copySpaces() {
	for p.next() == ' ' {
		p.out.WriteByte(' ')
		p.at++
	}
}

// value reads a value as RFC 4514 has it.
func (p *baseParser) value() error {
	for !p.atEnd() && !strings.ContainsRune(",;+", p.next()) {
		switch p.next() {
		case '"':
			return p.wrong(p.at, `a " within a value is written \"`)
		case '\\':
			p.out.WriteRune('\\')
			p.at++
		}
		if !p.atEnd() {
			p.out.WriteRune(p.next())
			p.at++
		}
	}
	return nil
}

// quoted reads a value in quotes (RFC 2253, section 4): what separates elsewhere is a part of it.
func (p *baseParser) quoted() error {
	open := p.at
	closing := open + 1
	for ; closing < len(p.in) && p.in[closing] != '"'; closing++ {
		if p.in[closing] == '\\' {
			closing++
		}
	}
	if closing >= len(p.in) {
		return p.wrong(open, `the " has no second one; write \" for one that is a part of the value`)
	}
	for p.at++; p.at < closing; p.at++ {
		r := p.next()
		first, last := p.at == open+1, p.at == closing-1
		switch {
		case r == '\\':
			p.out.WriteRune(r)
			p.at++
		case strings.ContainsRune(",+;<>", r), r == '#' && first, r == ' ' && (first || last):
			p.out.WriteByte('\\')
		}
		p.out.WriteRune(p.next())
	}
	p.at++
	p.copySpaces()
	if !p.atEnd() && !strings.ContainsRune(",;+", p.next()) {
		return p.wrong(p.at, `after the second " comes a comma, before %q`, excerpt(p.in[p.at:]))
	}
	return nil
}
