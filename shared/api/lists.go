package api

import (
	"encoding/base64"

	"rollcall/shared/importer"
)

// PageInput is what every list takes.
type PageInput struct {
	Q string `query:"q" maxLength:"320" doc:"A substring, without regard to case; searched in bounded steps, so that a page may be short and still have next"`
	CursorInput
}

// CursorInput is what a list takes that cannot be searched.
type CursorInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Items a page"`
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next of the page before"`
}

// Values gives query values their type.
func Values[T ~string](texts []string) []T {
	var out []T
	for _, t := range texts {
		out = append(out, T(t))
	}
	return out
}

// EncodeCursor hides a store's own place in a list.
func EncodeCursor(next string) string { return base64.RawURLEncoding.EncodeToString([]byte(next)) }

// DecodeCursor returns the place that EncodeCursor hid, or a Malformed error.
func DecodeCursor(cursor string) (string, error) {
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", &importer.Error{
			Class: importer.Malformed, Code: "invalid_cursor",
			Message: "The cursor is not one that this list gave. Start without a cursor.",
		}
	}
	return string(after), nil
}
