package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// program is a running Rollcall, the built binary, and a client of its API.
type program struct {
	command *exec.Cmd
	base    string
	log     *bytes.Buffer
}

// errNotReady means that the program did not come up.
var errNotReady = errors.New("the program was not ready within 30 s")

// startProgram starts the binary on a folder of its own.
func startProgram(binary, data string, more ...string) (*program, error) {
	// No context ends it; stop does.
	args := append([]string{"-addr", "127.0.0.1:0", "-demo=false", "-data", data}, more...)
	p := &program{log: new(bytes.Buffer), command: exec.Command(binary, args...)} //nolint:gosec,noctx // built here
	p.command.Stderr = p.log
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if base, ok := strings.CutPrefix(lines.Text(), "ready: "); ok {
				ready <- base
			}
		}
	}()
	select {
	case p.base = <-ready:
		return p, nil
	case <-time.After(30 * time.Second):
		return nil, errors.Join(fmt.Errorf("%w:\n%s", errNotReady, p.log), p.stop())
	}
}

func (p *program) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.command.Wait()
}

// run is what the API says of a preview or a sync.
type run struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Progress struct {
		Applied int `json:"applied"`
		ToApply int `json:"toApply"`
	} `json:"progress"`
	Summary struct {
		Entries, Addresses, Create, Update, Unchanged int
	} `json:"summary"`
	Error *struct{ Message string } `json:"error"`
}

// call sends a request of an account and decodes its answer.
func (p *program) call(ctx context.Context, account, method, path string, body, answer any) error {
	data, err := p.fetch(ctx, account, method, path, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, answer)
}

// fetch sends a request of an account and returns its whole answer.
func (p *program) fetch(ctx context.Context, account, method, path string, body any) ([]byte, error) {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.base+path, payload)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Rollcall-Account", account)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s: %s: %s", method, path, response.Status, data)
	}
	return data, err
}

// mostPolling is the longest time between two requests for a run's state; that many cost the program little.
const mostPolling = 20 * time.Millisecond

// pollInterval is how long to wait before the next request for a run's state. It is short beside the time that the run
// has taken so far, so that it adds at most some 5 % to what is measured.
func pollInterval(soFar time.Duration) time.Duration {
	return min(time.Millisecond+soFar/20, mostPolling)
}

// finish starts a run and waits for its end; it is an error unless it ends as done.
func (p *program) finish(ctx context.Context, account, path string, body any) (run, error) {
	var r run
	began := time.Now()
	if err := p.call(ctx, account, http.MethodPost, path, body, &r); err != nil {
		return r, err
	}
	for r.State == "queued" || r.State == "running" {
		time.Sleep(pollInterval(time.Since(began)))
		if err := p.call(ctx, account, http.MethodGet, path+"/"+r.ID, nil, &r); err != nil {
			return r, err
		}
	}
	if r.State != "done" {
		return r, fmt.Errorf("%s %s ended as %s: %+v", path, r.ID, r.State, r.Error)
	}
	return r, nil
}

// timed measures what the program needs for one thing that is asked of it.
func (p *program) timed(do func() error) (sample, error) {
	pid := p.command.Process.Pid
	if err := resetPeak(pid); err != nil {
		return sample{}, err
	}
	before, err := cpuOf(pid)
	if err != nil {
		return sample{}, err
	}
	start := time.Now()
	if err := do(); err != nil {
		return sample{}, err
	}
	s := sample{wall: time.Since(start)}
	after, err := cpuOf(pid)
	if err != nil {
		return sample{}, err
	}
	s.cpu = after - before
	s.peak, err = peakOf(pid)
	return s, err
}
