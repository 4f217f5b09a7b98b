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

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
