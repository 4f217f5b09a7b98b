// Package portal holds the LDAP Import page: static files that call the API of their own origin, and the headers that a
// server must send with them. It exists so that local and the deployed page have one set of files and one policy.
//
// The files are written as browsers take them. Those that the page starts with are put together when they are served or
// published (Files). What else is in this folder checks its JavaScript: make portal-check.
package portal

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"
)

// The page's Cache-Control (RFC 9111): browsers ask each time whether their copy of a file is still current, but for
// those of BuiltFolder, whose addresses change with them.
const (
	ForNow  = "no-cache"
	ForGood = "public, max-age=31536000, immutable"
)

// ConfigPath is where the page looks for its Config. No embedded file has this path: whoever serves the page writes it.
const ConfigPath = "/config.json"

// PlacePattern matches the paths that name a place of the page but lack the "#" before it, such as /previews/01H…:
// whoever serves the page leads from there to "/#" and the path. It is a regular expression of Go and of JavaScript.
const PlacePattern = `^/(overview|import|previews|syncs|history|users|notifications|connectors|audit)` +
	`(/[0-9A-Za-z]{1,64})?/?$`

// Config says how people sign in. The zero value means that nobody has to.
type Config struct {
	// Issuer is the OpenID Connect issuer, whose discovery document names its endpoints (OpenID Connect Discovery 1.0).
	Issuer string `json:"issuer,omitempty"`
	// ClientID is a public client's that may use the code flow with PKCE (RFC 7636), with the page's origin and "/" as
	// its redirect and sign-out address.
	ClientID string `json:"clientId,omitempty"`
	// Scope is asked for: openid, and the scopes of the API.
	Scope string `json:"scope,omitempty"`
	// Portals are the origins of pages that may show this one in a frame, and may hand it a token and colours there.
	// None may where there are none. See docs/adr/0051-embedding.md.
	Portals []string `json:"portals,omitempty"`
	// Demo says that DemoPath has demo directories to import from.
	Demo bool `json:"demo,omitempty"`
}

// DemoPath is where the page looks for the connections of demo directories: an object with a connection as the API
// takes it for each server type.
const DemoPath = "/demo.json"

// ContentSecurityPolicy is the page's policy (Content Security Policy Level 3). portals are those of its Config.
// connect are the origins that it may call besides its own: those of the issuer and, where it is another, of the
// issuer's token endpoint.
//
// Trusted Types are required and no policy of theirs may be made, so that a browser which knows them refuses to turn
// any text into markup or script: what a directory holds can only be shown.
func ContentSecurityPolicy(portals []string, connect ...string) string {
	ancestors := "'none'"
	if len(portals) > 0 {
		ancestors = strings.Join(portals, " ")
	}
	return strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
		strings.Join(append([]string{"connect-src 'self'"}, connect...), " "),
		"form-action 'none'", "frame-ancestors " + ancestors, "base-uri 'none'",
		"require-trusted-types-for 'script'", "trusted-types 'none'",
	}, "; ")
}

// Handler serves the page at "/" with a configuration. connect is ContentSecurityPolicy's. It makes the files at the
// first request for one.
func Handler(c Config, connect ...string) http.Handler {
	policy := ContentSecurityPolicy(c.Portals, connect...)
	// A Config has no type that json cannot marshal.
	config, _ := json.Marshal(c)
	place := regexp.MustCompile(PlacePattern)
	files := sync.OnceValue(packed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		if len(c.Portals) == 0 {
			// It can name no origin.
			header.Set("X-Frame-Options", "DENY")
		}
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cache-Control", "no-cache")
		if r.URL.Path == ConfigPath {
			header.Set("Content-Type", "application/json")
			// A broken connection is all that can fail here.
			_, _ = w.Write(config)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "The page takes GET and HEAD.", http.StatusMethodNotAllowed)
			return
		}
		if place.MatchString(r.URL.Path) {
			header.Set("Location", "/#"+r.URL.Path)
			w.WriteHeader(http.StatusFound)
			return
		}
		file, ok := files()[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		file.serve(w, r)
	})
}

// file is a file as it is sent, and as it is sent to who takes gzip (RFC 9110, 8.4.1).
type file struct {
	plain, packed            []byte
	mediaType, tag, cacheFor string
}

// packed are the page's files, by the paths that they are asked for with. CloudFront compresses those of the deployed
// page.
func packed() map[string]file {
	contents, err := Files()
	if err != nil {
		panic("the embedded page is broken: " + err.Error())
	}
	all, tag := make(map[string]file), `"`+hash(contents)+`"`
	for name, content := range contents {
		var out bytes.Buffer
		// The level is one that there is, and a buffer takes all that is written to it.
		w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
		_, _ = w.Write(content)
		_ = w.Close()
		one := file{plain: content, packed: out.Bytes(), mediaType: mediaType(name), tag: tag, cacheFor: ForNow}
		if strings.HasPrefix(name, BuiltFolder) {
			one.cacheFor = ForGood
		}
		all["/"+name] = one
	}
	all["/"] = all["/index.html"]
	delete(all, "/index.html")
	return all
}

// mediaType is a file's media type. It does not ask the machine, whose own list of types may differ.
func mediaType(file string) string {
	switch path.Ext(file) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".map":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	}
	return "text/plain; charset=utf-8"
}

// acceptsGzip reports whether a request takes gzip: a weight of 0 refuses it (RFC 9110, 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for _, coding := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return !zeroWeight.MatchString(weight)
		}
	}
	return false
}

var zeroWeight = regexp.MustCompile(`^\s*q=0(\.0*)?\s*$`)

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	header, content := w.Header(), f.plain
	header.Set("Content-Type", f.mediaType)
	header.Set("Cache-Control", f.cacheFor)
	header.Set("ETag", f.tag)
	header.Set("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		header.Set("Content-Encoding", "gzip")
		content = f.packed
	}
	// ServeContent answers If-None-Match by the ETag that is set.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}
