package portal_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	pathpkg "path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

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
	policy := portal.ContentSecurityPolicy("https://issuer.example.com")
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
		if got := answer.Header().Get("Content-Security-Policy"); got != portal.ContentSecurityPolicy(issuer) {
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

// built returns the page's files, and the path of the folder of those that are built.
func built(t *testing.T) (files map[string][]byte, folder string) {
	t.Helper()
	files, err := portal.Files()
	if err != nil {
		t.Fatal(err)
	}
	for name := range files {
		if strings.HasPrefix(name, portal.BuiltFolder) {
			return files, pathpkg.Dir(name) + "/"
		}
	}
	t.Fatal("nothing is built")
	return nil, ""
}

// announced are the files that index.html names, which a browser asks for at once.
func announced(t *testing.T, files map[string][]byte) (names []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?:src|href)="(built/[^"]+|js/[^"]+|css/[^"]+)"`).
		FindAllSubmatch(files["index.html"], -1) {
		if _, ok := files[string(m[1])]; !ok {
			t.Errorf("index.html names %s, which is not there", m[1])
		}
		names = append(names, string(m[1]))
	}
	return names
}

// A file that is not announced is only asked for once the one before has come; one that the first view does without
// would only hold it up.
func TestWhatThePageStartsWithIsAnnounced(t *testing.T) {
	t.Parallel()
	files, folder := built(t)
	imports := regexp.MustCompile(`(?:\bimport|\bfrom)\s*"\./([^"]+)"`)
	needed := map[string]bool{folder + "page.css": true, folder + "start.js": true, folder + "main.js": true}
	for open := []string{"start.js", "main.js"}; len(open) > 0; open = open[1:] {
		for _, m := range imports.FindAllSubmatch(files[folder+open[0]], -1) {
			if !needed[folder+string(m[1])] {
				needed[folder+string(m[1])] = true
				open = append(open, string(m[1]))
			}
		}
	}
	got := announced(t, files)
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(needed)), got); diff != "" {
		t.Errorf("index.html announces other files than the page starts with (-needed +announced):\n%s", diff)
	}
	if strings.Contains(string(files["index.html"]), "later.js") {
		t.Error("index.html announces what the first view does without")
	}
}

// Each module that is loaded by itself would split the others into more files.
func TestModulesAreLoadedLaterTogether(t *testing.T) {
	t.Parallel()
	later := regexp.MustCompile(`\bimport\('([^']+)'\)`)
	sources, err := filepath.Glob("site/js/*.js")
	if err != nil || len(sources) == 0 {
		t.Fatalf("there are no sources (%v)", err)
	}
	for _, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			for _, m := range later.FindAllStringSubmatch(line, -1) {
				ofTypes := strings.Contains(line, "typeof import") || strings.Contains(line, "@")
				if !ofTypes && m[1] != "./later.js" && m[1] != "./sign-in.js" {
					t.Errorf("%s loads %s by itself: have later.js export it", source, m[1])
				}
			}
		}
	}
}

// A deployment publishes the files once, and a browser keeps those that are built by their addresses.
func TestTheSameSourcesGiveTheSameFiles(t *testing.T) {
	t.Parallel()
	one, _ := built(t)
	other, folder := built(t)
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("built twice, the files differ:\n%s", diff)
	}
	source := os.DirFS("site")
	err := fs.WalkDir(source, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == "index.html" {
			return err
		}
		content, err := fs.ReadFile(source, path)
		if !bytes.Equal(content, one[path]) {
			t.Errorf("%s is not served as it stands", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h := portal.Handler(portal.Config{})
	for path, want := range map[string]string{
		"/": portal.ForNow, "/js/main.js": portal.ForNow, portal.ConfigPath: portal.ForNow,
		"/" + folder + "main.js": portal.ForGood, "/built/0000/main.js": portal.ForNow,
	} {
		if got := get(t, h, http.MethodGet, path).Header().Get("Cache-Control"); got != want {
			t.Errorf("%s has Cache-Control %q, want %q", path, got, want)
		}
	}
}

// mostAtStart is what the page may load before its first view, in bytes as they are sent: what comes in 2.2 seconds at
// 15 kB/s.
const mostAtStart = 32 << 10

func TestFilesAreSentCompressed(t *testing.T) {
	t.Parallel()
	files, _ := built(t)
	h, total := portal.Handler(portal.Config{}), 0
	packed := func(path, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", accept)
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		return recorder
	}
	start := append(announced(t, files), "")
	for _, path := range start {
		plain, answer := get(t, h, http.MethodGet, "/"+path), packed("/"+path, "br, gzip")
		total += answer.Body.Len()
		for _, name := range []string{"Content-Type", "ETag", "Vary", "Cache-Control", "Content-Security-Policy"} {
			if got, want := answer.Header().Get(name), plain.Header().Get(name); got != want || got == "" {
				t.Errorf("/%s compressed has %s %q, want %q", path, name, got, want)
			}
		}
		unpacked, err := gzip.NewReader(answer.Body)
		if err != nil {
			t.Fatalf("/%s: %v", path, err)
		}
		content, err := io.ReadAll(unpacked)
		if err != nil || !bytes.Equal(content, plain.Body.Bytes()) {
			t.Errorf("/%s compressed is another file (%v)", path, err)
		}
	}
	t.Logf("the page starts with %d files, %d bytes compressed", len(start), total)
	if total > mostAtStart {
		t.Errorf("the page loads %d bytes before its first view, more than %d", total, mostAtStart)
	}
	for accept, want := range map[string]string{
		"": "", "br": "", "gzip;q=0": "", "gzip; q=0.0": "", "GZIP;q=0.5": "gzip",
	} {
		if got := packed("/js/main.js", accept).Header().Get("Content-Encoding"); got != want {
			t.Errorf("with Accept-Encoding %q the encoding is %q, want %q", accept, got, want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/js/main.js", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("If-None-Match", packed("/js/main.js", "gzip").Header().Get("ETag"))
	again := httptest.NewRecorder()
	h.ServeHTTP(again, r)
	if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("a file that the browser has answers %d with %d bytes", again.Code, again.Body.Len())
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
