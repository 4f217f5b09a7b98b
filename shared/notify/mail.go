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
// do. page is the address of the LDAP Import page, to which a link leads; nothing happens by following it. Lines of
// both may be long, and the subject has no line break.
func Mail(e Event, page string) (subject, text string) {
	subject, parts, place := words(e)
	if page != "" {
		parts = append(parts, "Look here, after signing in:\n"+strings.TrimRight(page, "/")+"/#/"+place)
	}
	parts = append(parts, fmt.Sprintf("Account: %s\nTime: %s", e.Data.Account, shownTime(e.Time)))
	for i := range parts {
		parts[i] = printable(parts[i])
	}
	subject = strings.ReplaceAll(printable(subject), "\n", " ")
	return subject, strings.Join(parts, "\n\n") + "\n"
}

// words returns the mail's subject, its paragraphs and the place on the page that it is about.
func words(e Event) (subject string, parts []string, place string) {
	d, sync := e.Data, "syncs/"+e.Data.SyncID
	switch e.Type {
	case SyncFailed:
		return "LDAP import failed", []string{
			"A sync with your directory failed: " + sentence(d.Message),
			wrote(d.Applied),
			"What to do: read the sync's steps on the page, which say where it stopped. The schedule goes on trying; you " +
				"get one more mail, once a sync goes through.",
		}, sync
	case SyncBlocked:
		return "LDAP import blocked: a sync waits for you", []string{
			"A sync with your directory was blocked: " + sentence(d.Message),
			wrote(d.Applied) + " Nobody was removed.",
			confirm(d.Removals),
		}, sync
	case SyncRecovered:
		return "LDAP import works again", []string{
			fmt.Sprintf("A sync with your directory went through. Before it, %s since %s.", lasted(d), shownTime(d.Since)),
			wrote(d.Applied) + " There is nothing to do.",
		}, sync
	case SyncMissed:
		return "LDAP import did not run", []string{
			fmt.Sprintf("A sync was due every %d h, and none has ended since %s.", d.IntervalHours, shownTime(d.Since)),
			"The Users List is as it was then: whoever came to the directory since is not on it, and whoever left still is.",
			"What to do: look on the page whether a sync is waiting or running. Cancel one that does not get on. Where " +
				"none is there, tell whoever runs this service.",
		}, "history"
	case UsersChanged:
		return changed(d)
	default:
		return "LDAP import: test of the notifications", []string{
			"This is a test. Mails about your LDAP import reach this address.",
		}, "overview"
	}
}

// confirm says what to do about a blocked sync. No link in a mail can confirm it.
func confirm(removals int) string {
	if removals == 0 {
		return "What to do: open the sync on the page and read why. Nobody is removed until it is right."
	}
	return fmt.Sprintf("What to do: open the sync on the page and look at the %s that it would remove. If they are "+
		"right, confirm it there: sign in and type the number %d. If not, look at what changed in the directory, the "+
		"search base and the filter; nobody is removed meanwhile.", counted(removals, "user", "users"), removals)
}

// changed are the words about a change of the Users List.
func changed(d Data) (subject string, parts []string, place string) {
	what, place := "A sync", "syncs/"+d.SyncID
	switch {
	case d.SyncID == "":
		what, place = "By hand, "+d.By, "audit"
	case d.Trigger == run.TriggerUndo:
		what = "An undo"
	case d.Trigger == run.TriggerQuick:
		what = "A quick look between two syncs"
	}
	parts = []string{what + " changed the Users List: " + lower(wrote(d.Applied))}
	var list []string
	for i, c := range d.Changes {
		if i == mailedChanges {
			list = append(list, fmt.Sprintf("and %d more", len(d.Changes)-i))
			break
		}
		list = append(list, fmt.Sprintf("%s  %s (%s, %s)", c.Change, c.Address, c.Kind, c.Type))
	}
	if len(list) > 0 {
		parts = append(parts, strings.Join(list, "\n"))
	}
	if d.SyncID == "" || d.Trigger == run.TriggerQuick {
		parts = append(parts, "Further edits by hand and quick looks within the next hour send no mail of their own.")
	} else {
		parts = append(parts, "There is nothing to do. If it is not right, the sync can be undone on the page.")
	}
	return "LDAP import: the Users List changed", parts, place
}

// wrote says what was done to the Users List.
func wrote(a *run.Applied) string {
	if a == nil || a.Written() == 0 {
		return "The Users List was not changed."
	}
	return fmt.Sprintf("%s added, %d updated, %d removed.", counted(a.Create, "user was", "users were"), a.Update,
		a.Delete)
}

// lasted says how many syncs ended in the trouble that is over.
func lasted(d Data) string {
	what := "failed"
	if d.After == run.Blocked {
		what = "blocked"
	}
	if d.Syncs == 1 {
		return "one sync had " + map[string]string{"failed": "failed", "blocked": "been blocked"}[what]
	}
	return fmt.Sprintf("%d syncs had failed or been blocked, the last one %s,", d.Syncs, what)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	if text = strings.TrimSpace(text); strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") {
		return text
	}
	return text + "."
}

func lower(text string) string { return strings.ToLower(text[:1]) + text[1:] }

func shownTime(t time.Time) string { return t.UTC().Format("2 January 2006 15:04 UTC") }

// printable drops what a directory's texts could do to a mail: control characters other than line breaks.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, text)
}
