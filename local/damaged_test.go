package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// flip turns one bit of the data folder's only file whose path has a part, at a fraction of its length.
func flip(t *testing.T, data, part string, at float64) {
	t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(data, "objects"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(path, part) {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) != 1 {
		t.Fatalf("files of %s: %q, error %v; want one", part, found, err)
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	content[int(at*float64(len(content)-1))] ^= 0x10
	if err := os.WriteFile(found[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestADamagedPlanSaysSo turns a bit of stored plans, at their beginning, in the middle and near the end, and one of a
// journal.
func TestADamagedPlanSaysSo(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	c := start(t, data)
	raw, err := os.ReadFile(filepath.Join(data, "demo", "exchange.json"))
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatal(err)
	}
	preview := func() string {
		id := c.send(202, "POST", "/v1/previews", body)["id"].(string)
		c.wait("/v1/previews/" + id)
		return id
	}
	gone := func(method, path string) {
		t.Helper()
		if answer := c.send(410, method, path, nil); answer["code"] != "plan_damaged" {
			t.Errorf("%s %s answers %v, want plan_damaged", method, path, answer)
		}
	}
	for _, at := range []float64{0, 0.5, 0.9} {
		id := preview()
		flip(t, data, id, at)
		sync := c.send(202, "POST", "/v1/syncs", map[string]any{"previewId": id})["id"].(string)
		c.wait("/v1/syncs/" + sync)
		ended := c.send(200, "GET", "/v1/syncs/"+sync, nil)
		failure, _ := ended["error"].(map[string]any)
		if ended["state"] != "failed" || failure["code"] != "plan_damaged" {
			t.Errorf("bit at %.0f %%: the sync is %v, error %v; want it failed with plan_damaged",
				100*at, ended["state"], failure)
		}
		if users := c.send(200, "GET", "/v1/users", nil)["items"].([]any); len(users) != 0 {
			t.Errorf("bit at %.0f %%: the sync wrote %d users", 100*at, len(users))
		}
		if at == 0 {
			gone("GET", "/v1/previews/"+id+"/addresses?limit=1000")
			gone("POST", "/v1/previews/"+id+"/export")
		}
	}
	id := preview()
	sync := c.send(202, "POST", "/v1/syncs", map[string]any{"previewId": id})["id"].(string)
	c.wait("/v1/syncs/" + sync)
	flip(t, data, sync, 0)
	gone("GET", "/v1/syncs/"+sync+"/changes?limit=1000")
}
