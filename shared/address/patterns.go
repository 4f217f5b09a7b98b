package address

import (
	"fmt"
	"slices"
	"strings"

	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// Domains matches mail domains: example.com by itself, and *.example.com for every domain below it, at any depth, but
// not for itself. The zero value matches nothing.
type Domains struct{ exact, above map[string]bool }

// ParseDomains reads domains and *.domain patterns.
func ParseDomains(list []string) (Domains, error) {
	var d Domains
	for _, text := range list {
		if err := d.add(text); err != nil {
			return Domains{}, fmt.Errorf("%q %w", text, err)
		}
	}
	return d, nil
}

func (d *Domains) add(text string) error {
	parent, below := strings.CutPrefix(strings.TrimSpace(text), "*.")
	key, err := CanonicalDomain(parent)
	if err != nil {
		return err
	}
	set := &d.exact
	if below {
		set = &d.above
	}
	if *set == nil {
		*set = make(map[string]bool)
	}
	(*set)[key] = true
	return nil
}

// Empty reports whether there is nothing to match.
func (d Domains) Empty() bool { return len(d.exact)+len(d.above) == 0 }

// Match reports whether a canonical domain matches.
func (d Domains) Match(domain string) bool {
	if d.exact[domain] {
		return true
	}
	for len(d.above) > 0 {
		_, parent, found := strings.Cut(domain, ".")
		if !found {
			return false
		}
		if d.above[parent] {
			return true
		}
		domain = parent
	}
	return false
}

// Patterns matches addresses by themselves or by their domain. The zero value matches nothing.
type Patterns struct {
	keys    map[string]bool
	domains Domains
}

// ParsePatterns reads addresses, *@domain and *.domain patterns.
func ParsePatterns(list []string) (Patterns, error) {
	p := Patterns{keys: make(map[string]bool)}
	for _, text := range list {
		if err := p.add(text); err != nil {
			return Patterns{}, patternError(text, err)
		}
	}
	return p, nil
}

// add takes one pattern.
func (p *Patterns) add(text string) error {
	if domain, ok := domainPattern(text); ok {
		return p.domains.add(domain)
	}
	key, err := Canonical(text)
	if err == nil {
		p.keys[key] = true
	}
	return err
}

// domainPattern returns the domain of *@domain, or the *.domain, of a pattern that is no address.
func domainPattern(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if domain, ok := strings.CutPrefix(text, "*@"); ok {
		// *@*.domain is no pattern: there is one spelling of each.
		return domain, !strings.HasPrefix(domain, "*.")
	}
	return text, strings.HasPrefix(text, "*.") && !strings.Contains(text, "@")
}

// patternError says what is wrong with a pattern and what to write.
func patternError(text string, err error) error {
	if _, isDomain := domainPattern(text); isDomain {
		return fmt.Errorf("%q %w", text, err)
	}
	return fmt.Errorf("%q %w; write an address, *@domain, or *.domain for every domain below it", text, err)
}

// Match reports whether a canonical address matches.
func (p Patterns) Match(key string) bool {
	if len(p.keys) == 0 && p.domains.Empty() {
		return false
	}
	return p.keys[key] || p.domains.Match(Domain(key))
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
		case slices.Contains(user.Types(), user.Type(name)):
		case len(wrong) == settings.MaxErrors:
			more++
		default:
			add("include", i, "%q is no object type; use user, contact, group, publicFolder, resource, shared or "+
				"unknown", name)
		}
	}
	var accepted Domains
	for i, domain := range a.AcceptedDomains {
		err := accepted.add(domain)
		switch {
		case err == nil:
		case len(wrong) == settings.MaxErrors:
			more++
		default:
			add("acceptedDomains", i, "%q is no mail domain; it looks like example.com, or *.example.com for every "+
				"domain below it", domain)
		}
	}
	excluded := Patterns{keys: make(map[string]bool)}
	for i, pattern := range a.Exclude {
		err := excluded.add(pattern)
		switch {
		case err == nil:
		case len(wrong) == settings.MaxErrors:
			more++
		default:
			add("exclude", i, "%v", patternError(pattern, err))
		}
	}
	return wrong, more
}
