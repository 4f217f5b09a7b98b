package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// The runs of testdata/data-0.4.tar.gz.
const (
	firstOf04   = "01M8C5SGMD33G8EJ3WXQWY6NXT"
	undoOf04    = "01M8C5SH2376PZ8SMWP3F98Y7H"
	secondOf04  = "01M8C5SHAVJ97FYWHNTTZS1Y34"
	flightOf04  = "01M8C5SHF80B1QCEM2KM0V3DRA"
	waitingOf04 = "01M8C5SHKCA658MYPT3KZQ5653"
)

// unpacked is a folder that an earlier build stored.
func unpacked(t *testing.T, archive string) (data string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "data")
	file, err := os.Open(filepath.Join("testdata", archive))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(unzipped); ; {
		entry, err := files.Next()
		if errors.Is(err, io.EOF) {
			return data
		}
		if err != nil {
			t.Fatal(err)
		}
		if !entry.FileInfo().Mode().IsRegular() && entry.Typeflag != tar.TypeLink {
			continue
		}
		path := filepath.Join(data, entry.Name) //nolint:gosec // the archive is ours
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if entry.Typeflag == tar.TypeLink {
			err = os.Link(filepath.Join(data, entry.Linkname), path) //nolint:gosec // as above
		} else {
			var content []byte
			content, err = io.ReadAll(files)
			err = errors.Join(err, os.WriteFile(path, content, 0o600), os.Chtimes(path, entry.ModTime, entry.ModTime))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// moved is a demo directory, wherever it listens now and whatever the settings say, without one person.
type moved struct {
	importer.Directory
	t      *testing.T
	data   string
	reader *directory.Reader
	// demo names the directory, and without is part of the person's DN.
	demo, without string
	// asked, where it is not nil, gets each connection.
	asked chan<- settings.Connection
}

func (m moved) Read(
	ctx context.Context, c settings.Connection, q directory.Query, onStep func(run.Step),
	onEntry func(*directory.Entry) error,
) (directory.Info, error) {
	if m.asked != nil {
		m.asked <- c
	}
	now := demoBody(m.t, m.data, m.demo)["connection"].(map[string]any)
	c.Port, c.CACertificate = int(now["port"].(float64)), now["caCertificate"].(string)
	return m.reader.Read(ctx, c, q, onStep, func(e *directory.Entry) error {
		if strings.Contains(string(e.DN), m.without) {
			return nil
		}
		return onEntry(e)
	})
}

// TestDataOfVersion04 starts with what version 0.4 left when it was killed: what was in flight goes on, the schedule
// runs with the stored password and removes somebody, a journal is undone, and history is what it was.
func TestDataOfVersion04(t *testing.T) {
	t.Parallel()
	data := unpacked(t, "data-0.4.tar.gz")
	began, at := time.Now(), time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	t.Run("start", func(t *testing.T) {
		c := startWith(t, config{
			data: data, demo: true, hour: time.Hour,
			directory: moved{
				t: t, data: data, reader: directory.New(directory.Config{}), demo: "exchange", without: "Anaïs Lefèvre",
			},
			clock: func() time.Time { return at.Add(time.Since(began)) },
		})
		for id, path := range map[string]string{flightOf04: "/v1/syncs/", waitingOf04: "/v1/previews/"} {
			c.account = "flight"
			c.wait(path + id)
			if answer := c.send(200, "GET", path+id, nil); answer["state"] != "done" {
				t.Errorf("%s%s is %v, want done: %v", path, id, answer["state"], answer["error"])
			}
		}
		c.account = "demo"
		for deadline := began.Add(30 * time.Second); c.newest()["id"] == secondOf04; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the schedule did not start")
			}
		}
		c.wait("/v1/syncs/" + c.newest()["id"].(string))
		scheduled := c.newest()
		removed := scheduled["summary"].(map[string]any)["delete"].(float64)
		if scheduled["trigger"] != "schedule" || scheduled["state"] != "done" || removed == 0 {
			t.Errorf("the schedule's sync is %v, want one that removed somebody", scheduled)
		}
		for _, id := range []string{firstOf04, undoOf04, secondOf04} {
			answer := c.send(200, "GET", "/v1/syncs/"+id, nil)
			if answer["applied"] != nil || answer["state"] != "done" {
				t.Errorf("sync %s is %v with applied %v, want done and null", id, answer["state"], answer["applied"])
			}
		}
		var listed []string
		for _, item := range c.send(200, "GET", "/v1/syncs", nil)["items"].([]any) {
			listed = append(listed, item.(map[string]any)["id"].(string))
		}
		if want := []string{secondOf04, undoOf04, firstOf04}; len(listed) != 4 || !slices.Equal(listed[1:], want) {
			t.Errorf("history is %q, want the schedule's and %q", listed, want)
		}
		undo := c.send(202, "POST", "/v1/syncs/"+secondOf04+"/undo", nil)["id"].(string)
		c.wait("/v1/syncs/" + undo)
		if left := c.send(200, "GET", "/v1/users", nil)["items"].([]any); len(left) > 0 {
			t.Errorf("the undo left %d users of those that the sync had added", len(left))
		}
	})
	var keys int
	err := damage(data, func(jobs *bolt.Bucket) error {
		return jobs.Bucket([]byte("=demo")).Bucket([]byte("idempotency")).ForEach(func(_, _ []byte) error {
			keys++
			return nil
		})
	})
	if err != nil || keys != 0 {
		t.Errorf("%d Idempotency-Keys of version 0.4 are left, error %v; want none", keys, err)
	}
	of, out := folder(data)
	if err := of.check(t.Context()); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
