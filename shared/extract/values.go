package extract

import (
	"strings"

	"rollcall/shared/settings"
)

// value is one address value of an entry.
type value struct {
	text    []byte
	primary bool
}

// values collects the entry's address values, its primary first where it has one. inferred says that the directory did
// not mark it.
func (r *Rules) values(a *attributes, into []value) (values []value, inferred bool) {
	values = into[:0]
	if len(r.primary) > 0 {
		values, inferred = r.overriddenPrimary(a, values)
	} else {
		values, inferred = r.ownPrimary(a, values)
	}
	for _, s := range r.aliases {
		for _, v := range a.values[s] {
			if text, _, mail := mailValue(r.names[s], v); mail {
				values = append(values, value{text: text})
			}
		}
	}
	return values, inferred
}

// ownPrimary finds the primary where the server type keeps it.
func (r *Rules) ownPrimary(a *attributes, values []value) ([]value, bool) {
	switch r.server {
	case settings.Exchange:
		for _, v := range a.values[slotProxyAddresses] {
			if text, marked, mail := mailValue("proxyaddresses", v); mail && marked {
				return append(values, value{text: text, primary: true}), false
			}
		}
		for _, s := range [...]slot{slotMail, slotRFC822Mailbox} {
			if len(a.first(s)) > 0 {
				return firstOf(a.values[s], values)
			}
		}
		return values, false
	case settings.CommuniGate:
		if len(a.first(slotMail)) > 0 {
			return firstOf(a.values[slotMail], values)
		}
		return values, false
	}
	return firstOf(a.values[slotMail], values)
}

// overriddenPrimary takes the first value of the first attribute that has one; its other values are aliases.
func (r *Rules) overriddenPrimary(a *attributes, values []value) ([]value, bool) {
	for _, s := range r.primary {
		marked := -1
		for _, v := range a.values[s] {
			text, isMarked, mail := mailValue(r.names[s], v)
			if !mail {
				continue
			}
			if isMarked && marked < 0 {
				marked = len(values)
			}
			values = append(values, value{text: text})
		}
		if len(values) == 0 {
			continue
		}
		if marked > 0 {
			values[0], values[marked] = values[marked], values[0]
		}
		values[0].primary = true
		return values, len(values) > 1 && marked < 0
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
// is set by the capital SMTP that marks the primary.
func mailValue(name string, v []byte) (text []byte, marked, mail bool) {
	// Elsewhere a $ is part of the address.
	dollar := name == "othermailbox"
	end := 0
	for end < len(v) && v[end] != ':' && v[end] != '@' && (v[end] != '$' || !dollar) {
		end++
	}
	if end == 0 || end == len(v) || v[end] == '@' {
		return v, false, len(v) > 0
	}
	for _, c := range v[:end] {
		if !isTypeByte(c) {
			// Not a type, but part of an address such as a/b:c@d: let the address parser judge it.
			return v, false, true
		}
	}
	if !strings.EqualFold(view(v[:end]), "smtp") {
		return nil, false, false
	}
	return v[end+1:], v[end] == ':' && string(v[:end]) == "SMTP", true
}

// isTypeByte reports whether an address type such as SMTP or X500 may hold a byte.
func isTypeByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}
