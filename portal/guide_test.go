package portal_test

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
)

var update = flag.Bool("update", false, "write the guide that the page serves again")

const (
	guideSource = "../docs/guide/README.md"
	guidePage   = "site/guide/guide.html"
)

const guideFrame = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Administrator’s guide · Rollcall</title>
  <link rel="icon" href="../favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="../css/tokens.css">
  <link rel="stylesheet" href="../css/base.css">
  <link rel="stylesheet" href="../css/guide.css">
</head>
<body>
  <main class="guide">
<p><a href="../">Back to Rollcall</a></p>
CONTENT  </main>
</body>
</html>
`

// TestTheGuideIsServed holds that the page serves docs/guide as it is written: the Markdown is for the repository, the
// page's copy for who has only the page. It has no pictures, since its reader sees the page, and no links to other
// documents, which are not served.
func TestTheGuideIsServed(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(guideSource)
	if err != nil {
		t.Fatal(err)
	}
	source = regexp.MustCompile(`(?m)^!\[[^\]]*\]\([^)]*\)\n\n`).ReplaceAll(source, nil)
	source = regexp.MustCompile(`\[([^\]]*)\]\(\.\./[^)]*\)`).ReplaceAll(source, []byte("*$1* (in the folder docs)"))
	var content bytes.Buffer
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	if err := markdown.Convert(source, &content); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(guideFrame, "CONTENT", content.String(), 1)
	if *update {
		if err := os.WriteFile(guidePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(guidePage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("go test ./portal -run TestTheGuideIsServed -update writes it again:\n%s", diff)
	}
	// Help leads to the heading of each section of the navigation.
	index, err := fs.ReadFile(os.DirFS("site"), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`data-section="\w+">([^<]+)</a>`).FindAllSubmatch(index, -1) {
		id := strings.ReplaceAll(strings.ToLower(string(m[1])), " ", "-")
		if !strings.Contains(want, `id="`+id+`"`) {
			t.Errorf("the guide has no heading %q for Help to lead to", m[1])
		}
	}
}
