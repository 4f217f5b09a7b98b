package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// notify saves who is told, sends a test and waits for what the receivers say.
func (c *caller) notify() {
	c.t.Helper()
	got := make(chan http.Header, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// The body is not what this looks at; that it ends is.
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Header
	}))
	defer receiver.Close()
	c.send(409, "POST", "/v1/notifications/test", map[string]any{})
	body := map[string]any{
		"email": []string{"ann@example.com"}, "events": []string{"failed"},
		"webhook": map[string]any{"url": receiver.URL, "secret": testSecret},
	}
	c.send(200, "PUT", "/v1/notifications", body)
	test := c.call(202, "POST /v1/notifications/test", "", map[string]any{})
	if id := (<-got).Get("webhook-id"); id != test["eventId"] {
		c.t.Errorf("the webhook got event %s, want %v", id, test["eventId"])
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		shown := c.send(200, "GET", "/v1/notifications", nil)
		if len(shown["deliveries"].([]any)) == 2 {
			break
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("not everybody got the test: %v", shown)
		}
	}
	shown := c.call(200, "GET /v1/notifications", "", nil)
	// What was shown may be sent back.
	again := c.call(200, "PUT /v1/notifications", "", shown)
	if again["webhook"].(map[string]any)["secretSet"] != true || again["mail"].(map[string]any)["available"] != false {
		c.t.Errorf("saved again: %v", again)
	}
}

// TestWrongNotificationsAreNamed sends what must not be stored. Every case names the field that is wrong.
func TestWrongNotificationsAreNamed(t *testing.T) {
	t.Parallel()
	c := startWith(t, config{data: t.TempDir()})
	hook := func(url, secret string) map[string]any {
		return map[string]any{"webhook": map[string]any{"url": url, "secret": secret}}
	}
	email := func(list ...string) map[string]any { return map[string]any{"email": list} }
	eleven := make([]string, 11)
	for i := range eleven {
		eleven[i] = string(rune('a'+i)) + "@example.com"
	}
	const good = "https://hooks.example.com/"
	for _, test := range []struct {
		body  map[string]any
		field string
	}{
		{email("ann"), "email[0]"}, {email("ann@example.com", "bob@"), "email[1]"}, {email("a@b"), "email[0]"},
		{email("ann@example.com\r\nBcc: all@example.com"), "email[0]"}, {email("Ann <ann@example.com>"), "email[0]"},
		{email("ann@example.com", "Ann@example.com"), "email[1]"}, {email("a b@example.com"), "email[0]"},
		{email(eleven...), "email"}, {email(".a@example.com"), "email[0]"}, {email("\"a\"@example.com"), "email[0]"},
		{map[string]any{"events": []string{"failed", "exploded"}}, "events[1]"},
		{map[string]any{"events": []string{"failed", "failed"}}, "events[1]"},
		{hook("", testSecret), "webhook.url"}, {hook("hooks.example.com", testSecret), "webhook.url"},
		{hook("ftp://hooks.example.com/", testSecret), "webhook.url"},
		{hook("https://user:password@hooks.example.com/", testSecret), "webhook.url"},
		{hook("https://hooks.example.com/#here", testSecret), "webhook.url"},
		{hook("https:///path", testSecret), "webhook.url"}, {hook(good+"\n", testSecret), "webhook.url"},
		{hook(good, ""), "webhook.secret"}, {hook(good, "whsec_"), "webhook.secret"},
		{hook(good, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "webhook.secret"},
		{hook(good, "whsec_c2hvcnQ="), "webhook.secret"}, {hook(good, "whsec_not base64!"), "webhook.secret"},
		{map[string]any{"webhook": map[string]any{"url": good, "sekret": "x"}}, "webhook.sekret"},
	} {
		problem := c.send(422, "PUT", "/v1/notifications", test.body)
		errors, _ := problem["errors"].([]any)
		if len(errors) != 1 || errors[0].(map[string]any)["field"] != test.field {
			t.Errorf("%v: %v, want %s", test.body, problem, test.field)
		}
	}
	shown := c.send(200, "GET", "/v1/notifications", nil)
	if shown["updatedAt"] != nil || len(shown["events"].([]any)) != 5 {
		t.Errorf("something was stored: %v", shown)
	}
}

// TestTheSecretStaysForItsURL keeps the stored secret for the same URL only, and shows it to nobody.
func TestTheSecretStaysForItsURL(t *testing.T) {
	t.Parallel()
	c := startWith(t, config{data: t.TempDir()})
	hook := func(url string) map[string]any { return map[string]any{"webhook": map[string]any{"url": url}} }
	first := hook("https://a.example.com/")
	first["webhook"].(map[string]any)["secret"] = testSecret
	if shown := c.send(200, "PUT", "/v1/notifications", first); shown["webhook"].(map[string]any)["secret"] != nil {
		t.Errorf("the secret is shown: %v", shown)
	}
	c.send(200, "PUT", "/v1/notifications", hook("https://a.example.com/"))
	c.send(422, "PUT", "/v1/notifications", hook("https://b.example.com/"))
	c.send(422, "PUT", "/v1/notifications", hook("https://a.example.com/other"))
	c.send(200, "PUT", "/v1/notifications", map[string]any{})
	c.send(422, "PUT", "/v1/notifications", hook("https://a.example.com/"))
	entries := c.send(200, "GET", "/v1/audit", nil)["items"].([]any)
	if len(entries) != 3 || entries[0].(map[string]any)["action"] != "notifications.saved" {
		t.Errorf("the audit log has %v", entries)
	}
}
