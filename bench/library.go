package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/plan"
	"rollcall/shared/user"
	"rollcall/shared/usercsv"
)

// libraryFlag is the first argument of this program where it measures a library call.
const libraryFlag = "-library"

// measureLibrary measures a work that is a library call, without its preparation, and prints the sample as JSON. It is
// what this program does where library starts it again.
func measureLibrary(name, argument string) error {
	var prepare func(string) (func() error, error)
	switch name {
	case "csv":
		prepare = ourCSV
	case "encoding":
		prepare = encodingCSV
	case "encoding-file":
		prepare = encodingFile
	case "raw":
		prepare = rawWrites
	default:
		return fmt.Errorf("no work is called %q", name)
	}
	do, err := prepare(argument)
	if err != nil {
		return err
	}
	used, begun := processTime(), time.Now()
	if err := do(); err != nil {
		return err
	}
	s := measured{Wall: time.Since(begun), CPU: processTime() - used}
	if s.Peak, err = peakOf(os.Getpid()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(s)
}

// measured is a sample as JSON.
type measured struct {
	Wall, CPU time.Duration
	Peak      int64
}

// library measures a library call in a process of its own, so that its memory counts alone.
func (b *bench) library(ctx context.Context, name, argument string) (sample, error) {
	self, err := os.Executable()
	if err != nil {
		return sample{}, err
	}
	c := exec.CommandContext(ctx, self, libraryFlag, name, argument) //nolint:gosec // this program
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return sample{}, fmt.Errorf("measure %s: %w", name, err)
	}
	var m measured
	err = json.Unmarshal(bytes.TrimSpace(out), &m)
	return sample{wall: m.Wall, cpu: m.CPU, peak: m.Peak}, err
}

// csvRows are rows as a preview of a company has them: a DN with commas, mostly plain text.
func csvRows(count string) ([]plan.Row, error) {
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, err
	}
	rows := make([]plan.Row, n)
	for i := range rows {
		primary := fmt.Sprintf("user%07d@example.com", i/2)
		rows[i] = plan.Row{
			Address: primary, Kind: user.Primary, PrimaryAddress: primary, Type: user.TypeUser, Change: plan.Create,
			DN: fmt.Sprintf("uid=user%07d,ou=people,dc=example,dc=com", i/2),
		}
		if i%2 == 1 {
			rows[i].Address, rows[i].Kind = fmt.Sprintf("u%d@example.com", i/2), user.Alias
		}
	}
	return rows, nil
}

func ourCSV(count string) (func() error, error) {
	rows, err := csvRows(count)
	return func() error {
		w := usercsv.NewWriter(io.Discard)
		for i := range rows {
			if err := w.Row(&rows[i]); err != nil {
				return err
			}
		}
		return w.Flush()
	}, err
}

func encodingCSV(count string) (func() error, error) {
	rows, err := csvRows(count)
	return func() error { return encode(io.Discard, rows) }, err
}

// encodingFile ends with a file on disk, as an export does.
func encodingFile(count string) (func() error, error) {
	rows, err := csvRows(count)
	return func() error {
		file, err := os.CreateTemp("", "rollcall-csv-")
		if err != nil {
			return err
		}
		defer os.Remove(file.Name())
		buffered := bufio.NewWriterSize(file, 256<<10)
		return errors.Join(encode(buffered, rows), buffered.Flush(), file.Sync(), file.Close())
	}, err
}

func encode(to io.Writer, rows []plan.Row) error {
	w := csv.NewWriter(to)
	record := make([]string, 7)
	for i := range rows {
		r := &rows[i]
		record[0], record[1], record[2], record[3] = r.Address, string(r.Kind), r.PrimaryAddress, string(r.Type)
		record[4], record[5], record[6] = string(r.Change), string(r.Reason), r.DN
		if err := w.Write(record); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// rawBatch is how many users the program writes at a time.
const rawBatch = 1024

// pair is a stored user as it is in the database.
type pair struct{ key, value []byte }

// rawWrites writes the users of an account of a database into an empty database with bbolt alone.
func rawWrites(database string) (func() error, error) {
	pairs, err := storedPairs(database)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "rollcall-raw-")
	if err != nil {
		return nil, err
	}
	db, err := bolt.Open(filepath.Join(dir, "raw.db"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	return func() error {
		for batch := range slices.Chunk(pairs, rawBatch) {
			err := db.Update(func(tx *bolt.Tx) error {
				bucket, err := tx.CreateBucketIfNotExists([]byte("users"))
				for i := range batch {
					err = errors.Join(err, bucket.Put(batch[i].key, batch[i].value))
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return errors.Join(db.Close(), os.RemoveAll(dir))
	}, nil
}

// storedPairs reads the users of a database with one account.
func storedPairs(database string) ([]pair, error) {
	db, err := bolt.Open(database, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	pairs := make([]pair, 0, syncedUsers)
	err = db.View(func(tx *bolt.Tx) error {
		users := tx.Bucket([]byte("users"))
		return users.ForEachBucket(func(account []byte) error {
			return users.Bucket(account).ForEach(func(k, v []byte) error {
				pairs = append(pairs, pair{bytes.Clone(k), bytes.Clone(v)})
				return nil
			})
		})
	})
	if err == nil && len(pairs) != syncedUsers {
		err = fmt.Errorf("%s has %d users, want %d", database, len(pairs), syncedUsers)
	}
	return pairs, err
}

// csv is our writer beside encoding/csv, both from memory.
func (b *bench) csv(ctx context.Context) error {
	const rows = 1_000_000
	side := func(name string) work {
		return func(ctx context.Context) (sample, error) { return b.library(ctx, name, strconv.Itoa(rows)) }
	}
	r := row{
		work: fmt.Sprintf("CSV of %s rows", thousands(rows)), peer: "encoding/csv of the same rows; both from memory",
	}
	if err := b.alternate(ctx, &r, rounds, side("csv"), side("encoding")); err != nil {
		return err
	}
	r.ratio("wall", wall, 1.5)
	b.add(r)
	return nil
}
