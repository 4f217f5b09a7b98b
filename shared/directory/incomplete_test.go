package directory_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/directory"
)

// TestWhatEndsEarlyIsNotAShorterList holds the promise that removals depend on.
func TestWhatEndsEarlyIsNotAShorterList(t *testing.T) {
	t.Parallel()
	limit := func(code int64) func(*session, int, search) bool {
		return func(c *session, _ int, _ search) bool {
			c.person("a")
			c.done(code)
			return true
		}
	}
	tests := map[string]struct {
		search func(*session, int, search) bool
		config directory.Config
		code   string
		says   string
	}{
		"size limit": {limit(ldap.LDAPResultSizeLimitExceeded), directory.Config{}, directory.CodeIncompleteRead,
			"after 1 entries"},
		"time limit": {limit(ldap.LDAPResultTimeLimitExceeded), directory.Config{}, directory.CodeIncompleteRead,
			"limit"},
		"admin limit": {limit(ldap.LDAPResultAdminLimitExceeded), directory.Config{}, directory.CodeIncompleteRead,
			"limit"},
		"busy": {limit(ldap.LDAPResultBusy), directory.Config{}, directory.CodeIncompleteRead,
			"not read to its end"},
		"a page without its control": {func(c *session, _ int, _ search) bool {
			c.person("a")
			c.done(0)
			return true
		}, directory.Config{}, directory.CodeIncompleteRead, "without its paged results control"},
		"a cookie in answer to an unpaged search": {func(c *session, _ int, r search) bool {
			if r.paging != nil {
				c.done(ldap.LDAPResultUnwillingToPerform)
				return true
			}
			c.person("a")
			c.page("more")
			return true
		}, directory.Config{}, directory.CodeIncompleteRead, "more would follow"},
		"the same page for ever": {func(c *session, _ int, _ search) bool {
			c.person("a")
			c.page("same")
			return true
		}, directory.Config{}, directory.CodeIncompleteRead, "again and again"},
		"an empty page for ever": {func(c *session, n int, _ search) bool {
			if n == 1 {
				c.person("a")
			}
			c.page("same")
			return true
		}, directory.Config{}, directory.CodeIncompleteRead, "again and again"},
		"empty pages for ever, each with a new cookie": {func(c *session, n int, _ search) bool {
			if n == 1 {
				c.person("a")
			}
			c.page(fmt.Sprint("cookie", n))
			return true
		}, directory.Config{}, directory.CodeIncompleteRead, "again and again"},
		"two pages in turn": {func(c *session, n int, _ search) bool {
			c.person(fmt.Sprint("a", n%2))
			c.page(fmt.Sprint("cookie", n%2))
			return true
		}, directory.Config{MaxEntries: 1000}, directory.CodeIncompleteRead, "again and again"},
		"pages in turn after a good beginning": {func(c *session, n int, _ search) bool {
			c.person(fmt.Sprint("a", min(n, 21+n%7)))
			c.page(fmt.Sprint("cookie", min(n, 21+n%7)))
			return true
		}, directory.Config{MaxEntries: 1000}, directory.CodeIncompleteRead, "again and again"},
		"an entry in a message with a foreign id": {func(c *session, _ int, _ search) bool {
			c.person("a")
			c.id ^= 4
			c.person("b")
			c.id ^= 4
			c.page("")
			return true
		}, directory.Config{}, directory.CodeIncompleteRead, "in place of an answer to message"},
		"an entry in an earlier message": {func(c *session, n int, _ search) bool {
			if n == 2 {
				c.id--
				c.person("b")
				c.id++
			}
			c.person(fmt.Sprint("a", n))
			c.page(map[int]string{1: "more"}[n])
			return true
		}, directory.Config{}, directory.CodeIncompleteRead, "in place of an answer to message"},
		"a lost connection": {func(c *session, _ int, _ search) bool {
			c.person("a")
			return false
		}, directory.Config{}, directory.CodeIncompleteRead, "connection broke"},
		"half a message": {func(c *session, _ int, _ search) bool {
			c.Write([]byte{0x30, 0x50, 0x02})
			return false
		}, directory.Config{}, directory.CodeIncompleteRead, "connection broke"},
		"a notice of disconnection": {func(c *session, _ int, _ search) bool {
			c.person("a")
			c.id = 0
			c.result(ldap.ApplicationExtendedResponse, ldap.LDAPResultUnavailable, "", "shutting down")
			return true
		}, directory.Config{}, directory.CodeIncompleteRead, "shutting down"},
		"a message too long": {func(c *session, _ int, _ search) bool {
			c.person(strings.Repeat("x", 4000))
			c.page("")
			return true
		}, directory.Config{MaxMessage: 1000}, directory.CodeIncompleteRead, "longer than is allowed"},
		"too many entries": {func(c *session, _ int, _ search) bool {
			for i := range 5 {
				c.person(fmt.Sprint(i))
			}
			c.page("")
			return true
		}, directory.Config{MaxEntries: 3}, directory.CodeIncompleteRead, "more than 3 entries"},
		"too many bytes": {func(c *session, _ int, _ search) bool {
			for i := range 50 {
				c.person(fmt.Sprint(i))
			}
			c.page("")
			return true
		}, directory.Config{MaxBytes: 500}, directory.CodeIncompleteRead, "more data"},
		"an indefinite length": {func(c *session, _ int, _ search) bool {
			c.Write([]byte{0x30, 0x80, 0x02, 0x01, 0x01})
			return true
		}, directory.Config{}, directory.CodeIncompleteRead, "indefinite"},
		"silence": {func(c *session, _ int, _ search) bool {
			c.person("a")
			return true
		}, directory.Config{IdleTimeout: 100 * time.Millisecond}, directory.CodeTimeout, "stopped answering"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := read(t, &script{root: offersPaging, search: test.search}, test.config, nil)
			var e *directory.Error
			if !errors.As(g.err, &e) || e.Code != test.code || e.Step != directory.StepSearch ||
				!strings.Contains(e.Message, test.says) {
				t.Errorf("error %v, want %s with %q", g.err, test.code, test.says)
			}
			if last := g.steps[len(g.steps)-1]; last.OK || last.Step != directory.StepSearch {
				t.Errorf("the last step is %+v, want search with a cross", last)
			}
		})
	}
}

// TestProgressIsNotTakenForALoop reads what some servers do: one cookie for all pages, and empty pages between others.
func TestProgressIsNotTakenForALoop(t *testing.T) {
	t.Parallel()
	const pages = 60
	s := &script{root: offersPaging, search: func(c *session, n int, _ search) bool {
		if n%3 == 0 || n == pages {
			c.person(fmt.Sprint("p", n))
			c.page(map[bool]string{false: "always the same"}[n == pages])
			return true
		}
		c.page(fmt.Sprint("nothing here ", n))
		return true
	}}
	g := read(t, s, directory.Config{}, nil)
	if g.err != nil || len(g.entries) != pages/3 {
		t.Errorf("%d entries, error %v; want %d", len(g.entries), g.err, pages/3)
	}
}
