package api

import (
	"encoding/json"
	"net/http"
	"strings"

	"rollcall/shared/user"
)

// Claims are those of a verified access token, in the form in which API Gateway hands them on: a list is "[a b]".
type Claims map[string]string

// ClaimsOf reads claims as JSON. Those that are neither a text nor a list of texts are left out, so that no claim can
// make a request fail that does not need it; nil where there are none.
func ClaimsOf(raw []byte) Claims {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return nil
	}
	claims := make(Claims, len(members))
	for name, value := range members {
		var text string
		var texts []string
		switch {
		case json.Unmarshal(value, &text) == nil:
			claims[name] = text
		case json.Unmarshal(value, &texts) == nil:
			claims[name] = "[" + strings.Join(texts, " ") + "]"
		}
	}
	return claims
}

// ClaimNames says where a token has what counts here.
type ClaimNames struct {
	// Account is the claim that names the account, and ScopePrefix stands before each scope.
	Account, ScopePrefix string
}

// servicePrefix stands before the name of a client that acted for an account.
const servicePrefix = "service:"

// Caller returns who sent a request with a token. The account is the one that the token names, or, with the scope
// service, the one that the header names; the header of anybody else says nothing. Its errors are problems.
func (n ClaimNames) Caller(claims Claims, header http.Header) (Caller, error) {
	caller := Caller{Scopes: scopesOf(claims, n.ScopePrefix)}
	named, asked := claims[n.Account], header.Get(AccountHeader)
	if caller.has(ScopeService) {
		caller.Subject = servicePrefix + subjectOf(claims, "client_id", "azp", "sub")
		if asked != "" {
			account, err := user.ParseAccount(asked)
			if err != nil {
				return Caller{}, &Problem{
					Status: http.StatusBadRequest, Code: "invalid_account",
					Detail: AccountHeader + " names no account: " + err.Error() + ".",
				}
			}
			caller.Account = account
			return caller, nil
		}
	} else {
		caller.Subject = subjectOf(claims, "username", "client_id", "sub")
		if strings.HasPrefix(caller.Subject, servicePrefix) {
			// No person's name may look like a service's.
			caller.Subject = "user:" + caller.Subject
		}
	}
	account, err := user.ParseAccount(named)
	if err != nil {
		return Caller{}, &Problem{
			Status: http.StatusForbidden, Code: "no_account", Detail: withoutAccount(caller, named),
		}
	}
	caller.Account = account
	return caller, nil
}

// withoutAccount says why a token gives access to nothing, and what to do.
func withoutAccount(caller Caller, named string) string {
	switch {
	case caller.has(ScopeService):
		return "The token is a service's and names no account: send the account's name in " + AccountHeader + "."
	case named != "":
		return "What the token has for its account is none: " + user.ErrAccount.Error() + "."
	}
	return "The token names no account: an operator has to say which one its owner belongs to. A program needs the " +
		"scope service, and names the account in " + AccountHeader + "."
}

// maxSubject bounds in bytes who did something, as it is written into records.
const maxSubject = 256

// subjectOf returns the first claim that there is. Who did something is told by a name that its bearer cannot choose.
func subjectOf(claims Claims, names ...string) string {
	for _, name := range names {
		if claims[name] != "" {
			text := claims[name]
			return strings.ToValidUTF8(text[:min(len(text), maxSubject)], "")
		}
	}
	return "unknown"
}

// scopesOf reads the scopes: "a b" in scope (RFC 8693, 4.2), or the list that some issuers put into scp.
func scopesOf(claims Claims, prefix string) []Scope {
	var scopes []Scope
	for _, text := range strings.Fields(strings.Trim(claims["scope"], "[]") + " " + strings.Trim(claims["scp"], "[]")) {
		if own, ok := strings.CutPrefix(text, prefix); ok {
			scopes = append(scopes, Scope(own))
		}
	}
	return scopes
}
