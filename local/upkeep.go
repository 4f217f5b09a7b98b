package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"rollcall/shared/adapters/embedded"
)

// errDamaged ends -check where something is damaged; the report has said what.
var errDamaged = errors.New("the data is damaged: restore the folder from a backup (-restore FILE)")

const (
	// serverFile is where a running server says how its folder's owner reaches it.
	serverFile = "server"
	backupPath = "/admin/backup"
)

// server is what serverFile holds. Who can read the folder may copy it, so the token is worth no more than that.
type server struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// announce writes serverFile, and returns what a backup is asked for with.
func announce(data, base string) (server, error) {
	s := server{URL: base, Token: rand.Text()}
	content, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(filepath.Join(data, serverFile), content, 0o600)
	}
	if err != nil {
		return s, fmt.Errorf("say where the server is: %w", err)
	}
	return s, nil
}

// backups answers requests that know the token with a backup.
func (c config) backups(token string, backup func(context.Context, io.Writer) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+token)) != 1 {
			refuse(w, "forbidden", "Use rollcall -backup, as the user whose data folder it is.")
			return
		}
		// A large folder takes longer than any other answer.
		if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil {
			c.log.WarnContext(r.Context(), "a backup must end within the usual time", "error", err)
		}
		if err := backup(r.Context(), w); err != nil {
			c.log.ErrorContext(r.Context(), "a backup was not written", "error", err)
			// The client sees that the answer ends too soon.
			panic(http.ErrAbortHandler)
		}
		c.log.InfoContext(r.Context(), "a backup was written")
	})
}

// copyFolder writes a backup of the folder to w: by itself, or by asking the process that has the folder open.
func (c config) copyFolder(ctx context.Context, w io.Writer) error {
	if _, err := os.Stat(c.data); err != nil {
		return fmt.Errorf("there is no data folder: %w", err)
	}
	store, err := embedded.Open(c.data, embedded.Options{Log: c.log})
	if errors.Is(err, embedded.ErrInUse) {
		return c.copyFromServer(ctx, w)
	}
	if err != nil {
		return err
	}
	return errors.Join(store.Backup(ctx, w), store.Close())
}

func (c config) copyFromServer(ctx context.Context, w io.Writer) error {
	var s server
	content, err := os.ReadFile(filepath.Join(c.data, serverFile))
	if err == nil {
		err = json.Unmarshal(content, &s)
	}
	if err != nil {
		return fmt.Errorf("find the process that has the data folder open: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+backupPath, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the process that has the data folder open: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the process that has the data folder open answered %s", response.Status)
	}
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("the server did not write the whole backup; its log says why: %w", err)
	}
	return nil
}

// backup writes a backup of the data folder into a file, which gets its name once it is whole.
func (c config) backup(ctx context.Context, name string) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("make the backup's file: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	if err := errors.Join(c.copyFolder(ctx, file), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "wrote %s. It opens the stored passwords: keep it as you keep those.\n", name)
	return nil
}

// restore unpacks a backup into the data folder, and checks it.
func (c config) restore(ctx context.Context, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	defer file.Close()
	if err := embedded.Restore(ctx, file, c.data); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "restored %s\n", c.data)
	return c.check(ctx)
}

// check reads all of the data folder and says what it found.
func (c config) check(ctx context.Context) error {
	report, err := embedded.Check(ctx, c.data, "", time.Now())
	if errors.Is(err, embedded.ErrInUse) {
		report, err = c.checkCopy(ctx)
	}
	if err != nil {
		return err
	}
	if err := report.Write(c.out); err != nil {
		return err
	}
	if !report.Whole() {
		return errDamaged
	}
	fmt.Fprintln(c.out, "nothing is damaged")
	return nil
}

// checkCopy checks a folder that a process has open, with a copy of its database.
func (c config) checkCopy(ctx context.Context) (*embedded.Report, error) {
	copied, err := os.CreateTemp("", "rollcall-check-*.db")
	if err != nil {
		return nil, err
	}
	defer os.Remove(copied.Name())
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(c.copyFolder(ctx, writer)) }()
	err = embedded.ReadDatabase(reader, copied)
	reader.Close()
	if err := errors.Join(err, copied.Close()); err != nil {
		return nil, fmt.Errorf("copy the database: %w", err)
	}
	return embedded.Check(ctx, c.data, copied.Name(), time.Now())
}
