package ldapd

import (
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// The choices of Filter (RFC 4511, 4.5.1.7).
const (
	filterAnd ber.Tag = iota
	filterOr
	filterNot
	filterEquality
	filterSubstrings
	filterGreaterOrEqual
	filterLessOrEqual
	filterPresent
	filterApprox
	filterExtensible
)

// Matching rules that an extensible match may name.
const (
	ruleBitAnd     = "1.2.840.113556.1.4.803"
	ruleBitOr      = "1.2.840.113556.1.4.804"
	ruleCaseIgnore = "2.5.13.2"
)

// truth is the result of a filter item: RFC 4511 evaluates to TRUE, FALSE or Undefined.
type truth int8

const (
	isFalse truth = iota - 1
	undefined
	isTrue
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// filter judges one entry.
type filter func(*record) truth

// compileFilter turns a Filter into a function. An error wraps errProtocol.
func compileFilter(p *ber.Packet) (filter, error) {
	if p.ClassType != ber.ClassContext {
		return nil, fmt.Errorf("%w: a filter has class %d", errProtocol, p.ClassType)
	}
	switch p.Tag {
	case filterAnd, filterOr:
		return compileSet(p)
	case filterNot:
		if len(p.Children) != 1 {
			return nil, fmt.Errorf("%w: (!) has %d filters", errProtocol, len(p.Children))
		}
		inner, err := compileFilter(p.Children[0])
		if err != nil {
			return nil, err
		}
		return func(r *record) truth { return -inner(r) }, nil
	case filterEquality, filterApprox, filterGreaterOrEqual, filterLessOrEqual:
		return compileComparison(p)
	case filterSubstrings:
		return compileSubstrings(p)
	case filterPresent:
		name := octets(p)
		return func(r *record) truth { return truthOf(len(r.get(name)) > 0) }, nil
	case filterExtensible:
		return compileExtensible(p)
	}
	return nil, fmt.Errorf("%w: unknown filter choice %d", errProtocol, p.Tag)
}

// compileSet takes (&…) and (|…). The empty ones are absolute true and false (RFC 4526). With truths in order, AND is
// the least of its parts and OR the greatest.
func compileSet(p *ber.Packet) (filter, error) {
	parts := make([]filter, len(p.Children))
	for i, child := range p.Children {
		part, err := compileFilter(child)
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	if p.Tag == filterAnd {
		return func(r *record) truth {
			result := isTrue
			for _, part := range parts {
				result = min(result, part(r))
			}
			return result
		}, nil
	}
	return func(r *record) truth {
		result := isFalse
		for _, part := range parts {
			result = max(result, part(r))
		}
		return result
	}, nil
}

func compileComparison(p *ber.Packet) (filter, error) {
	if len(p.Children) != 2 {
		return nil, fmt.Errorf("%w: a comparison has %d parts", errProtocol, len(p.Children))
	}
	name, assertion := octets(p.Children[0]), octets(p.Children[1])
	matches := func(value string) bool { return equal(name, value, assertion) }
	switch p.Tag {
	case filterGreaterOrEqual:
		matches = func(value string) bool { return order(value, assertion) >= 0 }
	case filterLessOrEqual:
		matches = func(value string) bool { return order(value, assertion) <= 0 }
	}
	return anyValue(name, matches), nil
}

func compileSubstrings(p *ber.Packet) (filter, error) {
	if len(p.Children) != 2 || len(p.Children[1].Children) == 0 {
		return nil, fmt.Errorf("%w: a substring filter lacks its parts", errProtocol)
	}
	pieces := p.Children[1].Children
	return anyValue(octets(p.Children[0]), func(value string) bool {
		rest := fold(value)
		for _, piece := range pieces {
			text := fold(octets(piece))
			switch piece.Tag {
			case 0: // initial
				if !strings.HasPrefix(rest, text) {
					return false
				}
				rest = rest[len(text):]
			case 1: // any
				_, after, found := strings.Cut(rest, text)
				if !found {
					return false
				}
				rest = after
			default: // final
				return strings.HasSuffix(rest, text)
			}
		}
		return true
	}), nil
}

// compileExtensible takes attribute:rule:=value. A rule that the server does not have is Undefined, as RFC 4511 says.
func compileExtensible(p *ber.Packet) (filter, error) {
	var rule, name, assertion string
	for _, child := range p.Children {
		switch child.Tag {
		case 1:
			rule = octets(child)
		case 2:
			name = octets(child)
		case 3:
			assertion = octets(child)
		}
	}
	switch {
	case name == "":
		return func(*record) truth { return undefined }, nil
	case rule == "" || rule == ruleCaseIgnore || strings.EqualFold(rule, "caseIgnoreMatch"):
		return anyValue(name, func(value string) bool { return equal(name, value, assertion) }), nil
	case rule == ruleBitAnd, rule == ruleBitOr:
		return compileBits(name, rule, assertion), nil
	}
	return func(*record) truth { return undefined }, nil
}

func compileBits(name, rule, assertion string) filter {
	mask, ok := new(big.Int).SetString(assertion, 10)
	if !ok {
		return func(*record) truth { return undefined }
	}
	return anyValue(name, func(value string) bool {
		number, ok := new(big.Int).SetString(value, 10)
		if !ok {
			return false
		}
		common := new(big.Int).And(number, mask)
		if rule == ruleBitAnd {
			return common.Cmp(mask) == 0
		}
		return common.Sign() != 0
	})
}

func anyValue(name string, matches func(string) bool) filter {
	return func(r *record) truth {
		for _, value := range r.get(name) {
			if matches(value) {
				return isTrue
			}
		}
		return isFalse
	}
}

// equal compares without regard to case, bytes that are no text exactly. Active Directory also takes a class's short
// name for objectCategory, whose values are DNs, and filters that people paste use it.
func equal(name, value, assertion string) bool {
	if !utf8.ValidString(value) || !utf8.ValidString(assertion) {
		return value == assertion
	}
	if fold(value) == fold(assertion) {
		return true
	}
	return strings.EqualFold(name, "objectCategory") && !strings.Contains(assertion, "=") &&
		strings.HasPrefix(fold(value), "cn="+fold(assertion)+",")
}

// order compares numbers as numbers and all else as text.
func order(value, assertion string) int {
	a, isNumber := new(big.Int).SetString(value, 10)
	if b, ok := new(big.Int).SetString(assertion, 10); ok && isNumber {
		return a.Cmp(b)
	}
	return strings.Compare(fold(value), fold(assertion))
}

// fold prepares text for comparison. Bytes that are no text stay as they are: lower-casing would replace them.
func fold(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	return strings.ToLower(s)
}
