// Package fake serves the AWS JSON protocols (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html) for the
// fakes of single services. It refuses what the real services refuse before they look at a request (an unsigned one,
// one for another service or operation, a member that is not known) and records every call.
package fake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// maxBody bounds a request's body in bytes; no request of these services is larger.
const maxBody = 2 << 20

// Operation answers one call.
type Operation func(ctx context.Context, body []byte) (any, error)

// Do makes an operation of a function. A member of the body that In does not have is refused, so that a fake never
// passes over something that it does not understand.
func Do[In, Out any](do func(context.Context, In) (Out, error)) Operation {
	return func(ctx context.Context, body []byte) (any, error) {
		var in In
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&in); err != nil {
			return nil, Refuse("SerializationException", "%v", err)
		}
		return do(ctx, in)
	}
}

// Error is an answer that says what was wrong with a request.
type Error struct {
	// Status is 400 where it is 0.
	Status int
	Code   string
	// QueryCode is the code that clients of a service's former protocol know, where it differs (SQS).
	QueryCode string
	Message   string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Refuse returns an error of the caller's.
func Refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Call is one request that was answered.
type Call struct {
	// Service is the name in the signature, such as sqs.
	Service, Operation string
	// AppID is the application id in the User-Agent header, which says who called.
	AppID string
	// RequestBytes and ResponseBytes are the lengths of the bodies.
	RequestBytes, ResponseBytes int
	// Code is empty for a call that succeeded.
	Code string
}

// Recorder keeps calls.
type Recorder struct {
	mu    sync.Mutex
	calls []Call
}

// Record adds a call.
func (r *Recorder) Record(c Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

// Calls returns the calls so far, in the order in which they were answered.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// Service is a fake of a service, an http.Handler. Make one with its named fields.
type Service struct {
	Recorder
	// Name is the service's in signatures, Target in the X-Amz-Target header, and Version that of the JSON protocol:
	// 1.0 or 1.1.
	Name, Target, Version string
	Operations            map[string]Operation

	mu     sync.Mutex
	faults map[string][]error
}

// Fail lets the next calls of an operation fail with these errors, one each.
func (s *Service) Fail(operation string, errs ...error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults == nil {
		s.faults = make(map[string][]error)
	}
	s.faults[operation] = append(s.faults[operation], errs...)
}

// fault takes the next error that Fail left.
func (s *Service) fault(operation string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.faults[operation]
	if len(waiting) == 0 {
		return nil
	}
	s.faults[operation] = waiting[1:]
	return waiting[0]
}

// ServeHTTP answers a call.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	call := Call{Service: s.Name, AppID: AppID(r), RequestBytes: len(body)}
	var answer any
	if err == nil {
		answer, err = s.answer(r, &call, body)
	}
	status, output := http.StatusOK, []byte("{}")
	if err != nil {
		status, output, call.Code = problem(w, err)
	} else if answer != nil {
		if output, err = json.Marshal(answer); err != nil {
			status, output, call.Code = problem(w, err)
		}
	}
	call.ResponseBytes = len(output)
	s.Record(call)
	w.Header().Set("Content-Type", "application/x-amz-json-"+s.Version)
	w.Header().Set("X-Amzn-Requestid", "00000000-0000-0000-0000-000000000000")
	w.WriteHeader(status)
	// The status is out; a broken connection is all that can fail here.
	_, _ = w.Write(output)
}

// answer checks the request's frame and lets the operation answer.
func (s *Service) answer(r *http.Request, call *Call, body []byte) (any, error) {
	target, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	call.Operation = operation
	do, known := s.Operations[operation]
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/" || target != s.Target || !known:
		return nil, Refuse("UnknownOperationException", "no %s %s with target %q", r.Method, r.URL.Path,
			r.Header.Get("X-Amz-Target"))
	case r.Header.Get("Content-Type") != "application/x-amz-json-"+s.Version:
		return nil, Refuse("SerializationException", "content type %q", r.Header.Get("Content-Type"))
	}
	if err := CheckSigned(r, s.Name); err != nil {
		return nil, err
	}
	if err := s.fault(operation); err != nil {
		return nil, err
	}
	return do(r.Context(), body)
}

// scope finds the service that a request is signed for (Signature Version 4).
var scope = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request, ` +
	`SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}$`)

// CheckSigned refuses a request that is not signed for a service. The signature itself is not verified.
func CheckSigned(r *http.Request, service string) *Error {
	signed := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	switch {
	case signed == nil:
		return &Error{Status: http.StatusForbidden, Code: "MissingAuthenticationTokenException",
			Message: "the request is not signed"}
	case signed[1] != service:
		return &Error{Status: http.StatusForbidden, Code: "InvalidSignatureException",
			Message: "the request is signed for " + signed[1]}
	}
	return nil
}

// problem writes an error's headers and returns its status, body and code.
func problem(w http.ResponseWriter, err error) (status int, body []byte, code string) {
	var refused *Error
	if !errors.As(err, &refused) {
		refused = &Error{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: err.Error()}
	}
	if status = refused.Status; status == 0 {
		status = http.StatusBadRequest
	}
	if refused.QueryCode != "" {
		w.Header().Set("X-Amzn-Query-Error", refused.QueryCode+";Sender")
	}
	body, err = json.Marshal(map[string]string{"__type": refused.Code, "message": refused.Message})
	if err != nil {
		body = []byte("{}")
	}
	return status, body, refused.Code
}

// AppID finds the application id in the User-Agent header.
func AppID(r *http.Request) string {
	for field := range strings.FieldsSeq(r.UserAgent()) {
		if id, ok := strings.CutPrefix(field, "app/"); ok {
			return id
		}
	}
	return ""
}
