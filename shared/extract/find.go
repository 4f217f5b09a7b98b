package extract

import (
	"slices"
	"strings"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// Question asks a directory for the entries that have an address, in every attribute that the rules read: those of
// which an import makes the address, and those that it passes over because another attribute wins.
func (r *Rules) Question(a settings.Advanced, of address.Address) directory.Question {
	q := r.QuestionOf(a, "")
	spellings := address.Spellings(of)
	for _, attribute := range r.addressAttributes() {
		for _, spelling := range spellings {
			q.Any = append(q.Any, directory.Comparison{Attribute: attribute, Value: spelling})
			for _, prefix := range r.prefixes(attribute) {
				q.Any = append(q.Any, directory.Comparison{Attribute: attribute, Value: prefix + spelling})
			}
		}
	}
	if r.server == settings.CommuniGate {
		for _, spelling := range spellings {
			q.Any = append(q.Any, directory.Comparison{
				Attribute: "uid", Value: address.Local(spelling), Parent: "cn=" + address.Domain(spelling),
			})
		}
	}
	return q
}

// QuestionOf asks a directory for one entry.
func (r *Rules) QuestionOf(a settings.Advanced, dn string) directory.Question {
	q := directory.Question{
		SearchBase: a.SearchBase, Filter: a.Filter, Attributes: r.Attributes(), Named: r.Named(), DN: dn,
	}
	if r.server == settings.CommuniGate {
		q.Follow = "aliasedObjectName"
	}
	return q
}

// addressAttributes lists the attributes that may hold addresses.
func (r *Rules) addressAttributes() []string {
	names := []string{"mail"}
	if r.server == settings.Exchange {
		names = []string{"proxyAddresses", "mail", "rfc822Mailbox", "otherMailbox"}
	}
	for _, name := range r.overrides() {
		if !hasName(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// overrides are the attributes of addresses that the settings name.
func (r *Rules) overrides() []string { return slices.Concat(r.override.Primary, r.override.Aliases) }

// hasName reports whether a list has the name of an attribute, in any case.
func hasName(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// prefixes returns what may stand before an address in an attribute; see mailValue.
func (r *Rules) prefixes(attribute string) []string {
	switch strings.ToLower(attribute) {
	case "othermailbox":
		return []string{"smtp$", "SMTP$", "smtp:", "SMTP:"}
	case "mail", "rfc822mailbox":
		// Read as it is, unless the settings name it.
		if !hasName(r.overrides(), attribute) {
			return nil
		}
	}
	return []string{"smtp:", "SMTP:"}
}

// Holding returns the attribute in which an entry has a canonical address, or nothing. It need not be one that the
// entry's address is made of.
func (r *Rules) Holding(e *directory.Entry, key string) string {
	values := newAttributes(r)
	values.read(e)
	for _, attribute := range r.addressAttributes() {
		for _, v := range values.values[r.slots[strings.ToLower(attribute)]] {
			if text, _, mail := mailValue(strings.ToLower(attribute), v); mail && isAddress(string(text), key) {
				return attribute
			}
		}
	}
	if r.server == settings.CommuniGate && isAddress(accountAddress(values.first(slotUID), e.DN), key) {
		return "uid"
	}
	return ""
}

// IsAlias reports whether an entry is an alias of an account, to which its address goes (CommuniGate Pro).
func (r *Rules) IsAlias(e *directory.Entry) bool {
	values := newAttributes(r)
	values.read(e)
	return r.isAlias(&values)
}

func isAddress(text, key string) bool {
	canonical, err := address.Canonical(text)
	return err == nil && canonical == key
}

// ShownDN returns an entry's DN as rows show it.
func ShownDN(e *directory.Entry) string { return shortened(e.DN, maxDN) }
