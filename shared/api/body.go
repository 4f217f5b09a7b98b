package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// maxBody bounds a request's body in bytes: stored settings cannot be larger.
const maxBody = 512 << 10

// checkBody reads the body in front of the router, refuses what is not JSON or too long, and hands on no value that the
// schema rules out: decoding such values, and describing each, would cost far more than they look like.
func (a *API) checkBody(ctx huma.Context, next func(huma.Context)) {
	switch ctx.Method() {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		next(ctx)
		return
	}
	body, status := readBody(ctx)
	// A page of another site can send a body of another type, or of none, without asking first.
	if status == 0 && len(body) > 0 && !isJSON(ctx.Header("Content-Type")) {
		status = http.StatusUnsupportedMediaType
	}
	if status != 0 {
		a.refuse(ctx, status, "The body did not arrive whole.")
		return
	}
	if body, ok := a.takeBody(ctx, body); ok {
		next(bodyContext{ctx, body})
	}
}

// takeBody returns what the router is to see of a body, or refuses it.
func (a *API) takeBody(ctx huma.Context, body []byte) (taken []byte, ok bool) {
	schema := bodySchema(ctx.Operation())
	if schema == nil {
		// The router looks at no body here, and what somebody asks for must not be ignored.
		if len(bytes.TrimSpace(body)) == 0 {
			return nil, true
		}
		if !json.Valid(body) {
			a.refuse(ctx, http.StatusBadRequest, "The body is not valid JSON. This request needs none.")
			return nil, false
		}
		schema = noFields
	} else if !ctx.Operation().RequestBody.Required && string(bytes.TrimSpace(body)) == "null" {
		// A client that has nothing to say may say so.
		return nil, true
	}
	s := scan{schemas: a.OpenAPI().Components.Schemas, data: body}
	switch err := s.value(schema, false); {
	case errors.Is(err, errTwice):
		field := short(strings.TrimPrefix(string(s.path), "."))
		a.refuse(ctx, http.StatusBadRequest, "The field "+field+" is in the body twice.")
		return nil, false
	case s.more > 0, schema == noFields && len(s.wrong) > 0:
		a.refuse(ctx, http.StatusUnprocessableEntity, "", append(s.wrong, more(s.more))...)
		return nil, false
	case err != nil:
		return body, true
	}
	return s.trimmed(), true
}

// noFields is the schema of a body where none is needed: clients may send an empty object, or null.
var noFields = &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Nullable: true}

func (a *API) refuse(ctx huma.Context, status int, message string, errs ...error) {
	// The status is out; a broken connection is all that can fail here.
	_ = huma.WriteErr(a.API, ctx, status, message, errs...)
}

// readBody returns the body, or the status that refuses it.
func readBody(ctx huma.Context) (body []byte, status int) {
	reader := ctx.BodyReader()
	if reader == nil {
		return nil, 0
	}
	// Where there is no connection, there is no deadline.
	_ = ctx.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(io.LimitReader(reader, maxBody+1))
	var broken net.Error
	switch {
	case errors.As(err, &broken) && broken.Timeout():
		return nil, http.StatusRequestTimeout
	case err != nil:
		return nil, http.StatusBadRequest
	case len(body) > maxBody:
		return nil, http.StatusRequestEntityTooLarge
	}
	// A deadline that passed while the answer is made would end the request.
	_ = ctx.SetReadDeadline(time.Time{})
	return body, 0
}

// bodyTimeout is how long a body may take to arrive.
const bodyTimeout = 5 * time.Second

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// bodySchema returns the schema of an operation's body, nil where it takes none.
func bodySchema(op *huma.Operation) *huma.Schema {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return nil
	}
	return op.RequestBody.Content["application/json"].Schema
}

// request is the router's context; embedded under its own name, it would hide its method of that name.
type request = huma.Context

// bodyContext is a request whose body was read already.
type bodyContext struct {
	request
	body []byte
}

// BodyReader returns the body.
func (c bodyContext) BodyReader() io.Reader { return bytes.NewReader(c.body) }

// Header returns a header; the type is written as the router, which looks at its case, knows it.
func (c bodyContext) Header(name string) string {
	if name == "Content-Type" {
		return "application/json"
	}
	return c.request.Header(name)
}

// Unwrap returns the context of the request.
func (c bodyContext) Unwrap() huma.Context { return c.request }
