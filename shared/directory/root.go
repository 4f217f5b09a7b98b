package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/settings"
)

// rootDSE is what a server says of itself (RFC 4512, 5.1).
type rootDSE struct {
	present  bool
	contexts []string
	// defaultContext is Active Directory's own domain.
	defaultContext string
	// subschema is the entry that holds the server's schema.
	subschema string
	paging    bool
	// capabilities are Active Directory's, and vendor is the server's maker and version, or OpenLDAP's class.
	capabilities []string
	vendor       string
	// highestUSN is the domain controller's highest update sequence number, and service the DN of its NTDS Settings.
	highestUSN int64
	service    string
}

// rootAttributes are what is asked of the rootDSE.
var rootAttributes = []string{
	"namingContexts", "defaultNamingContext", "supportedControl", "subschemaSubentry",
	"supportedCapabilities", "vendorName", "vendorVersion", "objectClass", "dsServiceName", "highestCommittedUSN",
}

// The default filters of the server types.
const (
	filterExchange    = "(proxyAddresses=smtp:*)"
	filterExchange55  = "(|(proxyAddresses=smtp:*)(mail=*)(rfc822Mailbox=*))"
	filterCommuniGate = "(|(objectClass=CommuniGateAccount)(objectClass=CommuniGateGroup)(objectClass=alias))"
	filterGroupWise   = "(&(mail=*)(|(objectClass=inetOrgPerson)(objectClass=person)" +
		"(objectClass=groupWiseDistributionList)(objectClass=groupWiseExternalEntity)(objectClass=groupWiseResource)))"
)

// maxDirectoryID bounds the id of a directory in bytes: it is stored with each user.
const maxDirectoryID = 2 << 10

// baseElsewhere is what to do about a referral (RFC 4511, 4.1.10) in answer to a search for the base.
const baseElsewhere = "The search base %q is on another server. Enter that server, or the global catalog (port 3268, " +
	"or 3269 with SSL)."

// findBase reads the rootDSE and finds base, filter and directory id.
func (s *session) findBase(ctx context.Context, q Query) (string, error) {
	conn, giveBack := s.ldapConn()
	defer func() {
		giveBack()
		s.rearm(ctx)
	}()
	if err := s.readRoot(conn); err != nil {
		return "", err
	}
	base, err := s.typed(q)
	if err != nil {
		return "", err
	}
	origin := "as entered"
	if base == "" {
		base, origin = s.defaultBase()
	}
	if s.filter == nil {
		s.filter, _ = parseFilter(s.defaultFilter()) // a constant
	}
	s.info.Base, s.info.Filter = base, s.filter.text
	if base != "" && s.root.present {
		if err := s.checkBase(conn, base); err != nil {
			return "", err
		}
	}
	s.info.DirectoryID = s.directoryID()
	if len(s.info.DirectoryID) > maxDirectoryID || len(base) > maxBaseLength*utf8.UTFMax {
		return "", &Error{Code: CodeInvalidBase, Step: StepBase,
			Message: fmt.Sprintf("The search base, or the server's naming context, is longer than the %d bytes that "+
				"can be stored with each user. Enter a shorter search base.", maxDirectoryID)}
	}
	if base == "" {
		base = "the empty base"
	}
	return base + ": " + origin, s.track(conn)
}

// typed checks what somebody typed into a query. It keeps the filter and returns the base; both may be empty.
func (s *session) typed(q Query) (base string, err error) {
	if base, err = CheckBase(q.SearchBase); err != nil {
		return "", &Error{Code: CodeInvalidBase, Step: StepBase, Err: err,
			Message: "The search base is wrong: " + err.Error() + "."}
	}
	if s.filter, err = parseFilter(q.Filter); err != nil {
		return "", &Error{Code: CodeInvalidFilter, Step: StepBase, Err: err,
			Message: "The filter string is wrong: " + err.Error() + "."}
	}
	return base, checkSecrets(q)
}

// entryOf asks for one entry; nil where the server does not show it. An error is one of the connection.
func entryOf(conn *ldap.Conn, dn string, attributes ...string) (*ldap.Entry, error) {
	found, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false,
		"(objectClass=*)", attributes, nil))
	var e *ldap.Error
	switch {
	case err == nil && len(found.Entries) > 0:
		return found.Entries[0], nil
	case err == nil, errors.As(err, &e) && e.ResultCode < ldap.ErrorNetwork:
		return nil, nil
	}
	return nil, err
}

func (s *session) readRoot(conn *ldap.Conn) error {
	entry, err := entryOf(conn, "", rootAttributes...)
	if err != nil {
		return err
	}
	if entry == nil {
		s.info.Notes = append(s.info.Notes,
			"the server shows no rootDSE, so its default base and its controls are unknown")
		return nil
	}
	s.root = rootDSE{present: true, contexts: entry.GetEqualFoldAttributeValues("namingContexts"),
		defaultContext: entry.GetEqualFoldAttributeValue("defaultNamingContext"),
		subschema:      entry.GetEqualFoldAttributeValue("subschemaSubentry"),
		paging:         slices.Contains(entry.GetEqualFoldAttributeValues("supportedControl"), ldap.ControlTypePaging),
		capabilities:   entry.GetEqualFoldAttributeValues("supportedCapabilities"),
		service:        entry.GetEqualFoldAttributeValue("dsServiceName"),
		vendor: strings.Join(slices.Concat(entry.GetEqualFoldAttributeValues("vendorName"),
			entry.GetEqualFoldAttributeValues("vendorVersion"), entry.GetEqualFoldAttributeValues("objectClass")), " ")}
	// Without a number there is none.
	s.root.highestUSN, _ = strconv.ParseInt(entry.GetEqualFoldAttributeValue("highestCommittedUSN"), 10, 64)
	if !s.root.paging {
		s.info.Notes = append(s.info.Notes, "the server does not offer paged results")
	}
	return nil
}

// defaultBase returns the base where none was entered, and where it comes from.
func (s *session) defaultBase() (base, origin string) {
	if s.to.ServerType == settings.Exchange && s.root.defaultContext != "" {
		return s.root.defaultContext, "the server's default naming context"
	}
	contexts := slices.DeleteFunc(slices.Clone(s.root.contexts), holdsNobody)
	if len(contexts) == 0 {
		return "", "the server names no context"
	}
	if len(contexts) > 1 {
		s.info.Notes = append(s.info.Notes,
			"the server has several naming contexts ("+inWords(contexts)+"); enter a search base for another")
	}
	return contexts[0], "the server's naming context"
}

// holdsNobody reports whether a naming context is one that servers keep for themselves: the configuration, schema,
// state and logs of OpenLDAP, and of 389 Directory Server and its forebears.
func holdsNobody(context string) bool {
	switch strings.ToLower(strings.ReplaceAll(context, " ", "")) {
	case "", "cn=config", "cn=schema", "cn=monitor", "cn=changelog", "cn=accesslog", "o=netscaperoot":
		return true
	}
	return false
}

func inWords(contexts []string) string { return shorten(strings.Join(contexts, "; "), maxDetail/2) }

func (s *session) defaultFilter() string {
	switch s.to.ServerType {
	case settings.CommuniGate:
		return filterCommuniGate
	case settings.GroupWise:
		return filterGroupWise
	}
	if s.root.defaultContext == "" {
		return filterExchange55
	}
	return filterExchange
}

// checkBase asks for the base itself, so that a wrong one is told from an empty one.
func (s *session) checkBase(conn *ldap.Conn, base string) error {
	found, err := conn.Search(ldap.NewSearchRequest(base, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"1.1"}, nil))
	var e *ldap.Error
	switch {
	case err == nil && len(found.Entries) > 0:
		return nil
	case err == nil:
		e = &ldap.Error{}
	case !errors.As(err, &e):
		return err
	}
	switch e.ResultCode {
	case ldap.LDAPResultSuccess, ldap.LDAPResultNoSuchObject, ldap.LDAPResultOperationsError,
		ldap.LDAPResultInsufficientAccessRights:
		return s.lookBelow(conn, base, e)
	case ldap.LDAPResultInvalidDNSyntax:
		return &Error{Code: CodeInvalidBase, Step: StepBase, Err: err,
			Message: fmt.Sprintf("The server cannot read the search base %q. Enter a DN such as "+
				"OU=Staff,DC=example,DC=com.", base)}
	case ldap.LDAPResultReferral:
		return &Error{Code: CodeBaseNotFound, Step: StepBase, Err: err, Message: fmt.Sprintf(baseElsewhere, base)}
	}
	if e.ResultCode >= ldap.ErrorNetwork {
		return err
	}
	// Any other refusal of this question says nothing about the search itself, which gives its own error.
	return nil
}

// lookBelow looks for any entry below a base that the server does not show: access control may hide the entry of the
// base alone, also as one that does not exist. Without any, the refusal stands.
func (s *session) lookBelow(conn *ldap.Conn, base string, refusal *ldap.Error) error {
	found, err := conn.Search(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 1, 0, false,
		"(objectClass=*)", []string{"1.1"}, nil))
	var e *ldap.Error
	switch {
	case found != nil && len(found.Entries) > 0:
		s.info.Notes = append(s.info.Notes, fmt.Sprintf("the server does not show the entry of the search base to %s, "+
			"but entries below it", s.who()))
		return nil
	case errors.As(err, &e) && e.ResultCode >= ldap.ErrorNetwork:
		return err
	case refusal.ResultCode == ldap.LDAPResultSuccess:
		s.info.Notes = append(s.info.Notes, fmt.Sprintf("the server shows neither the entry of the search base nor "+
			"any below it to %s: sign in with a user that may read them", s.who()))
		return nil
	case refusal.ResultCode == ldap.LDAPResultNoSuchObject:
		return s.noSuchBase(base, refusal.MatchedDN, refusal)
	}
	return &Error{Code: CodeInsufficientAccess, Step: StepBase, Err: refusal,
		Message: fmt.Sprintf("The server does not let %s read %q or anything below it (%s). Sign in with a user that "+
			"may.", s.who(), base, resultText(refusal))}
}

func (s *session) noSuchBase(base, matched string, err error) error {
	hint := "Check its spelling."
	switch {
	case matched != "":
		hint = fmt.Sprintf("The part %q exists.", printable([]byte(matched)))
	case len(s.root.contexts) > 0:
		hint = "The server has: " + inWords(s.root.contexts) + "."
	}
	return &Error{Code: CodeBaseNotFound, Step: StepBase, Err: err,
		Message: fmt.Sprintf("The search base %q does not exist in this directory, or %s may see neither it nor "+
			"anything below it. %s", base, s.who(), hint)}
}

// directoryID returns the naming context that holds the base: two servers of a directory have the same one. Where there
// is none the hosts as entered stand for it, whichever of them answers.
func (s *session) directoryID() string {
	base, err := ldap.ParseDN(strings.ToLower(s.info.Base))
	if err != nil || len(base.RDNs) == 0 {
		return s.hosts
	}
	longest := base
	for i, c := range append([]string{s.root.defaultContext}, s.root.contexts...) {
		context, err := ldap.ParseDN(strings.ToLower(c))
		if err != nil || len(context.RDNs) == 0 || !(context.Equal(base) || context.AncestorOf(base)) {
			continue
		}
		if longest == base || i == 0 || len(context.RDNs) > len(longest.RDNs) {
			longest = context
		}
		if i == 0 {
			break
		}
	}
	return longest.String()
}
