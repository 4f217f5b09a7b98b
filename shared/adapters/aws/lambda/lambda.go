// Package lambda runs the project's handlers as AWS Lambda functions. It turns API Gateway requests, SQS messages and
// ticks of the schedule into the calls that local makes too, so that a handler never learns where it runs.
package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	awslambda "github.com/aws/aws-lambda-go/lambda"

	"rollcall/shared/manifest"
)

// errHandler means that the Lambda's handler name is none of the binary's.
var errHandler = errors.New("this binary has no such handler")

// Invoker handles one event: the JSON of the event in, the JSON of the answer out.
type Invoker = awslambda.Handler

// Setup is what a handler is built from.
type Setup struct {
	manifest.Environment
	// Name is the function's in this project, LambdaName in its deployment.
	Name, LambdaName string
	Log              *slog.Logger
	// Out takes metrics, a line each.
	Out io.Writer
}

// Build makes a handler once, when the function starts.
type Build func(ctx context.Context, s Setup) (Invoker, error)

// Handler is one of a binary's handlers.
type Handler struct {
	manifest.Function
	Build Build
}

// Main runs the handler that the Lambda's handler name picks (_HANDLER), and returns only where it cannot start.
func Main(handlers ...Handler) error {
	h, err := pick(os.Getenv("_HANDLER"), handlers)
	if err != nil {
		return err
	}
	env, err := manifest.Read(os.Getenv, h.Function)
	if err != nil {
		return err
	}
	log, err := newLog(os.Stdout, env.Or(manifest.LogLevel, "info"))
	if err != nil {
		return err
	}
	leaveRoom(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	invoker, err := h.Build(context.Background(), Setup{Environment: env, Name: h.Name,
		LambdaName: os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), Log: log.With("function", h.Name), Out: os.Stdout})
	if err != nil {
		return fmt.Errorf("build %s: %w", h.Name, err)
	}
	awslambda.StartWithOptions(invoker)
	return nil
}

// leaveRoom makes the garbage collector work harder before the function's memory, given in MiB, is full: past it the
// process is killed. What is no number leaves the collector as it is.
func leaveRoom(memory string) {
	const share = 85
	if size, err := strconv.ParseInt(memory, 10, 64); err == nil {
		debug.SetMemoryLimit(size << 20 * share / 100)
	}
}

// pick returns the handler of a name such as api. A file's name before a dot (bootstrap.api) is left out, as other
// runtimes have one there.
func pick(name string, handlers []Handler) (Handler, error) {
	own := name[strings.LastIndexByte(name, '.')+1:]
	known := make(map[string]Handler)
	for _, h := range handlers {
		known[h.Handler] = h
	}
	if h, ok := known[own]; ok {
		return h, nil
	}
	return Handler{}, fmt.Errorf("%w: _HANDLER is %q, and there are %s", errHandler, name,
		strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}
