package settings

import (
	"encoding/pem"
	"regexp"
	"strings"
)

// pemBlock is a PEM block, however its lines are broken. Its label stands at both ends.
var pemBlock = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END ([A-Z0-9 ]+)-----`)

// pemBreaks are what may stand between the letters of a block: white space, and the escapes of a text that was taken
// out of JSON or of a shell.
var pemBreaks = regexp.MustCompile(`\\[nrt]|\s`)

// pemLine is the length of a line (RFC 7468, 2).
const pemLine = 64

// RepairedPEM returns PEM as programs read it. A text that is right as it stands stays byte for byte: it may be in a
// fingerprint. One that is indented, on one line, with escapes in place of line ends or behind a byte order mark is
// written again; one that is no PEM comes back as it is.
func RepairedPEM(text string) string {
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "\ufeff"))
	begins, whole := strings.Count(text, "-----BEGIN "), 0
	for rest := []byte(text); ; whole++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
	}
	if whole == begins {
		return text
	}
	return CanonicalPEM(text)
}

// CanonicalPEM returns the blocks of a text, each written in the one way of RFC 7468, and a text that is not all PEM as
// it is.
func CanonicalPEM(text string) string {
	blocks := pemBlock.FindAllStringSubmatch(text, -1)
	if len(blocks) == 0 || len(blocks) != strings.Count(text, "-----BEGIN ") {
		return strings.TrimSpace(text)
	}
	var out strings.Builder
	for _, block := range blocks {
		label, body := block[1], pemBreaks.ReplaceAllString(block[2], "")
		out.WriteString("-----BEGIN " + label + "-----\n")
		for len(body) > 0 {
			n := min(pemLine, len(body))
			out.WriteString(body[:n] + "\n")
			body = body[n:]
		}
		out.WriteString("-----END " + block[3] + "-----\n")
	}
	return strings.TrimSpace(out.String())
}
