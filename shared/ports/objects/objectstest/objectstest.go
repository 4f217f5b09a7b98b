// Package objectstest holds what every adapter of objects must do.
package objectstest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/users/userstest"
)

// Run holds a store to the contract of objects. open returns an empty store, and what takes its uploads.
func Run(t *testing.T, opened func(*testing.T) (objects.Store, http.Handler)) {
	open := func(t *testing.T) objects.Store {
		s, _ := opened(t)
		return s
	}
	t.Run("objects come back at any offset", func(t *testing.T) { roundTrip(t, open(t)) })
	t.Run("an object is whole or not there", func(t *testing.T) { whole(t, open(t)) })
	t.Run("copy and delete", func(t *testing.T) { copies(t, open(t)) })
	t.Run("accounts are apart", func(t *testing.T) { isolation(t, open(t)) })
	t.Run("links", func(t *testing.T) { links(t, open(t)) })
	t.Run("upload links", func(t *testing.T) {
		s, handler := opened(t)
		Uploads(t, s, handler)
	})
}

func put(t *testing.T, o objects.Objects, key, text string) {
	t.Helper()
	if err := o.Put(t.Context(), key, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, o objects.Objects, key string) (string, error) {
	t.Helper()
	object, err := o.Open(t.Context(), key)
	if err != nil {
		return "", err
	}
	defer object.Close()
	data, err := io.ReadAll(io.NewSectionReader(object, 0, object.Size()))
	return string(data), err
}

func roundTrip(t *testing.T, s objects.Store) {
	o := s.For("acme")
	large := strings.Repeat("0123456789abcdef", 1<<17)
	for key, text := range map[string]string{"plans/small": "x", "csv/empty.csv": "", "plans/large": large} {
		put(t, o, key, text)
		if got, err := get(t, o, key); err != nil || got != text {
			t.Errorf("%s came back with %d bytes of %d, error %v", key, len(got), len(text), err)
		}
	}
	object, err := o.Open(t.Context(), "plans/large")
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	part := make([]byte, 20)
	if _, err := object.ReadAt(part, 1<<20+3); err != nil || string(part) != large[1<<20+3:1<<20+23] {
		t.Errorf("20 bytes from the middle are %q, error %v", part, err)
	}
	if n, err := object.ReadAt(part, object.Size()-5); n != 5 || !errors.Is(err, io.EOF) ||
		!bytes.Equal(part[:5], []byte(large[len(large)-5:])) {
		t.Errorf("beyond the end: %d bytes, error %v", n, err)
	}
	put(t, o, "plans/small", "y")
	if got, _ := get(t, o, "plans/small"); got != "y" {
		t.Errorf("written again it is %q", got)
	}
}

func whole(t *testing.T, s objects.Store) {
	o := s.For("acme")
	broken := errors.New("broken")
	err := o.Put(t.Context(), "plans/a", func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if _, err := o.Open(t.Context(), "plans/a"); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("half an object is there: error %v", err)
	}
	for _, key := range []string{
		"", ".", "..", "../x", "/etc/passwd", "plans", "plans/", "other/a", "plans/../../x", "plans//a", `plans\..\x`,
		"plans/a*", "plans/ä", "plans/a b",
	} {
		if err := o.Put(t.Context(), key, func(io.Writer) error { return nil }); !errors.Is(err, objects.ErrKey) {
			t.Errorf("key %q: error %v, want %v", key, err, objects.ErrKey)
		}
	}
}

func copies(t *testing.T, s objects.Store) {
	ctx, o := t.Context(), s.For("acme")
	put(t, o, "plans/a", "text")
	put(t, o, "journals/a", "former")
	if err := o.Copy(ctx, "plans/a", "journals/a"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := o.Delete(ctx, "plans/a"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if got, err := get(t, o, "journals/a"); err != nil || got != "text" {
		t.Errorf("the copy is %q, error %v", got, err)
	}
	if _, err := get(t, o, "plans/a"); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("deleted: error %v", err)
	}
	if err := o.Copy(ctx, "plans/a", "journals/b"); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("copying nothing: error %v", err)
	}
}

func isolation(t *testing.T, s objects.Store) {
	for i, account := range userstest.Accounts {
		put(t, s.For(account), "plans/same", fmt.Sprint(i))
		put(t, s.For(account), fmt.Sprint("plans/own", i), "")
	}
	for i, account := range userstest.Accounts {
		if got, err := get(t, s.For(account), "plans/same"); err != nil || got != fmt.Sprint(i) {
			t.Errorf("account %q reads %q, error %v", account, got, err)
		}
		if _, err := get(t, s.For(account), fmt.Sprint("plans/own", (i+1)%len(userstest.Accounts))); !errors.Is(
			err, objects.ErrNotFound,
		) {
			t.Errorf("account %q finds another's object: %v", account, err)
		}
	}
}

func links(t *testing.T, s objects.Store) {
	o := s.For("acme")
	if _, _, err := o.Link(t.Context(), "csv/none.csv", "a.csv", time.Hour); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("a link to nothing: error %v", err)
	}
	put(t, o, "csv/a.csv", "Address\r\nä\r\n")
	link, expires, err := o.Link(t.Context(), "csv/a.csv", "Übersicht 1.csv", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(expires); left > time.Hour || left < 59*time.Minute {
		t.Errorf("the link works for %s, want an hour", left)
	}
	resp, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(body) != "Address\r\nä\r\n" {
		t.Errorf("status %d, body %q, error %v", resp.StatusCode, body, err)
	}
	if disposition := resp.Header.Get("Content-Disposition"); !strings.HasPrefix(disposition, "attachment") ||
		!strings.Contains(disposition, "%C3%9Cbersicht%201.csv") {
		t.Errorf("disposition %q does not name the file", disposition)
	}
	tampered, err := http.Get(strings.Replace(link, "a.csv", "b.csv", 1))
	if err != nil {
		t.Fatal(err)
	}
	tampered.Body.Close()
	if tampered.StatusCode != http.StatusForbidden {
		t.Errorf("a link that was changed answers %d, want 403", tampered.StatusCode)
	}
}

// Uploads sends what a link was made for, and anything else, to a portal that has the handler.
func Uploads(t *testing.T, s objects.Store, handler http.Handler) {
	t.Helper()
	portal := httptest.NewServer(handler)
	t.Cleanup(portal.Close)
	send := func(link string, headers map[string]string, text string) int {
		return send(t, portal.URL+link, headers, text)
	}
	o, text := s.For("acme"), "a block of a recording"
	sum := sha256.Sum256([]byte(text))
	content := objects.Content{Size: int64(len(text)), SHA256: sum[:]}
	if _, _, err := o.UploadLink(t.Context(), "other/a", content, time.Hour); !errors.Is(err, objects.ErrKey) {
		t.Errorf("a link for no key: error %v", err)
	}
	link, headers, err := o.UploadLink(t.Context(), "recordings/a.1.0", content, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"", text[1:], text + "!", strings.ToUpper(text)} {
		if status := send(link, headers, other); status < 400 {
			t.Errorf("%q is taken for %q: status %d", other, text, status)
		}
	}
	if status := send(strings.Replace(link, "a.1.0", "a.1.1", 1), headers, text); status != http.StatusForbidden {
		t.Errorf("a link that was changed answers %d, want 403", status)
	}
	if _, err := get(t, o, "recordings/a.1.0"); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("what was refused is there: error %v", err)
	}
	for range 2 {
		if status := send(link, headers, text); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	if got, err := get(t, o, "recordings/a.1.0"); err != nil || got != text {
		t.Errorf("stored %q, error %v", got, err)
	}
}

func send(t *testing.T, link string, headers map[string]string, text string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, link, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}
