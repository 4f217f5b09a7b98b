package lambdahost

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// instance is one process of a function, with a Runtime API of its own
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). It does one invocation at a time.
type instance struct {
	cmd    *exec.Cmd
	server *http.Server
	work   chan *invocation
	exited chan struct{}

	mu sync.Mutex
	// current is the invocation at work.
	current *invocation
}

// invocation is one event on its way.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	done     chan result
}

type result struct {
	answer []byte
	err    error
}

// start starts a binary that finds its Runtime API in its environment.
func start(bootstrap string, environment []string, log io.Writer) (*instance, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i := &instance{work: make(chan *invocation), exited: make(chan struct{})}
	i.server = &http.Server{Handler: i.runtimeAPI(), ReadHeaderTimeout: time.Minute}
	// It ends with the listener, when the process has ended.
	go i.server.Serve(listener)
	i.cmd = exec.Command(bootstrap)
	i.cmd.Env = append(environment, "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String())
	i.cmd.Stdout, i.cmd.Stderr = log, log
	if err := i.cmd.Start(); err != nil {
		i.server.Close()
		return nil, err
	}
	go func() {
		i.cmd.Wait()
		i.server.Close()
		close(i.exited)
	}()
	return i, nil
}

func (i *instance) kill() { i.cmd.Process.Kill() }

func (i *instance) dead() bool {
	select {
	case <-i.exited:
		return true
	default:
		return false
	}
}

// invoke hands an event to the process and waits for its answer. A process that does not answer in time is killed.
func (i *instance) invoke(ctx context.Context, event []byte, timeout time.Duration) ([]byte, error) {
	v := &invocation{id: ulid.Make().String(), event: event, done: make(chan result, 1)}
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	v.deadline = time.Now().Add(timeout)
	work := i.work
	for {
		select {
		case work <- v:
			work = nil
		case r := <-v.done:
			return r.answer, r.err
		case <-i.exited:
			// It may have answered with its last breath.
			select {
			case r := <-v.done:
				return r.answer, r.err
			default:
			}
			return nil, ErrExited
		case <-limit.C:
			i.kill()
			<-i.exited
			return nil, fmt.Errorf("%w after %s", ErrTimedOut, timeout)
		case <-ctx.Done():
			i.kill()
			<-i.exited
			return nil, context.Cause(ctx)
		}
	}
}

// runtimeAPI serves what a runtime asks for.
func (i *instance) runtimeAPI() http.Handler {
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", i.next)
	mux.HandleFunc("POST "+base+"invocation/{id}/response",
		i.answered(func(body []byte) result { return result{answer: body} }))
	mux.HandleFunc("POST "+base+"invocation/{id}/error",
		i.answered(func(body []byte) result { return result{err: fmt.Errorf("%w: %s", ErrFunction, body)} }))
	return mux
}

// next hands out the next event; a runtime waits for it as long as it takes.
func (i *instance) next(w http.ResponseWriter, r *http.Request) {
	var v *invocation
	select {
	case <-r.Context().Done():
		return
	case v = <-i.work:
	}
	i.mu.Lock()
	i.current = v
	i.mu.Unlock()
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", v.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(v.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:local")
	header.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
	w.Write(v.event)
}

func (i *instance) answered(of func(body []byte) result) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		i.mu.Lock()
		v := i.current
		i.current = nil
		i.mu.Unlock()
		if err != nil || v == nil || r.PathValue("id") != v.id {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		v.done <- of(body)
	}
}
