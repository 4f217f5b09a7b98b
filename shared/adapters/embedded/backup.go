package embedded

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// ErrBackup means that a file is no whole backup.
var ErrBackup = errors.New("this is not a whole backup")

const (
	// backupHeader is the name of a backup's first entry; databaseFile is that of the second.
	backupHeader = "rollcall-backup.json"
	backupFormat = 1
)

// header is what a backup says about itself.
type header struct {
	Format int       `json:"format"`
	At     time.Time `json:"at"`
}

// inBackup reports whether a backup has a file, by its slash-separated name in the data folder. The folder demo has the
// authority that settings for the demo directories trust.
func inBackup(name string) bool {
	kept := name == keysFile || strings.HasPrefix(name, objectsFolder+"/") || strings.HasPrefix(name, "demo/")
	return kept && !strings.HasPrefix(filepath.Base(name), temporary)
}

// Backup writes a copy of everything in the folder, as a compressed tar archive, while the store is in use: first the
// database as it is at one moment, then the keys and the files. A file that the database names is whole before it does,
// and one that is gone since was past its time.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	compressed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	about, err := json.Marshal(header{backupFormat, s.options.Clock().UTC()})
	if err != nil {
		return err
	}
	err = archive.WriteHeader(&tar.Header{Name: backupHeader, Size: int64(len(about)), Mode: 0o600})
	if err == nil {
		_, err = archive.Write(about)
	}
	if err == nil {
		err = s.backupDatabase(archive)
	}
	if err == nil {
		err = backupFiles(ctx, archive, s.dir)
	}
	if err == nil {
		err = errors.Join(archive.Close(), compressed.Close())
	}
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

func (s *Store) backupDatabase(archive *tar.Writer) error {
	return s.db.View(func(tx *bolt.Tx) error {
		entry := tar.Header{Name: databaseFile, Size: tx.Size(), Mode: 0o600, ModTime: s.options.Clock()}
		if err := archive.WriteHeader(&entry); err != nil {
			return err
		}
		_, err := tx.WriteTo(archive)
		return err
	})
}

func backupFiles(ctx context.Context, archive *tar.Writer, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		name, relErr := filepath.Rel(dir, path)
		if err := errors.Join(err, relErr); err != nil || !d.Type().IsRegular() || !inBackup(filepath.ToSlash(name)) {
			return err
		}
		return backupFile(archive, path, filepath.ToSlash(name))
	})
}

func backupFile(archive *tar.Writer, path, name string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	// The time decides how long a file is kept.
	entry := tar.Header{Name: name, Size: info.Size(), Mode: 0o600, ModTime: info.ModTime(), Format: tar.FormatPAX}
	if err := archive.WriteHeader(&entry); err != nil {
		return err
	}
	_, err = io.CopyN(archive, file, info.Size())
	return err
}

// Restore unpacks a backup into a folder that is empty or does not exist. Where it fails the folder is as it was.
func Restore(ctx context.Context, r io.Reader, dir string) (err error) {
	if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
		return fmt.Errorf("the folder %s is not empty: restore into another, or erase it first", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeDir(dir); err != nil {
		return err
	}
	if err := checkModes(dir); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := unpack(ctx, r, root); err != nil {
		made, readErr := os.ReadDir(dir)
		for _, d := range made {
			readErr = errors.Join(readErr, root.RemoveAll(d.Name()))
		}
		return errors.Join(fmt.Errorf("restore: %w", err), readErr)
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncDir(path)
	})
}

// unpack writes a backup's files. The database gets its name last: a folder without one is not taken for a whole one.
func unpack(ctx context.Context, r io.Reader, root *os.Root) error {
	compressed, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBackup, err)
	}
	archive := tar.NewReader(compressed)
	if err := readHeader(archive); err != nil {
		return err
	}
	var names []string
	for {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBackup, err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name := entry.Name
		if name == databaseFile {
			name += temporary
		} else if !filepath.IsLocal(name) || !inBackup(name) {
			return fmt.Errorf("%w: it has a file %q", ErrBackup, name)
		}
		if err := unpackFile(root, name, entry, archive); err != nil {
			return err
		}
		names = append(names, name)
	}
	// What is behind the archive's end has the checksum of all.
	if _, err := io.Copy(io.Discard, compressed); err != nil { //nolint:gosec // the administrator's own
		return fmt.Errorf("%w: %w", ErrBackup, err)
	}
	if !slices.Contains(names, keysFile) || !slices.Contains(names, databaseFile+temporary) {
		return fmt.Errorf("%w: it lacks the database or the keys", ErrBackup)
	}
	return root.Rename(databaseFile+temporary, databaseFile)
}

func readHeader(archive *tar.Reader) error {
	entry, err := archive.Next()
	if err != nil || entry.Name != backupHeader {
		return fmt.Errorf("%w: its beginning is another", ErrBackup)
	}
	var about header
	if err := json.NewDecoder(archive).Decode(&about); err != nil {
		return fmt.Errorf("%w: %w", ErrBackup, err)
	}
	if about.Format > backupFormat {
		return fmt.Errorf("%w: the backup has format %d, and this version reads %d", ErrNewer, about.Format,
			backupFormat)
	}
	return nil
}

func unpackFile(root *os.Root, name string, entry *tar.Header, from io.Reader) error {
	if entry.Typeflag != tar.TypeReg {
		return fmt.Errorf("%w: %q is no file", ErrBackup, name)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(file, from, entry.Size); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", ErrBackup, err), file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return root.Chtimes(name, entry.ModTime, entry.ModTime)
}

// ReadDatabase writes the database of a backup to w and reads no further.
func ReadDatabase(r io.Reader, w io.Writer) error {
	compressed, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBackup, err)
	}
	archive := tar.NewReader(compressed)
	if err := readHeader(archive); err != nil {
		return err
	}
	if entry, err := archive.Next(); err != nil || entry.Name != databaseFile {
		return fmt.Errorf("%w: the database is not its second file", ErrBackup)
	}
	if _, err := io.Copy(w, archive); err != nil { //nolint:gosec // the folder's own
		return fmt.Errorf("%w: %w", ErrBackup, err)
	}
	return nil
}
