package directory

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/settings"
)

// maxSuperiors bounds how far an attribute's superiors are followed: a schema may have a circle.
const maxSuperiors = 32

// maxSchema bounds a schema in bytes. Active Directory's with Exchange has about a million.
const maxSchema = 16 << 20

// attributeType is what a schema says of an attribute (RFC 4512, 4.1.2). Netscape's servers make up OIDs such as
// nsBindDN-oid.
type attributeType struct {
	oid      string
	names    []string
	superior string
}

// canonical is the name that every server knows an attribute by: the first one.
func (t *attributeType) canonical() string {
	if len(t.names) == 0 {
		return t.oid
	}
	return t.names[0]
}

// all lists the names and the OID.
func (t *attributeType) all() []string { return append([]string{t.oid}, t.names...) }

// parseAttributeType reads an AttributeTypeDescription as far as its OID, NAME and SUP. It is as patient as servers are
// careless with spaces and quotes.
func parseAttributeType(text string) (*attributeType, bool) {
	words := schemaWords(text)
	if len(words) < 2 || words[0] != "(" || words[1] == "(" || words[1] == ")" {
		return nil, false
	}
	t := &attributeType{oid: strings.Trim(words[1], "'")}
	for i := 2; i < len(words)-1; i++ {
		switch word := words[i]; {
		case strings.EqualFold(word, "NAME") && words[i+1] == "(":
			for i += 2; i < len(words) && words[i] != ")"; i++ {
				t.names = append(t.names, strings.Trim(words[i], "'"))
			}
		case strings.EqualFold(word, "NAME"):
			i++
			t.names = append(t.names, strings.Trim(words[i], "'"))
		case strings.EqualFold(word, "SUP"):
			i++
			t.superior = strings.Trim(words[i], "'")
		}
	}
	return t, t.oid != ""
}

// schemaWords splits a description into parentheses, quoted strings with their quotes, and words.
func schemaWords(text string) []string {
	var words []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		end := 1
		switch text[0] {
		case '(', ')':
		case '\'':
			if closing := strings.IndexByte(text[1:], '\''); closing >= 0 {
				end = closing + 2
			} else {
				end = len(text)
			}
		default:
			if end = strings.IndexAny(text, " \t\r\n()'"); end < 0 {
				end = len(text)
			}
		}
		words = append(words, text[:end])
		text = text[end:]
	}
	return words
}

// schema finds attributes by every name and OID in lower case.
type schema map[string]*attributeType

func (s schema) add(text string) {
	t, ok := parseAttributeType(text)
	if !ok {
		return
	}
	for _, name := range t.all() {
		if key := strings.ToLower(name); s[key] == nil {
			s[key] = t
		}
	}
}

func (s schema) find(name string) *attributeType { return s[strings.ToLower(name)] }

// secret returns the name of the secret attribute that a search for an attribute would reach, or nothing: the attribute
// itself, one that it is derived from, or one that is derived from it, which servers answer with too (RFC 4512, 2.5.1).
func (s schema) secret(of *attributeType) string {
	if name := firstSecret(s.line(of)); name != "" {
		return name
	}
	for _, t := range s {
		line := s.line(t)
		// From it up is the line that was looked at first.
		if i := slices.Index(line, of); i > 0 {
			if name := firstSecret(line[:i]); name != "" {
				return name
			}
		}
	}
	return ""
}

// line returns an attribute and its superiors, from itself up; nothing for nil.
func (s schema) line(t *attributeType) (line []*attributeType) {
	for t != nil && len(line) < maxSuperiors {
		line = append(line, t)
		if t.superior == "" {
			break
		}
		t = s.find(t.superior)
	}
	return line
}

// firstSecret returns the name of the first secret attribute, or nothing.
func firstSecret(line []*attributeType) string {
	for _, t := range line {
		if i := slices.IndexFunc(t.all(), settings.IsSecretAttribute); i >= 0 {
			return t.all()[i]
		}
	}
	return ""
}

// readSchema reads the attributes of the server's schema (RFC 4512, 4.2); nil means that the server does not show them.
// A schema may be large, so this is no step of go-ldap's, which would make a tree of it.
func (s *session) readSchema(ctx context.Context) (schema, error) {
	if s.root.subschema == "" {
		return nil, nil
	}
	known := make(schema)
	own := *s
	own.info = Info{}
	p := &pager{session: &own, attributes: []string{"attributeTypes"}, budget: s.newBudget(nil),
		stream: &stream{conn: s.conn, idle: s.c.StepTimeout, maxMessage: s.c.MaxMessage, left: maxSchema,
			socket: s.socket},
		onEntry: func(e *Entry) error {
			for _, a := range e.Attributes {
				if !strings.EqualFold(a.Name, "attributeTypes") {
					continue
				}
				for _, v := range a.Values {
					known.add(string(v))
				}
			}
			return nil
		}}
	defer p.release()
	done, _, _, err := p.page(ctx, searchRequest{base: s.root.subschema, scope: ldap.ScopeBaseObject,
		filter: "(objectClass=subschema)", attributes: p.attributes})
	if err == nil {
		err = p.completeRanges(ctx)
	}
	s.rearm(ctx)
	if err != nil || done.code != ldap.LDAPResultSuccess || len(known) == 0 {
		return nil, err
	}
	return known, nil
}
