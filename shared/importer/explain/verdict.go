package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rollcall/shared/plan"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// verdict says what a sync would make of the address, in a word and in a sentence that says what to change.
func (e *explainer) verdict() (run.Verdict, string) {
	verdict, sentence := e.judge()
	return verdict, strings.Join(strings.Fields(sentence+" "+e.aboutStored(verdict)+e.aboutOthers()), " ")
}

func (e *explainer) judge() (run.Verdict, string) {
	var unmatched, outside, unread *entry
	for i := range e.entries {
		en := &e.entries[i]
		switch {
		case en.row != nil:
			return e.ofRow(en)
		case e.Asked.DN == "" && e.rules.Holding(&en.found.Entry, e.address.Key) == "":
			// Only another entry leads here.
		case en.InBase && en.MatchesFilter:
			unread = cmp.Or(unread, en)
		case en.InBase:
			unmatched = cmp.Or(unmatched, en)
		default:
			outside = cmp.Or(outside, en)
		}
		if e.Asked.DN != "" {
			// The others have its address too, and are not what was asked for.
			break
		}
	}
	switch {
	case unread != nil:
		return run.Skipped, e.ofUnread(unread)
	case unmatched != nil:
		return run.NotMatched, e.ofUnmatched(unmatched)
	case outside != nil:
		return run.OutsideBase, e.ofOutside(outside)
	case e.Asked.DN != "":
		return run.NotFound, fmt.Sprintf("The directory has no entry %s that this user may read. Check the DN.",
			e.Asked.DN)
	}
	return run.NotFound, fmt.Sprintf("No entry of the directory that this user may read has %s. Check its spelling, "+
		"or enter it in the directory.", e.address.Display)
}

func (e *explainer) ofOutside(en *entry) string {
	what := fmt.Sprintf("is outside the search base %s. Change Search Base in Advanced Settings to a DN above both to "+
		"import it.", e.Answer.Base)
	if e.Asked.DN != "" {
		return fmt.Sprintf("The entry %s %s", en.DN, what)
	}
	return fmt.Sprintf("%s is in %s, which %s", e.address.Display, en.DN, what)
}

// ofRow says what a sync does with the row of the address.
func (e *explainer) ofRow(en *entry) (run.Verdict, string) {
	row, rule := en.row, ""
	switch {
	case row.Reason == plan.ReasonPresent:
		rule = e.skipRule()
	case row.Change == plan.Skipped || row.Reason == plan.ReasonExcluded:
		rule = ruleOf(row.Reason)
	case row.Reason == plan.ReasonProtected:
		// The user stays whatever the rules say of the entry, which the row does not tell.
		rule = failedRule(en)
	}
	switch {
	case rule == "":
		return run.Imported, e.ofImported(row)
	case isOfSettings(rule):
		return run.LeftOut, e.ofRule(en, rule)
	}
	return run.Skipped, e.ofRule(en, rule)
}

// failedRule returns the first rule that keeps the address out of the import, nothing where none does.
func failedRule(en *entry) string {
	i := slices.IndexFunc(en.Rules, func(r run.ExplainedRule) bool { return !r.OK })
	if i < 0 {
		return ""
	}
	return en.Rules[i].Rule
}

// skipRule returns the rule that skips the address.
func (e *explainer) skipRule() string {
	for i := range e.rows {
		if e.rows[i].Key == e.address.Key && e.rows[i].Change == plan.Skipped {
			return ruleOf(e.rows[i].Reason)
		}
	}
	return ruleInvalid
}

func (e *explainer) ofImported(row *plan.Row) string {
	as := "a primary address"
	if row.Kind == user.Alias {
		as = "an alias of " + row.PrimaryAddress
	}
	does := map[plan.Change]string{
		plan.Create:    "the next sync adds it to the Users List",
		plan.Update:    "the next sync changes its user on the Users List",
		plan.Unchanged: "the Users List has it already, and the next sync leaves it as it is",
	}[row.Change]
	if row.Reason == plan.ReasonProtected {
		does = "the Users List has it, and as its user is protected, no sync changes it"
	}
	return fmt.Sprintf("%s is %s in %s: %s.", row.Address, as, row.DN, does)
}

// ofRule says which rule keeps the address out, and what to do.
func (e *explainer) ofRule(en *entry, rule string) string {
	// An entry that was asked for by its DN may have no address that can be read.
	name, where := cmp.Or(e.address.Display, en.row.Address), en.DN
	switch rule {
	case ruleSystem:
		return fmt.Sprintf("%s belongs to %s, a system mailbox: such mailboxes of the mail system itself are never "+
			"imported. Nothing needs to be changed.", name, where)
	case ruleInclude:
		return fmt.Sprintf("%s is in %s, a %s, and Object types leaves those out. Tick that type in Advanced Settings "+
			"to import it.", name, where, typeWord(en.typ()))
	case ruleDisabled:
		return fmt.Sprintf("%s is in %s, whose account is disabled, and such accounts are skipped. Enable the "+
			"account, or untick Skip disabled accounts in Advanced Settings.", name, where)
	case rulePrimary:
		return fmt.Sprintf("%s is in %s, which has no primary address. Set one in the directory: mail, or an SMTP: "+
			"value in proxyAddresses.", cmp.Or(name, "What was asked for"), where)
	case ruleDomain:
		domain := name[strings.LastIndexByte(name, '@')+1:]
		return fmt.Sprintf("%s is in %s, and %s is not an accepted domain. Add %[3]s to Accepted Domains in Advanced "+
			"Settings to import it.", name, where, domain)
	case ruleCollapse:
		return fmt.Sprintf("%s is in %s, and only repeats its primary address in another domain. Untick Skip aliases "+
			"that only differ in the domain in Advanced Settings to import it.", name, where)
	case ruleExclude:
		return fmt.Sprintf("%s is in %s, and the exclusion %s leaves it out. Take that from Exclusions in Advanced "+
			"Settings to import it.", name, where, e.exclusion())
	case ruleDuplicate:
		return fmt.Sprintf("%s is in %s, and another entry keeps it: it is %s. Take it from one of the two.", name,
			where, strings.Join(en.row.Notes, "; "))
	case rulePrivate:
		return fmt.Sprintf("%s is in otherMailbox of %s, beside proxyAddresses: private addresses are kept there, and "+
			"never imported. Enter it in proxyAddresses if it is the company’s.", name, where)
	case ruleAlias:
		return e.ofDangling(en)
	}
	return fmt.Sprintf("%s is in %s, and is no address that can be imported: %s. Correct it in the directory.", name,
		where, strings.Join(en.row.Notes, "; "))
}

// ofDangling says why an alias's account is not imported.
func (e *explainer) ofDangling(en *entry) string {
	text := fmt.Sprintf("%s is the alias %s, which points to no account that is imported.", e.address.Display, en.DN)
	for i := range e.entries {
		account := &e.entries[i]
		switch {
		case account.found == en.found || e.isAlias(account.found):
		case !account.InBase:
			return fmt.Sprintf("%s Its account %s is outside the search base %s. Change Search Base in Advanced "+
				"Settings to a DN above both.", text, account.DN, e.Answer.Base)
		case !account.MatchesFilter:
			return fmt.Sprintf("%s The filter leaves its account %s out: %s does not match. Change Filter String in "+
				"Advanced Settings.", text, account.DN, account.FailedClause)
		}
	}
	return text + " Correct its aliasedObjectName in the directory."
}

func (e *explainer) ofUnread(en *entry) string {
	if e.address.Key == "" {
		return fmt.Sprintf("The entry %s has no primary address: no attribute that is read holds one. Set mail in the "+
			"directory, or name the attributes in Advanced Settings.", en.DN)
	}
	detail := ""
	for _, rule := range en.Rules {
		if rule.Rule == ruleAttribute {
			detail = rule.Detail
		}
	}
	return fmt.Sprintf("%s is in %s, and is not imported. %s Name the attribute in Advanced Settings to import it.",
		e.address.Display, en.DN, detail)
}

func (e *explainer) ofUnmatched(en *entry) string {
	what := "Change Filter String in Advanced Settings to import it."
	if strings.TrimSpace(e.Advanced.Filter) == "" {
		what = "This is the server type’s own filter: enter a Filter String in Advanced Settings to import it."
	}
	if e.Asked.DN != "" {
		return fmt.Sprintf("The filter leaves out the entry %s: %s does not match. %s", en.DN, en.FailedClause, what)
	}
	return fmt.Sprintf("%s is in %s, which the filter leaves out: %s does not match. %s", e.address.Display, en.DN,
		en.FailedClause, what)
}

// aboutStored says what becomes of a user whose address is not imported.
func (e *explainer) aboutStored(verdict run.Verdict) string {
	u := e.stored[e.address.Key]
	if u == nil || verdict == run.Imported {
		return ""
	}
	text := "It is on the Users List"
	if u.Kind == user.Alias {
		text += " as an alias of " + u.PrimaryAddress
	}
	if u.Protected {
		return text + ", and stays there: it is protected."
	}
	for i := range e.rows {
		if row := &e.rows[i]; row.Key == u.Key && row.Change == plan.Delete {
			return text + ", and a sync with Remove Accounts removes it."
		}
	}
	return text + ", and stays there."
}

// aboutOthers says that further entries have the address.
func (e *explainer) aboutOthers() string {
	var losers []string
	for i := range e.entries {
		if row := e.entries[i].row; row != nil && row.Reason == plan.ReasonDuplicate && e.Asked.DN == "" {
			losers = append(losers, e.entries[i].DN)
		}
	}
	text := ""
	if len(losers) > 0 {
		text = fmt.Sprintf(" It is also in %s, which does not get it.", strings.Join(losers, " and in "))
	}
	if e.Answer.More {
		text += fmt.Sprintf(" More entries have it than the %d that are shown.", len(e.entries))
	}
	return text
}
