package embedded_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

// used is a closed folder with a sealed password and some users in its database.
func used(t *testing.T, count int) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	s, err := embedded.Open(dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Users().For("acme").Apply(t.Context(), users.Fence{}, benchUsers(count))
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestStartsAtOnceMakeOneKey(t *testing.T) {
	t.Parallel()
	here := secret.Binding{Account: "acme", Target: "t"}
	dir := filepath.Join(t.TempDir(), "data")
	var (
		starts sync.WaitGroup
		mu     sync.Mutex
		sealed [][]byte
	)
	for range 8 {
		starts.Go(func() {
			s, err := embedded.Open(dir, embedded.Options{})
			if errors.Is(err, embedded.ErrInUse) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			password, err := s.Sealer().Seal(t.Context(), secret.New("a password"), here)
			if err := errors.Join(err, s.Close()); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sealed = append(sealed, password)
		})
	}
	starts.Wait()
	s := open(t, dir, embedded.Options{})
	for _, password := range sealed {
		if _, err := s.Sealer().Open(t.Context(), password, here); err != nil {
			t.Errorf("one of %d starts lost its key: %v", len(sealed), err)
		}
	}
}

// TestFoldersThatCannotBeUsed opens folders to which something happened. The error says what to do, and nothing is
// replaced: a second try says the same.
func TestFoldersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		happened func(dir string) error
		says     string
	}{
		"the key file is gone": {func(dir string) error {
			return os.Remove(filepath.Join(dir, "keys"))
		}, "restore it from a backup, or erase"},
		"the database is empty": {func(dir string) error {
			return os.Truncate(filepath.Join(dir, "rollcall.db"), 0)
		}, "restore the folder from a backup, or erase"},
		"the database is gone": {func(dir string) error {
			return os.Remove(filepath.Join(dir, "rollcall.db"))
		}, "restore the folder from a backup, or erase"},
		"the database is cut off": {func(dir string) error {
			return os.Truncate(filepath.Join(dir, "rollcall.db"), 40<<10)
		}, "restore it from a backup"},
		"the database is something else": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "rollcall.db"), bytes.Repeat([]byte("text"), 10<<10), 0o600)
		}, "restore it from a backup"},
		"others can write the folder": {func(dir string) error { return os.Chmod(dir, 0o777) }, "chmod go-w"},
		"a group can write the database": {func(dir string) error {
			return os.Chmod(filepath.Join(dir, "rollcall.db"), 0o660)
		}, "chmod go-w"},
		"a newer version wrote it": {func(dir string) error {
			return inMeta(dir, func(meta *bolt.Bucket) error { return meta.Put([]byte("format"), []byte("2")) })
		}, "newer version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := used(t, 2000)
			if err := test.happened(dir); err != nil {
				t.Fatal(err)
			}
			for try := range 2 {
				s, err := embedded.Open(dir, embedded.Options{})
				if err == nil {
					s.Close()
					t.Fatal("the folder was opened")
				}
				if try > 0 && errors.Is(err, embedded.ErrInUse) {
					// bbolt keeps the lock of a file at which it panicked.
					break
				}
				if !strings.Contains(err.Error(), test.says) {
					t.Errorf("error %q, want one with %q", err, test.says)
				}
			}
		})
	}
}

// inMeta changes the bucket of a closed folder's database that says what it is.
func inMeta(dir string, change func(meta *bolt.Bucket) error) error {
	db, err := bolt.Open(filepath.Join(dir, "rollcall.db"), 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error { return change(tx.Bucket([]byte("meta"))) })
	return errors.Join(err, db.Close())
}

// TestAFirstStartThatDiedIsTriedAgain leaves what a kill between any two steps of a first start leaves.
func TestAFirstStartThatDiedIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]func(dir string) error{
		"a database without anything in it": func(dir string) error {
			return os.Remove(filepath.Join(dir, "keys.new"))
		},
		"keys without a name": func(dir string) error {
			return os.Truncate(filepath.Join(dir, "rollcall.db"), 0)
		},
		"keys without a name, and a database": func(string) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := used(t, 0)
			err := os.Rename(filepath.Join(dir, "keys"), filepath.Join(dir, "keys.new"))
			if err := errors.Join(err, left(dir)); err != nil {
				t.Fatal(err)
			}
			if name == "a database without anything in it" {
				if err := os.Truncate(filepath.Join(dir, "rollcall.db"), 0); err != nil {
					t.Fatal(err)
				}
			}
			open(t, dir, embedded.Options{})
			if _, err := os.Stat(filepath.Join(dir, "keys")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestADamagedPageIsAnError reads users whose pages were overwritten in an open database.
func TestADamagedPageIsAnError(t *testing.T) {
	t.Parallel()
	dir := used(t, 5000)
	s := open(t, dir, embedded.Options{})
	file, err := os.OpenFile(filepath.Join(dir, "rollcall.db"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	// The pages behind the first four hold the data.
	_, err = file.WriteAt(bytes.Repeat([]byte{0xff}, int(info.Size())-16<<10), 16<<10)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	u := s.Users().For("acme")
	if _, err := u.Get(t.Context(), "user000100@example.com"); !errors.Is(err, embedded.ErrDamaged) {
		t.Errorf("a read: error %v, want %v", err, embedded.ErrDamaged)
	}
	change := []users.Change{{Key: "a@b.example", After: &user.User{Key: "a@b.example"}}}
	for range 2 {
		if _, err := u.Apply(t.Context(), users.Fence{}, change); !errors.Is(err, embedded.ErrDamaged) {
			t.Errorf("a write: error %v, want %v", err, embedded.ErrDamaged)
		}
	}
}

// TestACheckReadsLongSettings checks a folder with a run whose settings have a record of their own.
func TestACheckReadsLongSettings(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, dir, embedded.Options{})
	r := run.Run{ID: "01J", Kind: run.KindPreview, State: run.Running, CreatedAt: time.Now()}
	r.Import.Connection = settings.Connection{Host: "dc1", Username: "reader"}
	r.Import.Advanced.Filter = strings.Repeat("(cn=a)", 1000)
	binding := secret.Binding{Account: "acme", Target: r.Import.Connection.Target()}
	sealed, err := s.Sealer().Seal(t.Context(), secret.New("a password"), binding)
	r.SealedPassword = sealed
	_, createErr := s.Jobs().For("acme").CreateRun(t.Context(), r)
	if err := errors.Join(err, createErr, s.Close()); err != nil {
		t.Fatal(err)
	}
	report, err := embedded.Check(t.Context(), dir, "", time.Now())
	if err != nil || !report.Whole() || report.Runs != 1 || report.Passwords != 1 {
		t.Errorf("report %+v, error %v", report, err)
	}
	db, err := bolt.Open(filepath.Join(dir, "rollcall.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("jobs")).ForEachBucket(func(account []byte) error {
			return tx.Bucket([]byte("jobs")).Bucket(account).Bucket([]byte("imports")).Delete([]byte(r.ID))
		})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if report, err = embedded.Check(t.Context(), dir, "", time.Now()); err != nil || report.Damaged != 1 {
		t.Errorf("without its settings: report %+v, error %v", report, err)
	}
}
