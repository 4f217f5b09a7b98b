package e2e

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"rollcall/e2e/lab/awslab"
	"rollcall/e2e/lab/cloud"
	"rollcall/e2e/lambdahost"
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

var platform = flag.String("on", onLocal,
	"what to run the tests on: local, aws (local -aws) or functions (the Lambda binaries)")

// lab stands in for AWS, and host runs the functions; both are nil where the platform has none.
var (
	lab  *awslab.Lab
	host *lambdahost.Host
	// smokeTest is the built smoke test.
	smokeTest string
)

// startPlatform starts the shared program on the platform that was asked for. stop ends everything.
func startPlatform(dir string) (p *program, stop func(), err error) {
	switch *platform {
	case onLocal:
		p, err := launch(binary, filepath.Join(dir, "data"), nil, "-demo=false")
		return p, func() { p.stop(syscall.SIGTERM) }, err
	case onAWS:
		return startAWS(dir)
	case onFunctions:
		return startFunctions(dir)
	}
	return nil, nil, fmt.Errorf("-on %q is none of local, aws, functions", *platform)
}

func startAWS(dir string) (p *program, stop func(), err error) {
	if lab, err = awslab.Start(context.Background(), filepath.Join(dir, "lab")); err != nil {
		return nil, nil, err
	}
	p, err = launch(binary, filepath.Join(dir, "data"), lab.Variables(), "-demo=false", "-aws", "-create")
	if err != nil {
		lab.Close()
		return nil, nil, err
	}
	return p, func() { p.stop(syscall.SIGTERM); lab.Close() }, nil
}

func startFunctions(dir string) (p *program, stop func(), err error) {
	ctx := context.Background()
	// Built before the lab starts, which changes the working directory.
	binaries := filepath.Join(dir, "functions")
	if err := cloud.Build(ctx, binaries); err != nil {
		return nil, nil, err
	}
	smokeTest = filepath.Join(dir, "smoke")
	if err := build("rollcall/e2e/smoke", smokeTest, "CGO_ENABLED=0"); err != nil {
		return nil, nil, err
	}
	if lab, err = awslab.Start(ctx, filepath.Join(dir, "lab")); err != nil {
		return nil, nil, err
	}
	p = &program{log: new(logBuffer)}
	d, err := cloud.Start(ctx, binaries, lab, cloud.Config{Timeout: functionTime, Log: p.log})
	if err != nil {
		lab.Close()
		return nil, nil, err
	}
	p.base, host = d.URL, d.Host
	return p, func() { d.Close(); lab.Close() }, nil
}

// onLocalOnly leaves a test out where it is about what only local has: its folder, its flags, its demo directories. It
// has run on local then.
func onLocalOnly(t *testing.T) {
	t.Helper()
	if *platform != onLocal {
		t.Skip("only local has this")
	}
}

// localIsEnough leaves a test out where it is about reading directories: the reader is the same code on each platform,
// and TestOpenLDAPFromSettingsToUsers and TestWrongSearchesRemoveNobody read through all of them.
func localIsEnough(t *testing.T) {
	t.Helper()
	if *platform != onLocal {
		t.Skip("the reader of directories is the same everywhere, and was tested on local")
	}
}

// signedParameters are the parameters of a download link that its signature covers.
func signedParameters() []string {
	if *platform == onLocal {
		return []string{"expires", "signature", "name"}
	}
	return []string{"X-Amz-Expires", "X-Amz-Signature", "response-content-disposition"}
}
