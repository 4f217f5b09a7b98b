// Package orders holds the routes that connectors call. They need no token: each request is signed by the instance that
// makes it (package connector).
package orders

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"rollcall/shared/api"
	"rollcall/shared/connector"
	"rollcall/shared/importer"
)

type handler struct {
	desk *importer.Desk
	log  *slog.Logger
}

// Handler answers connectors.
func Handler(desk *importer.Desk, log *slog.Logger) http.Handler {
	h := handler{desk, log}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+connector.PathEnrol, h.enrol)
	mux.Handle("POST "+connector.PathPoll, signed(h, func(ctx context.Context, i importer.Instance, p connector.Poll) (
		any, error) {
		return desk.Poll(ctx, i, p)
	}))
	mux.Handle("POST "+connector.PathBlock, signed(h, func(ctx context.Context, i importer.Instance,
		b connector.BlockRequest) (any, error) {
		return desk.Block(ctx, i, b)
	}))
	mux.Handle("POST "+connector.PathFinish, signed(h, func(ctx context.Context, i importer.Instance,
		f connector.Finish) (any, error) {
		return nil, desk.Finish(ctx, i, f)
	}))
	mux.Handle("POST "+connector.PathReport, signed(h, func(ctx context.Context, i importer.Instance,
		r connector.Report) (any, error) {
		return nil, desk.Report(ctx, i, r)
	}))
	mux.Handle("/", &api.Problem{Status: http.StatusNotFound, Code: "route_not_found",
		Detail: "A connector's requests are POST to the paths of its protocol."})
	return mux
}

// enrol takes a request that is signed with the key that it brings.
func (h handler) enrol(w http.ResponseWriter, r *http.Request) {
	body, err := read(w, r)
	var enrol connector.Enrol
	var enrolled connector.Enrolled
	if err == nil {
		malformed := decode(body, &enrol)
		// Another protocol may have another body: that is what its connector is to hear of.
		_, err = h.desk.EnrolVerifier(enrol).Verify(r.Context(), r, connector.PathEnrol, body)
		if malformed != nil && !isProtocol(err) {
			err = malformed
		}
	}
	if err == nil {
		enrolled, err = h.desk.Enrol(r.Context(), enrol)
	}
	h.answer(w, r, http.StatusCreated, enrolled, err)
}

func isProtocol(err error) bool {
	var protocol *connector.ProtocolError
	return errors.As(err, &protocol)
}

// signed checks who signed a request, reads it, and answers with what do returns: nothing is 204.
func signed[T any](h handler, do func(context.Context, importer.Instance, T) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked T
		var from importer.Instance
		var out any
		body, err := read(w, r)
		if err == nil {
			_, err = h.desk.Verifier(&from).Verify(r.Context(), r, r.URL.Path, body)
		}
		if err == nil {
			err = decode(body, &asked)
		}
		if err == nil {
			out, err = do(r.Context(), from, asked)
		}
		h.answer(w, r, http.StatusOK, out, err)
	})
}

func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, connector.MaxBody))
	if err != nil {
		return nil, importer.ErrRequest
	}
	return body, nil
}

func decode(body []byte, into any) error {
	if json.Unmarshal(body, into) != nil {
		return importer.ErrRequest
	}
	return nil
}

// problemOf says how each error is answered; what is none of them is logged.
func problemOf(err error) *api.Problem {
	var clock *connector.ClockError
	var protocol *connector.ProtocolError
	status, code := 0, ""
	switch {
	case errors.As(err, &clock):
		status, code = http.StatusUnauthorized, connector.CodeClock
	case errors.As(err, &protocol):
		status, code = http.StatusBadRequest, connector.CodeProtocol
	case errors.Is(err, importer.ErrRevoked):
		status, code = http.StatusForbidden, connector.CodeRevoked
	case errors.Is(err, importer.ErrCode):
		status, code = http.StatusForbidden, connector.CodeCode
	case errors.Is(err, importer.ErrOrder):
		status, code = http.StatusConflict, connector.CodeReplaced
	case errors.Is(err, importer.ErrTooMany):
		status, code = http.StatusTooManyRequests, "too_many_requests"
	case errors.Is(err, importer.ErrRequest):
		status, code = http.StatusBadRequest, "malformed_request"
	case errors.Is(err, connector.ErrReplayed), errors.Is(err, connector.ErrSignature),
		errors.Is(err, connector.ErrUnsigned), errors.Is(err, connector.ErrUnknown):
		status, code = http.StatusUnauthorized, "unauthenticated"
	default:
		return &api.Problem{Status: http.StatusInternalServerError, Code: "internal",
			Detail: "Something went wrong on our side. Try again."}
	}
	return &api.Problem{Status: status, Code: code, Detail: err.Error()}
}

func (h handler) answer(w http.ResponseWriter, r *http.Request, status int, out any, err error) {
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		p := problemOf(err)
		if p.Status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", strconv.Itoa(int(importer.RetryAfter/time.Second)))
		}
		if p.Status == http.StatusInternalServerError {
			h.log.ErrorContext(r.Context(), "a connector's request failed", "path", r.URL.Path, "error", err)
		}
		p.ServeHTTP(w, r)
		return
	}
	if out == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The status is out; a broken connection is all that can fail here.
	_ = json.NewEncoder(w).Encode(out)
}
