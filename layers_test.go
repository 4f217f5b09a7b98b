// Package rollcall_test holds the packages of shared to their layers; depguard, in .golangci.yml, holds the rest.
package rollcall_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// list returns the lines that go list prints.
func list(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out))
}

// What decides what an import does can reach nothing, nor learn anything that is not handed to it.
func TestThePlannerLinksNoNetwork(t *testing.T) {
	t.Parallel()
	deps := list(t, "-deps", "./shared/plan")
	if len(deps) < 10 {
		t.Fatalf("go list names only %q", deps)
	}
	for _, dep := range deps {
		switch {
		case dep == "net", dep == "net/http", dep == "crypto/tls", strings.Contains(dep, "go-ldap"):
			t.Errorf("package plan links %s", dep)
		}
	}
}

func TestSharedImportsNothingOutsideIt(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "-deps", "./shared/...") {
		if strings.HasPrefix(p, "rollcall/") && !strings.HasPrefix(p, "rollcall/shared") {
			t.Errorf("a package of shared links %s", p)
		}
	}
}

// A reader sees at one glance what there is.
func TestSharedHasFewEntries(t *testing.T) {
	t.Parallel()
	const most = 16
	entries, err := os.ReadDir("shared")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > most {
		t.Errorf("shared/ has %d entries, want at most %d: %v", len(entries), most, entries)
	}
}
