package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// TestARefusedFirstPageIsAskedForAgain has servers refuse pages above a size, 0 for all pages.
func TestARefusedFirstPageIsAskedForAgain(t *testing.T) {
	t.Parallel()
	refusals := []int64{ldap.LDAPResultProtocolError, ldap.LDAPResultAdminLimitExceeded,
		ldap.LDAPResultUnavailableCriticalExtension, ldap.LDAPResultUnwillingToPerform}
	for name, c := range map[string]struct {
		// most is the largest page that the server gives.
		most  uint32
		sizes []uint32
		note  string
	}{
		"pages of 250": {250, []uint32{1000, 500, 250, 250}, "pages of 250 were read"},
		"pages of 999": {999, []uint32{1000, 500, 500}, "refused pages of 1000 entries (result "},
		"no pages":     {0, []uint32{1000, 500, 250, 100, 0}, "read in one piece"},
	} {
		for _, code := range refusals {
			t.Run(name+", "+ldap.LDAPResultCodeMap[uint16(code)], func(t *testing.T) {
				t.Parallel()
				s := &script{root: offersPaging, search: func(s *session, _ int, r search) bool {
					size := r.pageSize()
					switch {
					case size > c.most:
						s.done(code)
					case size == 0:
						s.person("a")
						s.person("b")
						s.done(0)
					case len(r.paging.Cookie) == 0:
						s.person("a")
						s.page("next")
					default:
						s.person("b")
						s.page("")
					}
					return true
				}}
				g := read(t, s, directory.Config{}, nil)
				if g.err != nil || len(g.entries) != 2 || !strings.Contains(strings.Join(g.info.Notes, "; "), c.note) {
					t.Errorf("entries %q, notes %q, error %v; want two and %q", g.entries, g.info.Notes, g.err, c.note)
				}
				if diff := cmp.Diff(c.sizes, s.pageSizes()); diff != "" {
					t.Errorf("page sizes (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestALookNotesOnceHowPagesWereRead asks twice, and is refused twice.
func TestALookNotesOnceHowPagesWereRead(t *testing.T) {
	t.Parallel()
	s := &script{root: offersPaging, search: func(c *session, _ int, r search) bool {
		if r.pageSize() > 500 {
			c.done(ldap.LDAPResultUnwillingToPerform)
			return true
		}
		c.entry("cn=a", map[string][]string{"modifyTimestamp": {"20261126120001Z"}, "mail": {"a@example.com"}})
		c.page("")
		return true
	}}
	g := read(t, s, directory.Config{}, func(_ *settings.Connection, q *directory.Query) {
		q.Since = []run.Cursor{{By: "modifyTimestamp", Since: "20261126120000Z"}}
	})
	if notes := strings.Join(g.info.Notes, "; "); g.err != nil || len(g.entries) != 1 ||
		strings.Count(notes, "refused pages") != 1 {
		t.Errorf("entries %q, notes %q, error %v; want one note", g.entries, notes, g.err)
	}
}

// A refusal after the first entry, or after the first page, may leave entries out; one of another kind is not about the
// page.
func TestWhatIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	const limit = ldap.LDAPResultAdminLimitExceeded
	for name, c := range map[string]struct {
		search   func(c *session, n int, r search) bool
		searches int
		says     string
	}{
		"after an entry": {func(c *session, _ int, _ search) bool {
			c.person("a")
			c.done(limit)
			return true
		}, 1, "stopped at a limit after 1 entries"},
		"after an empty page": {func(c *session, n int, _ search) bool {
			if n == 1 {
				c.page("next")
			} else {
				c.done(limit)
			}
			return true
		}, 2, "stopped at a limit after 0 entries"},
		"another result": {func(c *session, _ int, _ search) bool {
			c.done(ldap.LDAPResultBusy)
			return true
		}, 1, "result 51"},
		"whatever is asked for": {func(c *session, _ int, _ search) bool {
			c.done(limit)
			return true
		}, 5, "also for smaller pages and without any"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{root: offersPaging, search: c.search}
			g := read(t, s, directory.Config{}, nil)
			var e *directory.Error
			if !errors.As(g.err, &e) || e.Code != directory.CodeIncompleteRead || !strings.Contains(e.Message, c.says) {
				t.Errorf("error %v, want %s with %q", g.err, directory.CodeIncompleteRead, c.says)
			}
			if searches := s.pageSizes(); len(searches) != c.searches {
				t.Errorf("%d searches, want %d", len(searches), c.searches)
			}
		})
	}
}

func TestDefaultBaseSkipsWhatHoldsNobody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		contexts []string
		base     string
		note     bool
	}{
		"389 Directory Server": {[]string{"cn=changelog", "o=NetscapeRoot", "dc=example,dc=com"}, "dc=example,dc=com",
			false},
		"OpenLDAP":   {[]string{"cn=config", "CN = Monitor", "cn=accesslog", "o=Example"}, "o=Example", false},
		"two":        {[]string{"cn=schema", "o=A", "o=B"}, "o=A", true},
		"a namesake": {[]string{"cn=changelog,o=A"}, "cn=changelog,o=A", false},
		"none":       {[]string{"cn=config", ""}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := works()
			s.root = map[string][]string{"namingContexts": c.contexts}
			g := read(t, s, directory.Config{}, nil)
			noted := strings.Contains(strings.Join(g.info.Notes, "; "), "several naming contexts (o=A; o=B)")
			if g.err != nil || g.info.Base != c.base || noted != c.note {
				t.Errorf("base %q, notes %q, error %v; want %q", g.info.Base, g.info.Notes, g.err, c.base)
			}
		})
	}
}

// A base whose own entry is hidden is searched: access control may show what lies below.
func TestABaseThatIsHidden(t *testing.T) {
	t.Parallel()
	const base = "ou=x,dc=example,dc=com"
	for name, c := range map[string]struct {
		result        int64
		hidden, below bool
		code          string
		says          string
	}{
		"not there, with entries below": {result: ldap.LDAPResultNoSuchObject, below: true,
			says: "but entries below it"},
		"refused, with entries below": {result: ldap.LDAPResultInsufficientAccessRights, below: true,
			says: "but entries below it"},
		"not shown, with entries below": {hidden: true, below: true, says: "but entries below it"},
		"not shown, with nothing below": {hidden: true,
			says: "shows neither the entry of the search base nor any"},
		"not there, with nothing below": {result: ldap.LDAPResultNoSuchObject, code: directory.CodeBaseNotFound,
			says: "does not exist in this directory, or cn=reader may see neither it nor anything below it"},
		"refused, with nothing below": {result: ldap.LDAPResultInsufficientAccessRights,
			code: directory.CodeInsufficientAccess, says: "or anything below it"},
		"not bound enough, nothing below": {result: ldap.LDAPResultOperationsError,
			code: directory.CodeInsufficientAccess, says: "does not let cn=reader read"},
		"refused for a reason of its own": {result: ldap.LDAPResultOther},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := works()
			s.base, s.hidden, s.below = c.result, c.hidden, c.below
			g := read(t, s, directory.Config{},
				func(_ *settings.Connection, q *directory.Query) { q.SearchBase = base })
			var e *directory.Error
			said := strings.Join(g.info.Notes, "; ")
			switch {
			case c.code == "" && (g.err != nil || len(g.entries) != 1):
				t.Errorf("entries %q, error %v", g.entries, g.err)
			case c.code != "" && (!errors.As(g.err, &e) || e.Code != c.code || e.Step != directory.StepBase):
				t.Fatalf("error %v, want %s", g.err, c.code)
			case c.code != "":
				said = e.Message
			}
			if !strings.Contains(said, c.says) {
				t.Errorf("said %q, want %q", said, c.says)
			}
			if c.says == "" && slices.ContainsFunc(g.info.Notes, func(n string) bool {
				return strings.Contains(n, "search base")
			}) {
				t.Errorf("notes %q, want none about the base", g.info.Notes)
			}
		})
	}
}
