package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"rollcall/shared/jobstore"
	"rollcall/shared/objectstore"
	"rollcall/shared/snapshot"
	"rollcall/shared/user"
	"rollcall/shared/usercsv"
)

// writeExport writes the CSV that an export asks for and marks the export as done. Doing it twice writes the same file
// again.
func (c Config) writeExport(ctx context.Context, account user.Account, exportID string) error {
	jobs := c.Jobs.For(account)
	run, err := jobs.Run(ctx, exportID)
	if err != nil {
		return fmt.Errorf("read export %s: %w", exportID, err)
	}
	export := &jobstore.Export{
		ObjectKey: objectstore.CSVPrefix + exportID + ".csv", FileName: usercsv.UsersFileName(run.CreatedAt),
	}
	fill := c.usersCSV
	if run.PreviewID != "" {
		export.FileName = usercsv.PreviewFileName(run.PreviewID)
		fill = c.previewCSV
	}
	hash := sha256.New()
	var size counter
	err = c.Objects.For(account).Put(ctx, export.ObjectKey, func(w io.Writer) error {
		return pipeTo(io.MultiWriter(w, hash, &size), func(w io.Writer) error {
			out := usercsv.NewWriter(w)
			if err := fill(ctx, account, run, out); err != nil {
				return err
			}
			export.Rows = out.Rows()
			return out.Flush()
		})
	})
	if err != nil {
		return fmt.Errorf("write export %s: %w", exportID, err)
	}
	export.Bytes, export.SHA256 = int64(size), hex.EncodeToString(hash.Sum(nil))
	_, err = jobs.UpdateRun(ctx, exportID, func(r *jobstore.Run) error {
		r.State, r.Export, r.FinishedAt = jobstore.Done, export, c.now()
		return nil
	})
	return err
}

// pieceSize is how much of a CSV is hashed and stored at a time, in bytes; a usercsv.Writer writes as much at a time.
const pieceSize = 64 << 10

// pipeTo copies to a writer what write writes in a goroutine of its own: hashing and storing a CSV takes as long as
// printing it. It returns the first error of either side.
func pipeTo(to io.Writer, write func(io.Writer) error) error {
	reader, writer := io.Pipe()
	printed := make(chan error, 1)
	go func() {
		err := write(writer)
		writer.CloseWithError(err)
		printed <- err
	}()
	_, err := io.CopyBuffer(to, reader, make([]byte, pieceSize))
	reader.CloseWithError(err)
	// The copy ends without an error also where write fails with io.EOF.
	if printErr := <-printed; err == nil {
		err = printErr
	}
	return err
}

// previewCSV prints every row of a preview.
func (c Config) previewCSV(ctx context.Context, account user.Account, export jobstore.Run, out *usercsv.Writer) error {
	preview, err := c.Jobs.For(account).Run(ctx, export.PreviewID)
	if err != nil {
		return err
	}
	return c.readPlan(ctx, account, preview.PlanKey, func(r *snapshot.Reader) error {
		for placed, err := range r.Rows(ctx, snapshot.Filter{WithoutUsers: true}) {
			if err != nil {
				return err
			}
			if err := out.Row(&placed.Row); err != nil {
				return err
			}
		}
		return nil
	})
}

// usersCSV prints the Users List.
func (c Config) usersCSV(ctx context.Context, account user.Account, _ jobstore.Run, out *usercsv.Writer) error {
	for u, err := range c.Users.For(account).All(ctx) {
		if err != nil {
			return err
		}
		if err := out.User(u); err != nil {
			return err
		}
	}
	return nil
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
