// Package fakes3 starts an S3 server in this process, for tests and benchmarks: the Versity gateway on a folder. It is
// never linked into a function.
package fakes3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"

	"rollcall/shared/adapters/aws/fake/freeport"
)

// Region is the region that the gateway takes signatures for. Domain is S3's host there: a request may name its bucket
// in front of it as well as in the path.
const (
	Region = "us-east-1"
	Domain = "s3." + Region + ".amazonaws.com"
)

const (
	maxConnections = 256
	// copyThreshold is S3's own limit of CopyObject, in bytes.
	copyThreshold = 5 << 30
	// maxParts is S3's own limit of a multipart upload.
	maxParts = 10_000
	// startTime is how long the gateway may take until it answers.
	startTime = time.Minute
	healthy   = "/healthy"
)

// Start serves S3 on a free port of 127.0.0.1, with its buckets and their versions in dir, until stop is called. It
// changes the working directory of the process, which is the gateway's way, so relative paths mean something else
// afterwards. A process can have one gateway at a time.
func Start(dir string) (endpoint, accessKey, secretKey string, stop func() error, err error) {
	root, versions := filepath.Join(dir, "objects"), filepath.Join(dir, "versions")
	if err := errors.Join(os.MkdirAll(root, 0o700), os.MkdirAll(versions, 0o700)); err != nil {
		return "", "", "", nil, fmt.Errorf("make the gateway's folders: %w", err)
	}
	backend, err := posix.New(root, meta.XattrMeta{},
		posix.PosixOpts{VersioningDir: versions, CopyObjectThreshold: copyThreshold})
	if err != nil {
		return "", "", "", nil, fmt.Errorf("open the gateway's folder: %w", err)
	}
	free, err := freeport.Free(context.Background(), "127.0.0.1", 1)
	if err != nil {
		return "", "", "", nil, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(free[0]))
	accessKey, secretKey = "AKIA"+rand.Text()[:16], rand.Text()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
			RootUserAccess: accessKey, RootUserSecret: secretKey, Region: Region, Ports: []string{address},
			HealthPath: healthy, VirtualDomain: Domain,
			MaxConnections: maxConnections, MaxRequests: maxConnections, MultipartMaxParts: maxParts, Quiet: true,
			KeepAlive: true, DisableACLs: true,
		})
	}()
	stop = func() error {
		cancel()
		return <-ended
	}
	endpoint = "http://" + address
	if err := await(endpoint+healthy, ended); err != nil {
		return "", "", "", nil, errors.Join(err, stop())
	}
	return endpoint, accessKey, secretKey, stop, nil
}

// await returns once url answers, or with what ended the gateway.
func await(url string, ended chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			return response.Body.Close()
		}
		select {
		case err := <-ended:
			// stop waits for it too.
			ended <- nil
			return fmt.Errorf("the gateway ended: %w", err)
		case <-ctx.Done():
			return errors.New("the gateway does not answer")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
