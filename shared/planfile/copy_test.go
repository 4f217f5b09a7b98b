package planfile_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
)

func TestCopyWithoutAChange(t *testing.T) {
	t.Parallel()
	rows := makeRows(3000)
	whole := open(t, write(t, rows))
	var out bytes.Buffer
	if err := whole.CopyWithout(t.Context(), &out, plan.Unchanged); err != nil {
		t.Fatal(err)
	}
	copied := open(t, out.Bytes())
	// What was left out would be counted too.
	meta := whole.Meta()
	meta.Facets = nil
	if diff := gocmp.Diff(meta, copied.Meta()); diff != "" {
		t.Errorf("meta (-of the whole +of the copy):\n%s", diff)
	}
	left := []plan.Change{plan.Create, plan.Update, plan.Delete, plan.Skipped}
	want, got := collect(t, whole, planfile.Filter{Changes: left}), collect(t, copied, planfile.Filter{})
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-of the whole +of the copy):\n%.2000s", diff)
	}
	// A sync goes on by the numbers of batches.
	if diff := gocmp.Diff(batches(t, whole), batches(t, copied)); diff != "" {
		t.Errorf("batches (-of the whole +of the copy):\n%.2000s", diff)
	}
	for i := 0; i < len(rows); i += 97 {
		f := planfile.Filter{Primary: rows[i].PrimaryKey, Changes: left}
		if diff := gocmp.Diff(collect(t, whole, f), collect(t, copied, f)); diff != "" {
			t.Errorf("rows of primary %q (-of the whole +of the copy):\n%.2000s", f.Primary, diff)
		}
	}
}

// batches reads the batches that a sync applies.
func batches(t *testing.T, r *planfile.Reader) (all []planfile.Batch) {
	t.Helper()
	for b, err := range r.Batches(t.Context(), []plan.Change{plan.Create, plan.Update, plan.Delete}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// TestCopyOfADamagedPlan: damage is noticed wherever it is, also in what is not copied, by a copy and by Verify.
func TestCopyOfADamagedPlan(t *testing.T) {
	t.Parallel()
	data := write(t, makeRows(300))
	for at := 0; at < len(data); at += 503 {
		damaged := bytes.Clone(data)
		damaged[at] ^= 0x10
		r, err := planfile.Open(bytes.NewReader(damaged), int64(len(damaged)))
		if err != nil {
			continue
		}
		if err := r.CopyWithout(t.Context(), io.Discard, plan.Unchanged); !errors.Is(err, planfile.ErrDamaged) {
			t.Errorf("byte %d of %d damaged: the copy gave %v", at, len(data), err)
		}
		if err := r.Verify(t.Context()); !errors.Is(err, planfile.ErrDamaged) {
			t.Errorf("byte %d of %d damaged: Verify gave %v", at, len(data), err)
		}
	}
}
