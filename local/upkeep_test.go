package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder is a config whose jobs work on a data folder, and what they print.
func folder(dir string) (config, *strings.Builder) {
	out := new(strings.Builder)
	return config{data: dir, out: out, log: slog.New(slog.DiscardHandler)}, out
}

// synced is a running server with one sync of the demo's Exchange directory.
func synced(t *testing.T, data string) *caller {
	t.Helper()
	c := start(t, data)
	c.send(200, "PUT", "/v1/settings", demoBody(t, data, "exchange"))
	c.wait("/v1/syncs/" + c.send(202, "POST", "/v1/syncs", map[string]any{})["id"].(string))
	return c
}

// newest is the newest sync's record as the API shows it.
func (c *caller) newest() map[string]any {
	c.t.Helper()
	return c.send(200, "GET", "/v1/syncs?limit=1", nil)["items"].([]any)[0].(map[string]any)
}

func TestABackupOfARunningServerIsRestored(t *testing.T) {
	t.Parallel()
	data, copied := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "copied")
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	c := synced(t, data)
	of, out := folder(data)
	if err := errors.Join(of.backup(t.Context(), file), of.check(t.Context())); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is %v, error %v; want mode 0600", info, err)
	}
	want := c.newest()["id"]

	of, out = folder(copied)
	if err := of.restore(t.Context(), file); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(out.String(), "1 accounts, 452 users, 1 runs") {
		t.Errorf("the check after it says %q, want the numbers of what was stored", out)
	}
	if err := of.restore(t.Context(), file); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("restoring once more: error %v, want one that says that the folder is not empty", err)
	}
	again := start(t, copied)
	if got := again.newest()["id"]; got != want {
		t.Errorf("the newest sync is %v, want %v", got, want)
	}
	// The password opens, and the journal is whole.
	again.wait("/v1/syncs/" + again.send(202, "POST", "/v1/syncs", map[string]any{})["id"].(string))
	if state := again.newest()["state"]; state != "done" {
		t.Errorf("a sync with the restored password is %v", state)
	}
	again.wait("/v1/syncs/" + again.send(202, "POST", "/v1/syncs/"+want.(string)+"/undo", nil)["id"].(string))
	if state := again.newest()["state"]; state != "done" {
		t.Errorf("the undo of a restored sync is %v", state)
	}
}

func TestNobodyElseGetsABackup(t *testing.T) {
	t.Parallel()
	c := start(t, filepath.Join(t.TempDir(), "data"))
	c.send(403, "GET", backupPath, nil)
}

func TestABackupThatIsNotWholeIsNotRestored(t *testing.T) {
	t.Parallel()
	data, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "backup.tar.gz")
	stopped(t, data)
	of, _ := folder(data)
	if err := of.backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)/2] ^= 1
	for name, content := range map[string][]byte{
		"cut off": whole[:len(whole)-100], "cut off early": whole[:300], "a bit is another": flipped, "empty": {},
		"text": []byte("text"),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(t.TempDir(), "target")
		into, _ := folder(target)
		if err := into.restore(t.Context(), file); err == nil || !strings.Contains(err.Error(), "not a whole backup") {
			t.Errorf("%s: error %v, want one that says that this is not a whole backup", name, err)
		}
		if left, err := os.ReadDir(target); err != nil || len(left) > 0 {
			t.Errorf("%s: the folder has %v, error %v; want it empty", name, left, err)
		}
	}
}

// stopped runs a server with one sync and ends it.
func stopped(t *testing.T, data string) {
	t.Helper()
	t.Run("sync", func(t *testing.T) { synced(t, data) })
}

func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	journal := func(change func(path string) error) func(string) error {
		return func(data string) error {
			files, err := filepath.Glob(filepath.Join(data, "objects", "*", "journals", "*"))
			if err != nil || len(files) != 1 {
				return errors.Join(err, fs.ErrNotExist)
			}
			return change(files[0])
		}
	}
	for name, test := range map[string]struct {
		happened func(data string) error
		says     string
	}{
		"nothing": {func(string) error { return nil }, "nothing is damaged"},
		"a journal's bit": {journal(func(path string) error {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content[len(content)/2] ^= 1
			return os.WriteFile(path, content, 0o600)
		}), "journals/"},
		"a journal is gone": {journal(os.Remove), "journals/"},
		"the keys are another's": {func(data string) error {
			return os.WriteFile(filepath.Join(data, "keys"), make([]byte, 64), 0o600)
		}, "the key file does not open the password of the settings"},
		"the keys are gone": {func(data string) error {
			return os.Remove(filepath.Join(data, "keys"))
		}, "key file"},
		"the database is short": {func(data string) error {
			return os.Truncate(filepath.Join(data, "rollcall.db"), 64<<10)
		}, "bytes"},
		"the database is empty": {func(data string) error {
			return os.Truncate(filepath.Join(data, "rollcall.db"), 0)
		}, "empty"},
		"pages of the database": {func(data string) error {
			content, err := os.ReadFile(filepath.Join(data, "rollcall.db"))
			if err != nil {
				return err
			}
			for i := 16 << 10; i < len(content); i++ {
				content[i] = 0xa5
			}
			return os.WriteFile(filepath.Join(data, "rollcall.db"), content, 0o600)
		}, "damaged"},
		"a record": {func(data string) error { return damageSettings(data) }, `account "demo": settings`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			stopped(t, data)
			if err := test.happened(data); err != nil {
				t.Fatal(err)
			}
			of, out := folder(data)
			err := of.check(t.Context())
			if damaged := name != "nothing"; errors.Is(err, errDamaged) != damaged || !damaged && err != nil {
				t.Errorf("error %v", err)
			}
			if !strings.Contains(out.String(), test.says) {
				t.Errorf("it says %q, want %q in it", out, test.says)
			}
		})
	}
}
