package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/oklog/ulid/v2"

	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/settings"
)

// Problem is an error as callers get it (RFC 9457). Code is stable; Errors names each wrong field.
type Problem struct {
	Type   string                `json:"type" doc:"Always about:blank: the code tells the problems apart" example:"about:blank"`
	Title  string                `json:"title" doc:"The status in words" example:"Not Found"`
	Status int                   `json:"status" doc:"The HTTP status" example:"404"`
	Code   string                `json:"code" doc:"What went wrong, for programs; stable" example:"preview_not_found"`
	Detail string                `json:"detail" doc:"What went wrong and what to do, for people" example:"There is no such preview."`
	Errors []settings.FieldError `json:"errors,omitempty" doc:"The wrong fields, at most 50"`
	SyncID string                `json:"syncId,omitempty" doc:"The sync that used the preview, or is using it"`
	// retryAfter is when to try again, 0 where that does not help.
	retryAfter time.Duration
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns the headers of the answer: Retry-After, in whole seconds.
func (p *Problem) GetHeaders() http.Header {
	headers := make(http.Header)
	if p.retryAfter > 0 {
		headers.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	return headers
}

// ContentType returns the media type of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// ServeHTTP answers any request with the problem.
func (p *Problem) ServeHTTP(w http.ResponseWriter, _ *http.Request) { writeProblem(w, p) }

// statuses gives the status for each class of the importer's errors.
var statuses = map[importer.Class]int{
	importer.Invalid: http.StatusUnprocessableEntity, importer.Malformed: http.StatusBadRequest,
	importer.NotFound: http.StatusNotFound,
	importer.Gone:     http.StatusGone, importer.Conflict: http.StatusConflict,
	importer.Stale:  http.StatusPreconditionFailed,
	importer.Reused: http.StatusUnprocessableEntity, importer.TooMany: http.StatusTooManyRequests,
}

// problem turns an error into what the caller gets. What it does not know becomes a generic message, and the detail
// goes to the log under an id that both have.
func (a *API) problem(ctx context.Context, operation string, err error) *Problem {
	var known *importer.Error
	if errors.As(err, &known) {
		return filled(&Problem{
			Status: statuses[known.Class], Code: known.Code, Detail: known.Message, Errors: known.Fields,
			SyncID: known.SyncID, retryAfter: known.RetryAfter,
		})
	}
	if errors.Is(err, runs.ErrBusy) {
		return filled(&Problem{
			Status: http.StatusServiceUnavailable, Code: "busy", retryAfter: time.Second,
			Detail: "Others keep changing the same thing. Nothing was changed; try again.",
		})
	}
	id := ulid.Make().String()
	a.config.Log.ErrorContext(
		ctx, "request failed", "operation", operation, "account", Identity(ctx).Account, "incident", id, "error", err,
	)
	return filled(&Problem{
		Status: http.StatusInternalServerError, Code: "internal_error",
		Detail: "Something went wrong here. Try again; if it stays, name the incident " + id + ".",
	})
}

func filled(p *Problem) *Problem {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	return p
}

// writeProblem answers where no route does.
func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	// The status is out; a broken connection is all that can fail here.
	_ = json.NewEncoder(w).Encode(filled(p))
}

// codes gives the code for the errors that the router makes itself.
var codes = map[int]string{
	http.StatusBadRequest: "malformed_request", http.StatusUnprocessableEntity: "invalid_request",
	http.StatusRequestEntityTooLarge: "body_too_large",
	http.StatusUnsupportedMediaType:  "unsupported_media_type", http.StatusNotAcceptable: "not_acceptable",
	http.StatusRequestTimeout: "request_timeout",
}

// codeOf returns the code of a status that says no more than the status does.
func codeOf(status int) string {
	if code, ok := codes[status]; ok {
		return code
	}
	return strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
}

// maxErrors is how many errors a problem lists.
const maxErrors = settings.MaxErrors

// more stands for errors that are not listed.
type more int

// Error says how many they are.
func (m more) Error() string { return strconv.Itoa(int(m)) + " more errors" }

// newProblem makes the router's errors problems. The values that they echo are left out: one may be a password.
func newProblem(status int, message string, errs ...error) huma.StatusError {
	p := filled(&Problem{Status: status, Code: codeOf(status), Detail: message})
	hidden := p.list(errs)
	switch status {
	case http.StatusUnprocessableEntity:
		p.Detail = "Some fields are wrong; errors names each with what to do."
		if hidden > 0 {
			p.Detail = fmt.Sprintf(
				"Some fields are wrong; errors names %d of them with what to do, and there are %d more.",
				len(p.Errors), hidden,
			)
		}
	case http.StatusUnsupportedMediaType:
		p.Detail, p.Errors = "Send the body as Content-Type: application/json.", nil
	case http.StatusBadRequest:
		if len(p.Errors) == 1 && p.Errors[0].Field == "" {
			p.Detail, p.Errors = "The body is not valid JSON: "+p.Errors[0].Message+".", nil
		}
	case http.StatusRequestEntityTooLarge:
		p.Detail = "The body is longer than 512 KiB."
	}
	return p
}

// list fills in the errors, one for each field, and returns how many it left out.
func (p *Problem) list(errs []error) (hidden int) {
	places := make(map[string]int)
	for _, err := range errs {
		var others more
		if errors.As(err, &others) {
			hidden += int(others)
			continue
		}
		field := fieldError(err)
		at, again := places[field.Field]
		switch {
		case !again && len(p.Errors) == maxErrors:
			places[field.Field] = maxErrors
			hidden++
		case !again:
			places[field.Field] = len(p.Errors)
			p.Errors = append(p.Errors, field)
		case at < maxErrors && !undecoded.MatchString(p.Errors[at].Message):
			// Our own checks come last and say more than the schema's.
			p.Errors[at] = field
		}
	}
	return hidden
}

// undecoded is what the schema says of a field that our own checks do not see.
var undecoded = regexp.MustCompile("^(is required|expected [a-z]+)$")

// fieldError takes only the parts of the router's errors: their text would print the whole object around a wrong field.
func fieldError(err error) settings.FieldError {
	var detailer huma.ErrorDetailer
	if !errors.As(err, &detailer) {
		return settings.FieldError{Message: short(err.Error())}
	}
	d := detailer.ErrorDetail()
	return settings.FieldError{Field: short(fieldOf(d)), Message: short(messageOf(d))}
}

// maxText bounds each text about a field in bytes: it may quote what was sent.
const maxText = 400

// short returns the beginning of a long text.
func short(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}

// fieldOf turns "body.connection.port" or "query.limit" into the field's own path.
func fieldOf(d *huma.ErrorDetail) string {
	for _, place := range []string{"body", "query", "path", "header"} {
		if rest, ok := strings.CutPrefix(d.Location, place); ok {
			rest = strings.TrimPrefix(rest, ".")
			if place == "query" {
				// Of a parameter that is repeated: which one, its value shows.
				rest, _, _ = strings.Cut(rest, "[")
			}
			if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
				name, _, _ = strings.Cut(name, " ")
				rest = strings.TrimPrefix(rest+"."+name, ".")
			}
			return rest
		}
	}
	return d.Location
}

func messageOf(d *huma.ErrorDetail) string {
	switch {
	case strings.HasPrefix(d.Message, "expected required property"):
		return "is required"
	case d.Message == "unexpected property":
		return "is not a field of this request; check its spelling"
	case d.Message == "unknown query parameter":
		return "is not a parameter of this request; check its spelling"
	}
	return d.Message
}

// Wrong lists the fields that an error of a check of the importer names, for a Resolve: so they are named together with
// those that the schema rules out.
func Wrong(err error) []error {
	var e *importer.Error
	if !errors.As(err, &e) {
		return nil
	}
	return fieldErrors(e.Fields, 0)
}

// fieldErrors makes our own checks' results the router's; hidden counts those that were not described.
func fieldErrors(fields []settings.FieldError, hidden int) []error {
	var out []error
	for _, f := range fields {
		out = append(out, &huma.ErrorDetail{Location: "body." + f.Field, Message: f.Message})
	}
	if hidden > 0 {
		out = append(out, more(hidden))
	}
	return out
}
