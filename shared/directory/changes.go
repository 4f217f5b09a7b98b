package directory

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// The attributes by which directories tell what changed: Active Directory's number, which belongs to one domain
// controller ([MS-ADTS] 3.1.1.1.9), OpenLDAP's change sequence number, and the operational attribute of all others
// (RFC 4512, 3.4.2).
const (
	byUSN  = "uSNChanged"
	byCSN  = "entryCSN"
	byTime = "modifyTimestamp"
)

const (
	// overlap is how many entries, those that changed last, are asked for again: a server may show a change a little
	// after one that is later by its clock. What was seen of them is not read again.
	overlap = 32
	// maxChanges is how many changed entries a look takes.
	maxChanges = 10_000
	// fewNumbers is up to how many update sequence numbers are asked for one by one. An index answers that even where
	// it has no order, as Samba's by default.
	fewNumbers = 32
)

// The reasons of a Tracking.
const (
	reasonCommuniGate  = "CommuniGate Pro does not say when an entry changed, so that only a full sync finds it."
	reasonInvocationID = "The user may not read the invocationId of the domain controller (%s), without which its " +
		"update sequence numbers mean nothing: let it read the NTDS Settings below CN=Sites in the configuration."
	reasonNoTimes  = "The server shows no %s, so that only a full sync finds what changed."
	reasonIndexCSN = "A look costs the server least with an index on entryCSN: olcDbIndex: entryCSN eq."
	reasonIndex    = "A look costs the server least with an equality index on modifyTimestamp."
)

// tracker follows one read: where a look begins, and where the next one will.
type tracker struct {
	by string
	// since is where this look begins, nil in a full read.
	since  *run.Cursor
	result run.Tracking
	// times are those of the entries, nil where the server has numbers. old are those whose entries the last look saw.
	times *times
	old   map[string]bool
	// unasked says that the caller did not ask for the times: its entries come without them.
	unasked bool
}

// track finds out how the server tells what changed.
func (s *session) track(conn *ldap.Conn) error {
	t := &s.tracker
	switch {
	case s.to.ServerType == settings.CommuniGate:
		t.result.Reason = reasonCommuniGate
	case s.root.highestUSN > 0 && s.root.service != "":
		t.by = byUSN
		id, err := s.invocationID(conn)
		if err != nil {
			return err
		}
		if id == "" {
			t.result.Reason = fmt.Sprintf(reasonInvocationID, s.root.service)
			break
		}
		t.result.Cursor = &run.Cursor{By: byUSN, Server: id, USN: s.root.highestUSN}
	case strings.Contains(s.root.vendor, "OpenLDAProotDSE"):
		t.by, t.times, t.result.Reason = byCSN, newTimes(byCSN), reasonIndexCSN
	default:
		t.by, t.times, t.result.Reason = byTime, newTimes(byTime), reasonIndex
	}
	return nil
}

// beginLook narrows the filter to what changed since the server was read last.
func (s *session) beginLook(since []run.Cursor) error {
	t := &s.tracker
	server := ""
	if t.result.Cursor != nil {
		server = t.result.Cursor.Server
	}
	i := slices.IndexFunc(since, func(c run.Cursor) bool { return c.By == t.by && c.Server == server })
	if i < 0 {
		return otherServer(s.to.Host + " is answered by another server than those that were read before, whose " +
			"changes are counted in another way.")
	}
	t.since = &since[i]
	clause := "(" + t.by + ">=" + t.since.Since + ")"
	switch {
	case t.times == nil && s.root.highestUSN < t.since.USN:
		return otherServer(s.to.Host + " counts its changes from a lower number than before, as after a restore " +
			"that Active Directory did not notice.")
	case t.times == nil:
		clause = numbersAfter(t.since.USN, s.root.highestUSN)
	case !plainTime(t.since.Since):
		return otherServer("What was noted of the last look cannot be read.")
	}
	s.info.Filter = "(&" + clause + s.info.Filter + ")"
	return nil
}

// numbersAfter returns the clause of a filter that asks for the entries with the update sequence numbers after the last
// one seen.
func numbersAfter(seen, highest int64) string {
	if highest-seen > fewNumbers {
		return fmt.Sprintf("(%s>=%d)", byUSN, seen+1)
	}
	var each strings.Builder
	for n := seen + 1; n <= highest; n++ {
		fmt.Fprintf(&each, "(%s=%d)", byUSN, n)
	}
	return "(|" + each.String() + ")"
}

func otherServer(why string) *Error {
	return &Error{Code: CodeOtherServer, Step: StepBase, Message: why + " Looks go on after the next full sync."}
}

// invocationID asks for the invocation id of the domain controller, whose database gives the numbers; empty where it
// must not be read.
func (s *session) invocationID(conn *ldap.Conn) (string, error) {
	dsa, err := entryOf(conn, s.root.service, "invocationId")
	if err != nil || dsa == nil {
		return "", err
	}
	return hex.EncodeToString(dsa.GetEqualFoldRawAttributeValue("invocationId")), nil
}

// read runs the search and keeps an eye on what tells of changes. A look asks for nothing where the domain controller
// gave no number since the last one. Else it first asks for what changed alone, which is all that most looks do: names
// are resolved, which may take a whole schema, where there is something to read.
func (p *pager) read(ctx context.Context, q Query, onEntry func(*Entry) error) error {
	t := &p.tracker
	if t.since != nil && t.times == nil && t.since.USN == p.root.highestUSN {
		p.info.Tracking = t.end(0)
		return nil
	}
	if t.since != nil {
		news, err := p.sweep(ctx)
		if err == nil && !news {
			p.info.Tracking = t.end(0)
			return nil
		}
		if err == nil {
			err = p.resolveNames(ctx, q)
		}
		if err != nil {
			return err
		}
		p.stream.armed = time.Time{}
	}
	p.attributes, p.onEntry = t.attributes(p.session.attributes), t.follow(onEntry)
	err := p.run(ctx)
	if err == nil {
		p.info.Tracking = t.end(p.info.Entries)
	}
	return err
}

// attributes adds to those that a search asks for the one that tells the time of a change.
func (t *tracker) attributes(asked []string) []string {
	t.unasked = t.times != nil && !hasName(asked, t.by)
	if !t.unasked {
		return asked
	}
	return append(slices.Clone(asked), t.by)
}

// follow returns deliver with an eye on the times, and of a look only for what is new.
func (t *tracker) follow(deliver func(*Entry) error) func(*Entry) error {
	onEntry := func(e *Entry) error {
		if t.unasked {
			e.leaveOut(t.by)
		}
		return deliver(e)
	}
	taken := 0
	count := func(e *Entry) error {
		if taken++; taken > maxChanges {
			return manyChanges()
		}
		return onEntry(e)
	}
	switch {
	case t.times == nil && t.since == nil:
		return onEntry
	case t.times == nil:
		return count
	case t.since == nil:
		return func(e *Entry) error {
			t.times.add(e)
			t.times.keep(trimAt)
			return onEntry(e)
		}
	}
	return func(e *Entry) error {
		if at := t.times.add(e); t.old[at] {
			return nil
		}
		return count(e)
	}
}

func manyChanges() error {
	return &Error{Code: CodeManyChanges, Step: StepSearch, Message: fmt.Sprintf("More than %d entries changed since "+
		"the last look. The next full sync reads them, and looks go on after it.", maxChanges)}
}

// sweep asks for the names and times of what changed alone, and reports whether any of it is new.
func (p *pager) sweep(ctx context.Context) (bool, error) {
	t, entries := &p.tracker, 0
	p.attributes = []string{"1.1"}
	p.onEntry = func(*Entry) error {
		if entries++; entries > maxChanges {
			return manyChanges()
		}
		return nil
	}
	if t.times != nil {
		p.attributes = []string{t.by}
		p.onEntry = func(e *Entry) error {
			if t.times.add(e); len(t.times.groups) > maxChanges {
				return manyChanges()
			}
			return nil
		}
	}
	err := p.run(ctx)
	p.info.Entries = 0
	return entries > 0 || t.times != nil && t.swept(), err
}

// swept takes the times that a sweep found, and reports whether any of them is new.
func (t *tracker) swept() bool {
	seen := digests(t.since)
	found := t.times
	t.old = make(map[string]bool)
	news := false
	for at, g := range found.groups {
		t.old[at] = seen[g.sum]
		news = news || !seen[g.sum]
	}
	if news {
		t.times = newTimes(t.by)
	}
	return news
}

// end finds out where the next look begins.
func (t *tracker) end(entries int) run.Tracking {
	if t.times == nil {
		return t.result
	}
	t.times.keep(0)
	switch cursor := t.times.cursor(); {
	case cursor != nil:
		t.result.Cursor = cursor
	case t.since != nil:
		t.result.Cursor = t.since
	case entries > 0:
		t.result.Reason = fmt.Sprintf(reasonNoTimes, t.by)
	}
	return t.result
}
