package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// What the data folder holds. newKeysFile is the key file of a first start until the database is made.
const (
	databaseFile  = "rollcall.db"
	keysFile      = "keys"
	newKeysFile   = "keys.new"
	objectsFolder = "objects"
)

// checkModes refuses a folder, or a database in it, that others can write. What is missing is in order.
func checkModes(dir string) error {
	for path, name := range map[string]string{dir: "data folder", filepath.Join(dir, databaseFile): "database"} {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("open the %s: %w", name, err)
		}
		if mode := info.Mode().Perm(); mode&0o022 != 0 {
			return fmt.Errorf("the %s %s has mode %04o, so others can write it: run chmod go-w %s",
				name, path, mode, path)
		}
	}
	return nil
}

// openFolderKeys returns the keys of a folder whose database is locked, fresh if nothing was stored in it yet. A first
// start keeps them under another name until keepKeys, so that neither keys without a database nor a database without
// keys can be what a start that died has left.
func openFolderKeys(dir string, fresh bool) (keys, error) {
	path := filepath.Join(dir, keysFile)
	_, err := os.Stat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if fresh {
		beside := otherData(dir)
		if beside != "" {
			return keys{}, fmt.Errorf("%w: %s is missing or empty, and %s is beside it: "+
				"restore the folder from a backup, or erase the folder to start with nothing",
				ErrDamaged, filepath.Join(dir, databaseFile), beside)
		}
		return makeKeys(filepath.Join(dir, newKeysFile))
	}
	if missing {
		if err := keepKeys(dir); errors.Is(err, fs.ErrNotExist) {
			return keys{}, fmt.Errorf("the key file %s is missing, and without it nobody can open the passwords "+
				"in the database beside it: restore it from a backup, or erase the folder to start with nothing", path)
		} else if err != nil {
			return keys{}, err
		}
	}
	return openKeys(path)
}

// keepKeys gives the new key file its name. Where there is none, the error is fs.ErrNotExist.
func keepKeys(dir string) error {
	if err := os.Rename(filepath.Join(dir, newKeysFile), filepath.Join(dir, keysFile)); err != nil {
		return fmt.Errorf("keep the key file: %w", err)
	}
	return syncDir(dir)
}

// otherData names what only a folder that was in use has besides its database.
func otherData(dir string) string {
	for _, name := range []string{keysFile, objectsFolder} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name)
		}
	}
	return ""
}

// makeDir makes a folder with those above it, and makes them last through a power cut.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// syncDir makes the names in a folder last through a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
