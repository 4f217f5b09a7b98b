package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
	testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)
)

func TestEveryLinkLeadsToAFile(t *testing.T) {
	for _, pattern := range []string{"../*.md", "*.md", "*/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil || len(pages) == 0 {
			t.Fatalf("%s matches no page: %v", pattern, err)
		}
		for _, page := range pages {
			for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
				to, _, _ := strings.Cut(match[1]+match[2], "#")
				if to == "" || strings.Contains(to, "://") {
					continue
				}
				if _, err := os.Stat(filepath.Join(filepath.Dir(page), to)); err != nil {
					t.Errorf("%s leads to %s, which is not there", page, to)
				}
			}
		}
	}
}

func TestEveryPromiseIsHeldByATestThatExists(t *testing.T) {
	var code strings.Builder
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		switch {
		case err == nil && entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".cache"):
			return filepath.SkipDir
		case err == nil && strings.HasSuffix(path, "_test.go"):
			code.WriteString(read(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range testName.FindAllString(read(t, "safety.md"), -1) {
		if !strings.Contains(code.String(), "func "+name+"(") {
			t.Errorf("safety.md names %s, which no package has", name)
		}
	}
}

// codes finds the codes that the API gives to what goes wrong. One that begins with "_" follows the kind of a run.
var codes = regexp.MustCompile(`(?:\b[cC]ode\w*\s+=|\bCode:|GuardReason\s+=|(?:problem|notFound)\([\w.]+,|` +
	`linkProblem\(w, [\w.]+,|http\.Status\w+:|\+)\s*"(_?[a-z]+(?:_[a-z]+)*)"|"(too_many_\w+)"`)

// TestTheGuideSaysWhatEachMessageMeans holds that the administrator's guide has a line for whatever may go wrong.
func TestTheGuideSaysWhatEachMessageMeans(t *testing.T) {
	_, guide, found := strings.Cut(read(t, "guide/README.md"), "## What a message means")
	if !found {
		t.Fatal("the guide does not say what a message means")
	}
	seen := make(map[string]bool)
	for _, pattern := range []string{
		"directory/*.go", "importer/*.go", "connector/*.go", "run/*.go", "api/*.go", "adapters/embedded/links.go",
	} {
		sources, err := filepath.Glob("../shared/" + pattern)
		if err != nil || len(sources) == 0 {
			t.Fatalf("%s matches no source: %v", pattern, err)
		}
		for _, source := range sources {
			if strings.HasSuffix(source, "_test.go") {
				continue
			}
			for _, match := range codes.FindAllStringSubmatch(read(t, source), -1) {
				seen[match[1]+match[2]] = true
			}
		}
	}
	if len(seen) < 60 {
		t.Fatalf("%d codes were found in the code, want all", len(seen))
	}
	for code := range seen {
		if strings.HasPrefix(code, "_") {
			code = "preview" + code
		}
		if !strings.Contains(guide, "`"+code+"`") {
			t.Errorf("the guide says nothing about %s", code)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
