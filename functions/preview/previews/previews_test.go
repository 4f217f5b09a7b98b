package previews_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall/functions/preview/previews"
	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/run"
)

// service keeps the last request.
type service struct {
	previews.Service
	request importer.PreviewRequest
	after   string
}

func (s *service) StartPreview(
	_ context.Context, _ run.Identity, r importer.PreviewRequest,
) (run.Run, error) {
	s.request = r
	return run.Run{ID: "01J", Kind: run.KindPreview, State: run.Queued}, nil
}

func TestAnIdempotencyKeyDoesNotRememberThePassword(t *testing.T) {
	t.Parallel()
	s := new(service)
	a := api.New(api.Config{Identify: func(*http.Request) (api.Caller, error) {
		return api.Caller{Scopes: []api.Scope{api.ScopeAdmin}}, nil
	}})
	previews.Register(a, s)
	start := func(host, password string) []byte {
		t.Helper()
		body := `{"connection":{"serverType":"exchange","username":"u","host":"` + host +
			`","password":"` + password + `"}}`
		r := httptest.NewRequest(http.MethodPost, "/v1/previews", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k")
		w := httptest.NewRecorder()
		if a.ServeHTTP(w, r); w.Code != http.StatusAccepted {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		if got := s.request.Connection.Password.Reveal(); got != password || s.request.Key != "k" {
			t.Errorf("the preview gets the password %q and the key %q", got, s.request.Key)
		}
		return s.request.Body
	}
	first, second := start("dc1.example.com", "first"), start("dc1.example.com", "second")
	other := start("dc2.example.com", "first")
	if !bytes.Equal(first, second) || bytes.Contains(first, []byte("first")) {
		t.Errorf("the password makes requests differ: %s and %s", first, second)
	}
	if bytes.Equal(first, other) {
		t.Errorf("another host does not make requests differ: %s", other)
	}
}

func (s *service) Previews(_ context.Context, _ run.Identity, after string, _ int) (importer.PreviewPage, error) {
	s.after = after
	return importer.PreviewPage{Next: "01J"}, nil
}

func TestTheListsCursorsAreItsOwn(t *testing.T) {
	t.Parallel()
	s := new(service)
	a := api.New(api.Config{Identify: func(*http.Request) (api.Caller, error) {
		return api.Caller{Scopes: []api.Scope{api.ScopeRead}}, nil
	}})
	previews.Register(a, s)
	list := func(cursor string) (status int, next string) {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/previews?cursor="+cursor, nil))
		var page struct{ Next string }
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		return w.Code, page.Next
	}
	_, next := list("")
	if status, _ := list(next); status != http.StatusOK || s.after != "01J" {
		t.Errorf("the next page: status %d, after %q", status, s.after)
	}
	if status, _ := list("01J"); status != http.StatusBadRequest {
		t.Errorf("a cursor that was made up: status %d, want 400", status)
	}
}
