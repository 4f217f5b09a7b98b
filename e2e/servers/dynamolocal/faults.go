package dynamolocal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Faults is an HTTP client (aws.HTTPClient) between the SDK and a server that goes wrong in a share of the calls,
// chosen by a seed, and counts what was written all the same.
type Faults struct {
	// Throttle is the share of calls that are refused because the table is busy, each in its operation's way. Fail is
	// the share that are answered with a server's error, and Lose that of those whose answer is lost although they were
	// done; of those that fail, every other one was done too.
	Throttle, Fail, Lose float64
	// Spare names an operation that is only throttled.
	Spare string

	transport *http.Transport
	mu        sync.Mutex
	random    *rand.Rand
	injected  map[string]int
	writes    map[string]int
}

// NewFaults returns a client that lets everything through until shares are set.
func NewFaults(seed uint64) *Faults {
	return &Faults{
		transport: &http.Transport{MaxIdleConnsPerHost: 256}, random: rand.New(rand.NewPCG(seed, 0)),
		//nolint:gosec // a test's
		injected: make(map[string]int), writes: make(map[string]int),
	}
}

// Injected says how often each fault was put into each operation.
func (f *Faults) Injected() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprint(f.injected)
}

// Writes returns how often each item was written or deleted by a call of its own, by its sort key in the Users table,
// and forgets it.
func (f *Faults) Writes() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	writes := maps.Clone(f.writes)
	clear(f.writes)
	return writes
}

// Do sends a request, or does something else with it.
func (f *Faults) Do(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	switch fault, done := f.choose(operation); fault {
	case "throttle":
		return throttled(r, operation, body)
	case "fail":
		if done {
			if err := f.forwardAndDrop(r, operation, body); err != nil {
				return nil, err
			}
		}
		return answer(r, http.StatusInternalServerError,
			errorType("InternalServerError")+`"message":"injected"}`), nil
	case "lose":
		if err := f.forwardAndDrop(r, operation, body); err != nil {
			return nil, err
		}
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return f.forward(r, operation, body)
}

// choose says what goes wrong with a call, if anything does.
func (f *Faults) choose(operation string) (fault string, done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch at := f.random.Float64(); {
	case at < f.Throttle:
		fault = "throttle"
	case operation == f.Spare:
		return "", false
	case at < f.Throttle+f.Fail:
		fault = "fail"
	case at < f.Throttle+f.Fail+f.Lose:
		fault = "lose"
	default:
		return "", false
	}
	f.injected[operation+" "+fault]++
	return fault, f.injected[operation+" "+fault]%2 == 0
}

// forward sends a request and counts the item that it wrote.
func (f *Faults) forward(r *http.Request, operation string, body []byte) (*http.Response, error) {
	r.Body = io.NopCloser(bytes.NewReader(body))
	got, err := f.transport.RoundTrip(r)
	if err != nil || got.StatusCode != http.StatusOK || operation != "PutItem" && operation != "DeleteItem" {
		return got, err
	}
	var call struct {
		Item, Key struct{ Address struct{ S string } }
	}
	if err := json.Unmarshal(body, &call); err != nil {
		got.Body.Close()
		return nil, fmt.Errorf("read a call: %w", err)
	}
	if key := call.Item.Address.S + call.Key.Address.S; key != "" {
		f.mu.Lock()
		f.writes[key]++
		f.mu.Unlock()
	}
	return got, nil
}

func (f *Faults) forwardAndDrop(r *http.Request, operation string, body []byte) error {
	got, err := f.forward(r, operation, body)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, got.Body)
	got.Body.Close()
	return err
}

// throttled is how DynamoDB refuses a call when a table is busy: a batch is answered with nothing done, a transaction
// is cancelled.
func throttled(r *http.Request, operation string, body []byte) (*http.Response, error) {
	switch operation {
	case "BatchWriteItem":
		var call struct{ RequestItems json.RawMessage }
		if err := json.Unmarshal(body, &call); err != nil {
			return nil, err
		}
		return answer(r, http.StatusOK, `{"UnprocessedItems":`+string(call.RequestItems)+`}`), nil
	case "TransactWriteItems":
		return answer(r, http.StatusBadRequest, errorType("TransactionCanceledException")+`"Message":"injected",`+
			`"CancellationReasons":[{"Code":"ThrottlingError","Message":"injected"},{"Code":"None"}]}`), nil
	}
	refusal := errorType("ProvisionedThroughputExceededException") + `"message":"injected"}`
	return answer(r, http.StatusBadRequest, refusal), nil
}

// errorType is the beginning of the body of an error.
func errorType(name string) string {
	return `{"__type":"com.amazonaws.dynamodb.v20120810#` + name + `",`
}

func answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Request: r,
		Header:  http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(strings.NewReader(body)),
	}
}

// The SDK takes it for its HTTP client.
var (
	_ aws.HTTPClient      = (*Faults)(nil)
	_ dynamodb.HTTPClient = (*Faults)(nil)
)
