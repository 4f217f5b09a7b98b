package main

import (
	"testing"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// TestDataOfTheBuildBeforeEncryption starts with what commit 016c2fd stored, before connections had encryption, oldTLS
// and trustedCertificate: its passwords open, its schedule removes somebody without a question, and what it stored as
// allowUnencrypted keeps its meaning until the connection is saved again.
func TestDataOfTheBuildBeforeEncryption(t *testing.T) {
	t.Parallel()
	data := unpacked(t, "data-016c2fd.tar.gz")
	began, at := time.Now(), time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	asked := make(chan settings.Connection, 16)
	c := startWith(t, config{
		data: data, demo: true, hour: time.Hour,
		directory: moved{
			t: t, data: data, reader: directory.New(directory.Config{}), demo: "groupwise", without: "olga.kravets",
			asked: asked,
		},
		clock: func() time.Time { return at.Add(time.Since(began)) },
	})
	connection := func() map[string]any {
		return c.send(200, "GET", "/v1/settings", nil)["connection"].(map[string]any)
	}
	const first = "01M8CG668AZJ3G30PVB8VE3NFB"
	c.account = "demo"
	for deadline := began.Add(30 * time.Second); c.newest()["id"] == first; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the schedule did not start")
		}
	}
	c.wait("/v1/syncs/" + c.newest()["id"].(string))
	scheduled := c.newest()
	applied, _ := scheduled["applied"].(map[string]any)
	if scheduled["trigger"] != "schedule" || scheduled["state"] != "done" || applied["delete"] == 0.0 {
		t.Errorf("the schedule's sync is %v, want one that removed somebody", scheduled)
	}
	if shown := connection(); shown["encryption"] != "required" || shown["allowUnencrypted"] != false {
		t.Errorf("the connection is shown as %v, want encryption required", shown)
	}
	<-asked

	c.account = "older"
	shown := connection()
	if shown["encryption"] != "preferred" || shown["allowUnencrypted"] != true {
		t.Errorf("allowUnencrypted is shown as %v, want encryption preferred", shown)
	}
	preview := func(want settings.Encryption) {
		t.Helper()
		id := c.send(202, "POST", "/v1/previews", map[string]any{})["id"].(string)
		c.wait("/v1/previews/" + id)
		if got := c.send(200, "GET", "/v1/previews/"+id, nil); got["state"] != "done" {
			t.Errorf("the preview is %v", got)
		}
		if got := <-asked; got.Encryption != want || !got.AllowUnencrypted || got.Password.Empty() {
			t.Errorf("the directory is read with encryption %q, allowUnencrypted %t; want %q and true",
				got.Encryption, got.AllowUnencrypted, want)
		}
	}
	preview("")
	// A change of something else is no new decision about encryption.
	c.send(200, "PATCH", "/v1/settings", map[string]any{"options": map[string]any{"sendHSR": true}})
	preview("")
	// The password stays: sent back as it was shown, the connection is the same.
	c.send(200, "PUT", "/v1/settings", map[string]any{"connection": shown})
	preview(settings.Preferred)
}
