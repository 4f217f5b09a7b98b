package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/user"
	"rollcall/shared/usercsv"
)

// writeExport writes the CSV that an export asks for and says what it wrote. Doing it twice writes the same file again.
func (c core) writeExport(ctx context.Context, account user.Account, asked run.Run) (*run.Export, error) {
	export := &run.Export{ObjectKey: objects.CSVPrefix + asked.ID + ".csv"}
	kind, newWriter, fill := usercsv.Users, usercsv.NewWriter, c.usersCSV
	switch {
	case asked.PreviewID != "":
		kind, fill = usercsv.Preview, c.previewCSV
	case asked.SyncID != "":
		kind, fill = usercsv.Changes, c.changesCSV
		newWriter = usercsv.NewChangesWriter
	}
	export.FileName = usercsv.FileName(account, kind, asked.CreatedAt)
	hash := sha256.New()
	var size counter
	err := c.Objects.For(account).Put(ctx, export.ObjectKey, func(w io.Writer) error {
		return pipeTo(io.MultiWriter(w, hash, &size), func(w io.Writer) error {
			out := newWriter(w)
			if err := fill(ctx, account, asked, out); err != nil {
				return err
			}
			export.Rows = out.Rows()
			return out.Flush()
		})
	})
	if err != nil {
		return nil, fmt.Errorf("write export %s: %w", asked.ID, err)
	}
	export.Bytes, export.SHA256 = int64(size), hex.EncodeToString(hash.Sum(nil))
	return export, nil
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

// filterOf is what an export was asked to print.
func filterOf(export run.Run) run.Filter {
	if export.Filter == nil {
		return run.Filter{}
	}
	return *export.Filter
}

// previewCSV prints the rows of a preview.
func (c core) previewCSV(ctx context.Context, account user.Account, export run.Run, out *usercsv.Writer) error {
	preview, err := c.Jobs.For(account).Run(ctx, export.PreviewID)
	if err != nil {
		return err
	}
	filter := RowsOf(filterOf(export))
	filter.WithoutUsers = true
	return c.readPlan(ctx, account, preview.PlanKey, func(r *planfile.Reader) error {
		for placed, err := range r.Rows(ctx, filter) {
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

// changesCSV prints what a sync writes, wrote, or had to leave.
func (c core) changesCSV(ctx context.Context, account user.Account, export run.Run, out *usercsv.Writer) error {
	sync, err := c.Jobs.For(account).Run(ctx, export.SyncID)
	if err != nil || sync.PlanKey == "" {
		return err
	}
	journal, err := c.openJournal(ctx, account, sync)
	if err != nil {
		return err
	}
	defer journal.Close()
	asked := ChangesOf(filterOf(export))
	journal.withSkipped = slices.Contains(asked.Changes, plan.Skipped)
	for placed, err := range journal.rows(ctx, asked) {
		if err != nil {
			return err
		}
		if err := out.Change(&placed.Row, string(journal.outcome(placed))); err != nil {
			return err
		}
	}
	return nil
}

// usersCSV prints the Users List.
func (c core) usersCSV(ctx context.Context, account user.Account, export run.Run, out *usercsv.Writer) error {
	list, query := c.Users.For(account), UsersOf(filterOf(export))
	if query.Prefix != "" {
		return usersPages(ctx, list, query, out)
	}
	match := query.Matcher()
	for u, err := range list.All(ctx) {
		if err != nil {
			return err
		}
		if match != nil && !match(&u) {
			continue
		}
		if err := out.User(u); err != nil {
			return err
		}
	}
	return nil
}

// usersPages prints the users of a query page by page, so that those outside of its prefix are not read.
func usersPages(ctx context.Context, list users.Users, query users.Query, out *usercsv.Writer) error {
	query.Limit = 1000
	for {
		page, err := list.List(ctx, query)
		if err != nil {
			return err
		}
		for i := range page.Users {
			if err := out.User(page.Users[i]); err != nil {
				return err
			}
		}
		if query.After = page.Next; query.After == "" {
			return nil
		}
	}
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
