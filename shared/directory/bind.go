package directory

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// bind authenticates with a simple bind (RFC 4513, 5.1): a DN, user@domain or DOMAIN\user, or anonymously without a
// username.
func (s *session) bind(ctx context.Context) (string, error) {
	if s.to.Username != "" && s.to.Password.Empty() {
		// Servers take a name without a password for an anonymous bind and let it succeed (RFC 4513, 5.1.2).
		return "", &Error{Code: CodeInvalidCredentials, Step: StepBind,
			Message: "The password is missing. Enter it, or leave the username empty to read anonymously."}
	}
	conn, giveBack := s.ldapConn()
	_, err := conn.SimpleBind(&ldap.SimpleBindRequest{Username: s.to.Username, Password: s.to.Password.Reveal(),
		AllowEmptyPassword: true})
	giveBack()
	s.rearm(ctx)
	if err != nil {
		return "", s.explainBind(err)
	}
	if s.to.Username == "" {
		return "signed in anonymously", nil
	}
	return "signed in as " + s.to.Username, nil
}

// adReasons are the sub-codes that Active Directory puts into the diagnostic message of result 49 (Windows error codes,
// hexadecimal).
var adReasons = map[string]string{
	"525": "there is no such user; check the username",
	"52e": "wrong username or password",
	"530": "this user may not sign in at this time of day",
	"531": "this user may not sign in from this computer",
	"532": "the password has expired; set a new one in the directory",
	"533": "the account is disabled; enable it in the directory",
	"701": "the account has expired; extend it in the directory",
	"773": "the password must be changed at the first sign-in; do so, or clear that setting in the directory",
	"775": "the account is locked; unlock it in the directory",
}

var adData = regexp.MustCompile(`data ([0-9a-fA-F]+)`)

func (s *session) explainBind(err error) error {
	var e *ldap.Error
	if !errors.As(err, &e) || e.ResultCode >= ldap.ErrorNetwork {
		return err
	}
	out := &Error{Code: CodeInvalidCredentials, Step: StepBind, Err: err}
	text := serverText(e)
	if wantsEncryption(int(e.ResultCode), text) || e.ResultCode == ldap.LDAPResultStrongAuthRequired {
		out.Code = CodeEncryptionRequired
		out.Message = s.encryptionWanted("before a sign-in", resultText(e))
		return out
	}
	switch e.ResultCode {
	case ldap.LDAPResultInvalidCredentials:
		out.Refused = true
		out.Message = fmt.Sprintf("The server does not accept %q: %s. A username is a full DN, user@domain, or "+
			"DOMAIN\\user.", s.to.Username, refusal(text))
	case ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultInsufficientAccessRights,
		ldap.LDAPResultUnwillingToPerform:
		out.Code = CodeInsufficientAccess
		out.Message = fmt.Sprintf("The server does not let %s sign in (%s). Enter a username and password that may "+
			"read the directory.", s.who(), resultText(e))
	case ldap.LDAPResultInvalidDNSyntax:
		out.Message = fmt.Sprintf("The server cannot read the username %q. Enter a full DN, such as "+
			"cn=reader,dc=example,dc=com.", s.to.Username)
	default:
		out.Code, out.Message = serversOwn(e)
	}
	return out
}

// refusal is why a server did not accept username and password, as far as its diagnostic message says so.
func refusal(text string) string {
	if m := adData.FindStringSubmatch(text); m != nil && adReasons[strings.ToLower(m[1])] != "" {
		return adReasons[strings.ToLower(m[1])] + " (data " + strings.ToLower(m[1]) + ")"
	}
	return "wrong username or password"
}

// serversOwn is an answer to a sign-in that is not about who signs in.
func serversOwn(e *ldap.Error) (code, message string) {
	switch e.ResultCode {
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		return CodeUnavailable, fmt.Sprintf("The server cannot take a sign-in now (%s). Try again later, or enter a "+
			"second LDAP server.", resultText(e))
	case ldap.LDAPResultProtocolError:
		return CodeProtocol, fmt.Sprintf("The server does not take a sign-in of LDAP version 3 (%s), so it seems to "+
			"speak LDAPv2 only. LDAPv2 is not supported (RFC 3494): switch LDAPv3 on at the server, or enter a server "+
			"that has it.", resultText(e))
	}
	return CodeProtocol, fmt.Sprintf("The server refuses the sign-in (%s).", resultText(e))
}

func (s *session) who() string {
	if s.to.Username == "" {
		return "anonymous users"
	}
	return s.to.Username
}

// serverText returns what the server itself said.
func serverText(e *ldap.Error) string {
	if e.Err == nil {
		return ""
	}
	return printable([]byte(e.Err.Error()))
}

// resultText names a result as a server gave it.
func resultText(e *ldap.Error) string {
	return result{code: int(e.ResultCode), diagnostic: serverText(e)}.words()
}
