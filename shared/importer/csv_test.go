package importer

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"rollcall/shared/snapshot"
)

// TestAPlanOfAnotherVersionIsGone gives the caller and the run's record words for it, and no retry.
func TestAPlanOfAnotherVersionIsGone(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("read the trailer: %w: 9", snapshot.ErrVersion)
	var told *Error
	if !errors.As(pageError(err, "preview_expired"), &told) || told.Class != Gone || told.Code != "preview_expired" {
		t.Errorf("a page says %v", told)
	}
	if failure := failureOf(err); failure == nil || failure.Code != "plan_missing" {
		t.Errorf("a run says %+v", failure)
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
