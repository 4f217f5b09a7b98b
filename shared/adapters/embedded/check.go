package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/notify"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

// maxDamage is how many sentences a report has.
const maxDamage = 100

// Report says what a check found.
type Report struct {
	Accounts, Users, Runs, Audit, Messages, DeadMessages, Passwords, Files int
	// SetAside is how many damaged records were set aside when they were read.
	SetAside int
	// Damaged is how much is damaged, and Damage has a sentence for each, at most 100.
	Damaged int
	Damage  []string
}

// add adds a sentence about something that is damaged.
func (r *Report) add(format string, values ...any) {
	r.Damaged++
	if len(r.Damage) < maxDamage {
		r.Damage = append(r.Damage, fmt.Sprintf(format, values...))
	}
}

// Write writes the report for people.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	for _, damage := range r.Damage {
		fmt.Fprintln(&b, "damaged:", damage)
	}
	if more := r.Damaged - len(r.Damage); more > 0 {
		fmt.Fprintf(&b, "damaged: %d more\n", more)
	}
	if r.SetAside > 0 {
		fmt.Fprintf(&b, "damaged: %d records were set aside when they were read\n", r.SetAside)
	}
	fmt.Fprintf(&b, "%d accounts, %d users, %d runs, %d audit entries, %d messages waiting, %d that failed, "+
		"%d passwords, %d files of plans, journals and exports\n",
		r.Accounts, r.Users, r.Runs, r.Audit, r.Messages, r.DeadMessages, r.Passwords, r.Files)
	_, err := io.WriteString(w, b.String())
	return err
}

// Whole reports whether nothing is damaged.
func (r *Report) Whole() bool { return r.Damaged+r.SetAside == 0 }

// Check reads everything in a data folder and changes nothing. database is a copy of its database, or "" where no
// process has the folder open; else the error is ErrInUse.
func Check(ctx context.Context, dir, database string, now time.Time) (*Report, error) {
	report := new(Report)
	path := database
	if path == "" {
		path = filepath.Join(dir, databaseFile)
	}
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("there is no data in %s: %w", dir, err)
	} else if info.Size() == 0 {
		report.add("the database %s is empty", path)
		return report, nil
	}
	if err := checkModes(dir); err != nil {
		report.add("%v", err)
	}
	folderKeys, err := openKeys(filepath.Join(dir, keysFile))
	if err != nil {
		report.add("%v", err)
	}
	options := writable()
	options.ReadOnly = true
	db, err := openDatabase(path, options)
	switch {
	case errors.Is(err, ErrDamaged):
		report.add("%s: %v", path, err)
		return report, nil
	case err != nil:
		return nil, err
	}
	c := checker{Report: report, dir: dir, sealer: Sealer{folderKeys.seal}, now: now}
	return report, errors.Join(c.check(ctx, db), db.Close())
}

// checker walks through a database and the files that it names.
type checker struct {
	*Report
	dir    string
	sealer Sealer
	now    time.Time
}

func (c *checker) check(ctx context.Context, db *database) error {
	_, err := db.format()
	if errors.Is(err, ErrNewer) {
		return err
	}
	if err == nil {
		err = db.View(func(tx *bolt.Tx) error {
			for err := range tx.Check() {
				c.add("page of the database: %v", err)
			}
			if c.Damaged > 0 {
				// Buckets of which pages are damaged may have no end.
				return nil
			}
			return c.records(ctx, tx)
		})
	}
	if errors.Is(err, ErrDamaged) {
		c.add("%v", err)
		err = nil
	}
	return err
}

func (c *checker) records(ctx context.Context, tx *bolt.Tx) error {
	for _, name := range [][]byte{bucketUsers, bucketJobs, bucketQueue, bucketDead} {
		if tx.Bucket(name) == nil {
			c.add("the database has no bucket %q", name)
			return nil
		}
	}
	all := tx.Bucket(bucketUsers)
	err := all.ForEachBucket(func(account []byte) error {
		return all.Bucket(account).ForEach(func(key, value []byte) error {
			c.Users++
			if _, err := decodeUser(string(key), value); err != nil {
				c.add("account %q: user %v", account[1:], err)
			}
			return ctx.Err()
		})
	})
	jobs := tx.Bucket(bucketJobs)
	err = errors.Join(err, jobs.ForEachBucket(func(account []byte) error {
		c.Accounts++
		return c.account(ctx, user.Account(account[1:]), jobs.Bucket(account))
	}))
	for name, count := range map[string]*int{string(bucketQueue): &c.Messages, string(bucketDead): &c.DeadMessages} {
		messages, damaged := storedMessages(tx, []byte(name))
		*count = len(messages)
		for _, d := range damaged {
			c.add("message %x: %v", d.key, d.err)
		}
	}
	if aside := tx.Bucket(bucketDamaged); aside != nil {
		err = errors.Join(err, aside.ForEachBucket(func(group []byte) error {
			return aside.Bucket(group).ForEach(func(_, _ []byte) error { c.SetAside++; return nil })
		}))
	}
	return err
}

// account checks the settings and records of an account.
func (c *checker) account(ctx context.Context, account user.Account, b *bolt.Bucket) error {
	var saved settings.Saved
	if err := load(b, keySettings, &saved); err == nil {
		c.password(ctx, account, "the settings", saved.SealedPassword, saved.Connection)
	} else if !errors.Is(err, runs.ErrNotFound) {
		c.add("account %q: settings: %v", account, err)
	}
	if _, err := loadOrZero[runs.Lease](b, keyLease); err != nil {
		c.add("account %q: lease: %v", account, err)
	}
	c.notifications(ctx, account, b)
	err := each(b, bucketRuns, func(id, value []byte) error {
		c.Runs++
		var stored runs.Record
		err := decodeRun(id, value, &stored)
		var r run.Run
		if err == nil {
			r, err = whole(b, stored)
		}
		if err != nil {
			c.add("account %q: run %s: %v", account, id, err)
			return ctx.Err()
		}
		if kind := b.Bucket(kindBucket(r.Kind)); kind == nil || kind.Get(id) == nil {
			c.add("account %q: run %s is missing in the list of %ss", account, id, r.Kind)
		}
		c.password(ctx, account, "run "+r.ID, r.SealedPassword, r.Import.Connection)
		return c.files(ctx, account, &r)
	})
	return errors.Join(err, each(b, bucketAudit, func(id, value []byte) error {
		c.Audit++
		if err := json.Unmarshal(value, new(runs.AuditEntry)); err != nil {
			c.add("account %q: audit entry %s: %v", account, id, err)
		}
		return nil
	}), each(b, bucketOnce, func(name, value []byte) error {
		if err := json.Unmarshal(value, new(runs.Key)); err != nil {
			c.add("account %q: idempotency key %q: %v", account, name, err)
		}
		return nil
	}))
}

// notifications checks who is told of what, and what is on its way to them.
func (c *checker) notifications(ctx context.Context, account user.Account, b *bolt.Bucket) {
	stored, err := loadOrZero[notify.Settings](b, keyNotifications)
	if err != nil {
		c.add("account %q: notifications: %v", account, err)
	}
	if hook := stored.Webhook; hook != nil && c.sealer.key != nil {
		c.Passwords++
		to := secret.Binding{Account: string(account), Target: notify.Target(hook.URL)}
		if _, err := c.sealer.Open(ctx, hook.SealedSecret, to); err != nil {
			c.add("account %q: the key file does not open the secret of the webhook: %v", account, err)
		}
	}
	// The walk itself cannot fail.
	_ = each(b, bucketDeliveries, func(id, value []byte) error {
		if err := json.Unmarshal(value, new(notify.Delivery)); err != nil {
			c.add("account %q: delivery %s: %v", account, id, err)
		}
		return nil
	})
}

// each walks over a bucket below another; none is an empty one.
func each(b *bolt.Bucket, name []byte, visit func(key, value []byte) error) error {
	if b = b.Bucket(name); b == nil {
		return nil
	}
	return b.ForEach(visit)
}

// password checks that a sealed password opens with the folder's key.
func (c *checker) password(
	ctx context.Context, account user.Account, of string, sealed []byte, to settings.Connection,
) {
	if sealed == nil || c.sealer.key == nil {
		return
	}
	c.Passwords++
	if _, err := c.sealer.Open(ctx, sealed, secret.Binding{Account: string(account), Target: to.Target()}); err != nil {
		c.add("account %q: the key file does not open the password of %s: %v", account, of, err)
	}
}

// files checks the files that a run names and that are not past their time.
func (c *checker) files(ctx context.Context, account user.Account, r *run.Run) error {
	store := (&Store{dir: c.dir}).objects(account)
	keys := map[string]func(objects.Object) error{}
	if r.PlanKey != "" {
		keys[r.PlanKey] = func(o objects.Object) error {
			reader, err := planfile.Open(o, o.Size())
			if err != nil {
				return err
			}
			return reader.Verify(ctx)
		}
	}
	for _, list := range [][]string{r.Checkpoint.ConflictKeys, r.Checkpoint.AlreadyKeys} {
		for _, key := range list {
			keys[key] = func(o objects.Object) error { return new(planfile.Outcomes).Decode(o, o.Size()) }
		}
	}
	if e := r.Export; e != nil && e.SHA256 != "" {
		keys[e.ObjectKey] = func(o objects.Object) error {
			hash := sha256.New()
			_, err := io.Copy(hash, io.NewSectionReader(o, 0, o.Size()))
			if err == nil && hex.EncodeToString(hash.Sum(nil)) != e.SHA256 {
				err = errors.New("its checksum is another")
			}
			return err
		}
	}
	for key, verify := range keys {
		object, err := store.Open(ctx, key)
		if errors.Is(err, objects.ErrNotFound) && (!r.State.Ended() || c.now.After(r.ExpiresAt)) {
			continue
		}
		c.Files++
		if err == nil {
			err = errors.Join(verify(object), object.Close())
		}
		if err != nil {
			c.add("account %q: file %s of run %s: %v", account, key, r.ID, err)
		}
	}
	return ctx.Err()
}
