package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// The errors of a scan.
var (
	// errMalformed means that the body is not JSON; the router, which finds that too, says where.
	errMalformed = errors.New("not JSON")
	// errTwice means that an object has a field twice: the schema would see only the last, and Go stores parts of both.
	errTwice = errors.New("a field is there twice")
)

// scan walks a body by its schema. It is no validator: it looks at names, types and the lengths of lists, which decide
// what decoding costs, and leaves all else to the router, whose words it uses. What it cuts out leaves an error behind:
// the router finds the same field wrong.
type scan struct {
	schemas huma.Registry
	data    []byte
	at      int
	path    []byte
	// wrong are the first errors, more counts the others.
	wrong []error
	more  int
	// out is the body without what was cut out, up to kept.
	out  []byte
	kept int
}

// trimmed returns the body without the values that the schema rules out.
func (s *scan) trimmed() []byte {
	if s.kept == 0 {
		return s.data
	}
	return append(s.out, s.data[s.kept:]...)
}

// cut puts text in place of what stands between from and here.
func (s *scan) cut(from int, text string) {
	if s.more == 0 {
		s.out = append(append(s.out, s.data[s.kept:from]...), text...)
		s.kept = s.at
	}
}

func (s *scan) fail(message string) {
	if len(s.wrong) == maxErrors {
		s.more++
		return
	}
	s.wrong = append(s.wrong, &huma.ErrorDetail{Location: "body" + string(s.path), Message: message})
}

// value walks one value. A null in place of a field's value is left to the router.
func (s *scan) value(schema *huma.Schema, nullable bool) error {
	for schema.Ref != "" {
		schema = s.schemas.SchemaFromRef(schema.Ref)
	}
	kind := s.next()
	start := s.at
	for _, one := range schema.OneOf {
		if kind == '[' && one.Type == huma.TypeArray {
			schema = one
		}
	}
	switch {
	case kind == '{' && schema.Type == huma.TypeObject:
		return s.object(schema)
	case kind == '[' && schema.Type == huma.TypeArray:
		return s.list(schema)
	}
	if err := s.skip(); err != nil {
		return err
	}
	if fits(kind, schema.Type) || kind == 'n' && (nullable || schema.Nullable) {
		return nil
	}
	s.fail("expected " + schema.Type)
	switch kind {
	case '{':
		s.cut(start, "{}")
	case '[':
		s.cut(start, "[]")
	}
	return nil
}

// fits reports whether a value that starts with a character may be of a type.
func fits(start byte, kind string) bool {
	switch kind {
	case huma.TypeString:
		return start == '"'
	case huma.TypeBoolean:
		return start == 't' || start == 'f'
	case huma.TypeNumber, huma.TypeInteger:
		return start == '-' || '0' <= start && start <= '9'
	}
	return kind == ""
}

// object walks an object, whose first character is the next.
func (s *scan) object(schema *huma.Schema) error {
	length := len(s.path)
	var seen []string
	for s.at++; s.next() != '}'; {
		name, err := s.name()
		if err != nil {
			return err
		}
		start := s.at
		property := schema.Properties[string(name)]
		s.path = append(append(s.path[:length], '.'), name...)
		switch {
		case property != nil && slices.Contains(seen, string(name)):
			return errTwice
		case property != nil:
			seen = append(seen, string(name))
			err = s.value(property, true)
		default:
			err = s.skip()
			if schema.AdditionalProperties == false {
				s.fail("unexpected property")
				s.cut(start, "null")
			}
		}
		if err != nil {
			return err
		}
		s.comma()
	}
	s.path = s.path[:length]
	s.at++
	return nil
}

// list walks a list, whose first character is the next. Of one that is too long only the first item too many is kept.
func (s *scan) list(schema *huma.Schema) error {
	length, end := len(s.path), 0
	s.at++
	for i := 0; s.next() != ']'; i++ {
		if schema.MaxItems != nil && i > *schema.MaxItems {
			return s.rest(end, *schema.MaxItems)
		}
		s.path = append(strconv.AppendInt(append(s.path[:length], '['), int64(i), 10), ']')
		if err := s.value(schema.Items, false); err != nil {
			return err
		}
		s.path, end = s.path[:length], s.at
		s.comma()
	}
	s.at++
	return nil
}

// rest passes by the other items of a list that is too long, which go with the comma at end.
func (s *scan) rest(end, limit int) error {
	for s.next() != ']' {
		if err := s.skip(); err != nil {
			return err
		}
		s.comma()
	}
	s.fail("expected array length <= " + strconv.Itoa(limit))
	s.cut(end, "")
	s.at++
	return nil
}

// next passes by white space and returns the character that follows, 0 at the end.
func (s *scan) next() byte {
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *scan) comma() {
	if s.next() == ',' {
		s.at++
	}
}

// name reads a field's name and the colon after it.
func (s *scan) name() ([]byte, error) {
	start := s.at
	if s.next() != '"' || s.skip() != nil {
		return nil, errMalformed
	}
	name := s.data[start+1 : s.at-1]
	if s.next() != ':' {
		return nil, errMalformed
	}
	s.at++
	if bytes.IndexByte(name, '\\') < 0 {
		return name, nil
	}
	var text string
	if err := json.Unmarshal(s.data[start:start+len(name)+2], &text); err != nil {
		return nil, errMalformed
	}
	return []byte(text), nil
}

// skip passes by one value, however deep it is.
func (s *scan) skip() error {
	s.next()
	for depth := 0; s.at < len(s.data); {
		switch s.data[s.at] {
		case '"':
			if err := s.text(); err != nil {
				return err
			}
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		case ',', ':', ' ', '\t', '\n', '\r':
			s.at++
		default:
			s.word()
		}
		if depth == 0 {
			return nil
		}
		if depth < 0 {
			return errMalformed
		}
	}
	return errMalformed
}

// text passes by a string.
func (s *scan) text() error {
	for i := s.at + 1; i < len(s.data); i++ {
		switch s.data[i] {
		case '\\':
			i++
		case '"':
			s.at = i + 1
			return nil
		}
	}
	return errMalformed
}

// word passes by a number, a boolean, or a null.
func (s *scan) word() {
	for ; s.at < len(s.data); s.at++ {
		switch s.data[s.at] {
		case ',', ':', '}', ']', ' ', '\t', '\n', '\r', '"', '{', '[':
			return
		}
	}
}
