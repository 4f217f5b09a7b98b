package extract

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	"rollcall/shared/address"
	"rollcall/shared/directory"
)

// The most that is kept of what a directory says, in bytes: addresses have at most 254, and names and ids of honest
// directories a few hundred. What is longer comes from a mistake or from somebody who wants to fill the memory.
const (
	maxDN    = 4 << 10
	maxValue = 2 << 10
	maxID    = 2 << 10
)

// tooLong says which part of the entry is longer than is kept, or nothing.
func (c *Collector) tooLong(e *directory.Entry) string {
	// What cannot be shown as it is grows at most threefold.
	if len(e.DN) > maxDN/3 && (len(e.DN) > maxDN || len(shown(e.DN)) > maxDN) {
		return "its DN is longer than 4096 bytes"
	}
	if v := c.sourceID(); len(v) > maxID/2 && (len(v) > maxID || len(guid(v)) > maxID) {
		return "its id is longer than 2048 bytes"
	}
	return ""
}

// shortened returns a value as text that can be shown, with an end of … where it is longer than limit bytes.
func shortened(b []byte, limit int) string {
	text := shown(b[:min(len(b), limit+utf8.UTFMax)])
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len("…")], "") + "…"
}

// The most that is shown of a value without an @: the fourth part of it, of as many characters at most. Such a value is
// no address, and may be a secret that an attribute holds which nobody should have named.
const shownPart, maxShownPart = 4, 8

// shownAddress returns a value as skipped rows show it.
func shownAddress(v []byte) string {
	text := shortened(v, maxValue)
	if text == "" || strings.Contains(text, "@") {
		return text
	}
	runes := []rune(text)
	return string(runes[:min(len(runes)/shownPart, maxShownPart)]) + "…"
}

// What a record takes of memory, in bytes. Those of claims and skipped values are copied once when all is sorted.
const (
	entrySize   = int64(unsafe.Sizeof(entryRecord{}))
	claimSize   = 2 * int64(unsafe.Sizeof(claimRecord{}))
	skippedSize = 2 * int64(unsafe.Sizeof(address.Skipped{}))
	// pendingSize is about what an alias entry, an account or an account left out takes in maps, besides its texts.
	pendingSize = 200
)

// Memory returns about how many bytes the collector keeps, and how many sorting will take.
func (c *Collector) Memory() int64 {
	return int64(len(c.arena.blocks))*arenaBlock + int64(c.entries.count)*entrySize + int64(c.claims.count)*claimSize +
		int64(len(c.skipped))*skippedSize + c.texts
}
