package connector

import (
	"fmt"
	"slices"
	"strings"

	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// DefaultAttributes are what a connector hands over unless somebody allows more on site, in the order in which they are
// shown: all that the server types read.
func DefaultAttributes() []string {
	return []string{
		"objectClass", "mail", "proxyAddresses", "rfc822Mailbox", "otherMailbox", "uid", "aliasedObjectName",
		"objectGUID", "entryUUID", "GUID",
		"msExchRecipientTypeDetails", "msExchHideFromAddressLists", "userAccountControl",
	}
}

// Allowed are the attributes that a connector hands over.
type Allowed []string

// Has reports whether an attribute description (RFC 4512, 2.5), options included, is one of them.
func (a Allowed) Has(description string) bool {
	name, _, _ := strings.Cut(description, ";")
	return !settings.IsSecretAttribute(name) &&
		slices.ContainsFunc(a, func(n string) bool { return strings.EqualFold(n, name) })
}

// Check refuses a request that asks for another attribute. An attribute that the settings name by an OID or another
// name has to be allowed by that name.
func (a Allowed) Check(r Request) error {
	for _, name := range r.attributes() {
		if !a.Has(name) {
			return &directory.Error{Code: CodeRefused, Step: directory.StepBase, Message: fmt.Sprintf(
				"The connector does not hand over the attribute %q. Whoever looks after it can allow that there: "+
					"rollcall-connector allow %s", name, name)}
		}
	}
	return nil
}

// Keep takes out of an entry what is not allowed, in case a server sends what nobody asked for.
func (a Allowed) Keep(e *directory.Entry) {
	e.Attributes = slices.DeleteFunc(e.Attributes, func(at directory.Attribute) bool { return !a.Has(at.Name) })
}

// attributes are all attributes that a request asks for or compares.
func (r Request) attributes() []string {
	switch {
	case r.Query != nil:
		return slices.Concat(r.Query.Attributes, r.Query.Named)
	case r.Question == nil:
		return nil
	}
	names := slices.Concat(r.Question.Attributes, r.Question.Named)
	for _, c := range r.Question.Any {
		names = append(names, c.Attribute)
	}
	if r.Question.Follow != "" {
		names = append(names, r.Question.Follow)
	}
	return names
}
