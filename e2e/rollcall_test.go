// Package e2e drives the whole system the way its callers do: the built program, HTTP in, real directory servers, CSV
// and Users List out.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test, built once by TestMain. shared is one run of it, without the demo directories, for
// the tests that can do with an account of their own. With -on, shared is Rollcall on another platform.
var (
	binary string
	shared *program
)

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Println("the end-to-end tests start servers, which -short leaves out")
		os.Exit(0)
	}
	os.Exit(testAll(m))
}

func testAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rollcall-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary, connectorProgram = filepath.Join(dir, "rollcall"), filepath.Join(dir, "connector")
	for pkg, to := range map[string]string{"rollcall/local": binary, "rollcall/connector": connectorProgram} {
		if err := build(pkg, to, "CGO_ENABLED=0"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	// Read before a lab starts, which changes the working directory.
	listed, err := os.ReadFile(callsFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var stop func()
	shared, stop, err = startPlatform(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer stop()
	defer closeChromium()
	defer stopDomain()
	code := m.Run()
	if host != nil {
		if err := checkCalls(listed); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if code != 0 {
		fmt.Fprintf(os.Stderr, "the shared program's log:\n%.20000s", shared.log)
	}
	return code
}

// build builds a program of the project, with variables added to the environment.
func build(pkg, to string, variables ...string) error {
	cmd := exec.Command("go", "build", "-o", to, pkg)
	cmd.Env = append(os.Environ(), variables...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the program under test, %s: %w", pkg, err)
	}
	return nil
}

// accounts counts the accounts that were given out.
var accounts atomic.Int64

// account returns the shared program with an account that no other test uses, nor the same test when -count repeats it.
func account(t *testing.T) *program {
	t.Helper()
	own := *shared
	own.t, own.account = t, fmt.Sprintf("%s %d", t.Name(), accounts.Add(1))
	return &own
}

// program is one running Rollcall.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string
	data string
	log  *logBuffer
	// account is sent with each request; empty leaves it to the program.
	account string
}

// startProgram starts Rollcall for one test and stops it at the test's end.
func startProgram(t *testing.T, data string, args ...string) *program {
	t.Helper()
	onLocalOnly(t)
	return startBinary(t, binary, data, nil, args...)
}

// startBinary starts a build of Rollcall for one test and stops it at the test's end.
func startBinary(t *testing.T, binary, data string, variables []string, args ...string) *program {
	t.Helper()
	p, err := launch(binary, data, variables, args...)
	if err != nil {
		t.Fatal(err)
	}
	p.t = t
	t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the program's log:\n%.20000s", p.log)
		}
	})
	return p
}

// launch starts a build of Rollcall on a free port and waits until it says that it is ready. variables are added to its
// environment.
func launch(binary, data string, variables []string, args ...string) (*program, error) {
	p := &program{data: data, log: new(logBuffer)}
	p.cmd = exec.Command(binary, append([]string{"-addr", "127.0.0.1:0", "-data", data}, args...)...)
	p.cmd.Env = append(os.Environ(), variables...)
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if base, ok := strings.CutPrefix(lines.Text(), "ready: "); ok {
				ready <- base
			}
		}
		close(ready)
	}()
	select {
	case base, ok := <-ready:
		if ok {
			p.base = base
			return p, nil
		}
		p.cmd.Wait()
		return nil, fmt.Errorf("the program ended before it was ready:\n%s", p.log)
	case <-time.After(30 * time.Second):
		p.stop(syscall.SIGKILL)
		return nil, fmt.Errorf("the program was not ready within 30 s:\n%s", p.log)
	}
}

// stop ends the program and waits for it. Stopping twice is fine.
func (p *program) stop(signal syscall.Signal) {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Signal(signal)
		p.cmd.Wait()
	}
}

// logBuffer is what programs print, which may be read while they run.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// object is a JSON object.
type object map[string]any

// at returns the value at a dotted path.
func (o object) at(path string) any {
	var value any = map[string]any(o)
	for _, name := range strings.Split(path, ".") {
		m, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = m[name]
	}
	return value
}

func (o object) text(path string) string {
	s, _ := o.at(path).(string)
	return s
}

func (o object) number(path string) int {
	n, _ := o.at(path).(float64)
	return int(n)
}

func (o object) items() []object { return o.objects("items") }

func (o object) objects(path string) []object {
	list, _ := o.at(path).([]any)
	out := make([]object, len(list))
	for i := range list {
		out[i], _ = list[i].(map[string]any)
	}
	return out
}

// call sends a request and returns status and body.
func (p *program) call(method, path string, body any) (int, object) {
	p.t.Helper()
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		payload = bytes.NewReader(data)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 60*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, payload)
	if err != nil {
		p.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.account != "" {
		req.Header.Set("X-Rollcall-Account", p.account)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	var answer object
	if len(data) > 0 {
		if err := json.Unmarshal(data, &answer); err != nil {
			p.t.Fatalf("%s %s: %d, and no JSON: %.200s", method, path, resp.StatusCode, data)
		}
	}
	return resp.StatusCode, answer
}

// must calls and fails unless the status is the wanted one.
func (p *program) must(want int, method, path string, body any) object {
	p.t.Helper()
	status, answer := p.call(method, path, body)
	if status != want {
		p.t.Fatalf("%s %s: status %d, want %d: %v", method, path, status, want, answer)
	}
	return answer
}

// wait polls a run until it has ended.
func (p *program) wait(path string) object {
	p.t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for {
		answer := p.must(200, "GET", path, nil)
		switch answer.text("state") {
		case "queued", "running":
		default:
			return answer
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s did not end: %v", path, answer)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// preview runs a preview to its end.
func (p *program) preview(request object) object {
	p.t.Helper()
	started := p.must(202, "POST", "/v1/previews", request)
	return p.wait("/v1/previews/" + started.text("id"))
}

// sync runs a sync to its end.
func (p *program) sync(request object) object {
	p.t.Helper()
	started := p.must(202, "POST", "/v1/syncs", request)
	return p.wait("/v1/syncs/" + started.text("id"))
}

// list reads every page of a list.
func (p *program) list(path string, query url.Values) []object {
	p.t.Helper()
	if query == nil {
		query = url.Values{}
	}
	if query.Get("limit") == "" {
		query.Set("limit", "1000")
	}
	var all []object
	for {
		page := p.must(200, "GET", path+"?"+query.Encode(), nil)
		all = append(all, page.items()...)
		next := page.text("next")
		if next == "" {
			return all
		}
		query.Set("cursor", next)
	}
}

// csv exports and reads the file behind the link.
func (p *program) csv(path string) [][]string {
	p.t.Helper()
	return p.csvOf(path, nil)
}

// csvOf is csv for the rows that a filter chooses.
func (p *program) csvOf(path string, filter object) [][]string {
	p.t.Helper()
	var body any
	if filter != nil {
		body = filter
	}
	export := p.must(201, "POST", path, body)
	data := p.download(export.text("url"), http.StatusOK)
	if export.number("bytes") != len(data) {
		p.t.Errorf("the export says %d bytes, the file has %d", export.number("bytes"), len(data))
	}
	text, ok := strings.CutPrefix(string(data), "\ufeff")
	if !ok {
		p.t.Error("the CSV has no byte order mark")
	}
	if lines, crlf := strings.Count(text, "\n"), strings.Count(text, "\r\n"); lines != crlf {
		p.t.Errorf("%d of %d lines end in CRLF", crlf, lines)
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		p.t.Fatalf("read the CSV: %v", err)
	}
	want := "Address,Address Type,Primary Address,Object Type,Change,Reason,Distinguished Name"
	if strings.HasPrefix(path, "/v1/syncs/") {
		want += ",Outcome"
	}
	if strings.Join(records[0], ",") != want {
		p.t.Errorf("header %q, want %q", records[0], want)
	}
	if len(records)-1 != export.number("rows") {
		p.t.Errorf("the export says %d rows, the file has %d", export.number("rows"), len(records)-1)
	}
	return records[1:]
}

func (p *program) download(link string, want int) []byte {
	p.t.Helper()
	resp, err := http.Get(link)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if resp.StatusCode != want {
		p.t.Errorf("GET %s: status %d, want %d", link, resp.StatusCode, want)
	}
	return data
}
