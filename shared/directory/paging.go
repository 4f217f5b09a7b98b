package directory

import (
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// smaller makes the request ask for less at a time, where a server refused the first page and gave nothing of it: for
// smaller pages, and in the end for everything in one piece. It reports whether there is anything left to try. Servers
// with a limit below the page size, and those that do not page for this user, refuse in these ways.
func (p *pager) smaller(request *searchRequest, code int) bool {
	switch code {
	case ldap.LDAPResultProtocolError, ldap.LDAPResultAdminLimitExceeded,
		ldap.LDAPResultUnavailableCriticalExtension, ldap.LDAPResultUnwillingToPerform:
	default:
		return false
	}
	if request.pageSize == 0 || p.info.Entries > 0 {
		return false
	}
	p.refused = code
	for _, size := range []int{500, 250, 100, 0} {
		if size < request.pageSize {
			request.pageSize = size
			break
		}
	}
	return true
}

// pagingNote says how the pages were read that the server refused at first.
func (p *pager) pagingNote(size int) string {
	if size == 0 {
		return fmt.Sprintf("the server refused paged results (result %d), so the directory was read in one piece",
			p.refused)
	}
	return fmt.Sprintf("the server refused pages of %d entries (result %d), so pages of %d were read", p.c.PageSize,
		p.refused, size)
}
