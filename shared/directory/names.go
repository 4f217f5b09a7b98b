package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollcall/shared/settings"
)

// plainAttributes are attributes that servers answer with by this very name and that hold no secret, in lower case: for
// them nobody has to ask the schema.
var plainAttributes = lowerSet(
	"objectClass", "objectCategory", "cn", "sn", "givenName", "displayName", "name", "initials", "title", "description",
	"o", "ou", "l", "st", "c", "co", "dc", "company", "department", "physicalDeliveryOfficeName", "info",
	"employeeID", "employeeNumber", "employeeType", "telephoneNumber", "manager", "member", "memberOf", "uniqueMember",
	"uid", "mail", "proxyAddresses", "otherMailbox", "targetAddress", "mailNickname", "legacyExchangeDN",
	"mailLocalAddress", "mailAlternateAddress", "mailAlternativeAddress", "mailPrimaryAddress", "mailRoutingAddress",
	"aliasedObjectName", "objectGUID", "GUID", "entryUUID", "nsUniqueId", "sAMAccountName", "sAMAccountType",
	"userPrincipalName", "userAccountControl", "accountExpires", "groupType", "showInAddressBook",
	"msExchRecipientTypeDetails", "msExchRecipientDisplayType", "msExchHideFromAddressLists", "msExchHomeServerName",
	"msExchMailboxGuid", "homeMDB", "whenCreated", "whenChanged", "uSNCreated", "uSNChanged", "createTimestamp",
	"modifyTimestamp", "entryCSN", "distinguishedName", "entryDN", "gidNumber", "uidNumber",
	"extensionAttribute1", "extensionAttribute2", "extensionAttribute3", "extensionAttribute4", "extensionAttribute5",
	"extensionAttribute6", "extensionAttribute7", "extensionAttribute8", "extensionAttribute9", "extensionAttribute10",
	"extensionAttribute11", "extensionAttribute12", "extensionAttribute13", "extensionAttribute14",
	"extensionAttribute15",
)

func lowerSet(names ...string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[strings.ToLower(name)] = true
	}
	return out
}

// hasName reports whether a list has the name of an attribute, in any case.
func hasName(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// otherNames are the names that one attribute goes by on different servers, for servers that do not show their schema.
var otherNames = [][]string{
	{"mail", "rfc822Mailbox", "0.9.2342.19200300.100.1.3"},
	{"mailAlternateAddress", "mailLocalAddress", "2.16.840.1.113730.3.1.13"},
	{"proxyAddresses", "1.2.840.113556.1.2.210"},
	{"uid", "userid", "0.9.2342.19200300.100.1.1"},
	{"entryUUID", "1.3.6.1.1.16.4"},
	{"objectGUID", "1.2.840.113556.1.4.2"},
}

// checkSecrets refuses a query that asks for a secret attribute.
func checkSecrets(q Query) error {
	if i := slices.IndexFunc(q.Attributes, settings.IsSecretAttribute); i >= 0 {
		// Settings are checked before they are saved, but older ones were not.
		return secretAttribute("The attribute %q holds passwords or keys, which are never read. Enter another one in "+
			"the advanced settings.", q.Attributes[i])
	}
	return nil
}

func secretAttribute(format string, args ...any) error {
	return &Error{Code: CodeSecretAttribute, Step: StepBase, Message: fmt.Sprintf(format, args...)}
}

// resolveNames finds out what the attributes that the settings name are called on this server, which may know them by
// several names and an OID and answers with one of them. It asks for that one, and the entries get the name that the
// settings have. An attribute that turns out to be a secret one is refused, in a filter too.
func (s *session) resolveNames(ctx context.Context, q Query) error {
	s.attributes = q.Attributes
	named, filtered := s.unknownNames(q)
	if len(named)+len(filtered) == 0 {
		return nil
	}
	known, err := s.readSchema(ctx)
	if err != nil {
		if ctx.Err() != nil || isTimeout(err) {
			return err
		}
		return &Error{Code: CodeProtocol, Step: StepBase, Err: err,
			Message: fmt.Sprintf("The server's schema, which says what %s is, could not be read: %s.",
				slices.Concat(named, filtered)[0], cause(err))}
	}
	for _, name := range filtered {
		if secret := known.secret(known.find(name)); secret != "" {
			return secretAttribute("The filter string is wrong: by the server's schema %q leads to %s, which holds "+
				"passwords or keys that no search may ask about.", name, secret)
		}
	}
	for _, name := range named {
		if err := s.resolveName(name, known); err != nil {
			return err
		}
	}
	return nil
}

// unknownNames lists the names among the query's own attributes and in its filter that may stand for any attribute.
func (s *session) unknownNames(q Query) (named, filtered []string) {
	add := func(to *[]string, name string) {
		if !plainAttributes[strings.ToLower(name)] && !slices.Contains(*to, name) {
			*to = append(*to, name)
		}
	}
	for _, name := range q.Named {
		add(&named, name)
	}
	if q.Filter != "" {
		for _, c := range s.filter.comparisons() {
			add(&filtered, c.attribute)
		}
	}
	return named, filtered
}

// resolveName asks for one of the settings' attributes by the name that the server answers with.
func (s *session) resolveName(name string, known schema) error {
	t := known.find(name)
	switch {
	case t != nil:
		if secret := known.secret(t); secret != "" {
			return secretAttribute("The attribute %q leads to %s by the server's schema, which holds passwords or "+
				"keys that are never read. Enter another one in the advanced settings.", name, secret)
		}
		s.askFor(name, t.all(), []string{t.canonical()})
		return nil
	case known != nil:
		s.info.Notes = append(s.info.Notes, fmt.Sprintf("the server's schema has no attribute %s, which the advanced "+
			"settings name; check its spelling", name))
	default:
		s.info.Notes = append(s.info.Notes, fmt.Sprintf("the server does not show its schema, so that %s was asked "+
			"for as it is in the advanced settings, and by the other names that are in common use", name))
	}
	for _, group := range otherNames {
		if hasName(group, name) {
			s.askFor(name, group, group)
		}
	}
	return nil
}

// askFor asks for an attribute by some of its names, and lets the entries have it by the name in the settings.
func (s *session) askFor(name string, all, ask []string) {
	s.attributes = slices.Clone(s.attributes)
	for _, n := range ask {
		if !hasName(s.attributes, n) {
			s.attributes = append(s.attributes, n)
		}
	}
	if s.names == nil {
		s.names = make(map[string][]string)
	}
	for _, n := range all {
		if !strings.EqualFold(n, name) {
			s.names[strings.ToLower(n)] = append(s.names[strings.ToLower(n)], name)
		}
	}
}

// rename gives an entry's attributes the names that the settings have for them, beside the server's own.
func (s *session) rename(e *Entry) {
	if s.names == nil {
		return
	}
	for _, a := range e.Attributes {
		plain, options, has := strings.Cut(a.Name, ";")
		if has {
			options = ";" + options
		}
		for _, name := range s.names[strings.ToLower(plain)] {
			same := func(other Attribute) bool { return strings.EqualFold(other.Name, name+options) }
			if !slices.ContainsFunc(e.Attributes, same) {
				e.Attributes = append(e.Attributes, Attribute{Name: name + options, Values: a.Values})
			}
		}
	}
}
