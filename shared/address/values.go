package address

import (
	"bytes"

	"rollcall/shared/settings"
)

// value is one address value of an entry.
type value struct {
	text    []byte
	primary bool
}

// values collects the entry's address values, its primary first where it has one. inferred tells that the directory did
// not mark it.
func (r *Rules) values(a attributes, into []value) (values []value, inferred bool) {
	values = into[:0]
	if len(r.primary) > 0 {
		values, inferred = overriddenPrimary(a, r.primary, values)
	} else {
		values, inferred = r.ownPrimary(a, values)
	}
	aliases := r.aliases
	if len(aliases) == 0 && r.server == settings.Exchange {
		aliases = exchangeAliases
	}
	for _, name := range aliases {
		for _, v := range a[name] {
			if text, _, mail := mailValue(name, v); mail {
				values = append(values, value{text: text})
			}
		}
	}
	return values, inferred
}

var exchangeAliases = []string{"proxyaddresses", "othermailbox"}

// ownPrimary finds the primary where the server type keeps it.
func (r *Rules) ownPrimary(a attributes, values []value) ([]value, bool) {
	switch r.server {
	case settings.Exchange:
		for _, v := range a["proxyaddresses"] {
			if text, marked, mail := mailValue("proxyaddresses", v); mail && marked {
				return append(values, value{text: text, primary: true}), false
			}
		}
		for _, name := range []string{"mail", "rfc822mailbox"} {
			if len(a.first(name)) > 0 {
				return firstOf(a[name], values)
			}
		}
		return values, false
	case settings.CommuniGate:
		if len(a.first("mail")) > 0 {
			return firstOf(a["mail"], values)
		}
		return values, false
	}
	return firstOf(a["mail"], values)
}

// overriddenPrimary takes the first value of the first attribute that has one; its other values are aliases.
func overriddenPrimary(a attributes, names []string, values []value) ([]value, bool) {
	for _, name := range names {
		var mails [][]byte
		marked := -1
		for _, v := range a[name] {
			text, isMarked, mail := mailValue(name, v)
			if !mail {
				continue
			}
			if isMarked && marked < 0 {
				marked = len(mails)
			}
			mails = append(mails, text)
		}
		if len(mails) == 0 {
			continue
		}
		if marked > 0 {
			mails[0], mails[marked] = mails[marked], mails[0]
		}
		values, inferred := firstOf(mails, values)
		return values, inferred && marked < 0
	}
	return values, false
}

// firstOf takes the first value as primary and the others as aliases.
func firstOf(mails [][]byte, values []value) ([]value, bool) {
	for i, v := range mails {
		values = append(values, value{text: v, primary: i == 0})
	}
	return values, len(mails) > 1
}

// mailValue reads a value of proxyAddresses ("SMTP:a@b", "smtp:a@b", "X500:…"), of otherMailbox ("smtp$a@b") or of a
// plain attribute ("a@b"), whose name is in lower case. mail is false for the address types that are not mail; marked
// tells of the capital SMTP that marks the primary.
func mailValue(name string, v []byte) (text []byte, marked, mail bool) {
	separators := ":@"
	if name == "othermailbox" {
		// Elsewhere a $ is part of the address.
		separators = ":$@"
	}
	end := bytes.IndexAny(v, separators)
	if end <= 0 || v[end] == '@' {
		return v, false, len(v) > 0
	}
	for _, c := range v[:end] {
		if !isAlphanumeric(c) && c != '-' {
			// Not a type, but part of an address such as a/b:c@d: let the address parser judge it.
			return v, false, true
		}
	}
	if !bytes.EqualFold(v[:end], []byte("smtp")) {
		return nil, false, false
	}
	return v[end+1:], v[end] == ':' && string(v[:end]) == "SMTP", true
}
