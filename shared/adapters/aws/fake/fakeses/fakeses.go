// Package fakeses is the part of SES, API version 2, that sends mails, in memory: it keeps what it takes and refuses
// what SES refuses (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html). SES speaks REST, and
// not the protocols of package fake.
package fakeses

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"

	"rollcall/shared/adapters/aws/fake"
)

// Mail is a mail that was taken.
type Mail struct {
	From, To, Subject, Text string
	Headers                 map[string]string
}

// Server is the service, an http.Handler.
type Server struct {
	fake.Recorder
	identities []string
	mu         sync.Mutex
	mails      []Mail
}

// New makes a service that may send from addresses, and from all of a domain.
func New(identities ...string) *Server { return &Server{identities: identities} }

// Mails returns the mails that were taken, in order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

type content struct{ Data, Charset string }

type input struct {
	FromEmailAddress string
	Destination      struct{ ToAddresses []string }
	Content          struct {
		Simple *struct {
			Subject content
			Body    struct{ Text content }
			Headers []struct{ Name, Value string }
		}
	}
}

// credential is where a signature names the service that it is for.
var credential = regexp.MustCompile(`Credential=[^,]*/ses/aws4_request`)

// ServeHTTP answers SendEmail and nothing else.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<20))
	code := ""
	switch {
	case err != nil, r.Method != http.MethodPost, r.URL.Path != "/v2/email/outbound-emails":
		code = "NotFoundException"
	case !credential.MatchString(r.Header.Get("Authorization")):
		code = "MissingAuthenticationTokenException"
	default:
		code = s.send(body.Bytes())
	}
	s.Record(fake.Call{
		Service: "ses", Operation: "SendEmail", AppID: fake.AppID(r), Code: code, RequestBytes: body.Len(),
	})
	w.Header().Set("Content-Type", "application/json")
	answer := map[string]string{"MessageId": "0100"}
	if code != "" {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]string{"message": "refused for the test"}
	}
	// The status is out; a broken connection is all that can fail here.
	_ = json.NewEncoder(w).Encode(answer)
}

// send keeps a mail, or returns the code of why not.
func (s *Server) send(body []byte) (code string) {
	var in input
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil || in.Content.Simple == nil || len(in.Destination.ToAddresses) != 1 {
		return "BadRequestException"
	}
	from, err := mail.ParseAddress(in.FromEmailAddress)
	to, toErr := mail.ParseAddress(in.Destination.ToAddresses[0])
	if err != nil || toErr != nil {
		return "BadRequestException"
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	if !slices.Contains(s.identities, from.Address) && !slices.Contains(s.identities, domain) {
		return "MessageRejected"
	}
	simple := in.Content.Simple
	taken := Mail{From: in.FromEmailAddress, To: to.Address, Subject: simple.Subject.Data, Text: simple.Body.Text.Data,
		Headers: make(map[string]string)}
	for _, h := range simple.Headers {
		if strings.ContainsAny(h.Name+h.Value, "\r\n") || len(h.Name)+len(h.Value) > 996 {
			return "BadRequestException"
		}
		taken.Headers[h.Name] = h.Value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, taken)
	return ""
}
