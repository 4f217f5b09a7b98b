package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"rollcall/shared/importer"
)

// PageInput is what every list takes that can be searched.
type PageInput struct {
	Q string `query:"q" maxLength:"320" doc:"A substring, without regard to case; searched in bounded steps, so that a page may be short and still have next"`
	CursorInput
}

// CursorInput is what a list takes that cannot be searched.
type CursorInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Items a page"`
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next of the page before"`
}

// Filtered names a list with a filter, so that a cursor is not used with another one.
func Filtered(list string, values ...any) string {
	for _, value := range values {
		list += fmt.Sprintf("\x00%q", value)
	}
	return list
}

// sumLength is how many bytes of a checksum a cursor begins with.
const sumLength = 4

// EncodeCursor makes a cursor of a store's own place in a list, "" of none.
func EncodeCursor(list, next string) string {
	if next == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(cursorSum(list, next), next...))
}

// DecodeCursor returns the place that EncodeCursor made a cursor of, or a Malformed error for a cursor that the list
// did not give: a place that nobody gave would look like the list's end.
func DecodeCursor(list, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	place, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(place) <= sumLength {
		return "", importer.BadCursor()
	}
	next := string(place[sumLength:])
	if !bytes.Equal(place[:sumLength], cursorSum(list, next)) {
		return "", importer.BadCursor()
	}
	return next, nil
}

// cursorSum keeps mistakes apart from cursors. It has no key: a place in a list is no secret, and whoever makes one up
// on purpose reads nothing but their own account's list.
func cursorSum(list, next string) []byte {
	sum := sha256.Sum256([]byte(list + "\x00" + next))
	return sum[:sumLength]
}

// List is a page of a list.
type List[T any] struct {
	Items []T    `json:"items" doc:"The items of this page"`
	Next  string `json:"next,omitempty" doc:"The cursor of the next page; absent at the end"`
}

// ListOf shows a page.
func ListOf[T, V any](items []T, next string, view func(*T) V) List[V] {
	out := List[V]{Items: make([]V, len(items)), Next: next}
	for i := range items {
		out.Items[i] = view(&items[i])
	}
	return out
}

// Found is a page of a list that can be searched.
type Found[T any] struct {
	List[T]
	Scanned int `json:"scanned" doc:"How many rows this page looked at: added up, how far a search has come" example:"100"`
}
