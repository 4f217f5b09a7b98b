package portal

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// An origin of this machine needs no TLS: browsers trust it as they do https (Secure Contexts, 3.1).
var origin = regexp.MustCompile(
	`^(https://[a-z0-9-]+(\.[a-z0-9-]+)*|http://(localhost|127\.0\.0\.1|\[::1\]))(:[0-9]{1,5})?$`)

// ParseOrigins reads origins that are separated by commas (RFC 6454, 6.2): https ones, and http ones of this machine.
// There are no wildcards. An error names the one that is wrong.
func ParseOrigins(list string) ([]string, error) {
	origins := strings.Split(list, ",")
	for i, o := range origins {
		origins[i] = strings.TrimSpace(o)
		if !origin.MatchString(origins[i]) {
			return nil, fmt.Errorf("%q is no origin such as https://portal.example.com", o)
		}
	}
	return origins, nil
}

// CORSMaxAge is how long a browser may remember what a preflight allowed.
const CORSMaxAge = time.Hour

// CORSMethods are the methods with which pages of other origins may call the API.
func CORSMethods() []string {
	return []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
}

// CORSHeaders are the request headers that such a page may set. None names an account: the token does.
func CORSHeaders() []string {
	return []string{"Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"}
}

// CORSExposed are the headers of answers that such a page may read.
func CORSExposed() []string { return []string{"ETag", "Location", "Retry-After"} }

// AllowOrigin has browsers show an answer to a page of another origin, where that is one of the listed, and reports
// whether it is (Fetch, 3.2). It allows no credentials that a browser sends by itself.
func AllowOrigin(w http.ResponseWriter, r *http.Request, listed []string, headers ...string) bool {
	w.Header().Add("Vary", "Origin")
	from := r.Header.Get("Origin")
	if !slices.Contains(listed, from) {
		return false
	}
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", from)
	header.Set("Access-Control-Expose-Headers", strings.Join(CORSExposed(), ", "))
	if r.Method == http.MethodOptions {
		header.Set("Access-Control-Allow-Methods", strings.Join(CORSMethods(), ", "))
		header.Set("Access-Control-Allow-Headers", strings.Join(append(CORSHeaders(), headers...), ", "))
		header.Set("Access-Control-Max-Age", fmt.Sprint(int(CORSMaxAge.Seconds())))
	}
	return true
}
