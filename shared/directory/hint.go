package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/settings"
)

// hintTime bounds all the questions of a hint, and hintSeconds what the server may take for one.
const (
	hintTime    = 10 * time.Second
	hintSeconds = 3
)

// addressAttributes are where directories keep addresses, those of the primary first: Exchange, the standard (RFC
// 4524), Univention, Sendmail and OpenLDAP, Netscape's servers, Kolab, Zimbra, GOsa, iRedMail, Exchange 5.5.
var addressAttributes = []string{
	"proxyAddresses", "mail", "mailPrimaryAddress", "mailLocalAddress", "mailAlternateAddress",
	"mailAlternativeAddress", "alias", "zimbraMailAlias", "gosaMailAlternateAddress", "shadowAddress", "otherMailbox",
}

// typeReads are the attributes among them that a server type reads without an override.
var typeReads = map[settings.ServerType][]string{
	settings.Exchange:    {"proxyAddresses", "mail", "otherMailbox"},
	settings.CommuniGate: {"mail"},
	settings.GroupWise:   {"mail"},
}

var typeNames = map[settings.ServerType]string{
	settings.Exchange: "Microsoft Exchange Server", settings.CommuniGate: "CommuniGate Pro",
	settings.GroupWise: "Novell GroupWise",
}

// foundNothing reports whether a complete read deserves a hint: its default filter found nobody, or its entries have no
// addresses.
func (s *session) foundNothing(q Query) bool {
	switch {
	case q.Found == nil:
		return false
	case s.info.Entries == 0:
		return q.Filter == ""
	}
	return q.Found() == 0
}

// hint says what the directory seems to have and which setting reads it. It asks whether there are entries with each of
// the usual attributes, and never for a value. Whatever goes wrong with that leaves the hint shorter: the read is over.
func (s *session) hint(q Query) string {
	conn, giveBack := s.ldapConn()
	defer giveBack()
	s.conn.SetDeadline(time.Now().Add(hintTime))
	var sentences []string
	if name, of := s.root.product(); name != "" && of != s.to.ServerType {
		sentence := fmt.Sprintf("The server looks like %s", name)
		if of != "" {
			sentence += ": choose the server type " + typeNames[of]
		}
		sentences = append(sentences, sentence+".")
	}
	has := s.inUseBelow(conn)
	switch {
	case len(has) > 0:
		sentences = append(sentences, s.whatReads(has, q))
	case s.info.Entries == 0 && s.nobodyBelow(conn):
		sentences = append(sentences, fmt.Sprintf("Below %s there is no entry that %s may read: check the search "+
			"base, and what that user may read.", s.baseInWords(), s.who()))
	default:
		sentences = append(sentences, fmt.Sprintf("No entry below %s has an address in one of the usual attributes "+
			"(%s) that %s may search: check the search base, and what that user may read.", s.baseInWords(),
			strings.Join(addressAttributes, ", "), s.who()))
	}
	if s.to.ServerType == settings.CommuniGate && s.info.Entries == 0 {
		sentences = append(sentences, "CommuniGate Pro answers only for domains whose directory integration is on: "+
			"switch it on in the domain's settings, and insert the accounts that are there already.")
	}
	return strings.Join(sentences, " ")
}

// inUseBelow returns which of the address attributes entries below the base have. One question is enough where there is
// none.
func (s *session) inUseBelow(conn *ldap.Conn) []string {
	if found, whole := s.count(conn, presence(addressAttributes), 1); found == 0 && whole {
		return nil
	}
	var has []string
	for _, name := range addressAttributes {
		if found, _ := s.count(conn, presence([]string{name}), 1); found > 0 {
			has = append(has, name)
		}
	}
	return has
}

// count returns how many entries below the base match a filter, up to most, and whether the server looked at all.
func (s *session) count(conn *ldap.Conn, filter string, most int) (found int, whole bool) {
	result, err := conn.Search(ldap.NewSearchRequest(s.info.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, most,
		hintSeconds, true, filter, []string{"objectClass"}, nil)) // the size limit's error comes with the entries
	if result != nil {
		found = len(result.Entries)
	}
	return found, err == nil
}

// nobodyBelow reports whether there is nothing to be seen below the base but its own entry.
func (s *session) nobodyBelow(conn *ldap.Conn) bool {
	found, _ := s.count(conn, "(objectClass=*)", 2)
	return found < 2
}

// whatReads says which settings read the attributes that a directory has.
func (s *session) whatReads(has []string, q Query) string {
	text := fmt.Sprintf("Below %s there are entries with %s.", s.baseInWords(), strings.Join(has, ", "))
	unread := slices.DeleteFunc(slices.Clone(has), func(name string) bool {
		return slices.Contains(typeReads[s.to.ServerType], name) || hasName(q.Named, name)
	})
	do := "To read them, enter the filter string " + presence(has)
	switch {
	case len(unread) == len(has):
		do += ", and the attribute overrides " + has[0] + " for the primary address"
		if len(has) > 1 {
			do += " and " + strings.Join(has[1:], ", ") + " for the aliases"
		}
	case len(unread) > 0:
		do += ", and in the attribute overrides " + strings.Join(unread, ", ") + " for the aliases"
	}
	return text + " " + do + "."
}

// presence is a filter for the entries that have one of the attributes.
func presence(names []string) string {
	if len(names) == 1 {
		return "(" + names[0] + "=*)"
	}
	return "(|(" + strings.Join(names, "=*)(") + "=*))"
}

func (s *session) baseInWords() string {
	if s.info.Base == "" {
		return "the empty base"
	}
	return s.info.Base
}

// The capabilities of Active Directory and of its Lightweight Directory Services ([MS-ADTS] 3.1.1.3.4.3).
const (
	capabilityAD   = "1.2.840.113556.1.4.800"
	capabilityADAM = "1.2.840.113556.1.4.1851"
)

// product names the product that a rootDSE shows, and the server type for it where there is one.
func (r *rootDSE) product() (string, settings.ServerType) {
	if slices.Contains(r.capabilities, capabilityAD) || slices.Contains(r.capabilities, capabilityADAM) {
		return "Active Directory", settings.Exchange
	}
	for _, known := range []struct {
		word, name string
		of         settings.ServerType
	}{
		{"communigate", "CommuniGate Pro", settings.CommuniGate},
		{"stalker", "CommuniGate Pro", settings.CommuniGate},
		{"edirectory", "eDirectory", settings.GroupWise},
		{"novell", "eDirectory", settings.GroupWise},
		{"netiq", "eDirectory", settings.GroupWise},
		{"groupwise", "GroupWise", settings.GroupWise},
		{"389", "389 Directory Server", ""},
		{"openldap", "OpenLDAP", ""},
	} {
		if strings.Contains(strings.ToLower(r.vendor), known.word) {
			return known.name, known.of
		}
	}
	return "", ""
}
