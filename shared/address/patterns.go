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
		domain, isDomain := strings.CutPrefix(strings.TrimSpace(text), "*@")
		if isDomain {
			key, err := CanonicalDomain(domain)
			if err != nil {
				return Patterns{}, fmt.Errorf("%q %w", text, err)
			}
			p.domains[key] = true
			continue
		}
		key, err := Canonical(text)
		if err != nil {
			return Patterns{}, fmt.Errorf("%q %w; write an address, or *@domain", text, err)
		}
		p.keys[key] = true
	}
	return p, nil
}

// Match tells whether a canonical address matches.
func (p Patterns) Match(key string) bool {
	if len(p.keys) == 0 && len(p.domains) == 0 {
		return false
	}
	return p.keys[key] || p.domains[key[strings.LastIndexByte(key, '@')+1:]]
}

// Check lists the wrong fields of the advanced settings that hold types, domains and addresses, by their JSON paths.
func Check(a settings.Advanced) []settings.FieldError {
	var wrong []settings.FieldError
	add := func(field string, i int, format string, args ...any) {
		wrong = append(wrong, settings.FieldError{Field: fmt.Sprintf("advanced.%s[%d]", field, i), Message: fmt.Sprintf(format, args...)})
	}
	for i, name := range a.Include {
		if !isType(name) {
			add("include", i, "%q is no object type; use user, contact, group, publicFolder, resource, shared or unknown", name)
		}
	}
	for i, domain := range a.AcceptedDomains {
		if _, err := CanonicalDomain(strings.TrimSpace(domain)); err != nil {
			add("acceptedDomains", i, "%q is no mail domain; it looks like example.com", domain)
		}
	}
	for i, pattern := range a.Exclude {
		if _, err := ParsePatterns([]string{pattern}); err != nil {
			add("exclude", i, "%v", err)
		}
	}
	return wrong
}

func isType(name string) bool {
	for _, t := range user.Types() {
		if string(t) == name {
			return true
		}
	}
	return false
}
