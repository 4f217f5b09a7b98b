package directory

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// Find asks a directory a question. It looks in the search base and in the rest of what the server holds, and has the
// server compare each entry that it finds with the filter and its parts: the server knows best what matches. Its errors
// are those of Read.
func (r *Reader) Find(
	ctx context.Context, to settings.Connection, q Question, onStep func(run.Step),
) (Answer, error) {
	s := r.newSession(to, onStep)
	defer s.close()
	f := &finder{question: q}
	query := Query{
		SearchBase: q.SearchBase, Filter: q.Filter, Attributes: q.Attributes, Named: q.Named, Memory: f.memory,
	}
	err := q.check()
	if err == nil {
		err = s.prepare(ctx, query)
	}
	if err != nil {
		return Answer{Info: s.info}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, findTime, incomplete("it took longer than %s", findTime))
	defer cancel()
	err = s.search(ctx, query, f.take, func(ctx context.Context, p *pager) error {
		f.pager = p
		return f.run(ctx)
	})
	return Answer{Info: s.info, Found: f.found, More: f.more}, err
}

// finder answers one question.
type finder struct {
	*pager
	question Question
	found    []Found
	// kept is what found takes of memory, in bytes.
	kept int64
	more bool
	// parent is the relative name that the entry above each one must have, empty for any.
	parent string
}

func (f *finder) memory() int64 { return f.kept }

// take keeps an entry, unless it is known or in the wrong place.
func (f *finder) take(e *Entry) error {
	if f.parent != "" && !hasParent(string(e.DN), f.parent) || holds(f.found, e.DN) {
		return nil
	}
	if len(f.found) == mostFound {
		f.more = true
		return nil
	}
	f.kept += int64(e.size())
	f.found = append(f.found, Found{Entry: *e.clone()})
	return nil
}

func (f *finder) run(ctx context.Context) error {
	if err := f.collect(ctx); err != nil {
		return err
	}
	for i := 0; i < len(f.found) && f.question.Follow != ""; i++ {
		for _, a := range f.found[i].Attributes {
			if !strings.EqualFold(a.Name, f.question.Follow) {
				continue
			}
			for _, dn := range a.Values {
				if err := f.one(ctx, string(dn)); err != nil {
					return err
				}
			}
		}
	}
	// From here on entries are only counted.
	f.onEntry = func(*Entry) error { return nil }
	for i := range f.found {
		if err := f.judge(ctx, &f.found[i]); err != nil {
			return err
		}
	}
	f.info.Entries = len(f.found)
	return nil
}

// collect finds the entries.
func (f *finder) collect(ctx context.Context) error {
	if f.question.DN != "" {
		return f.one(ctx, f.question.DN)
	}
	var either strings.Builder
	for _, c := range f.question.Any {
		clause := "(" + c.Attribute + "=" + ldap.EscapeFilter(c.Value) + ")"
		if c.Parent == "" {
			either.WriteString(clause)
			continue
		}
		f.parent = c.Parent
		if err := f.everywhere(ctx, clause, mostNamed); err != nil {
			return err
		}
		f.parent = ""
	}
	if either.Len() == 0 {
		return nil
	}
	return f.everywhere(ctx, "(|"+either.String()+")", mostFound+1)
}

// everywhere searches the base and what else the server holds. What the search itself does not need may be out of
// reach.
func (f *finder) everywhere(ctx context.Context, filter string, most int) error {
	for _, base := range f.places() {
		err := f.below(ctx, base, filter, most)
		var refused result
		switch {
		case err == nil:
		case !errors.As(err, &refused) || base == f.info.Base:
			return err
		case within(f.info.Base, base):
			if err := f.below(ctx, f.info.Base, filter, most); err != nil {
				return err
			}
		}
	}
	return nil
}

// below searches below a base, until it has found as many entries as are wanted. A server that stops at its own limit
// has more of them.
func (f *finder) below(ctx context.Context, base, filter string, most int) error {
	request := searchRequest{base: base, scope: ldap.ScopeWholeSubtree, filter: filter,
		attributes: f.attributes, pageSize: min(most, f.c.PageSize)}
	f.info.Entries = 0
	more, err := f.pages(ctx, &request, most)
	var done result
	if errors.As(err, &done) && done.code == ldap.LDAPResultSizeLimitExceeded && f.info.Entries > 0 {
		more, err = true, f.completeRanges(ctx)
	}
	f.more = f.more || more
	return err
}

// places returns where to look: the naming context that holds the search base, or the base itself, and the other
// contexts that hold entries of people.
func (f *finder) places() []string {
	base := f.info.Base
	if base == "" {
		return []string{""}
	}
	places := []string{base}
	for _, c := range f.root.contexts {
		covered := func(place string) bool { return within(c, place) }
		switch {
		case holdsNobody(c) || isPartition(c) || slices.ContainsFunc(places, covered):
		case within(base, c):
			places[0] = c
		default:
			places = append(places, c)
		}
	}
	return slices.DeleteFunc(places, func(p string) bool {
		return p != places[0] && within(p, places[0])
	})
}

// isPartition reports whether a naming context is one of Active Directory's that hold no people: its configuration and
// schema, and the zones of its name service.
func isPartition(context string) bool {
	first, _, _ := strings.Cut(strings.ToLower(context), ",")
	return slices.Contains([]string{"cn=configuration", "cn=schema", "dc=domaindnszones", "dc=forestdnszones"}, first)
}

// one reads the entry of a DN, if there is one.
func (f *finder) one(ctx context.Context, dn string) error {
	done, _, _, err := f.page(ctx, searchRequest{base: dn, scope: ldap.ScopeBaseObject, filter: "(objectClass=*)",
		attributes: f.attributes})
	switch {
	case err != nil:
		return err
	case done.code == ldap.LDAPResultNoSuchObject, done.code == ldap.LDAPResultInvalidDNSyntax,
		done.code == ldap.LDAPResultReferral:
		return nil
	case done.code != ldap.LDAPResultSuccess:
		return done
	}
	return f.completeRanges(ctx)
}

// judge finds out what the search makes of an entry.
func (f *finder) judge(ctx context.Context, e *Found) (err error) {
	e.InBase = within(string(e.DN), f.info.Base)
	e.Matches, err = f.matches(ctx, string(e.DN), f.info.Filter)
	if err == nil && !e.Matches {
		e.FailedClause, err = f.failing(ctx, string(e.DN), f.filter)
	}
	return err
}

// matches asks the server whether an entry matches a filter.
func (f *finder) matches(ctx context.Context, dn, filter string) (bool, error) {
	done, _, _, err := f.page(ctx, searchRequest{base: dn, scope: ldap.ScopeBaseObject, filter: filter,
		attributes: []string{"1.1"}})
	switch {
	case err != nil:
		return false, err
	case done.code == ldap.LDAPResultNoSuchObject:
		return false, incomplete("%s was moved or deleted meanwhile; try again", printable([]byte(dn)))
	case done.code != ldap.LDAPResultSuccess:
		return false, done
	}
	return f.pageEntries > 0, nil
}

// failing returns the smallest clause that an entry fails, of one that it fails. An "and" of many parts is halved again
// and again, which asks less than going through them.
func (f *finder) failing(ctx context.Context, dn string, c *clause) (string, error) {
	for c.operator == '&' && len(c.parts) > 0 {
		parts := c.parts
		for len(parts) > 1 {
			half := len(parts) / 2
			ok, err := f.matches(ctx, dn, all(parts[:half]))
			if err != nil {
				return "", err
			}
			if ok {
				parts = parts[half:]
			} else {
				parts = parts[:half]
			}
		}
		c = parts[0]
	}
	return c.text, nil
}

// all is the filter of what matches all parts.
func all(parts []*clause) string {
	var text strings.Builder
	text.WriteString("(&")
	for _, part := range parts {
		text.WriteString(part.text)
	}
	text.WriteString(")")
	return text.String()
}
