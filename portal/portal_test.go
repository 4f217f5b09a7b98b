package portal_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	pathpkg "path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"rollcall/portal"
)

func get(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
	return recorder
}

func TestThePolicyAllowsNothingButThePagesOwn(t *testing.T) {
	t.Parallel()
	policy := portal.ContentSecurityPolicy(nil, "https://issuer.example.com")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self' https://issuer.example.com",
		"img-src 'self' data:", "form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'",
		"require-trusted-types-for 'script'", "trusted-types 'none'",
	} {
		if !strings.Contains("; "+policy+";", "; "+want+";") {
			t.Errorf("%q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("%q allows too much", policy)
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	const issuer = "https://issuer.example.com"
	h := portal.Handler(portal.Config{Issuer: issuer, ClientID: "page", Scope: "openid"}, issuer)
	for path, want := range map[string]struct {
		status   int
		mimeType string
	}{
		"/":             {200, "text/html"},
		"/js/main.js":   {200, "text/javascript"},
		"/css/base.css": {200, "text/css"},
		"/favicon.svg":  {200, "image/svg+xml"},
		"/config.json":  {200, "application/json"},
		"/js/":          {404, "text/plain"},
		"/nothing":      {404, "text/plain"},
		"/portal.go":    {404, "text/plain"},
		"/package.json": {404, "text/plain"},

		"/node_modules/typescript/package.json": {404, "text/plain"},
	} {
		answer := get(t, h, http.MethodGet, path)
		if answer.Code != want.status || !strings.HasPrefix(answer.Header().Get("Content-Type"), want.mimeType) {
			t.Errorf("GET %s: %d %s, want %d %s", path, answer.Code, answer.Header().Get("Content-Type"), want.status,
				want.mimeType)
		}
		if got := answer.Header().Get("Content-Security-Policy"); got != portal.ContentSecurityPolicy(nil, issuer) {
			t.Errorf("GET %s has the policy %q", path, got)
		}
	}
	if answer := get(t, h, http.MethodPost, "/"); answer.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST / answers %d", answer.Code)
	}
	var config map[string]string
	if err := json.Unmarshal(get(t, h, http.MethodGet, portal.ConfigPath).Body.Bytes(), &config); err != nil {
		t.Fatal(err)
	}
	if config["clientId"] != "page" || config["issuer"] != issuer || config["scope"] != "openid" {
		t.Errorf("the configuration is %v", config)
	}
	if got := get(t, portal.Handler(portal.Config{}), http.MethodGet, portal.ConfigPath).Body.String(); got != "{}" {
		t.Errorf("without an issuer the configuration is %s, want {}", got)
	}
}

// The page's own list of places is in router.js.
func TestAPathWithoutTheHashLeadsToItsPlace(t *testing.T) {
	t.Parallel()
	h := portal.Handler(portal.Config{})
	for path, want := range map[string]string{
		"/previews/01HXYZ": "/#/previews/01HXYZ", "/syncs/01HXYZ": "/#/syncs/01HXYZ", "/overview": "/#/overview",
		"/import": "/#/import", "/users": "/#/users", "/history": "/#/history", "/audit/": "/#/audit/",
		"/notifications": "/#/notifications", "/connectors": "/#/connectors",
		"/js": "", "/nowhere": "", "/previews/../js": "", "/previews//evil.example.com": "", "/usersandmore": "",
	} {
		if got := get(t, h, http.MethodGet, path).Header().Get("Location"); want != "" && got != want {
			t.Errorf("GET %s leads to %q, want %q", path, got, want)
		} else if want == "" && strings.Contains(got, "#") {
			t.Errorf("GET %s leads to the place %q", path, got)
		}
	}
	router, err := os.ReadFile("site/js/router.js")
	if err != nil {
		t.Fatal(err)
	}
	_, places, _ := strings.Cut(string(router), "const SECTIONS = {")
	places, _, _ = strings.Cut(places, "}")
	for _, m := range regexp.MustCompile(`(\w+):`).FindAllStringSubmatch(places, -1) {
		if !regexp.MustCompile(portal.PlacePattern).MatchString("/" + m[1]) {
			t.Errorf("%q is a place of the page, and no path leads to it", m[1])
		}
	}
}

// What is deployed over the configuration, or is asked for and not there, or would be refused by the policy, only shows
// once it is deployed.
func TestFilesFitThePolicyAndEachOther(t *testing.T) {
	t.Parallel()
	files := os.DirFS("site")
	imports := regexp.MustCompile(`'(\.[^']+\.js)'`)
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script>|javascript:`)
	sinks := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`)
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if "/"+path == portal.ConfigPath {
			t.Errorf("%s is among the files: a deployment would put it over its own", path)
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(path, "vendor/"):
		case strings.HasSuffix(path, ".js"):
			if found := sinks.Find(content); found != nil {
				t.Errorf("%s has %s: text must stay text", path, found)
			}
			for _, m := range imports.FindAllStringSubmatch(string(content), -1) {
				target := strings.TrimPrefix(strings.Replace("js/"+m[1], "js/../", "", 1), "./")
				target = strings.Replace(target, "/./", "/", 1)
				if _, err := fs.Stat(files, target); err != nil {
					t.Errorf("%s imports %s: %v", path, m[1], err)
				}
			}
		case strings.HasSuffix(path, ".html"):
			if found := inline.Find(content); found != nil {
				t.Errorf("%s has %s, which the policy refuses", path, found)
			}
			for _, m := range regexp.MustCompile(`(?:src|href)="([^"#]+)"`).FindAllStringSubmatch(string(content), -1) {
				target := pathpkg.Join(pathpkg.Dir(path), m[1])
				if _, err := fs.Stat(files, target); err != nil && m[1] != portal.ConfigPath {
					t.Errorf("%s refers to %s: %v", path, m[1], err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// No linter of Go's looks at these files.
func TestFilesAndLinesHaveTheLengthOfTheHouse(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"*.ts", "test/*.js", "site/*.html", "site/js/*.js", "site/css/*.css"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s finds no file (error %v)", pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		// The types of the API are not written by hand, and not stored.
		if file == "api.d.ts" {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
		if len(lines) > 350 {
			t.Errorf("%s has %d lines, want at most 350", file, len(lines))
		}
		for i, line := range lines {
			if n := utf8.RuneCountInString(line); n > 120 {
				t.Errorf("%s:%d has %d columns, want at most 120", file, i+1, n)
			}
		}
	}
}
