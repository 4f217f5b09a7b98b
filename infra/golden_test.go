package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the templates in testdata again")

// asset is the hash of a file that is deployed: it says nothing about the template.
var asset = regexp.MustCompile(`[0-9a-f]{64}`)

// The templates as they are, so that a change of them is read before it is deployed.
func TestTemplatesAreTheGoldenOnes(t *testing.T) {
	for name, a := range map[string]assembly{"plain": plain(t), "full": full(t)} {
		stacks := []string{"data", "service"}
		if len(a.edge.Resources) > 0 {
			stacks = append(stacks, "edge")
		}
		for _, stack := range stacks {
			content, err := os.ReadFile(filepath.Join(a.out, stack+".template.json"))
			if err != nil {
				t.Fatal(err)
			}
			got := string(asset.ReplaceAll(content, []byte("ASSET")))
			var sound map[string]any
			if err := json.Unmarshal([]byte(got), &sound); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+"-"+stack+".json")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s is another now; look at it, then run: make generate\n%s", golden, diff)
			}
		}
	}
}
