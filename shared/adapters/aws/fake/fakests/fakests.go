// Package fakests is an STS service in memory that gives out the credentials of a role, over STS's query protocol, and
// refuses what STS refuses (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html). Policies are
// kept, not evaluated.
package fakests

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"rollcall/shared/adapters/aws/fake"
)

const (
	minDuration = 15 * time.Minute
	// maxDuration is the longest session of a role that was assumed with the credentials of another, as in a function.
	maxDuration = time.Hour
	maxPolicy   = 2048
	apiVersion  = "2011-06-15"
)

// Role is a role that can be assumed, and the keys that its sessions get. AWS gives every session a token; it may be
// empty for an S3 server that knows no sessions.
type Role struct{ ARN, AccessKey, SecretKey, Token string }

// Session is one that was given.
type Session struct {
	Role, Name, Policy string
	Duration           time.Duration
}

// Server is the service, an http.Handler.
type Server struct {
	fake.Recorder
	role     Role
	now      func() time.Time
	mu       sync.Mutex
	sessions []Session
}

// New makes a service with one role. now may be nil for the time of day.
func New(role Role, now func() time.Time) *Server {
	if now == nil {
		now = time.Now
	}
	return &Server{role: role, now: now}
}

// Sessions returns the sessions that were given, in order.
func (s *Server) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sessions)
}

// credentials are a session's.
type credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string `xml:",omitempty"`
	Expiration      string
}

type response struct {
	XMLName     xml.Name    `xml:"AssumeRoleResponse"`
	Credentials credentials `xml:"AssumeRoleResult>Credentials"`
	RequestID   string      `xml:"ResponseMetadata>RequestId"`
}

type failure struct {
	XMLName xml.Name `xml:"ErrorResponse"`
	Type    string   `xml:"Error>Type"`
	Code    string   `xml:"Error>Code"`
	Message string   `xml:"Error>Message"`
}

// ServeHTTP answers a call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := fake.Call{Service: "sts", AppID: fake.AppID(r), RequestBytes: int(r.ContentLength)}
	var answer any
	status := http.StatusOK
	refused := s.parse(r)
	if refused == nil {
		call.Operation = r.PostForm.Get("Action")
		answer, refused = s.assume(r.PostForm)
	}
	if refused != nil {
		status, call.Code = max(refused.Status, http.StatusBadRequest), refused.Code
		answer = failure{Type: "Sender", Code: refused.Code, Message: refused.Message}
	}
	body, err := xml.Marshal(answer)
	if err != nil {
		status, body = http.StatusInternalServerError, nil
	}
	call.ResponseBytes = len(body)
	s.Record(call)
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	// The status is out; a broken connection is all that can fail here.
	_, _ = w.Write(body)
}

// parse checks the request's frame.
func (s *Server) parse(r *http.Request) *fake.Error {
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.URL.Path != "/" {
		return fake.Refuse("MalformedQueryString", "%s %s: %v", r.Method, r.URL.Path, err)
	}
	return fake.CheckSigned(r, "sts")
}

var (
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	known       = []string{"Action", "Version", "RoleArn", "RoleSessionName", "DurationSeconds", "Policy"}
)

func (s *Server) assume(form url.Values) (any, *fake.Error) {
	for name := range form {
		if !slices.Contains(known, name) {
			return nil, fake.Refuse("ValidationError", "unknown parameter %s", name)
		}
	}
	seconds, err := strconv.Atoi(form.Get("DurationSeconds"))
	duration := time.Duration(seconds) * time.Second
	policy := form.Get("Policy")
	switch {
	case form.Get("Action") != "AssumeRole" || form.Get("Version") != apiVersion:
		return nil, fake.Refuse("InvalidAction", "no action %s of version %s", form.Get("Action"), form.Get("Version"))
	case form.Get("RoleArn") != s.role.ARN:
		return nil, &fake.Error{Status: http.StatusForbidden, Code: "AccessDenied",
			Message: "not authorized to perform: sts:AssumeRole on " + form.Get("RoleArn")}
	case !sessionName.MatchString(form.Get("RoleSessionName")):
		return nil, fake.Refuse("ValidationError", "Value %q at 'roleSessionName' failed to satisfy constraint",
			form.Get("RoleSessionName"))
	case err != nil || duration < minDuration || duration > maxDuration:
		return nil, fake.Refuse("ValidationError", "The requested DurationSeconds %q is out of range",
			form.Get("DurationSeconds"))
	case len(policy) > maxPolicy:
		return nil, fake.Refuse("PackedPolicyTooLarge", "the policy is longer than %d characters", maxPolicy)
	case policy != "" && !json.Valid([]byte(policy)):
		return nil, fake.Refuse("MalformedPolicyDocument", "The policy is not in the valid JSON format.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = append(s.sessions, Session{Role: s.role.ARN, Name: form.Get("RoleSessionName"), Policy: policy,
		Duration: duration})
	return response{Credentials: credentials{
		AccessKeyID: s.role.AccessKey, SecretAccessKey: s.role.SecretKey, SessionToken: s.role.Token,
		Expiration: s.now().Add(duration).UTC().Format(time.RFC3339),
	}, RequestID: "00000000-0000-0000-0000-000000000000"}, nil
}
