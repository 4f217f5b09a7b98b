package directory

import "bytes"

// maxEmptyPages is how many pages in a row may come without an entry. Servers may send some (RFC 2696, section 3),
// where entries that the reader must not see fill a page.
const maxEmptyPages = 100

// progress finds a search that would never end because its server gives pages again, or only empty ones. It remembers
// one page, at growing distances (Brent's algorithm): that finds a cycle of any length without a list of all cookies. A
// cookie alone says nothing, since 389 Directory Server gives the same one with every page.
type progress struct {
	cookie, firstDN []byte
	// since counts the pages after the remembered one, up to distance.
	since, distance int
	// empty counts the empty pages in a row.
	empty int
}

// page takes a page that is not the last one, by the cookie for the next page, the number of its entries and the DN of
// the first. It reports whether the search goes on to anything new.
func (g *progress) page(cookie []byte, entries int, firstDN []byte) bool {
	if entries == 0 {
		g.empty++
		return g.empty <= maxEmptyPages
	}
	g.empty = 0
	if g.distance > 0 && bytes.Equal(cookie, g.cookie) && bytes.Equal(firstDN, g.firstDN) {
		return false
	}
	if g.since++; g.since >= g.distance {
		g.cookie, g.firstDN = cookie, firstDN
		g.since, g.distance = 0, max(1, 2*g.distance)
	}
	return true
}
