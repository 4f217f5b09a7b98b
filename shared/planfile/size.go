package planfile

import (
	"unicode"
	"unicode/utf8"

	"rollcall/shared/plan"
	"rollcall/shared/user"
)

const (
	// rowSize and userSize are what names and short values of a row and of a user take in an answer, in bytes.
	rowSize, userSize = 250, 400
	// escapedRune and escapedQuote are the most that a character takes that JSON escapes.
	escapedRune, escapedQuote = 7, 4
)

// answerSize returns about how many bytes a row takes in the answer of a Lambda function, which is JSON within JSON.
func answerSize(r *plan.Row) int {
	size := rowSize + textSize(r.Address) + textSize(r.PrimaryAddress) + textSize(r.DN) + textSize(string(r.Reason))
	for _, n := range r.Notes {
		size += textSize(n) + escapedQuote
	}
	for _, u := range []*user.User{r.Before, r.After} {
		if u != nil {
			size += userSize + textSize(u.Address) + textSize(u.PrimaryAddress)
		}
	}
	return size
}

// textSize returns the most bytes that a text takes as JSON within JSON.
func textSize(text string) int {
	size := 0
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			size += escapedQuote
		case c == utf8.RuneError || c == '\u2028' || c == '\u2029' || unicode.IsControl(c):
			size += escapedRune
		default:
			size += utf8.RuneLen(c)
		}
	}
	return size
}
