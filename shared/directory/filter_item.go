package directory

import (
	"fmt"
	"strings"

	"rollcall/shared/settings"
)

// item reads one comparison: attribute, operator, value.
func (p *filterParser) item(c *clause) error {
	start := p.at
	for !p.atEnd() && !strings.ContainsRune("=~<>()", p.next()) {
		p.at++
	}
	name := strings.TrimRightFunc(string(p.in[start:p.at]), isFilterSpace)
	if p.atEnd() || strings.ContainsRune("()", p.next()) {
		return p.wrong(start, "%s", p.withoutOperator(name))
	}
	operator := string(p.next())
	if operator != "=" {
		p.at++
		if p.next() != '=' {
			return p.wrong(p.at-1, "%s is no comparison; there are =, ~=, >= and <=", operator)
		}
		operator += "="
	}
	attribute, err := p.compared(start, name, operator)
	if err != nil {
		return err
	}
	c.attribute, _, _ = strings.Cut(attribute, ";")
	p.out.WriteString(name + operator)
	p.at++
	return p.value(operator == "=" && attribute == name)
}

func (p *filterParser) withoutOperator(name string) string {
	switch {
	case name == "":
		return "a comparison such as mail=* is missing"
	case p.identifier(0, name, "an attribute") != nil:
		return fmt.Sprintf("%q is no comparison such as mail=*", excerpt([]rune(name)))
	}
	return fmt.Sprintf("%q has no comparison; write for example %s=*", name, name)
}

// compared checks what stands before a comparison's = and returns the attribute description in it: all of it, or what
// an extensible match (attribute:dn:rule:=) begins with.
func (p *filterParser) compared(start int, name, operator string) (attribute string, err error) {
	attribute, rest, extensible := strings.Cut(name, ":")
	at := start + len([]rune(attribute)) + 1
	rule := ""
	if extensible {
		var ok bool
		if rule, ok = matchingRule(rest); !ok || operator != "=" {
			return "", p.wrong(start, "%q is no matching rule; write attribute:rule:=value, or attribute:=value", name)
		}
		at += len([]rune(rest)) - len([]rune(rule)) - 1
	}
	switch {
	case attribute == "" && rule == "":
		return "", p.wrong(start, "the name of an attribute is missing before %s", operator)
	case settings.IsSecretAttribute(attribute):
		return "", p.wrong(start, "%q holds passwords or keys, which no search may ask about", attribute)
	case attribute == "":
		return "", p.wrong(start, "%q compares every attribute, passwords among them; name one before it", name)
	}
	if err := p.description(start, attribute); err != nil {
		return "", err
	}
	if rule != "" {
		return attribute, p.identifier(at, rule, "a matching rule")
	}
	return attribute, nil
}

// matchingRule returns the rule of an extensible match from what follows its attribute's colon (RFC 4515, section 3):
// nothing, "dn:", "rule:" or "dn:rule:", before the equals sign.
func matchingRule(rest string) (rule string, ok bool) {
	if rest == "" {
		return "", true
	}
	rest, ok = strings.CutSuffix(rest, ":")
	if !ok || strings.EqualFold(rest, "dn") {
		return "", ok
	}
	if after, found := cutPrefixFold(rest, "dn:"); found {
		rest = after
	}
	return rest, rest != "" && !strings.Contains(rest, ":")
}

// description checks an attribute description (RFC 4512, 2.5): a name or an OID, and options behind semicolons.
func (p *filterParser) description(start int, description string) error {
	attribute, options, has := strings.Cut(description, ";")
	if attribute == "" {
		return p.wrong(start, "the name of an attribute is missing before %q", description)
	}
	if err := p.identifier(start, attribute, "an attribute"); err != nil || !has {
		return err
	}
	at := start + len(attribute) + 1
	for option := range strings.SplitSeq(options, ";") {
		if option == "" {
			return p.wrong(at-1, "an option such as binary is missing after the ;")
		}
		if err := p.letters(at, option, "an attribute", "-"); err != nil {
			return err
		}
		at += len(option) + 1
	}
	return nil
}

// value reads a value up to the ) that ends it. Where wildcards are allowed, * stands for any text.
func (p *filterParser) value(wildcards bool) error {
	p.skip()
	star := false
	for !p.atEnd() && p.next() != ')' {
		r := p.next()
		afterStar := star
		star = r == '*'
		switch {
		case isFilterSpace(r):
			p.out.WriteString(p.space())
			continue
		case star && !wildcards:
			return p.wrong(p.at, `* stands for any text only after =; as a part of the value it is written \2a`)
		case star && afterStar:
			return p.wrong(p.at, `two * in a row; write one, or \2a for one that is a part of the value`)
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
