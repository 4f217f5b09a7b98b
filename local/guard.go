package main

import (
	"cmp"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rollcall/portal"
	"rollcall/shared/api"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// origins is a flag's value: what portal.ParseOrigins reads.
type origins []string

func (o *origins) String() string { return strings.Join(*o, ",") }

func (o *origins) Set(value string) (err error) {
	*o, err = portal.ParseOrigins(value)
	return err
}

// guarded refuses requests that a page of another site sent, or had sent by rebinding its name to this address: their
// Host or Origin is neither this server's own nor listed.
func (c config) guarded(base string, next http.Handler) http.Handler {
	own, err := url.Parse(base)
	if err != nil {
		panic("the server's own address does not parse: " + base)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if !isOwn(r.Host, own) {
			refuse(w, "host_not_allowed", "This server answers to "+own.Host+" only, and not to "+r.Host+".")
			return
		}
		if len(c.callers) > 0 && strings.HasPrefix(r.URL.Path, "/v1/") &&
			portal.AllowOrigin(w, r, c.callers, api.AccountHeader) {
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" {
			from, err := url.Parse(origin)
			if err != nil || from.Scheme != "http" || !isOwn(from.Host, own) {
				refuse(w, "origin_not_allowed", "Requests from pages of "+origin+" are refused.")
				return
			}
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" &&
			!c.opensPage(r) {
			refuse(w, "origin_not_allowed", "Requests from pages of another site are refused.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// opensPage reports whether a person followed a link to the page, or a portal opens it in a frame: whether it may, the
// page's policy says to the browser. Such a request changes nothing, and the other site does not see its answer.
func (c config) opensPage(r *http.Request) bool {
	if r.Method != http.MethodGet || r.URL.Path != "/" || r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return false
	}
	into := r.Header.Get("Sec-Fetch-Dest")
	return into == "document" || into == "iframe" && len(c.frames) > 0
}

// isOwn reports whether a Host is a loopback name with the port that is listened on.
func isOwn(host string, own *url.URL) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil || port != own.Port() {
		return false
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

func refuse(w http.ResponseWriter, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusForbidden)
	// The status is out; a broken connection is all that can fail here.
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": http.StatusText(http.StatusForbidden), "status": http.StatusForbidden,
		"code": code, "detail": detail,
	})
}

// identify takes the account from the header, as a service's. Whoever reaches a loopback address is trusted with all.
func identify(r *http.Request) (api.Caller, error) {
	account, err := user.ParseAccount(cmp.Or(r.Header.Get(api.AccountHeader), defaultAccount))
	if err != nil {
		return api.Caller{}, &api.Problem{
			Status: http.StatusUnauthorized, Code: "unauthenticated",
			Detail: api.AccountHeader + " names no account: " + err.Error() + ".",
		}
	}
	return api.Caller{
		Identity: run.Identity{Account: account, Subject: "local"}, Scopes: []api.Scope{api.ScopeAdmin},
	}, nil
}

// observed counts each request, and writes a line for each that changes something or fails; polling would drown those.
func (c config) observed(count *metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			took := time.Since(start)
			count.request(r, recorder.status, took)
			if r.Method != http.MethodGet || recorder.status >= http.StatusBadRequest {
				c.log.Info("request", "method", r.Method, "path", r.URL.Path, "account", accountOf(r),
					"status", recorder.status, "duration", took.Round(time.Microsecond))
			}
		}()
		next.ServeHTTP(recorder, r)
	})
}

// accountOf names the account of a request of the API, and nothing for others.
func accountOf(r *http.Request) user.Account {
	caller, err := identify(r)
	if err != nil || !strings.HasPrefix(r.URL.Path, "/v1/") {
		return ""
	}
	return caller.Account
}

// statusRecorder remembers the status of a response.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
