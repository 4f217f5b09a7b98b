package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/api"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

var claimNames = api.ClaimNames{Account: "account", ScopePrefix: "rollcall/"}

func named(account string) http.Header {
	header := make(http.Header)
	if account != "" {
		header.Set(api.AccountHeader, account)
	}
	return header
}

func TestWhoSendsAToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims, header string
		want           api.Caller
		// refused is the status and the code of the problem in place of a caller.
		refused string
	}{
		"a person's names the account, and the header says nothing": {
			`{"account":"acme","username":"ann","scope":"rollcall/admin"}`, "other",
			api.Caller{Identity: run.Identity{Account: "acme", Subject: "ann"}, Scopes: []api.Scope{"admin"}}, "",
		},
		"a machine's without the scope service too": {
			`{"account":"acme","client_id":"m","scp":"[rollcall/read rollcall/services service]"}`, "other",
			api.Caller{
				Identity: run.Identity{Account: "acme", Subject: "m"}, Scopes: []api.Scope{"read", "services"},
			}, "",
		},
		"a service's acts for the account in the header": {
			`{"client_id":"portal","sub":"1","scope":"rollcall/read rollcall/service"}`, "acme",
			api.Caller{
				Identity: run.Identity{Account: "acme", Subject: "service:portal"},
				Scopes:   []api.Scope{"read", "service"},
			}, "",
		},
		"the header counts before a service's own account": {
			`{"account":"own","azp":"portal","scope":"rollcall/service"}`, "acme",
			api.Caller{
				Identity: run.Identity{Account: "acme", Subject: "service:portal"}, Scopes: []api.Scope{"service"},
			}, "",
		},
		"a service's own account is for requests without the header": {
			`{"account":"own","username":"chosen","sub":"portal","scope":"rollcall/service"}`, "",
			api.Caller{
				Identity: run.Identity{Account: "own", Subject: "service:portal"}, Scopes: []api.Scope{"service"},
			}, "",
		},
		"nobody's name looks like a service's": {
			`{"account":"acme","username":"service:portal"}`, "",
			api.Caller{Identity: run.Identity{Account: "acme", Subject: "user:service:portal"}}, "",
		},
		"a long name is cut": {
			`{"account":"acme","sub":"` + strings.Repeat("ä", 500) + `"}`, "",
			api.Caller{Identity: run.Identity{Account: "acme", Subject: strings.Repeat("ä", 128)}}, "",
		},
		"without an account": {
			`{"sub":"1","scope":"rollcall/admin"}`, "acme",
			api.Caller{}, "403 no_account",
		},
		"a service's without an account": {
			`{"sub":"1","scope":"rollcall/admin rollcall/service"}`, "",
			api.Caller{}, "403 no_account",
		},
		"an account in a list": {
			`{"account":"[acme other]","sub":"1"}`, "",
			api.Caller{}, "403 no_account",
		},
		"an account that is too long": {
			`{"account":"` + strings.Repeat("x", 129) + `"}`, "",
			api.Caller{}, "403 no_account",
		},
		"a service's header that is no account": {
			`{"account":"own","scope":"rollcall/service"}`, "[acme]",
			api.Caller{}, "400 invalid_account",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := claimNames.Caller(api.ClaimsOf([]byte(c.claims)), named(c.header))
			refused := ""
			if p := (*api.Problem)(nil); errors.As(err, &p) {
				refused = strconv.Itoa(p.Status) + " " + p.Code
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || refused != c.refused {
				t.Errorf("refused %q, want %q; caller (-want +got):\n%s", refused, c.refused, diff)
			}
		})
	}
}

// TestATokenWithoutAnAccountSaysSo asks the API, which answers with the problem as it is.
func TestATokenWithoutAnAccountSaysSo(t *testing.T) {
	t.Parallel()
	a := api.New(api.Config{Identify: func(r *http.Request) (api.Caller, error) {
		return claimNames.Caller(api.Claims{"sub": "1", "scope": "rollcall/read"}, r.Header)
	}})
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/users", nil))
	var p api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusForbidden || p.Code != "no_account" || !strings.Contains(p.Detail, "names no account") {
		t.Errorf("status %d, %+v; want a 403 that says that the token names no account", w.Code, p)
	}
}

// FuzzCaller gives claims of every type and form: nobody gets an account that neither the token nor, for a service, the
// header names, and nothing fails in another way than with a problem.
func FuzzCaller(f *testing.F) {
	for _, claims := range []string{
		`{"account":"acme","scope":"rollcall/read"}`, `{"account":"acme","scp":"[rollcall/read rollcall/service]"}`,
		`{"account":["acme"],"scp":["rollcall/admin","rollcall/service"]}`, `{"account":7,"scope":{"a":[1]}}`,
		`{"account":null}`, `{"account":"map[id:acme]"}`, `[]`, `null`, `{`,
		`{"sub":"` + strings.Repeat("x", 9000) + `"}`,
		`{"account":"[]","scope":"[[rollcall/service]]"}`, `{"account":"","scope":"]["}`,
	} {
		f.Add(claims, "acme")
		f.Add(claims, "[read admin]")
	}
	f.Fuzz(func(t *testing.T, raw, header string) {
		claims := api.ClaimsOf([]byte(raw))
		got, err := claimNames.Caller(claims, http.Header{api.AccountHeader: {header}})
		if err != nil {
			p := (*api.Problem)(nil)
			if !errors.As(err, &p) || p.Status != http.StatusForbidden && p.Status != http.StatusBadRequest {
				t.Fatalf("error %v, want a problem", err)
			}
			if got.Account != "" || got.Scopes != nil {
				t.Fatalf("a refused caller is %+v", got)
			}
			return
		}
		if _, err := user.ParseAccount(string(got.Account)); err != nil {
			t.Fatalf("the account %q: %v", got.Account, err)
		}
		service := slices.Contains(got.Scopes, api.ScopeService)
		if string(got.Account) != claims["account"] && !(service && string(got.Account) == header) {
			t.Fatalf("the account is %q, which nobody named", got.Account)
		}
		if strings.HasPrefix(got.Subject, "service:") != service || len(got.Subject) > 300 {
			t.Fatalf("the subject is %q, with the scopes %v", got.Subject, got.Scopes)
		}
	})
}
