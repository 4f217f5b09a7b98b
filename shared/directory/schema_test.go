package directory

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzSchema reads any description. What it finds in one that is written by the book is what stands there, and what
// follows the names changes nothing.
func FuzzSchema(f *testing.F) {
	f.Add("2.5.4.3", "cn", "commonName", "name", " DESC 'SUP ) NAME x'")
	f.Add("x-oid", "a", "b", "", " X-ORIGIN ( 'RFC 4519' 'user defined' )")
	f.Add("1.2", "NAME", "SUP", "NAME", " ) ( '")
	f.Fuzz(func(t *testing.T, oid, first, second, superior, rest string) {
		parseAttributeType(rest)
		for _, word := range []string{oid, first, second, superior} {
			if strings.ContainsAny(word, "()' \t\r\n\v\f\u0085\u00a0") || strings.TrimSpace(word) != word {
				return
			}
		}
		if oid == "" || first == "" || strings.Contains(strings.ToUpper(rest), "NAME") ||
			strings.Contains(strings.ToUpper(rest), "SUP") {
			return
		}
		text := fmt.Sprintf("( %s NAME ( '%s' '%s' )", oid, first, second)
		if superior != "" {
			text += " SUP " + superior
		}
		got, ok := parseAttributeType(text + " " + rest + " )")
		if !ok || got.oid != oid || got.canonical() != first || len(got.names) != 2 || got.names[1] != second ||
			got.superior != superior {
			t.Fatalf("%s is read as %+v, %t", text+rest, got, ok)
		}
	})
}
