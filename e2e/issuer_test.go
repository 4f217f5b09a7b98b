package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// clientID is the page's at the issuer.
const clientID = "rollcall-page"

// issuer is a small OpenID Connect provider: discovery, the code flow with PKCE, refresh tokens, revocation and
// sign-out. It checks what a real one checks, and signs in whoever comes.
type issuer struct {
	t      *testing.T
	server *httptest.Server
	key    *rsa.PrivateKey
	// redirect is the one address that codes are sent to.
	redirect string

	mu sync.Mutex
	// codes are the requests that codes were given for.
	codes map[string]url.Values
	// valid are the access tokens and refresh tokens that count now.
	access, refresh []string
	grants          []string
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key, codes: make(map[string]url.Values)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("POST /revoke", i.revoke)
	mux.HandleFunc("GET /logout", i.logout)
	i.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.server.Close)
	return i
}

func (i *issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	base := i.server.URL
	answer(w, map[string]any{
		"issuer": base, "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token",
		"revocation_endpoint":  base + "/revoke",
		"end_session_endpoint": base + "/logout", "jwks_uri": base + "/keys",
		"response_types_supported": []string{"code"},
		"subject_types_supported":  []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported": []string{"S256"},
	})
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body)
}

// authorize sends the browser back with a code.
func (i *issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for name, want := range map[string]string{"client_id": clientID, "redirect_uri": i.redirect,
		"response_type": "code", "code_challenge_method": "S256", "scope": "openid rollcall/admin"} {
		if q.Get(name) != want {
			i.t.Errorf("authorize: %s is %q, want %q", name, q.Get(name), want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) < 20 {
			i.t.Errorf("authorize: %s is %q, want something nobody can guess", name, q.Get(name))
		}
	}
	code := rand.Text()
	i.mu.Lock()
	i.codes[code] = q
	i.mu.Unlock()
	http.Redirect(w, r, i.redirect+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
}

// token gives tokens for a code whose verifier fits (RFC 7636, 4.6), or for a refresh token.
func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	grant := r.PostFormValue("grant_type")
	nonce, ok := "", false
	switch grant {
	case "authorization_code":
		asked, known := i.codes[r.PostFormValue("code")]
		delete(i.codes, r.PostFormValue("code"))
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		ok = known && r.PostFormValue("redirect_uri") == i.redirect &&
			base64.RawURLEncoding.EncodeToString(sum[:]) == asked.Get("code_challenge")
		nonce = asked.Get("nonce")
	case "refresh_token":
		ok = slices.Contains(i.refresh, r.PostFormValue("refresh_token"))
	}
	i.grants = append(i.grants, grant)
	if !ok || r.PostFormValue("client_id") != clientID {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]any{"error": "invalid_grant"})
		return
	}
	access, refresh := "access-"+rand.Text(), "refresh-"+rand.Text()
	i.access, i.refresh = []string{access}, []string{refresh}
	answer(w, map[string]any{"access_token": access, "refresh_token": refresh, "token_type": "Bearer",
		"expires_in": 3600, "id_token": i.idToken(nonce)})
}

// idToken signs who it is (RFC 7515, RS256).
func (i *issuer) idToken(nonce string) string {
	part := func(v any) string {
		data, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	claims := map[string]any{"iss": i.server.URL, "aud": clientID, "sub": "1", "email": "anna@example.com",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	text := part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, 5, sum[:]) // 5 is crypto.SHA256
	if err != nil {
		i.t.Error(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (i *issuer) revoke(_ http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refresh = slices.DeleteFunc(i.refresh, func(t string) bool { return t == r.PostFormValue("token") })
	i.access = nil
}

func (i *issuer) logout(w http.ResponseWriter, r *http.Request) {
	if to := r.URL.Query().Get("post_logout_redirect_uri"); to != i.redirect ||
		r.URL.Query().Get("client_id") != clientID {
		i.t.Errorf("logout wants to go to %q, want %q", to, i.redirect)
	}
	http.Redirect(w, r, i.redirect, http.StatusFound)
}

// accepts reports whether a request carries an access token that counts.
func (i *issuer) accepts(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	i.mu.Lock()
	defer i.mu.Unlock()
	return ok && slices.Contains(i.access, token)
}

// forget makes access tokens, and with all the refresh tokens too, count no more.
func (i *issuer) forget(all bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.access = nil
	if all {
		i.refresh = nil
	}
}

// renewable reports whether a refresh token counts.
func (i *issuer) renewable() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.refresh) > 0
}

func (i *issuer) granted() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.grants)
}
