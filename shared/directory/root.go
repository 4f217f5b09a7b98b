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
	paging         bool
	// highestUSN is the domain controller's highest update sequence number, and service the DN of its NTDS Settings.
	highestUSN int64
	service    string
	openLDAP   bool
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
	base, err := CheckBase(q.SearchBase)
	if err != nil {
		return "", &Error{Code: CodeInvalidBase, Step: StepBase, Err: err,
			Message: "The search base is wrong: " + err.Error() + "."}
	}
	if s.info.Filter, err = CheckFilter(q.Filter); err != nil {
		return "", &Error{Code: CodeInvalidFilter, Step: StepBase, Err: err,
			Message: "The filter string is wrong: " + err.Error() + "."}
	}
	if i := slices.IndexFunc(q.Attributes, settings.IsSecretAttribute); i >= 0 {
		// Settings are checked before they are saved, but older ones were not.
		return "", &Error{Code: CodeSecretAttribute, Step: StepBase,
			Message: fmt.Sprintf("The attribute %q holds passwords or keys, which are never read. Enter another "+
				"one in "+
				"the advanced settings.", q.Attributes[i])}
	}
	origin := "as entered"
	if base == "" {
		base, origin = s.defaultBase()
	}
	if s.info.Filter == "" {
		s.info.Filter = s.defaultFilter()
	}
	s.info.Base = base
	if base != "" && s.root.present {
		if err := s.checkBaseExists(conn, base); err != nil {
			return "", err
		}
	}
	s.info.DirectoryID = s.directoryID()
	if len(s.info.DirectoryID) > maxDirectoryID || len(base) > maxBaseLength*utf8.UTFMax {
		return "", &Error{Code: CodeInvalidBase, Step: StepBase,
			Message: fmt.Sprintf("The search base, or the server's naming context, is longer than the %d bytes that "+
				"can be "+
				"stored with each user. Enter a shorter search base.", maxDirectoryID)}
	}
	if base == "" {
		base = "the empty base"
	}
	return base + ": " + origin, s.track(conn, q.Since)
}

// rootAttributes are those of the rootDSE that a read asks for.
func rootAttributes() []string {
	return []string{
		"namingContexts", "defaultNamingContext", "supportedControl", "objectClass", "dsServiceName",
		"highestCommittedUSN",
	}
}

func (s *session) readRoot(conn *ldap.Conn) error {
	result, err := conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false,
		"(objectClass=*)", rootAttributes(), nil))
	var e *ldap.Error
	switch {
	case err == nil && len(result.Entries) > 0:
	case err == nil, errors.As(err, &e) && e.ResultCode < ldap.ErrorNetwork:
		s.info.Notes = append(s.info.Notes,
			"the server shows no rootDSE, so its default base and its controls are unknown")
		return nil
	default:
		return err
	}
	entry := result.Entries[0]
	s.root = rootDSE{present: true, contexts: entry.GetEqualFoldAttributeValues("namingContexts"),
		defaultContext: entry.GetEqualFoldAttributeValue("defaultNamingContext"),
		paging:         slices.Contains(entry.GetEqualFoldAttributeValues("supportedControl"), ldap.ControlTypePaging),
		service:        entry.GetEqualFoldAttributeValue("dsServiceName"),
		openLDAP:       slices.Contains(entry.GetEqualFoldAttributeValues("objectClass"), "OpenLDAProotDSE")}
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
	for _, c := range s.root.contexts {
		if c != "" && !strings.EqualFold(c, "cn=config") && !strings.EqualFold(c, "cn=schema") &&
			!strings.EqualFold(c, "cn=monitor") {
			if len(s.root.contexts) > 1 {
				s.info.Notes = append(s.info.Notes,
					"the server has several naming contexts ("+s.contextsInWords()+"); enter a search base for another")
			}
			return c, "the server's naming context"
		}
	}
	return "", "the server names no context"
}

func (s *session) contextsInWords() string {
	return shorten(strings.Join(s.root.contexts, "; "), maxDetail/2)
}

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

// checkBaseExists asks for the base itself, so that a wrong one is told from an empty one.
func (s *session) checkBaseExists(conn *ldap.Conn, base string) error {
	_, err := conn.Search(ldap.NewSearchRequest(base, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"1.1"}, nil))
	var e *ldap.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	switch e.ResultCode {
	case ldap.LDAPResultNoSuchObject:
		return s.noSuchBase(base, e.MatchedDN, err)
	case ldap.LDAPResultInvalidDNSyntax:
		return &Error{Code: CodeInvalidBase, Step: StepBase, Err: err,
			Message: fmt.Sprintf("The server cannot read the search base %q. Enter a DN such as "+
				"OU=Staff,DC=example,DC=com.", base)}
	case ldap.LDAPResultReferral:
		return &Error{Code: CodeBaseNotFound, Step: StepBase, Err: err,
			Message: fmt.Sprintf("The search base %q is on another server. Enter that server, or the global "+
				"catalog (port 3268, or 3269 with SSL).", base)}
	case ldap.LDAPResultOperationsError, ldap.LDAPResultInsufficientAccessRights:
		return &Error{Code: CodeInsufficientAccess, Step: StepBase, Err: err,
			Message: fmt.Sprintf("The server does not let %s read %q (%s). Sign in with a user that may.", s.who(),
				base, resultText(e))}
	}
	if e.ResultCode >= ldap.ErrorNetwork {
		return err
	}
	// Any other refusal of this question says nothing about the search itself, which gives its own error.
	return nil
}

func (s *session) noSuchBase(base, matched string, err error) error {
	hint := "Check its spelling."
	switch {
	case matched != "":
		hint = fmt.Sprintf("The part %q exists.", printable([]byte(matched)))
	case len(s.root.contexts) > 0:
		hint = "The server has: " + s.contextsInWords() + "."
	}
	return &Error{Code: CodeBaseNotFound, Step: StepBase, Err: err,
		Message: fmt.Sprintf("The search base %q does not exist in this directory. %s", base, hint)}
}

// directoryID returns the naming context that holds the base: two servers of a directory have the same one.
func (s *session) directoryID() string {
	base, err := ldap.ParseDN(strings.ToLower(s.info.Base))
	if err != nil || len(base.RDNs) == 0 {
		return strings.ToLower(s.to.Host)
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
