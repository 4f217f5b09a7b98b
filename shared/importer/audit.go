package importer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// Audit returns one page of who did what by hand, the newest first.
func (s *Service) Audit(ctx context.Context, id run.Identity, after string, limit int) (runs.AuditPage, error) {
	return s.c.Jobs.For(id.Account).AuditLog(ctx, after, limit)
}

// entry is an entry of the audit log: somebody does something now.
func (s *Service) entry(
	id run.Identity, action runs.Action, subject string, details map[string]string,
) runs.AuditEntry {
	return runs.AuditEntry{
		ID: s.c.NewID(), At: s.c.now(), By: id.Subject, Action: action, Subject: subject, Details: details,
	}
}

// startEntry is the entry about a run that somebody starts: which run, and with which settings.
func (s *Service) startEntry(id run.Identity, r run.Run) runs.AuditEntry {
	details := make(map[string]string)
	action := map[run.Kind]runs.Action{
		run.KindPreview: runs.PreviewStarted, run.KindSync: runs.SyncStarted, run.KindExport: runs.ExportStarted,
		run.KindExplanation: runs.ExplanationStarted,
	}[r.Kind]
	switch {
	case r.UndoOf != "":
		details["undoOf"] = r.UndoOf
		if r.Kind == run.KindSync {
			action = runs.UndoStarted
		}
	case r.SyncID != "":
		details["syncId"] = r.SyncID
	case r.Kind == run.KindExport && r.PreviewID == "":
		details["of"] = "users"
	case r.PreviewID == "":
		details = shown(r.Import)
	}
	if r.PreviewID != "" {
		details["previewId"] = r.PreviewID
	}
	if r.Asked != nil {
		details["address"], details["dn"] = shortened(r.Asked.Address, maxText), shortened(r.Asked.DN, maxText)
		maps.DeleteFunc(details, func(_, value string) bool { return value == "" })
	}
	if r.Filter != nil {
		addFilter(details, r.Filter)
	}
	if r.ConfirmRemovals != nil {
		details["confirmRemovals"] = strconv.Itoa(*r.ConfirmRemovals)
	}
	return s.entry(id, action, r.ID, details)
}

// addFilter names which rows an export was asked for.
func addFilter(details map[string]string, f *run.Filter) {
	for name, text := range map[string]string{"q": f.Q, "prefix": f.Prefix, "primary": f.Primary} {
		if text != "" {
			details[name] = shortened(text, maxText)
		}
	}
	for name, list := range map[string][]string{
		"type": run.Texts[string](f.Types), "domain": f.Domains, "reason": f.Reasons, "change": f.Changes,
		"kind": run.Texts[string](f.Kinds), "outcome": f.Outcomes,
	} {
		if len(list) > 0 {
			details[name] = some(list)
		}
	}
}

// cancelEntry is the entry about a run that somebody cancels.
func (s *Service) cancelEntry(id run.Identity, r run.Run) runs.AuditEntry {
	action := runs.SyncCancelled
	if r.Kind == run.KindPreview {
		action = runs.PreviewCancelled
	}
	return s.entry(id, action, r.ID, nil)
}

// The sizes of an entry's details: they are for people, and an entry is stored in one step with its change.
const (
	// maxText bounds a value in bytes, maxName one item of a list, and maxNames how many of a list are named.
	maxText  = 140
	maxName  = 60
	maxNames = 3
)

// detail is one field of the settings: a text, or a list.
type detail struct {
	name string
	text string
	list []string
}

// detailsOf lists the fields of an import, without any secret.
func detailsOf(i settings.Import) []detail {
	c, a, o := i.Connection, i.Advanced, i.Options
	certificate := ""
	if c.CACertificate != "" {
		certificate = fmt.Sprintf("%d bytes", len(c.CACertificate))
	}
	return []detail{
		{name: "connection.connectorId", text: c.ConnectorID},
		{name: "connection.serverType", text: string(c.ServerType)},
		{name: "connection.host", text: c.Host},
		{name: "connection.port", text: strconv.Itoa(c.Port)},
		{name: "connection.useSSL", text: strconv.FormatBool(c.UseSSL)},
		{name: "connection.encryption", text: string(c.Mode())},
		{name: "connection.oldTLS", text: strconv.FormatBool(c.OldTLS)},
		{name: "connection.trustedCertificate", text: c.TrustedCertificate},
		{name: "connection.username", text: c.Username},
		{name: "connection.caCertificate", text: certificate},
		{name: "advanced.searchBase", text: a.SearchBase},
		{name: "advanced.filter", text: a.Filter},
		{name: "advanced.attributes.primary", list: a.Attributes.Primary},
		{name: "advanced.attributes.aliases", list: a.Attributes.Aliases},
		{name: "advanced.attributes.id", text: a.Attributes.ID},
		{name: "advanced.include", list: a.Include},
		{name: "advanced.acceptedDomains", list: a.AcceptedDomains},
		{name: "advanced.exclude", list: a.Exclude},
		{name: "advanced.collapseAliasDomains", text: strconv.FormatBool(a.CollapseAliasDomains)},
		{name: "advanced.skipDisabled", text: strconv.FormatBool(a.SkipDisabled)},
		{name: "options.removeAccounts", text: strconv.FormatBool(o.RemoveAccounts)},
		{name: "options.removeScope", text: string(o.RemoveScope)},
		{name: "options.sendHSR", text: strconv.FormatBool(o.SendHSR)},
		{name: "options.removalLimit", text: fmt.Sprintf("%d %% or %d", o.RemovalLimit.Percent, o.RemovalLimit.Count)},
	}
}

// shown names what an import sets.
func shown(i settings.Import) map[string]string {
	details := make(map[string]string)
	for _, d := range detailsOf(i) {
		switch {
		case len(d.list) > 0:
			details[d.name] = some(d.list)
		case d.text != "" && d.text != "false":
			details[d.name] = shortened(d.text, maxText)
		}
	}
	return details
}

// settingsDiff names what saving changed, without any secret.
func settingsDiff(old *settings.Saved, now settings.Saved) map[string]string {
	var before settings.Saved
	if old != nil {
		before = *old
	}
	details := make(map[string]string)
	note := func(name, from, to string) {
		if from != to {
			details[name] = shortened(from, maxText) + " → " + shortened(to, maxText)
		}
	}
	next := detailsOf(now.Import)
	for i, was := range detailsOf(before.Import) {
		note(was.name, was.text, next[i].text)
		if changed := listDiff(was.list, next[i].list); changed != "" {
			details[was.name] = changed
		}
	}
	// The certificate is shown by its length.
	if before.Connection.CACertificate != now.Connection.CACertificate && details["connection.caCertificate"] == "" {
		details["connection.caCertificate"] = "changed"
	}
	note("schedule", interval(before.Schedule), interval(now.Schedule))
	if string(before.SealedPassword) != string(now.SealedPassword) {
		details["connection.password"] = "changed"
	}
	return details
}

// listDiff says how a list changed: how many items came and went, and the first few of them.
func listDiff(before, after []string) string {
	var parts []string
	if added := without(after, before); len(added) > 0 {
		parts = append(parts, "added "+some(added))
	}
	if removed := without(before, after); len(removed) > 0 {
		parts = append(parts, "removed "+some(removed))
	}
	if len(parts) == 0 && !slices.Equal(before, after) {
		return "in another order"
	}
	return strings.Join(parts, "; ")
}

// without returns the items of a list that others does not have.
func without(list, others []string) []string {
	known := make(map[string]bool, len(others))
	for _, item := range others {
		known[item] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(item string) bool { return known[item] })
}

// some counts a list's items and names the first few.
func some(list []string) string {
	var names []string
	for _, item := range list[:min(maxNames, len(list))] {
		names = append(names, shortened(item, maxName))
	}
	if len(list) > maxNames {
		names = append(names, "…")
	}
	return fmt.Sprintf("%d: %s", len(list), strings.Join(names, ", "))
}

// shortened leaves the middle out of a text that is longer than most bytes.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	head, tail := text[:most*2/3], text[len(text)-most/4:]
	return strings.ToValidUTF8(head, "") + "…" + strings.ToValidUTF8(tail, "")
}

func interval(s *settings.Schedule) string {
	if s == nil {
		return "none"
	}
	text := fmt.Sprintf("every %d h", s.IntervalHours)
	if s.QuickMinutes > 0 {
		text += fmt.Sprintf(", looks every %d min", s.QuickMinutes)
	}
	if s.Paused {
		text += ", paused"
	}
	return text
}

func userDiff(before, after user.User) map[string]string {
	details := make(map[string]string)
	if before.HeldSpamReport != after.HeldSpamReport {
		details["heldSpamReport"] = fmt.Sprintf("%s → %s", before.HeldSpamReport, after.HeldSpamReport)
	}
	if before.Protected != after.Protected {
		details["protected"] = fmt.Sprintf("%t → %t", before.Protected, after.Protected)
	}
	return details
}
