// Package cloud runs a whole deployment on this machine: the functions' own binaries on what stands in for AWS, behind
// a gateway and the page, with their queues and their clock. The end-to-end tests and the cost model drive it as
// callers do.
package cloud

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"rollcall/docs"
	"rollcall/e2e/lab/awslab"
	"rollcall/e2e/lambdahost"
	"rollcall/portal"
	"rollcall/shared/adapters/aws/s3"
	"rollcall/shared/adapters/aws/sqs"
	"rollcall/shared/manifest"
)

// Config says how to run it. All but Log have defaults.
type Config struct {
	// Timeout is a function's time; by default 29 seconds for an API and 15 minutes for the others.
	Timeout func(manifest.Function) time.Duration
	// Tick is how often the clock ticks: 2 seconds by default, where a deployment takes five minutes.
	Tick time.Duration
	// Log gets what the functions print. It must take concurrent writes.
	Log io.Writer
}

// Deployment is one that runs.
type Deployment struct {
	// URL is where page and API are.
	URL  string
	Host *lambdahost.Host

	cancel  context.CancelFunc
	server  *http.Server
	running sync.WaitGroup
}

// Build builds the bootstraps as make build does, for this machine, below dir. Several functions share a binary.
func Build(ctx context.Context, dir string) error {
	built := make(map[string]bool)
	for _, f := range manifest.Functions() {
		if built[f.Binary] {
			continue
		}
		built[f.Binary] = true
		build := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags=-s -w",
			"-o", bootstrap(dir, f.Binary), "rollcall/functions/"+f.Binary)
		build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build function %s: %w", f.Binary, err)
		}
	}
	return nil
}

func bootstrap(dir, binary string) string { return filepath.Join(dir, binary, "bootstrap") }

// Start runs what Build left in dir, on a lab, until Close.
func Start(ctx context.Context, dir string, lab *awslab.Lab, c Config) (*Deployment, error) {
	environment := maps.Clone(lab.Environment)
	// The directories of tests are on loopback, which no deployment allows.
	environment[manifest.AllowRanges], environment[manifest.Ports] = "127.0.0.0/8,::1/128", "1-65535"
	environment[manifest.OriginKeys] = originKey
	if c.Tick == 0 {
		c.Tick = 2 * time.Second
	}
	uploads, err := lab.UploadHandler(ctx)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &Deployment{URL: "http://" + listener.Addr().String(), cancel: cancel, Host: lambdahost.New(lambdahost.Config{
		Functions: manifest.Functions(), Bootstrap: func(binary string) string { return bootstrap(dir, binary) },
		Environment: environment, Shared: lab.Shared, Log: c.Log, Timeout: c.Timeout,
	})}
	// As CloudFront does: the page, the API and uploads have one origin.
	origin := http.NewServeMux()
	origin.Handle("/", portal.Handler(portal.Config{}))
	origin.HandleFunc(manifest.DescriptionPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(docs.OpenAPI)
	})
	origin.Handle(s3.UploadPath, uploads)
	origin.Handle("/v1/", throughCloudFront(d.Host.Gateway(claims)))
	d.server = &http.Server{Handler: origin, ReadHeaderTimeout: time.Minute}
	d.running.Go(func() { d.server.Serve(listener) })
	queues := sqs.NewClient(lab.Config("SQS"))
	for queue, f := range map[manifest.Variable]string{
		manifest.PreviewsQueue: manifest.PreviewWorker().Name, manifest.SyncsQueue: manifest.SyncWorker().Name,
		manifest.ScheduledQueue: manifest.SyncWorker().Name, manifest.DeliveriesQueue: manifest.NotifyWorker().Name,
	} {
		d.running.Go(func() { d.Host.Poll(ctx, queues, lab.Environment[queue], f) })
	}
	d.running.Go(func() { d.Host.Tick(ctx, c.Tick, manifest.SyncSchedule().Name) })
	return d, nil
}

// originKey is what the functions know CloudFront by.
const originKey = "the-key-of-this-origin"

// throughCloudFront adds the header that CloudFront sends to the API, in place of one that a caller sent.
func throughCloudFront(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set(manifest.OriginHeader, originKey)
		api.ServeHTTP(w, r)
	})
}

// Close stops the gateway, the queues, the clock and the functions' processes.
func (d *Deployment) Close() {
	d.cancel()
	d.server.Close()
	d.running.Wait()
	d.Host.Close()
}

// claims are those of the token that a request would have: its account is named by the header that local reads, or by a
// token "account scopes". The token "client scopes service" is a program's, which names no account.
func claims(r *http.Request) map[string]string {
	account, scopes := r.Header.Get("X-Rollcall-Account"), "admin"
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		account, scopes, _ = strings.Cut(token, " ")
	}
	scopes, service := strings.CutSuffix(scopes, " service")
	if service {
		return map[string]string{"client_id": account, "scope": "rollcall/service rollcall/" + scopes}
	}
	if account == "" || scopes != "admin" && scopes != "read" {
		return nil
	}
	return map[string]string{"account": account, "username": "tester", "scope": "openid rollcall/" + scopes}
}
