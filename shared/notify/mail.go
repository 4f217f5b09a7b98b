package notify

import (
	"fmt"
	"strings"
	"time"

	"rollcall/shared/run"
)

// mailedChanges is how many changes a mail names.
const mailedChanges = 20

// Mail returns the subject and the plain text of the mail that tells an event: what happened, what it means and what to
// do. page is the address of the LDAP Import page, to which a link leads; nothing happens by following it. Lines of the
// text may be long; the subject is one line.
func Mail(e Event, page string) (subject, text string) {
	m := words(e)
	if page != "" {
		m.parts = append(m.parts, "The page, after signing in:\n"+strings.TrimRight(page, "/")+"/#/"+m.place)
	}
	m.parts = append(m.parts, fmt.Sprintf("Account: %s\nTime: %s", oneLine(string(e.Data.Account)), shownTime(e.Time)))
	return m.subject, strings.Join(m.parts, "\n\n") + "\n"
}

// mail is what a mail says: its subject, its paragraphs, and the place on the page that it is about.
type mail struct {
	subject string
	parts   []string
	place   string
}

func words(e Event) mail {
	d, sync := e.Data, "syncs/"+oneLine(e.Data.SyncID)
	if e.Digest != "" {
		return digest(e)
	}
	switch e.Type {
	case SyncFailed:
		return mail{"LDAP import failed", []string{
			"A sync with your directory failed: " + sentence(d.Message),
			wrote(d.Applied),
			whereItStopped + " Further failures send at most one mail a day.",
		}, sync}
	case SyncBlocked:
		return mail{"LDAP import blocked: a sync waits for you", []string{
			"A sync with your directory was blocked: " + sentence(d.Message),
			wrote(d.Applied),
			confirm(d.Removals),
		}, sync}
	case SyncRecovered:
		return mail{"LDAP import works again", []string{
			"A sync with your directory went through. " + trouble(d),
			wrote(d.Applied) + " There is nothing to do.",
		}, sync}
	case SyncMissed:
		return mail{"LDAP import did not run", []string{
			fmt.Sprintf("A sync is due every %s, and none has ended since %s.",
				counted(d.IntervalHours, "hour", "hours"), shownTime(d.Since)),
			outOfDate, whatWaits,
		}, "history"}
	case UsersChanged:
		return changed(d)
	}
	return mail{"LDAP import: test of the notifications", []string{
		"This is a test. Mails about your LDAP import reach this address. There is nothing to do.",
	}, "overview"}
}

const (
	outOfDate = "The Users List may be out of date: people who joined since are not on it, and people who left " +
		"still are."
	whereItStopped = "What to do: open the sync on the page. Its steps say where it stopped."
	whatWaits      = "What to do: look on the page whether a sync waits or runs, and cancel one that does not get " +
		"on. Where there is none, tell whoever runs this service."
)

// digest are the words about a state that was told and lasts.
func digest(e Event) mail {
	d, reason := e.Data, "for the same reason"
	if e.Digest == OtherReason {
		reason = "now for another reason"
	}
	since := fmt.Sprintf("Since %s, %s with your directory failed or were blocked.", shownTime(d.Since),
		counted(d.Syncs, "sync", "syncs"))
	m := mail{place: "syncs/" + oneLine(d.SyncID)}
	switch e.Type {
	case SyncBlocked:
		m.subject = "LDAP import is still blocked: a sync waits for you"
		m.parts = []string{since + " The last one was blocked, " + reason + ": " + sentence(d.Message),
			confirm(d.Removals)}
	case SyncMissed:
		m.subject, m.place = "LDAP import still does not run", "history"
		m.parts = []string{fmt.Sprintf("Still no sync has ended since %s. One is due every %s.",
			shownTime(d.Since), counted(d.IntervalHours, "hour", "hours")), outOfDate, whatWaits}
	default:
		m.subject = "LDAP import still fails"
		m.parts = []string{since + " The last one failed, " + reason + ": " + sentence(d.Message),
			outOfDate, whereItStopped}
	}
	m.parts = append(m.parts, "While this lasts, you get at most one such mail a day, and none while the schedule is "+
		"paused.")
	return m
}

// confirm says what to do about a blocked sync. No link in a mail can confirm it.
func confirm(removals int) string {
	if removals == 0 {
		return "What to do: open the sync on the page and read why. Nobody is removed meanwhile."
	}
	return fmt.Sprintf("What to do: open the sync on the page and look at whom it would remove (%s). If that is "+
		"right, confirm it there: sign in and type the number %d. If it is not, look at what changed in the "+
		"directory, the search base and the filter. Nobody is removed meanwhile.",
		counted(removals, "user", "users"), removals)
}

// trouble says what was before a recovery.
func trouble(d Data) string {
	what := "had failed"
	if d.After == run.Blocked {
		what = "had been blocked"
	}
	if d.Syncs == 1 {
		return fmt.Sprintf("The one before it %s, %s.", what, shownTime(d.Since))
	}
	return fmt.Sprintf("The one before it %s, and since %s %d syncs had failed or been blocked.", what,
		shownTime(d.Since), d.Syncs)
}

// changed are the words about a change of the Users List.
func changed(d Data) mail {
	m := mail{"LDAP import: the Users List changed", nil, "syncs/" + oneLine(d.SyncID)}
	what, next := "A sync", "If it is not right, the sync can be undone on the page."
	switch {
	case d.SyncID == "":
		what, m.place = oneLine(d.By), "audit"
	case d.Trigger == run.TriggerUndo:
		what = "An undo"
	case d.Trigger == run.TriggerQuick:
		what = "A quick look between two syncs"
	}
	if d.SyncID == "" || d.Trigger == run.TriggerQuick {
		next = "Edits by hand and quick looks of the next hour send no mail of their own; the page has them all."
	}
	m.parts = append(m.parts, what+" changed the Users List. "+wrote(d.Applied))
	var list []string
	for i, c := range d.Changes {
		if i == mailedChanges {
			list = append(list, fmt.Sprintf("and %d more", len(d.Changes)-i))
			break
		}
		list = append(list, fmt.Sprintf("%s %s (%s, %s)", c.Change, oneLine(c.Address), c.Kind, c.Type))
	}
	if len(list) > 0 {
		m.parts = append(m.parts, strings.Join(list, "\n"))
	}
	m.parts = append(m.parts, next)
	return m
}

// wrote says what was done to the Users List.
func wrote(a *run.Applied) string {
	if a == nil || a.Written() == 0 {
		return "Nothing on the Users List changed."
	}
	return fmt.Sprintf("Users added: %d, updated: %d, removed: %d.", a.Create, a.Update, a.Delete)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// sentence is a text in one line that ends with a full stop.
func sentence(text string) string {
	if text = oneLine(text); strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

func shownTime(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// oneLine makes a directory's text, or a person's, one line: such a text must not look like the mail's own words.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029'
	}), " ")
}
