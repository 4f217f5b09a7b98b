package directory_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// changing is a script that shows a list of entries with a time each, of those the ones that a filter by that time asks
// for, and remembers what it was asked.
type changing struct {
	script
	by      string
	entries []timed
	asked   []string
}

type timed struct{ name, at string }

func (c *changing) answer(s *session, _ int, r search) bool {
	if len(r.attributes) == 1 && r.attributes[0] == "invocationId" {
		s.entry(r.base, map[string][]string{"invocationId": {"\x01\xab"}})
		s.done(0)
		return true
	}
	c.mu.Lock()
	c.asked = append(c.asked, r.filter+" "+strings.Join(r.attributes, ","))
	c.mu.Unlock()
	_, since, _ := strings.Cut(r.filter, c.by+">=")
	since, _, _ = strings.Cut(since, ")")
	byNumber := strings.Contains(r.filter, "("+c.by+"=")
	for _, e := range c.entries {
		if e.at < since || byNumber && !strings.Contains(r.filter, "("+c.by+"="+e.at+")") {
			continue
		}
		attributes := map[string][]string{}
		for _, a := range r.attributes {
			switch a {
			case "mail":
				attributes[a] = []string{e.name + "@example.com"}
			case c.by:
				if e.at != "" {
					attributes[a] = []string{e.at}
				}
			}
		}
		s.entry("cn="+e.name, attributes)
	}
	s.done(0)
	return true
}

// look reads what changed since cursors, and all where there are none. Each look has a script of its own: a server's
// goroutine may outlive it.
func (c *changing) look(t *testing.T, since ...run.Cursor) got {
	t.Helper()
	one := &changing{by: c.by, entries: slices.Clone(c.entries)}
	one.root, one.search = maps.Clone(c.root), one.answer
	g := read(t, &one.script, directory.Config{}, func(_ *settings.Connection, q *directory.Query) {
		q.Filter = "(mail=*)"
		q.Since = since
	})
	one.mu.Lock()
	defer one.mu.Unlock()
	c.asked = one.asked
	return g
}

func names(g got) string {
	var all []string
	for _, line := range g.entries {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "cn="), " ")
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestLooksByUpdateSequenceNumbers(t *testing.T) {
	t.Parallel()
	c := &changing{by: "uSNChanged", entries: []timed{{"a", "100"}, {"b", "200"}}}
	c.root = map[string][]string{
		"namingContexts": {"dc=x"}, "dsServiceName": {"CN=NTDS Settings"}, "highestCommittedUSN": {"250"},
	}
	whole := c.look(t)
	want := &run.Cursor{By: "uSNChanged", Server: "01ab", USN: 250}
	if whole.err != nil || names(whole) != "a b" || !cmp.Equal(whole.info.Tracking.Cursor, want) {
		t.Fatalf("%+v, cursor %+v", whole, whole.info.Tracking.Cursor)
	}
	c.entries = append(c.entries, timed{"c", "300"})
	c.root["highestCommittedUSN"] = []string{"310"}
	next := c.look(t, run.Cursor{By: "uSNChanged", Server: "ff", USN: 9}, *whole.info.Tracking.Cursor)
	if next.err != nil || names(next) != "c" || next.info.Tracking.Cursor.USN != 310 {
		t.Errorf("%+v, cursor %+v", next, next.info.Tracking.Cursor)
	}
	filter := "(&(uSNChanged>=251)(mail=*)) "
	if diff := cmp.Diff([]string{filter + "1.1", filter + "mail"}, c.asked); diff != "" {
		t.Errorf("searches (-want +got):\n%s", diff)
	}
	idle := c.look(t, *next.info.Tracking.Cursor)
	if idle.err != nil || len(idle.entries) > 0 || len(c.asked) > 0 || idle.info.Tracking.Cursor.USN != 310 {
		t.Errorf("%+v after %q, though no number was given", idle, c.asked)
	}
	// Few numbers are asked for one by one: an index answers that even where it has no order.
	c.entries = append(c.entries, timed{"d", "312"}, timed{"late", "313"})
	c.root["highestCommittedUSN"] = []string{"312"}
	few := c.look(t, *idle.info.Tracking.Cursor)
	if few.err != nil || names(few) != "d" || few.info.Tracking.Cursor.USN != 312 {
		t.Errorf("%+v, cursor %+v", few, few.info.Tracking.Cursor)
	}
	filter = "(&(|(uSNChanged=311)(uSNChanged=312))(mail=*)) "
	if diff := cmp.Diff([]string{filter + "1.1", filter + "mail"}, c.asked); diff != "" {
		t.Errorf("searches (-want +got):\n%s", diff)
	}
	// A domain controller that nobody has read, or one that was restored.
	var failure *directory.Error
	other := c.look(t, run.Cursor{By: "uSNChanged", Server: "02cd", USN: 1})
	if !errors.As(other.err, &failure) || failure.Code != directory.CodeOtherServer || len(c.asked) > 0 {
		t.Errorf("another server's numbers: %v after %q", other.err, c.asked)
	}
	// A database that was put back behind Active Directory's back gives numbers again that it gave before.
	back := c.look(t, run.Cursor{By: "uSNChanged", Server: "01ab", USN: 313})
	if !errors.As(back.err, &failure) || failure.Code != directory.CodeOtherServer || len(c.asked) > 0 {
		t.Errorf("numbers that went back: %v after %q", back.err, c.asked)
	}
}

func TestLooksByTimes(t *testing.T) {
	t.Parallel()
	c := &changing{by: "modifyTimestamp", entries: []timed{
		{"a", "20261126120000Z"}, {"b", "20261126120001Z"}, {"c", "20261126120001Z"},
	}}
	c.root = map[string][]string{"namingContexts": {"dc=x"}}
	whole := c.look(t)
	if whole.err != nil || names(whole) != "a b c" || whole.info.Tracking.Cursor == nil {
		t.Fatalf("%+v", whole)
	}
	idle := c.look(t, *whole.info.Tracking.Cursor)
	if idle.err != nil || len(idle.entries) > 0 || len(c.asked) != 1 ||
		!cmp.Equal(idle.info.Tracking.Cursor, whole.info.Tracking.Cursor) {
		t.Errorf("%+v after %q", idle, c.asked)
	}
	if filter := "(&(modifyTimestamp>=20261126120000Z)(mail=*)) "; c.asked[0] != filter+"modifyTimestamp" {
		t.Errorf("asked for %q", c.asked)
	}
	// One comes in a second that was seen, one has a new time, and one is gone.
	c.entries = append(c.entries[1:],
		timed{"d", "20261126120001Z"}, timed{"e", "20261126115959Z"}, timed{"f", "20261126120002Z"})
	found := c.look(t, *idle.info.Tracking.Cursor)
	if found.err != nil || names(found) != "b c d f" || len(c.asked) != 2 {
		t.Errorf("%+v after %q", found, c.asked)
	}
	if again := c.look(t, *found.info.Tracking.Cursor); again.err != nil || len(again.entries) > 0 {
		t.Errorf("a second time: %+v", again)
	}
}

// TestALookAsksForFewAgain reads many entries, in an order that is not that of their times.
func TestALookAsksForFewAgain(t *testing.T) {
	t.Parallel()
	c := &changing{by: "entryCSN"}
	c.root = map[string][]string{"namingContexts": {"dc=x"}, "objectClass": {"top", "OpenLDAProotDSE"}}
	csn := func(n int) string { return fmt.Sprintf("202611261200%02d.%06dZ#000000#000#000000", n/100, n) }
	for i := range 5000 {
		n := i * 7919 % 5000
		c.entries = append(c.entries, timed{fmt.Sprint("p", n), csn(n)})
	}
	whole := c.look(t)
	cursor := whole.info.Tracking.Cursor
	if whole.err != nil || cursor == nil || cursor.Since != csn(5000-32) || len(cursor.Seen) != 8*32 {
		t.Fatalf("error %v, cursor %+v", whole.err, cursor)
	}
	c.entries = append(c.entries, timed{"late", csn(4990)}, timed{"new", csn(5001)})
	if found := c.look(t, *cursor); names(found) != "p4990 late new" {
		t.Errorf("found %q, error %v", names(found), found.err)
	}
}

func TestADirectoryThatDoesNotTellWhatChanged(t *testing.T) {
	t.Parallel()
	c := &changing{by: "modifyTimestamp", entries: []timed{{"a", ""}}}
	c.root = map[string][]string{"namingContexts": {"dc=x"}}
	if g := c.look(t); g.info.Tracking.Cursor != nil || !strings.Contains(g.info.Tracking.Reason, "modifyTimestamp") {
		t.Errorf("%+v", g.info.Tracking)
	}
	c.entries = []timed{{"a", "20261126120000Z)(x=y"}}
	if g := c.look(t); g.info.Tracking.Cursor != nil {
		t.Errorf("a time that would end a filter is kept: %+v", g.info.Tracking.Cursor)
	}
	c.search = func(s *session, _ int, r search) bool {
		if len(r.attributes) == 1 && r.attributes[0] == "invocationId" {
			s.done(ldap.LDAPResultInsufficientAccessRights)
			return true
		}
		s.done(0)
		return true
	}
	c.root = map[string][]string{
		"namingContexts": {"dc=x"}, "dsServiceName": {"CN=NTDS Settings"}, "highestCommittedUSN": {"250"},
	}
	hidden := read(t, &c.script, directory.Config{}, nil)
	if hidden.info.Tracking.Cursor != nil || !strings.Contains(hidden.info.Tracking.Reason, "NTDS Settings") {
		t.Errorf("%+v", hidden.info.Tracking)
	}
	communiGate := read(t, &c.script, directory.Config{}, func(k *settings.Connection, _ *directory.Query) {
		k.ServerType = settings.CommuniGate
	})
	if got := communiGate.info.Tracking; got.Cursor != nil || !strings.Contains(got.Reason, "CommuniGate") {
		t.Errorf("%+v", got)
	}
}

func TestTooManyChangesAreNotRead(t *testing.T) {
	t.Parallel()
	c := &changing{by: "uSNChanged"}
	c.root = map[string][]string{
		"namingContexts": {"dc=x"}, "dsServiceName": {"CN=NTDS Settings"}, "highestCommittedUSN": {"250"},
	}
	for i := range 10_001 {
		c.entries = append(c.entries, timed{fmt.Sprint("p", i), "300"})
	}
	g := c.look(t, run.Cursor{By: "uSNChanged", Server: "01ab", USN: 200})
	var failure *directory.Error
	if !errors.As(g.err, &failure) || failure.Code != directory.CodeManyChanges || len(g.entries) > 0 {
		t.Errorf("error %v after %d entries", g.err, len(g.entries))
	}
}
