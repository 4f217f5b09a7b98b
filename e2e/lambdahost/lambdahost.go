// Package lambdahost runs Lambda functions' unmodified binaries on this machine: it serves the Lambda Runtime API to
// them, and stands in for what calls them, which are an API Gateway HTTP API, an SQS event source mapping and an
// EventBridge rule. It exists so that the tests run what is deployed, and not something like it.
package lambdahost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"sync"
	"time"

	"rollcall/shared/manifest"
)

// The errors of an invocation, as Lambda reports them.
var (
	// ErrTimedOut means that the function did not answer before its deadline; its process was killed.
	ErrTimedOut = errors.New("the task timed out")
	// ErrExited means that the process ended before it answered.
	ErrExited = errors.New("the runtime exited")
	// ErrFunction wraps the JSON that a function reported in place of an answer.
	ErrFunction = errors.New("the function failed")
	// ErrUnknown means that the host has no such function.
	ErrUnknown = errors.New("no such function")
)

// maxInstances bounds how many processes one function has at a time, as reserved concurrency does.
const maxInstances = 8

// Config says what to run.
type Config struct {
	// Functions are the functions to run, Bootstrap returns the path of a binary.
	Functions []manifest.Function
	Bootstrap func(binary string) string
	// Environment holds the variables of all functions; each gets those that it Needs and Takes. Shared are given to
	// all.
	Environment map[manifest.Variable]string
	Shared      map[string]string
	// Timeout is a function's, 29 seconds for the APIs and 15 minutes for the others where it is nil.
	Timeout func(f manifest.Function) time.Duration
	// Log gets what the functions print. It must take concurrent writes.
	Log io.Writer
}

// Host runs functions.
type Host struct {
	config    Config
	functions map[string]*function
}

// New returns a host. Its functions' processes start with their first invocations.
func New(c Config) *Host {
	if c.Timeout == nil {
		c.Timeout = timeout
	}
	h := &Host{config: c, functions: make(map[string]*function)}
	for _, f := range c.Functions {
		h.functions[f.Name] = &function{Function: f, host: h, slots: make(chan struct{}, maxInstances)}
	}
	return h
}

func timeout(f manifest.Function) time.Duration {
	if f.Handler == manifest.HandlerAPI {
		return 29 * time.Second
	}
	return 15 * time.Minute
}

// Invoke sends an event to a function and returns its answer.
func (h *Host) Invoke(ctx context.Context, name string, event []byte) ([]byte, error) {
	f, ok := h.functions[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrUnknown, name)
	}
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-f.slots }()
	begun := time.Now()
	defer func() { f.count(time.Since(begun)) }()
	i, err := f.take()
	if err != nil {
		return nil, err
	}
	answer, err := i.invoke(ctx, event, h.config.Timeout(f.Function))
	if i.dead() {
		f.forget(i)
	} else {
		f.put(i)
	}
	return answer, err
}

// Kill ends the processes of a function that are at work, as a lost machine does, and returns how many there were.
func (h *Host) Kill(name string) int {
	f := h.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	killed := 0
	for i := range f.busy {
		i.kill()
		killed++
	}
	return killed
}

// Close ends all processes.
func (h *Host) Close() {
	for _, f := range h.functions {
		f.mu.Lock()
		for i := range f.busy {
			i.kill()
		}
		for _, i := range f.idle {
			i.kill()
		}
		f.idle = nil
		f.mu.Unlock()
	}
}

// function is one function with its processes.
type function struct {
	manifest.Function
	host  *Host
	slots chan struct{}

	mu    sync.Mutex
	idle  []*instance
	busy  map[*instance]bool
	usage Usage
}

// Usage is what a function was used for.
type Usage struct {
	Invocations int
	// Time is from each event to its answer, starting a process included, all together.
	Time time.Duration
}

// Usage returns what each function was used for so far.
func (h *Host) Usage() map[string]Usage {
	all := make(map[string]Usage)
	for name, f := range h.functions {
		f.mu.Lock()
		all[name] = f.usage
		f.mu.Unlock()
	}
	return all
}

// take returns an idle process, or starts one.
func (f *function) take() (*instance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var i *instance
	for i == nil && len(f.idle) > 0 {
		last := len(f.idle) - 1
		if i, f.idle = f.idle[last], f.idle[:last]; i.dead() {
			i = nil
		}
	}
	if i == nil {
		started, err := start(f.host.config.Bootstrap(f.Binary), f.environment(), prefixed{f.Name, f.host.config.Log})
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", f.Name, err)
		}
		i = started
	}
	if f.busy == nil {
		f.busy = make(map[*instance]bool)
	}
	f.busy[i] = true
	return i, nil
}

func (f *function) count(took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.usage.Invocations++
	f.usage.Time += took
}

func (f *function) put(i *instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, i)
	f.idle = append(f.idle, i)
}

func (f *function) forget(i *instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, i)
}

// environment returns the variables of a function's process: those that Lambda sets, and its own.
func (f *function) environment() []string {
	all := map[string]string{
		"_HANDLER": f.Handler, "AWS_LAMBDA_FUNCTION_NAME": f.Name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
		"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"LAMBDA_TASK_ROOT":            "/var/task", "TZ": ":UTC", "LANG": "en_US.UTF-8", "PATH": os.Getenv("PATH"),
	}
	maps.Copy(all, f.host.config.Shared)
	for _, list := range [][]manifest.Variable{f.Needs, f.Takes} {
		for _, v := range list {
			if text, ok := f.host.config.Environment[v]; ok {
				all[string(v)] = text
			}
		}
	}
	var list []string
	for name, text := range all {
		list = append(list, name+"="+text)
	}
	return list
}

// prefixed writes whole lines with a function's name before each.
type prefixed struct {
	name string
	out  io.Writer
}

func (p prefixed) Write(b []byte) (int, error) {
	var lines bytes.Buffer
	for line := range bytes.Lines(b) {
		fmt.Fprintf(&lines, "%s: %s", p.name, line)
	}
	_, err := p.out.Write(lines.Bytes())
	return len(b), err
}
