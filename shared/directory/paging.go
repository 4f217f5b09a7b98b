package directory

import (
	"bytes"
	"context"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// pages reads page after page of a search, until info counts so many entries; 0 reads all. more means that the server
// has others. Without paging the whole answer is one page.
func (p *pager) pages(ctx context.Context, request *searchRequest, most int) (more bool, err error) {
	var progress progress
	for page := 1; ; page++ {
		done, cookie, found, err := p.page(ctx, *request)
		for err == nil && page == 1 && p.smaller(request, done.code) {
			done, cookie, found, err = p.page(ctx, *request)
		}
		if err != nil {
			return false, err
		}
		if done.code != ldap.LDAPResultSuccess {
			return false, done
		}
		if err := p.completeRanges(ctx); err != nil {
			return false, err
		}
		switch {
		case found && len(cookie) == 0, !found && request.pageSize == 0:
			return false, nil
		case request.pageSize == 0:
			return false, incomplete("the server gave a page where none was asked for, and says that more would follow")
		case !found && (p.root.paging || page > 1):
			return false, incomplete("page %d came without its paged results control, so that it cannot be known "+
				"whether more would follow", page)
		case !found:
			return false, nil
		case most > 0 && p.info.Entries >= most:
			return true, nil
		case p.pageEntries == 0 && bytes.Equal(cookie, request.cookie),
			!progress.page(cookie, p.pageEntries, p.pageFirst):
			return false, incomplete("the server gives the same page again and again (page %d)", page)
		}
		request.cookie = cookie
	}
}

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
