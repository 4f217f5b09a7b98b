package awslab

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"rollcall/shared/adapters/aws/fake"
)

// idleConnections is how many connections to a server a proxy keeps.
const idleConnections = 256

// leastRead is what a read that is not consistent takes at least.
const leastRead = 0.5

// Use is how often a caller did one thing, and how much of it.
type Use struct {
	Calls                       int
	RequestBytes, ResponseBytes int64
	// ReadUnits and WriteUnits are what DynamoDB counts.
	ReadUnits, WriteUnits float64
}

// Action is what a caller did: an operation of a service. Caller is the application id that the SDK sends, which is the
// function's name.
type Action struct{ Caller, Service, Operation string }

// Recorder counts the calls to DynamoDB and S3 that pass through its proxies.
type Recorder struct {
	mu   sync.Mutex
	uses map[Action]Use
}

// Uses returns what was counted so far.
func (r *Recorder) Uses() map[Action]Use {
	r.mu.Lock()
	defer r.mu.Unlock()
	uses := make(map[Action]Use, len(r.uses))
	for a, u := range r.uses {
		uses[a] = u
	}
	return uses
}

// Reset forgets what was counted.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.uses = nil
}

func (r *Recorder) add(a Action, u Use) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.uses == nil {
		r.uses = make(map[Action]Use)
	}
	sum := r.uses[a]
	sum.Calls += u.Calls
	sum.RequestBytes += u.RequestBytes
	sum.ResponseBytes += u.ResponseBytes
	sum.ReadUnits += u.ReadUnits
	sum.WriteUnits += u.WriteUnits
	r.uses[a] = sum
}

// proxy forwards to a server and leaves the Host as it is, which signatures cover.
func proxy(to string) (*httputil.ReverseProxy, error) {
	target, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	// A worker has many calls in flight, and each keeps its connection.
	transport := &http.Transport{MaxIdleConnsPerHost: idleConnections, DisableCompression: true}
	return &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host
		},
		// What a client gave up is the client's concern.
		ErrorLog: log.New(io.Discard, "", 0),
	}, nil
}

// s3 counts what goes to an S3 server.
func (r *Recorder) s3(to string) (http.Handler, error) {
	forward, err := proxy(to)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		counted := &countingWriter{ResponseWriter: w}
		body := &countingReader{ReadCloser: req.Body}
		req.Body = body
		a := Action{fake.AppID(req), "s3", s3Operation(req)}
		forward.ServeHTTP(counted, req)
		r.add(a, Use{Calls: 1, RequestBytes: body.n, ResponseBytes: counted.n})
	}), nil
}

// s3Operation names a request as its IAM action's API operation, by method and query.
func s3Operation(r *http.Request) string {
	query := r.URL.Query()
	object := strings.Count(strings.Trim(r.URL.Path, "/"), "/") > 0
	switch {
	case r.Method == http.MethodPost && query.Has("uploads"):
		return "CreateMultipartUpload"
	case r.Method == http.MethodPost && query.Has("uploadId"):
		return "CompleteMultipartUpload"
	case r.Method == http.MethodPost && query.Has("delete"):
		return "DeleteObjects"
	case r.Method == http.MethodPut && query.Has("partNumber"):
		return "UploadPart"
	case r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != "":
		return "CopyObject"
	case r.Method == http.MethodPut && object:
		return "PutObject"
	case r.Method == http.MethodDelete && query.Has("uploadId"):
		return "AbortMultipartUpload"
	case r.Method == http.MethodDelete:
		return "DeleteObject"
	case r.Method == http.MethodGet && object:
		return "GetObject"
	case r.Method == http.MethodHead && object:
		return "HeadObject"
	case r.Method == http.MethodGet && query.Has("versions"):
		return "ListObjectVersions"
	case r.Method == http.MethodGet:
		return "ListObjectsV2"
	}
	return r.Method + " " + strconv.Quote(r.URL.Path)
}

// dynamo counts what goes to DynamoDB, and asks for the units of each call on the way; DynamoDB Local checks no
// signature.
func (r *Recorder) dynamo(to string) (http.Handler, error) {
	forward, err := proxy(to)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, operation, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
		body, err := io.ReadAll(req.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		use := Use{Calls: 1, RequestBytes: int64(len(body))}
		if slices.Contains(metered, operation) && !bytes.Contains(body, []byte("ReturnConsumedCapacity")) {
			body = append([]byte(`{"ReturnConsumedCapacity":"TOTAL",`), body[1:]...)
		}
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		// The answer is read here, and so must not be compressed.
		req.Header.Del("Accept-Encoding")
		counted := &countingWriter{ResponseWriter: w, keep: new(bytes.Buffer)}
		forward.ServeHTTP(counted, req)
		use.ResponseBytes = counted.n
		use.ReadUnits, use.WriteUnits = units(operation, counted.keep.Bytes())
		r.add(Action{fake.AppID(req), "dynamodb", operation}, use)
	}), nil
}

// metered are the operations that tell their units, and writers those whose units are write units.
var (
	metered = []string{"GetItem", "BatchGetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem",
		"BatchWriteItem", "TransactWriteItems", "TransactGetItems", "ExecuteStatement", "BatchExecuteStatement"}
	writers = []string{"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
)

// units reads the consumed capacity of an answer: one table's, or a list.
func units(operation string, answer []byte) (read, write float64) {
	type capacity struct{ CapacityUnits float64 }
	var one struct{ ConsumedCapacity capacity }
	var many struct{ ConsumedCapacity []capacity }
	sum := 0.0
	if json.Unmarshal(answer, &one) == nil {
		sum = one.ConsumedCapacity.CapacityUnits
	} else if json.Unmarshal(answer, &many) == nil {
		for _, c := range many.ConsumedCapacity {
			sum += c.CapacityUnits
		}
	}
	switch {
	case slices.Contains(writers, operation):
		return 0, sum
	case slices.Contains(metered, operation):
		// DynamoDB Local counts nothing for what finds nothing, and DynamoDB the least that there is.
		return max(sum, leastRead), 0
	}
	return 0, 0
}

// countingWriter counts the bytes of a response, and keeps them where somebody wants to read them.
type countingWriter struct {
	http.ResponseWriter
	n    int64
	keep *bytes.Buffer
}

func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.n += int64(n)
	if w.keep != nil {
		w.keep.Write(b[:n])
	}
	return n, err
}

// Unwrap lets the proxy flush.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// countingReader counts the bytes of a request.
type countingReader struct {
	io.ReadCloser
	n int64
}

func (r *countingReader) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	r.n += int64(n)
	return n, err
}
