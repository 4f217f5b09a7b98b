package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/settings"
)

// The files of the state folder. Commands write settingsFile and keyFile, and run writes statusFile, so that nobody
// overwrites what another process has just written.
const (
	settingsFile = "settings.json"
	keyFile      = "key.pem"
	statusFile   = "status.json"
	// changesFolder has a file for each change that the audit log has not heard of.
	changesFolder = "changes"
)

// errNotEnrolled says what to do first.
var errNotEnrolled = errors.New("this connector is not enrolled: make a code on the page (Connectors), and run " +
	"rollcall-connector enrol -url URL -code CODE")

// state is the folder that a connector keeps everything in.
type state struct{ dir string }

// local is what was set on site.
type local struct {
	// URL is the portal's, without a path.
	URL           string `json:"url"`
	ConnectorID   string `json:"connectorId"`
	ConnectorName string `json:"connectorName"`
	// CA is PEM: authorities to trust besides the system's for the portal, such as a proxy's.
	CA      string   `json:"ca,omitempty"`
	Targets []target `json:"targets"`
	// Attributes are those that were allowed besides the default ones.
	Attributes []string `json:"attributes"`
}

// target is a directory, with how it is reached and what it is recognised by.
type target struct {
	connector.Target
	// Password is the account's, or Credential the name of the file in systemd's credentials folder that has it.
	Password   string `json:"password,omitempty"`
	Credential string `json:"credential,omitempty"`

	UseSSL     bool                `json:"useSSL,omitempty"`
	Encryption settings.Encryption `json:"encryption"`
	OldTLS     bool                `json:"oldTLS,omitempty"`
	// Roots are the authorities that its servers' certificates have to come from, in PEM, and Certificates those that
	// are trusted as they are, by their SHA-256.
	Roots        string   `json:"roots,omitempty"`
	Certificates []string `json:"certificates,omitempty"`
}

// openState returns the folder, made where it is missing. It refuses one that others than its owner can look into.
func openState(dir string) (*state, error) {
	s := &state{dir}
	if err := os.MkdirAll(s.path(changesFolder), 0o700); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	return s, s.check()
}

func (s *state) path(name string) string { return filepath.Join(s.dir, name) }

// check refuses files that group or others may open. The folder's own name may be a link, as systemd makes it for a
// user of its own (DynamicUser). Windows has no such modes: there the folder's own list says who may.
func (s *state) check() error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		return fmt.Errorf("look at the state folder: %w", err)
	}
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != folder {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look at the state folder: %w", err)
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look at the state folder: %w", err)
		}
		if open := info.Mode().Perm() & 0o077; open != 0 {
			return fmt.Errorf("%s is open to group or others (mode %04o), and passwords are kept there: run chmod -R "+
				"go-rwx %s", path, info.Mode().Perm(), s.dir)
		}
		return nil
	})
}

// load returns what was set, of the zero value where nothing was.
func (s *state) load() (local, error) {
	l := local{Targets: []target{}, Attributes: []string{}}
	return l, s.read(settingsFile, &l)
}

func (s *state) save(l local) error { return s.write(settingsFile, l) }

// read reads a JSON file; one that is not there leaves v as it is.
func (s *state) read(name string, v any) error {
	data, err := os.ReadFile(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", s.path(name), err)
	}
	return nil
}

// write replaces a JSON file, whole or not at all.
func (s *state) write(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return s.replace(name, data)
}

func (s *state) replace(name string, data []byte) error {
	// Made with mode 0600.
	file, err := os.CreateTemp(filepath.Dir(s.path(name)), ".new-")
	if err != nil {
		return fmt.Errorf("write %s: %w", s.path(name), err)
	}
	_, err = file.Write(data)
	if err = errors.Join(err, giveTo(s.dir, file), file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), s.path(name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", s.path(name), err), os.Remove(file.Name()))
	}
	return nil
}

// keep keeps the instance's key.
func (s *state) keep(key ed25519.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	return s.replace(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// key returns the instance's key.
func (s *state) key() (ed25519.PrivateKey, error) {
	data, err := os.ReadFile(s.path(keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotEnrolled
	}
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no key; enrol the connector again", s.path(keyFile))
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s holds no Ed25519 key; enrol the connector again", s.path(keyFile))
	}
	return key, nil
}

// note keeps a change for the audit log until run has reported it.
func (s *state) note(what, format string, args ...any) error {
	c := connector.Change{ID: rand.Text(), At: time.Now().UTC(), What: what, Detail: fmt.Sprintf(format, args...)}
	return s.write(filepath.Join(changesFolder, c.ID+".json"), c)
}

// changes returns what the audit log has not heard of, the oldest first.
func (s *state) changes() ([]connector.Change, error) {
	files, err := filepath.Glob(s.path(filepath.Join(changesFolder, "*.json")))
	changes := make([]connector.Change, len(files))
	for i, file := range files {
		err = errors.Join(err, s.read(filepath.Join(changesFolder, filepath.Base(file)), &changes[i]))
	}
	slices.SortFunc(changes, func(a, b connector.Change) int { return a.At.Compare(b.At) })
	return changes, err
}

// reported forgets changes.
func (s *state) reported(changes []connector.Change) (err error) {
	for _, c := range changes {
		err = errors.Join(err, os.Remove(s.path(filepath.Join(changesFolder, c.ID+".json"))))
	}
	return err
}

// find returns the target of a job.
func (l *local) find(t connector.Target) (target, bool) {
	i := slices.IndexFunc(l.Targets, func(have target) bool { return have.Target == t })
	if i < 0 {
		return target{}, false
	}
	return l.Targets[i], true
}

// targets lists the directories that passwords are held for.
func (l *local) targets() []connector.Target {
	out := make([]connector.Target, len(l.Targets))
	for i := range l.Targets {
		out[i] = l.Targets[i].Target
	}
	return out
}

// allowed are the attributes that are handed over.
func (l *local) allowed() connector.Allowed {
	return slices.Concat(connector.DefaultAttributes(), l.Attributes)
}

// password returns the target's password.
func (t *target) password() (string, error) {
	if t.Credential == "" {
		return t.Password, nil
	}
	folder := os.Getenv("CREDENTIALS_DIRECTORY")
	if folder == "" {
		return "", fmt.Errorf("the password of %s is systemd's credential %q, and this process was given none: start "+
			"it by its unit, which install -credential writes", t.Username, t.Credential)
	}
	data, err := os.ReadFile(filepath.Join(folder, filepath.Base(t.Credential)))
	if err != nil {
		return "", fmt.Errorf("read the password of %s: %w", t.Username, err)
	}
	return withoutNewline(string(data)), nil
}
