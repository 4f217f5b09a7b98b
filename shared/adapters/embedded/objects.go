package embedded

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"rollcall/shared/ports/objects"
	"rollcall/shared/user"
)

// temporary marks a file that is being written.
const temporary = ".part-"

// accountFolder begins the name of an account's folder.
const accountFolder = "a-"

type objectStore struct{ store *Store }

func (o objectStore) For(account user.Account) objects.Objects { return o.store.objects(account) }

func (s *Store) objects(account user.Account) accountObjects {
	// An account's name may hold any character; its folder's name holds none that means something to a file system.
	name := accountFolder + base64.RawURLEncoding.EncodeToString([]byte(account))
	return accountObjects{store: s, name: name, root: filepath.Join(s.dir, objectsFolder, name)}
}

type accountObjects struct {
	store      *Store
	name, root string
}

// path returns the file of a key.
func (a accountObjects) path(key string) (string, error) {
	if err := objects.CheckKey(key); err != nil {
		return "", err
	}
	return filepath.Join(a.root, filepath.FromSlash(key)), nil
}

func (a accountObjects) Put(ctx context.Context, key string, write func(io.Writer) error) error {
	path, err := a.path(key)
	if err != nil {
		return err
	}
	return replace(path, func(file *os.File) error {
		buffered := bufio.NewWriterSize(file, 256<<10)
		if err := write(buffered); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return buffered.Flush()
	})
}

// replace writes a file beside path and puts it in its place once it is on disk.
func replace(path string, write func(*os.File) error) (err error) {
	dir := filepath.Dir(path)
	if err := makeDir(dir); err != nil {
		return fmt.Errorf("make the file's folder: %w", err)
	}
	file, err := os.CreateTemp(dir, temporary+"*")
	if err != nil {
		return fmt.Errorf("make the file: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	if err := write(file); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	return putInPlace(file.Name(), path)
}

// putInPlace gives a file beside path that name, and makes it last through a power cut.
func putInPlace(file, path string) error {
	if err := os.Rename(file, path); err != nil {
		return fmt.Errorf("put the file in place: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// openFile is an object that is a file.
type openFile struct {
	*os.File
	size int64
}

func (f openFile) Size() int64 { return f.size }

func (a accountObjects) Open(_ context.Context, key string) (objects.Object, error) {
	path, err := a.path(key)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", objects.ErrNotFound, key)
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return openFile{file, info.Size()}, nil
}

// Copy gives the object another name: an object never changes, so that both may share its file. Where the file system
// has no such names the bytes are copied.
func (a accountObjects) Copy(ctx context.Context, from, to string) error {
	source, err := a.path(from)
	if err != nil {
		return err
	}
	target, err := a.path(to)
	if err != nil {
		return err
	}
	dir := filepath.Dir(target)
	if err := makeDir(dir); err != nil {
		return fmt.Errorf("make the object's folder: %w", err)
	}
	// Beside its place first: a link replaces nothing, and a rename does.
	link := filepath.Join(dir, temporary+rand.Text())
	if err := os.Link(source, link); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", objects.ErrNotFound, from)
	} else if err != nil {
		return a.copyBytes(ctx, from, to)
	}
	// A rename to a name of the same file does nothing at all.
	defer os.Remove(link)
	return putInPlace(link, target)
}

func (a accountObjects) copyBytes(ctx context.Context, from, to string) error {
	object, err := a.Open(ctx, from)
	if err != nil {
		return err
	}
	defer object.Close()
	return a.Put(ctx, to, func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(object, 0, object.Size()))
		return err
	})
}

func (a accountObjects) Delete(_ context.Context, key string) error {
	path, err := a.path(key)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
