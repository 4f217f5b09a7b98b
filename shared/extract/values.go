package extract

import (
	"strings"

	"rollcall/shared/address"
	"rollcall/shared/settings"
)

// value is one address value of an entry.
type value struct {
	text    []byte
	primary bool
	// candidate marks the values of which one was chosen as the primary, since the directory does not mark exactly one.
	candidate bool
	// private is a value of otherMailbox that is not the company's mail.
	private bool
}

// values collects the entry's address values, its primary first where it has one. The flags say how that was chosen.
func (r *Rules) values(a *attributes, into []value) (values []value, chosen flags) {
	values = into[:0]
	if len(r.primary) > 0 {
		values, chosen = r.overriddenPrimary(a, values)
	} else {
		values, chosen = r.ownPrimary(a, values)
	}
	proxies := len(a.values[slotProxyAddresses]) > 0
	oneOfSeveral := len(r.primary) == 0 && chosen == flagSeveral|flagInferred
	for _, s := range r.aliases {
		for _, v := range a.values[s] {
			text, marked, mail := mailValue(r.names[s], v)
			if !mail {
				continue
			}
			values = append(values, value{
				text: text, candidate: oneOfSeveral && marked && s == slotProxyAddresses,
				private: s == slotOtherMailbox && proxies && !isDollarValue(v, text),
			})
		}
	}
	return values, chosen
}

// isDollarValue reports whether text was cut from smtp$text, as Exchange 5.5 writes it.
func isDollarValue(v, text []byte) bool { return len(text) < len(v) && v[len(v)-len(text)-1] == '$' }

// ownPrimary finds the primary where the server type keeps it.
func (r *Rules) ownPrimary(a *attributes, values []value) ([]value, flags) {
	if r.server != settings.Exchange {
		return firstOf(a.values[slotMail], values)
	}
	var first []byte
	for _, v := range a.values[slotProxyAddresses] {
		switch {
		case !isMarked(v):
		case first == nil:
			first = v[len(primaryMark):]
		case !equalFold(first, v[len(primaryMark):]):
			return r.oneOfSeveral(a, values)
		}
	}
	switch {
	case first != nil:
		return append(values, value{text: first, primary: true}), 0
	case len(a.first(slotMail)) > 0:
		return firstOf(a.values[slotMail], values)
	}
	return firstOf(a.values[slotRFC822Mailbox], values)
}

// primaryMark begins the primary among the values of proxyAddresses.
const primaryMark = "SMTP:"

// isMarked reports whether a value of proxyAddresses is marked as the primary. Most begin with smtp.
func isMarked(v []byte) bool {
	return len(v) > len(primaryMark) && v[0] == 'S' && string(v[:len(primaryMark)]) == primaryMark
}

// oneOfSeveral chooses among several SMTP: values: the one that mail has too, else the first of the alphabet, since a
// server keeps no order.
func (r *Rules) oneOfSeveral(a *attributes, values []value) ([]value, flags) {
	var marks []value
	for _, v := range a.values[slotProxyAddresses] {
		if isMarked(v) {
			marks = append(marks, value{text: v[len(primaryMark):]})
		}
	}
	for _, v := range marks {
		if equalFold(v.text, a.first(slotMail)) {
			return append(values, value{text: v.text, primary: true}), flagSeveral
		}
	}
	least := marks[leastOf(marks)]
	return append(values, value{text: least.text, primary: true, candidate: true}), flagSeveral | flagInferred
}

// leastOf returns the index of the first value of the alphabet.
func leastOf(values []value) int {
	least := 0
	for i := range values {
		if address.Lower(string(values[i].text)) < address.Lower(string(values[least].text)) {
			least = i
		}
	}
	return least
}

// overriddenPrimary takes the first value of the first attribute that has one; its other values are aliases.
func (r *Rules) overriddenPrimary(a *attributes, values []value) ([]value, flags) {
	for _, s := range r.primary {
		marks := 0
		for _, v := range a.values[s] {
			text, marked, mail := mailValue(r.names[s], v)
			if !mail {
				continue
			}
			values = append(values, value{text: text, candidate: marked})
			if marked {
				// The marked ones stand first.
				last := len(values) - 1
				values[marks], values[last] = values[last], values[marks]
				marks++
			}
		}
		switch {
		case len(values) == 0:
		case marks == 1:
			values[0].primary, values[0].candidate = true, false
			return values, 0
		case marks > 1:
			least := leastOf(values[:marks])
			values[0], values[least] = values[least], values[0]
			values[0].primary = true
			return values, flagSeveral | flagInferred
		default:
			return chooseFirst(values)
		}
	}
	return values, 0
}

// firstOf takes the first value as primary and the others as aliases.
func firstOf(mails [][]byte, values []value) ([]value, flags) {
	for _, v := range mails {
		if len(v) > 0 {
			values = append(values, value{text: v})
		}
	}
	return chooseFirst(values)
}

// chooseFirst makes the first value the primary, unless it is a link that only looks like an address.
func chooseFirst(values []value) ([]value, flags) {
	if len(values) == 0 {
		return values, 0
	}
	for i := range values {
		if !isMailto(values[i].text) {
			values[0], values[i] = values[i], values[0]
			break
		}
	}
	values[0].primary = true
	if len(values) == 1 {
		return values, 0
	}
	for i := range values {
		values[i].candidate = true
	}
	return values, flagInferred
}

// isMailto reports whether a value is a mailto: link (RFC 6068). It is no address, and a row says so.
func isMailto(v []byte) bool {
	_, found := cutPrefixFold(view(v), "mailto:")
	return found
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
		return v, false, isMailto(v)
	}
	return v[end+1:], v[end] == ':' && string(v[:end]) == "SMTP", true
}

// isTypeByte reports whether an address type such as SMTP or X500 may hold a byte.
func isTypeByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}
