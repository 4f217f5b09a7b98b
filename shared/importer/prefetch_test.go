package importer

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrefetchKeepsOrderAndErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	ended := false
	source := func(yield func(int, error) bool) {
		defer func() { ended = true }()
		for i := range 100 {
			if !yield(i, nil) {
				return
			}
		}
		yield(100, broken)
	}
	for name, c := range map[string]struct{ depth, stopAt, want int }{
		"to the end": {3, -1, 101}, "without room": {0, -1, 101}, "stopped": {3, 10, 11}, "stopped at once": {50, 0, 1},
	} {
		var got, want []string
		for v, err := range prefetch(source, c.depth) {
			got = append(got, fmt.Sprint(v, err))
			if v == c.stopAt {
				break
			}
		}
		for i := range c.want {
			err := error(nil)
			if i == 100 {
				err = broken
			}
			want = append(want, fmt.Sprint(i, err))
		}
		if diff := cmp.Diff(want, got); diff != "" || !ended {
			t.Errorf("%s: the source ended: %t; steps (-want +got):\n%s", name, ended, diff)
		}
		ended = false
	}
}
