package e2e

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/e2e/awslab"
	"rollcall/e2e/lambdahost"
	"rollcall/portal"
	"rollcall/shared/deployment"
	"rollcall/shared/fifo"
)

// The platforms that the same tests run on.
const (
	// onLocal is the built local program on a folder.
	onLocal = "local"
	// onAWS is local -aws on what stands in for AWS.
	onAWS = "aws"
	// onFunctions are the Lambda functions' own binaries, on the same.
	onFunctions = "functions"
)

var platform = flag.String("on", onLocal, "what to run the tests on: local, aws (local -aws) or functions (the Lambda binaries)")

// lab stands in for AWS, and host runs the functions; both are nil where the platform has none.
var (
	lab  *awslab.Lab
	host *lambdahost.Host
)

// startPlatform starts the shared program on the platform that was asked for. stop ends everything.
func startPlatform(dir string) (p *program, stop func(), err error) {
	data := filepath.Join(dir, "data")
	if *platform == onLocal {
		p, err := launch(data, nil, "-demo=false")
		return p, func() { p.stop(syscall.SIGTERM) }, err
	}
	// Built before the lab starts, which changes the working directory.
	if *platform == onFunctions {
		if err := buildFunctions(dir); err != nil {
			return nil, nil, err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	if lab, err = awslab.Start(ctx, filepath.Join(dir, "lab")); err != nil {
		cancel()
		return nil, nil, err
	}
	stopLab := func() {
		cancel()
		lab.Close()
	}
	switch *platform {
	case onAWS:
		p, err := launch(data, lab.Variables(), "-demo=false", "-aws", "-create")
		return p, func() { p.stop(syscall.SIGTERM); stopLab() }, err
	case onFunctions:
		p, stop, err := startFunctions(ctx, dir)
		return p, func() { cancel(); stop(); stopLab() }, err
	}
	stopLab()
	return nil, nil, fmt.Errorf("-on %q is none of local, aws, functions", *platform)
}

// smokeTest is the built smoke test.
var smokeTest string

func bootstrap(dir, binary string) string {
	return filepath.Join(dir, "functions", binary, "bootstrap")
}

// buildFunctions builds the bootstraps as make build does, for this machine, and the smoke test.
func buildFunctions(dir string) error {
	smokeTest = filepath.Join(dir, "smoke")
	if err := build("rollcall/e2e/smoke", smokeTest); err != nil {
		return err
	}
	for _, f := range deployment.Functions() {
		if err := build("rollcall/functions/"+f.Binary, bootstrap(dir, f.Binary), "-tags", "lambda.norpc", "-trimpath", "-ldflags=-s -w"); err != nil {
			return err
		}
	}
	return nil
}

// startFunctions runs the functions behind a gateway, with their queues and the clock.
func startFunctions(ctx context.Context, dir string) (*program, func(), error) {
	p := &program{log: new(logBuffer)}
	environment := map[deployment.Variable]string{
		// The directories of the tests are on loopback, which no deployment allows.
		deployment.AllowRanges: "127.0.0.0/8,::1/128", deployment.Ports: "1-65535",
	}
	for name, text := range lab.Environment {
		environment[name] = text
	}
	host = lambdahost.New(lambdahost.Config{
		Functions: deployment.Functions(), Bootstrap: func(binary string) string { return bootstrap(dir, binary) },
		Environment: environment, Shared: lab.Shared, Log: p.log, Timeout: functionTime,
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	// As CloudFront does: the page and the API have one origin.
	origin := http.NewServeMux()
	origin.Handle("/", portal.Handler(portal.Config{}))
	origin.Handle("/v1/", host.Gateway(claims))
	server := &http.Server{Handler: origin, ReadHeaderTimeout: time.Minute}
	var running sync.WaitGroup
	running.Go(func() { server.Serve(listener) })
	queues := fifo.NewClient(lab.Config("SQS"))
	for f, queue := range map[string]deployment.Variable{deployment.PreviewWorker().Name: deployment.PreviewsQueue, deployment.SyncWorker().Name: deployment.SyncsQueue} {
		running.Go(func() { host.Poll(ctx, queues, lab.Environment[queue], f) })
	}
	running.Go(func() { host.Tick(ctx, tickInterval, deployment.SyncSchedule().Name) })
	p.base = "http://" + listener.Addr().String()
	return p, func() {
		server.Close()
		running.Wait()
		host.Close()
	}, nil
}

// tickInterval is how often the clock of the functions ticks: in a deployment it is five minutes.
const tickInterval = 2 * time.Second

// claims are those of the token that a request of the tests would have: its account is named by the header that local reads, or
// by a token "account scopes".
func claims(r *http.Request) map[string]string {
	account, scopes := r.Header.Get("X-Rollcall-Account"), "admin"
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		account, scopes, _ = strings.Cut(token, " ")
	}
	if account == "" || scopes != "admin" && scopes != "read" {
		return nil
	}
	return map[string]string{"account": account, "username": "tester", "scope": "openid rollcall/" + scopes}
}

// onLocalOnly leaves a test out where it is about what only local has: its folder, its flags, its demo directories. It has run on
// local then.
func onLocalOnly(t *testing.T) {
	t.Helper()
	if *platform != onLocal {
		t.Skip("only local has this")
	}
}

// signedParameters are the parameters of a download link that its signature covers.
func signedParameters() []string {
	if *platform == onLocal {
		return []string{"expires", "signature", "name"}
	}
	return []string{"X-Amz-Expires", "X-Amz-Signature", "response-content-disposition"}
}
