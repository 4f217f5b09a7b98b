package explain

import (
	"fmt"
	"slices"
	"strings"

	"rollcall/shared/address"
	"rollcall/shared/plan"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// The names of the rules. Those of the settings have the names that they have there.
const (
	ruleSystem    = "systemMailbox"
	ruleInclude   = "include"
	ruleDisabled  = "skipDisabled"
	rulePrimary   = "noPrimary"
	ruleInvalid   = "invalid"
	ruleAttribute = "attribute"
	rulePrivate   = "otherMailbox"
	ruleDomain    = "acceptedDomains"
	ruleCollapse  = "collapseAliasDomains"
	ruleExclude   = "exclude"
	ruleDuplicate = "duplicate"
	ruleAlias     = "aliasedObjectName"
)

// ruleOf returns the rule that skips a row with a reason.
func ruleOf(reason address.Reason) string {
	switch reason {
	case address.ReasonSystemMailbox:
		return ruleSystem
	case address.ReasonTypeNotIncluded:
		return ruleInclude
	case address.ReasonDisabled:
		return ruleDisabled
	case address.ReasonNoPrimary:
		return rulePrimary
	case address.ReasonDomainNotAccepted:
		return ruleDomain
	case address.ReasonCollapsed:
		return ruleCollapse
	case plan.ReasonExcluded:
		return ruleExclude
	case plan.ReasonDuplicate:
		return ruleDuplicate
	case address.ReasonPrivate:
		return rulePrivate
	case address.ReasonDanglingAlias, address.ReasonAliasCircle:
		return ruleAlias
	}
	return ruleInvalid
}

// isOfSettings reports whether the settings leave out on purpose what a rule leaves out.
func isOfSettings(rule string) bool {
	return slices.Contains([]string{ruleInclude, ruleDisabled, ruleDomain, ruleCollapse, ruleExclude}, rule)
}

// rulesOf returns what each rule decides about the address in an entry, each by itself: what remains to be changed
// shows at once.
func (e *explainer) rulesOf(en *entry) (rules []run.ExplainedRule) {
	add := func(rule string, reasons map[address.Reason]string) {
		for reason, notes := range reasons {
			if ruleOf(reason) == rule {
				rules = append(rules, run.ExplainedRule{Rule: rule, Detail: e.fails(en, rule, notes)})
				return
			}
		}
		rules = append(rules, run.ExplainedRule{Rule: rule, OK: true, Detail: e.passes(rule)})
	}
	a, always := e.Advanced, e.reasons(en, settings.Advanced{})
	add(ruleSystem, always)
	add(ruleInclude, e.reasons(en, settings.Advanced{Include: a.Include}))
	add(ruleDisabled, e.reasons(en, settings.Advanced{SkipDisabled: a.SkipDisabled}))
	add(rulePrimary, always)
	add(ruleInvalid, always)
	add(ruleDomain, e.reasons(en, settings.Advanced{AcceptedDomains: a.AcceptedDomains}))
	add(ruleCollapse, e.reasons(en, settings.Advanced{CollapseAliasDomains: a.CollapseAliasDomains}))
	add(ruleExclude, e.reasons(en, settings.Advanced{Exclude: a.Exclude}))
	if e.Server == settings.Exchange {
		add(rulePrivate, always)
	}
	if e.isAlias(en.found) {
		add(ruleAlias, always)
	}
	switch {
	case en.row != nil && en.row.Reason == plan.ReasonDuplicate:
		rules = append(rules, run.ExplainedRule{Rule: ruleDuplicate, Detail: strings.Join(en.row.Notes, "; ")})
	default:
		rules = append(rules, run.ExplainedRule{Rule: ruleDuplicate, OK: true, Detail: "No other entry keeps it."})
	}
	return e.unread(en, rules)
}

// unread adds the rule that fails where an entry has the address in an attribute of which no address is made, and that
// an entry without any address has no primary.
func (e *explainer) unread(en *entry, rules []run.ExplainedRule) []run.ExplainedRule {
	if e.isAlias(en.found) || slices.ContainsFunc(en.bare, func(row plan.Row) bool {
		return row.Key == e.address.Key || e.address.Key == ""
	}) {
		return rules
	}
	if e.address.Key == "" {
		for i := range rules {
			if rules[i].Rule == rulePrimary {
				rules[i].OK, rules[i].Detail = false, "No attribute that is read holds a mail address."
			}
		}
		return rules
	}
	attribute := e.rules.Holding(&en.found.Entry, e.address.Key)
	if attribute == "" {
		return rules
	}
	return append(rules, run.ExplainedRule{Rule: ruleAttribute, Detail: fmt.Sprintf(
		"It is in %s, which is not read here because another attribute has the entry’s addresses.", attribute)})
}

// passes says why a rule lets the address pass.
func (e *explainer) passes(rule string) string {
	switch rule {
	case ruleSystem:
		return "It is no mailbox of the mail system itself."
	case ruleInclude:
		if len(e.Advanced.Include) == 0 {
			return "Every object type is imported."
		}
		return "Its object type is imported."
	case ruleDisabled:
		if !e.Advanced.SkipDisabled {
			return "Disabled accounts are imported too."
		}
		return "The account is not disabled."
	case rulePrimary:
		return "The entry has a primary address."
	case ruleInvalid:
		return "It is a valid address."
	case ruleDomain:
		if len(e.Advanced.AcceptedDomains) == 0 {
			return "Every domain is accepted."
		}
		return "Its domain is accepted."
	case ruleCollapse:
		return "It does not only repeat its primary in another domain, or such aliases are imported."
	case ruleExclude:
		return "No exclusion names it."
	case rulePrivate:
		return "It is no private address in otherMailbox."
	}
	return "It points to an account."
}

// fails says why a rule leaves the address out. notes are the row's own.
func (e *explainer) fails(en *entry, rule, notes string) string {
	switch rule {
	case ruleSystem:
		return "It is a mailbox of the mail system itself, which is never imported."
	case ruleInclude:
		return fmt.Sprintf("The entry is a %s. Imported are: %s.", typeWord(en.typ()),
			strings.Join(typeWords(e.Advanced.Include), ", "))
	case ruleDisabled:
		return "The account is disabled."
	case rulePrimary:
		return "The entry has no primary address."
	case ruleDomain:
		return fmt.Sprintf("%s is not among the accepted domains.", address.Domain(e.address.Key))
	case ruleCollapse:
		return "It only repeats its primary address in another domain."
	case ruleExclude:
		return fmt.Sprintf("The exclusion %s names it.", e.exclusion())
	case rulePrivate:
		return "It is in otherMailbox beside proxyAddresses, where people keep private addresses."
	case ruleAlias:
		return "It points to no account that is imported: " + notes + "."
	}
	if notes == "" {
		return "It is no valid address."
	}
	return "It " + notes + "."
}

// exclusion returns the pattern that names the address.
func (e *explainer) exclusion() string {
	for _, pattern := range e.Advanced.Exclude {
		if p, err := address.ParsePatterns([]string{pattern}); err == nil && p.Match(e.address.Key) {
			return strings.TrimSpace(pattern)
		}
	}
	return ""
}

func typeWord(t user.Type) string {
	switch t {
	case user.TypePublicFolder:
		return "public folder"
	case user.TypeShared:
		return "shared mailbox"
	case user.TypeUnknown:
		return "object of unknown type"
	}
	return string(t)
}

func typeWords(types []string) (words []string) {
	for _, t := range types {
		words = append(words, typeWord(user.Type(t))+"s")
	}
	return words
}
