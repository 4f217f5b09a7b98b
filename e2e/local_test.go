package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/e2e/servers/ldapserver"
)

// TestDemoDirectories does with the demo directories what the README does, for each server type.
func TestDemoDirectories(t *testing.T) {
	t.Parallel()
	p := startProgram(t, t.TempDir())
	for _, serverType := range []string{"exchange", "communigate", "groupwise"} {
		t.Run(serverType, func(t *testing.T) {
			own := *p
			own.t, own.account = t, serverType
			var body object
			data, err := os.ReadFile(filepath.Join(p.data, "demo", serverType+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &body); err != nil {
				t.Fatal(err)
			}
			preview := own.preview(body)
			wantDone(t, preview)
			wantDone(t, own.sync(object{"previewId": preview.text("id")}))
			users := own.list("/v1/users", nil)
			if len(users) < 300 || len(users) != preview.number("summary.addresses") {
				t.Errorf("%d users, want %d and more than 300", len(users), preview.number("summary.addresses"))
			}
			if lines := own.csv("/v1/users/export"); len(lines) != len(users) {
				t.Errorf("%d lines in the Users List's CSV, want %d", len(lines), len(users))
			}
		})
	}
	t.Run("the TypeScript client's example", p.clientExample)
}

// clientExample builds the TypeScript client, and runs its example as its README does.
func (p *program) clientExample(t *testing.T) {
	const folder = "../clients/typescript"
	if _, err := os.Stat(filepath.Join(folder, "node_modules", ".bin", "tsc")); err != nil {
		t.Fatal("the client's tools are not installed; run: make client")
	}
	build := exec.CommandContext(t.Context(), "npm", "run", "--silent", "build")
	run := exec.CommandContext(t.Context(), "node", "dist/examples/import.js", p.base,
		filepath.Join(p.data, "demo", "exchange.json"), "typescript")
	build.Dir, run.Dir = folder, folder
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the client cannot be built: %v\n%s", err, said)
	}
	said, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("the example ended: %v\n%s", err, said)
	}
	own := *p
	own.t, own.account = t, "typescript"
	users := len(own.list("/v1/users", nil))
	for _, want := range []string{
		fmt.Sprintf("found %d addresses: %d to add", users, users), "create group all@example.com",
		"starts no second sync: true", fmt.Sprintf("is done: it added %d users", users),
		"is refused: preview_used, used by true", fmt.Sprintf("has %d users of the directory", users),
	} {
		if users < 300 || !strings.Contains(string(said), want) {
			t.Errorf("with %d users the example does not say %q:\n%s", users, want, said)
		}
	}
}

// TestLinks changes and outlives download links.
func TestLinks(t *testing.T) {
	t.Parallel()
	p := account(t)
	p.must(201, "POST", "/v1/users", object{"address": "a@example.com"})
	export := p.must(201, "POST", "/v1/users/export", nil)
	link := export.text("url")
	p.download(link, http.StatusOK)
	expires, err := time.Parse(time.RFC3339, export.text("expiresAt"))
	if left := time.Until(expires); err != nil || left > time.Hour || left < 59*time.Minute {
		t.Errorf("the link works for %s (error %v), want an hour", left, err)
	}
	parsed, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range signedParameters() {
		changed, query := *parsed, parsed.Query()
		query.Set(name, query.Get(name)+"1")
		changed.RawQuery = query.Encode()
		p.download(changed.String(), http.StatusForbidden)
	}
	elsewhere := *parsed
	elsewhere.Path = strings.Replace(elsewhere.Path, "/csv/", "/plans/", 1)
	p.download(elsewhere.String(), http.StatusForbidden)
}

// TestOnlyItsOwnPagesMayCall refuses what a page of another site could send.
func TestOnlyItsOwnPagesMayCall(t *testing.T) {
	t.Parallel()
	onLocalOnly(t)
	for name, change := range map[string]func(*http.Request){
		"another Host":    func(r *http.Request) { r.Host = "rebound.example.com" },
		"another port":    func(r *http.Request) { r.Host = "127.0.0.1:1" },
		"another Origin":  func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") },
		"an opaque one":   func(r *http.Request) { r.Header.Set("Origin", "null") },
		"cross-site call": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, shared.base+"/v1/users", nil)
			if err != nil {
				t.Fatal(err)
			}
			change(r)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("status %d, want 403", resp.StatusCode)
			}
		})
	}
}

// largeDirectory is how many people the tests of size read.
const largeDirectory = 100_000

// previewMemory is the most that the process may take for a preview of largeDirectory entries, in KiB.
const previewMemory = 256 << 10

// TestLargeDirectory previews 100,000 entries within its memory, kills the program in the middle of their sync, and
// starts it again.
func TestLargeDirectory(t *testing.T) {
	onLocalOnly(t)
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(largeDirectory)})
	addresses := ldapserver.PeopleAddresses(largeDirectory)
	data := t.TempDir()
	// With its usual tick the sync may be all but done when it first says how far it is.
	p := startProgram(t, data, "-demo=false", "-tick", "10ms")
	preview := p.preview(request(s, nil))
	wantDone(t, preview)
	if preview.number("summary.create") != addresses {
		t.Errorf("summary %v, want %d to create", preview["summary"], addresses)
	}
	if peak := peakMemory(t, p.cmd.Process.Pid); peak > previewMemory {
		t.Errorf("the preview took %d KiB of memory, want at most %d", peak, previewMemory)
	} else {
		t.Logf("peak memory of the preview: %d KiB", peak)
	}
	checkLargePreview(t, p, preview.text("id"), addresses)
	started := p.must(202, "POST", "/v1/syncs", object{"previewId": preview.text("id")})
	path := "/v1/syncs/" + started.text("id")
	applied := 0
	for deadline := time.Now().Add(time.Minute); applied == 0; {
		run := p.must(200, "GET", path, nil)
		if applied = run.number("progress.applied"); run.text("state") == "done" || time.Now().After(deadline) {
			t.Fatalf("the sync could not be caught at work: %v", run)
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.stop(syscall.SIGKILL)

	p = startProgram(t, data, "-demo=false")
	checkLargeSync(t, p, path)
	run := p.wait(path)
	wantDone(t, run)
	if run.number("progress.applied") != addresses || run.number("summary.conflicts") != 0 {
		t.Errorf("killed after %d, the sync ends with %v and %v; want %d applied and no conflict", applied,
			run["progress"], run["summary"], addresses)
	}
	seen := make(map[string]bool)
	for _, u := range p.list("/v1/users", nil) {
		seen[u.text("address")] = true
	}
	for i := 1; i <= largeDirectory; i++ {
		if address := fmt.Sprintf("user%06d@example.com", i); !seen[address] {
			t.Fatalf("%s is not on the Users List of %d", address, len(seen))
		}
	}
	if len(seen) != addresses {
		t.Errorf("%d users, want %d", len(seen), addresses)
	}
	again := p.sync(object{"previewId": p.preview(request(s, nil)).text("id")})
	wantDone(t, again)
	if again.number("progress.toApply") != 0 {
		t.Errorf("a second sync has %d to apply, want none", again.number("progress.toApply"))
	}
	if peak := peakMemory(t, p.cmd.Process.Pid); peak > previewMemory {
		t.Errorf("the preview against %d stored users took %d KiB of memory, want at most %d", addresses, peak,
			previewMemory)
	} else {
		t.Logf("peak memory of the preview against %d stored users: %d KiB", addresses, peak)
	}
}

// peakMemory returns the most resident memory that a process has had, in KiB (proc(5), VmHWM).
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if !found || len(fields) == 0 {
		t.Fatal("no VmHWM in the process's status")
	}
	peak, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	return peak
}
