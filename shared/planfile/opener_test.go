package planfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/planfile"
)

// counted counts the reads of an object.
type counted struct {
	*bytes.Reader
	reads int
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	c.reads++
	return c.Reader.ReadAt(p, at)
}

func TestOpenerReadsAFooterOnce(t *testing.T) {
	t.Parallel()
	first, second := write(t, makeRows(50)), write(t, makeRows(60))
	var o planfile.Opener
	reads := func(name string, data []byte) int {
		object := &counted{Reader: bytes.NewReader(data)}
		r, err := o.Open(name, object, int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		n := object.reads
		want, got := collect(t, open(t, data), planfile.Filter{}), collect(t, r, planfile.Filter{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, rows (-opened again +remembered):\n%.1000s", name, diff)
		}
		return n
	}
	const trailerAndFooter, trailerOnly = 2, 1
	for _, step := range []struct {
		name string
		data []byte
		want int
	}{
		{"a", first, trailerAndFooter}, {"a", first, trailerOnly}, {"b", second, trailerAndFooter},
		{"a", first, trailerOnly},
		// Another object under the name.
		{"a", second, trailerAndFooter}, {"a", second, trailerOnly},
	} {
		if got := reads(step.name, step.data); got != step.want {
			t.Errorf("%s was opened with %d reads, want %d", step.name, got, step.want)
		}
	}
	for i := range 10 {
		reads(fmt.Sprint("other", i), first)
	}
	if got := reads("a", second); got != trailerAndFooter {
		t.Errorf(
			"after ten others a was opened with %d reads, want %d: it should have been forgotten", got,
			trailerAndFooter,
		)
	}
	if _, err := o.Open("a", bytes.NewReader(second[1:]), int64(len(second)-1)); !errors.Is(err, planfile.ErrDamaged) {
		t.Errorf("a damaged object: error %v, want ErrDamaged", err)
	}
}
