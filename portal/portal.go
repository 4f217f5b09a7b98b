// Package portal holds the LDAP Import page: static files that call the API of their own origin, and the headers that a
// server must send with them. It exists so that local and the deployed page have one set of files and one policy.
//
// The page is served as it stands, without a build step. What else is in this folder checks its JavaScript: make
// portal-check.
package portal

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

// Without "all:", files whose names begin with "." or "_" would be left out.
//
//go:embed all:site
var site embed.FS

// ConfigPath is where the page looks for its Config. No embedded file has this path: whoever serves the page writes it.
const ConfigPath = "/config.json"

// PlacePattern matches the paths that name a place of the page but lack the "#" before it, such as /previews/01H…:
// whoever serves the page leads from there to "/#" and the path. It is a regular expression of Go and of JavaScript.
const PlacePattern = `^/(overview|import|previews|syncs|history|users|audit)(/[0-9A-Za-z]{1,64})?/?$`

// Config says how people sign in. The zero value means that nobody has to.
type Config struct {
	// Issuer is the OpenID Connect issuer, whose discovery document names its endpoints (OpenID Connect Discovery 1.0).
	Issuer string `json:"issuer,omitempty"`
	// ClientID is a public client's that may use the code flow with PKCE (RFC 7636), with the page's origin and "/" as
	// its redirect and sign-out address.
	ClientID string `json:"clientId,omitempty"`
	// Scope is asked for: openid, and the scopes of the API.
	Scope string `json:"scope,omitempty"`
	// Demo says that DemoPath has demo directories to import from.
	Demo bool `json:"demo,omitempty"`
}

// DemoPath is where the page looks for the connections of demo directories: an object with a connection as the API
// takes it for each server type.
const DemoPath = "/demo.json"

// Files returns the page's files: index.html and what it loads.
func Files() fs.FS {
	files, err := fs.Sub(site, "site")
	if err != nil {
		panic("the embedded folder is gone: " + err.Error())
	}
	return files
}

// ContentSecurityPolicy is the page's policy (Content Security Policy Level 3). connect are the origins that it may
// call besides its own: those of the issuer and, where it is another, of the issuer's token endpoint.
//
// Trusted Types are required and no policy of theirs may be made, so that a browser which knows them refuses to turn
// any text into markup or script: what a directory holds can only be shown.
func ContentSecurityPolicy(connect ...string) string {
	return strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
		strings.Join(append([]string{"connect-src 'self'"}, connect...), " "),
		"form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'",
		"require-trusted-types-for 'script'", "trusted-types 'none'",
	}, "; ")
}

// Handler serves the page at "/" with a configuration. connect is ContentSecurityPolicy's.
func Handler(c Config, connect ...string) http.Handler {
	files, policy := Files(), ContentSecurityPolicy(connect...)
	// A Config has no type that json cannot marshal.
	config, _ := json.Marshal(c)
	tag := `"` + hash(files) + `"`
	place := regexp.MustCompile(PlacePattern)
	server, packed := http.FileServerFS(files), compressed(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		// The files have no versions in their names: a browser asks each time whether its copy is still current.
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
		// A folder has no page of its own, and is not listed.
		if strings.HasSuffix(r.URL.Path, "/") && r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		header.Set("ETag", tag)
		header.Set("Vary", "Accept-Encoding")
		if file, ok := packed[r.URL.Path]; ok && acceptsGzip(r) {
			file.serve(w, r)
			return
		}
		server.ServeHTTP(w, r)
	})
}

// packedFile is a file as it is sent to who takes gzip (RFC 9110, 8.4.1).
type packedFile struct {
	content   []byte
	mediaType string
}

// compressed packs the page's files once, by the paths that they are asked for with. CloudFront does the same for the
// deployed page.
func compressed(files fs.FS) map[string]packedFile {
	packed := make(map[string]packedFile)
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		// The level is one that there is, and a buffer takes all that is written to it.
		w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
		_, _ = w.Write(content)
		_ = w.Close()
		packed["/"+path] = packedFile{content: out.Bytes(), mediaType: mediaType(path)}
		return nil
	})
	if err != nil {
		panic("an embedded file cannot be read: " + err.Error())
	}
	packed["/"] = packed["/index.html"]
	delete(packed, "/index.html") // leads to "/"
	return packed
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

func (f packedFile) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Encoding", "gzip")
	header.Set("Content-Type", f.mediaType)
	// ServeContent answers If-None-Match by the ETag that is set.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}

// hash is one value for all files: they are deployed together.
func hash(files fs.FS) string {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		sum.Write([]byte(path))
		sum.Write(content)
		return err
	})
	if err != nil {
		panic("an embedded file cannot be read: " + err.Error())
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
