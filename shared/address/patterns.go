package address

import (
	"fmt"
	"strings"

	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// Patterns matches addresses by themselves or by their domain. The zero value matches nothing.
type Patterns struct {
	keys    map[string]bool
	domains map[string]bool
}

// ParsePatterns reads addresses and *@domain patterns.
func ParsePatterns(list []string) (Patterns, error) {
	p := Patterns{keys: make(map[string]bool), domains: make(map[string]bool)}
	for _, text := range list {
		key, isDomain, err := canonicalPattern(text)
		switch {
		case err != nil:
			return Patterns{}, patternError(text, isDomain, err)
		case isDomain:
			p.domains[key] = true
		default:
			p.keys[key] = true
		}
	}
	return p, nil
}

// canonicalPattern returns the canonical form of an address, or of the domain in *@domain.
func canonicalPattern(text string) (key string, isDomain bool, err error) {
	if domain, ok := strings.CutPrefix(strings.TrimSpace(text), "*@"); ok {
		key, err = CanonicalDomain(domain)
		return key, true, err
	}
	key, err = Canonical(text)
	return key, false, err
}

func patternError(text string, isDomain bool, err error) error {
	if isDomain {
		return fmt.Errorf("%q %w", text, err)
	}
	return fmt.Errorf("%q %w; write an address, or *@domain", text, err)
}

// Match reports whether a canonical address matches.
func (p Patterns) Match(key string) bool {
	if len(p.keys) == 0 && len(p.domains) == 0 {
		return false
	}
	return p.keys[key] || p.domains[key[strings.LastIndexByte(key, '@')+1:]]
}

// Check lists the wrong fields of the advanced settings that hold types, domains and addresses, by their JSON paths:
// the first settings.MaxErrors of them, and how many more there are.
func Check(a settings.Advanced) (wrong []settings.FieldError, more int) {
	add := func(field string, i int, format string, args ...any) {
		wrong = append(wrong, settings.FieldError{Field: fmt.Sprintf("advanced.%s[%d]", field, i),
			Message: fmt.Sprintf(format, args...)})
	}
	for i, name := range a.Include {
		switch {
		case isType(name):
		case len(wrong) == settings.MaxErrors:
			more++
		default:
			add("include", i, "%q is no object type; use user, contact, group, publicFolder, resource, shared or "+
				"unknown", name)
		}
	}
	for i, domain := range a.AcceptedDomains {
		_, err := CanonicalDomain(strings.TrimSpace(domain))
		switch {
		case err == nil:
		case len(wrong) == settings.MaxErrors:
			more++
		default:
			add("acceptedDomains", i, "%q is no mail domain; it looks like example.com", domain)
		}
	}
	for i, pattern := range a.Exclude {
		_, isDomain, err := canonicalPattern(pattern)
		switch {
		case err == nil:
		case len(wrong) == settings.MaxErrors:
			more++
		default:
			add("exclude", i, "%v", patternError(pattern, isDomain, err))
		}
	}
	return wrong, more
}

func isType(name string) bool {
	for _, t := range user.Types() {
		if string(t) == name {
			return true
		}
	}
	return false
}
