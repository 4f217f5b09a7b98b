package portal_test

import (
	"bytes"
	"compress/gzip"
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

	"github.com/google/go-cmp/cmp"

	"rollcall/portal"
)

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
	alone := []string{"./later.js", "./sign-in.js", "./frame.js"}
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
				if !ofTypes && !slices.Contains(alone, m[1]) {
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
