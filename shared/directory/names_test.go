package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// withSchema is a rootDSE that names the schema.
var withSchema = map[string][]string{"namingContexts": {"dc=example,dc=com"}, "subschemaSubentry": {"cn=schema"}}

// schemaOf is a schema as servers write it, each in its own manner.
var schemaOf = []string{
	"( 0.9.2342.19200300.100.1.3 NAME ( 'mail' 'rfc822Mailbox' ) DESC 'an (odd) NAME' EQUALITY caseIgnoreIA5Match )",
	"(0.9.2342.19200300.100.1.1 NAME ('uid' 'userid')SUP name)",
	"( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' )",
	"( 2.5.4.35 NAME ( 'userPassword' 'loginSecret' ) )",
	"( 1.3.6.1.4.1.99999.1 NAME 'oldPassword' SUP loginSecret )",
	"( 1.3.6.1.4.1.99999.2 NAME 'credentials' )",
	"( 1.3.6.1.4.1.99999.3 NAME 'sasSecret' SUP credentials )",
	"( nsSymmetricKey-oid NAME 'nsSymmetricKey' )",
	"( 1.3.6.1.4.1.99999.4 NAME 'circle' SUP circle )",
	"no description", "( )", "( 1.2", "",
}

// answers is a directory of one person whose attributes the server calls by their first names, whatever it is asked.
func answers(c *session, _ int, r search) bool {
	if r.base == "cn=schema" {
		c.entry("cn=schema", map[string][]string{"attributeTypes": schemaOf})
		c.done(0)
		return true
	}
	attributes := map[string][]string{}
	for _, asked := range r.attributes {
		if asked == "mail" || asked == "uid" {
			attributes[asked] = []string{asked + "@example.com"}
		}
		if asked == "proxyAddresses" {
			attributes["proxyAddresses;range=0-*"] = []string{"smtp:a@example.com", "smtp:b@example.com"}
		}
	}
	attributes["mail;lang-de"] = []string{"post@example.com"}
	c.entry("cn=a", attributes)
	c.done(0)
	return true
}

func TestAttributesByAnotherNameOrOID(t *testing.T) {
	t.Parallel()
	hidden := map[string][]string{"namingContexts": {"dc=example,dc=com"}}
	for name, test := range map[string]struct {
		root     map[string][]string
		asked    string
		want     []string
		note     string
		searches int
	}{
		"another name": {withSchema, "rfc822Mailbox",
			[]string{"mail=1", "mail;lang-de=1", "rfc822Mailbox=1", "rfc822Mailbox;lang-de=1"}, "", 2},
		"an OID": {withSchema, "0.9.2342.19200300.100.1.1",
			[]string{"0.9.2342.19200300.100.1.1=1", "mail;lang-de=1", "uid=1"}, "", 2},
		"an OID whose values come in ranges": {withSchema, "1.2.840.113556.1.2.210",
			[]string{"1.2.840.113556.1.2.210=2", "mail;lang-de=1", "proxyAddresses=2"}, "", 2},
		"the name that everybody knows": {withSchema, "mail", []string{"mail=1", "mail;lang-de=1"}, "", 1},
		"a name that the schema lacks":  {withSchema, "maill", []string{"mail;lang-de=1"}, "has no attribute maill", 2},
		"without a schema": {hidden, "RFC822mailbox",
			[]string{"RFC822mailbox=1", "RFC822mailbox;lang-de=1", "mail=1", "mail;lang-de=1"},
			"does not show its schema", 1},
		"an unknown name without a schema": {hidden, "otherMail", []string{"mail;lang-de=1"}, "otherMail", 1},
		"a circle":                         {withSchema, "circle", []string{"mail;lang-de=1"}, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var searches atomic.Int64
			s := &script{root: test.root, search: func(c *session, n int, r search) bool {
				searches.Store(int64(n))
				return answers(c, n, r)
			}}
			g := read(t, s, directory.Config{}, func(_ *settings.Connection, q *directory.Query) {
				q.Attributes, q.Named = []string{"objectClass", test.asked}, []string{test.asked}
			})
			if g.err != nil || len(g.entries) != 1 {
				t.Fatalf("entries %q, error %v", g.entries, g.err)
			}
			got := strings.Fields(g.entries[0])[1:]
			slices.Sort(got)
			slices.Sort(test.want)
			notes := strings.Join(g.info.Notes, "; ")
			if !slices.Equal(got, test.want) || !strings.Contains(notes, test.note) ||
				test.note == "" && strings.Contains(notes, "schema") || searches.Load() != int64(test.searches) {
				t.Errorf("attributes %q, notes %q, %d searches; want %q, a note with %q and %d", got, notes,
					searches.Load(), test.want, test.note, test.searches)
			}
			if g.info.Entries != 1 {
				t.Errorf("%d entries are counted; the schema is none", g.info.Entries)
			}
		})
	}
}

// TestSecretAttributesByAnotherName reaches for passwords by what only the server's schema tells.
func TestSecretAttributesByAnotherName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"loginSecret", "oldPassword", "1.3.6.1.4.1.99999.1", "credentials",
		"1.3.6.1.4.1.99999.3", "1.3.6.1.4.1.99999.2", "nsSymmetricKey-oid"} {
		for what, change := range map[string]func(*directory.Query){
			"read": func(q *directory.Query) {
				q.Attributes, q.Named = append(q.Attributes, name), []string{name}
			},
			"searched for": func(q *directory.Query) { q.Filter = fmt.Sprintf("(|(mail=*)(!(%s;lang-de>=a)))", name) },
			// It is longer than a filter may be once it is tidied.
			"searched for at length": func(q *directory.Query) {
				q.Filter = "(|" + strings.Repeat("(!mail=*)", 1800) + "(" + name + "=a))"
			},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				g := read(t, &script{root: withSchema, search: answers}, directory.Config{},
					func(_ *settings.Connection, q *directory.Query) { change(q) })
				var e *directory.Error
				if !errors.As(g.err, &e) || e.Code != directory.CodeSecretAttribute || e.Step != directory.StepBase ||
					!strings.Contains(strings.ToLower(e.Message), strings.ToLower(name)) || len(g.entries) > 0 {
					t.Errorf("entries %q, error %v; want %s", g.entries, g.err, directory.CodeSecretAttribute)
				}
			})
		}
	}
}

// TestASchemaThatBreaksOff ends a read; one that is refused is only missing.
func TestASchemaThatBreaksOff(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		schema func(*session) bool
		code   string
	}{
		"refused": {func(c *session) bool { c.done(50); return true }, ""},
		"empty":   {func(c *session) bool { c.done(0); return true }, ""},
		"hung up": {func(*session) bool { return false }, directory.CodeProtocol},
		"silent":  {func(*session) bool { return true }, directory.CodeTimeout},
		"too long": {func(c *session) bool {
			c.entry("cn=schema", map[string][]string{"attributeTypes": {strings.Repeat("x", 2<<20)}})
			c.done(0)
			return true
		}, directory.CodeProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{root: withSchema, search: func(c *session, n int, r search) bool {
				if r.base == "cn=schema" {
					return test.schema(c)
				}
				return answers(c, n, r)
			}}
			g := read(t, s, directory.Config{MaxMessage: 1 << 20}, func(_ *settings.Connection, q *directory.Query) {
				q.Attributes, q.Named = []string{"userid"}, []string{"userid"}
			})
			var e *directory.Error
			if test.code == "" && (g.err != nil || !strings.Contains(g.entries[0], "userid=1")) ||
				test.code != "" && (!errors.As(g.err, &e) || e.Code != test.code || e.Step != directory.StepBase) {
				t.Errorf("entries %q, error %v; want code %q", g.entries, g.err, test.code)
			}
		})
	}
}
