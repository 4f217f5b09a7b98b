package importer

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAheadKeepsOrderAndErrors(t *testing.T) {
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
		for v, err := range ahead(source, c.depth) {
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

func TestPiecesKeepWhatWasWritten(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	write := func(failure error) func(io.Writer) error {
		return func(w io.Writer) error {
			// One buffer for all, as printing has.
			buffer := make([]byte, 3)
			for _, text := range []string{"one", "two", "six"} {
				copy(buffer, text)
				if _, err := w.Write(buffer); err != nil {
					return err
				}
			}
			return failure
		}
	}
	for name, test := range map[string]struct {
		failure error
		take    int
		want    string
	}{"all": {nil, 9, "one two six"}, "broken": {broken, 9, "one two six broken"}, "stopped": {broken, 2, "one two"}} {
		var got []string
		for piece, err := range ahead(pieces(write(test.failure)), 2) {
			if err != nil {
				piece = []byte(err.Error())
			}
			if got = append(got, string(piece)); len(got) == test.take {
				break
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
