package importer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// limited takes so many bytes and then fails.
type limited struct {
	taken bytes.Buffer
	room  int
	err   error
}

func (l *limited) Write(p []byte) (int, error) {
	if l.room -= len(p); l.room < 0 {
		return 0, l.err
	}
	return l.taken.Write(p)
}

func TestPipeToReturnsTheFirstErrorOfEitherSide(t *testing.T) {
	t.Parallel()
	broken, full := errors.New("broken"), errors.New("disk full")
	long := strings.Repeat("x", pieceSize)
	for name, test := range map[string]struct {
		pieces []string
		fails  error
		room   int
		want   string
		err    error
	}{
		"everything is copied":             {[]string{"one ", "two"}, nil, 1000, "one two", nil},
		"nothing is printed":               {nil, nil, 1000, "", nil},
		"printing fails":                   {[]string{"one"}, broken, 1000, "one", broken},
		"printing fails with io.EOF":       {[]string{"one"}, io.EOF, 1000, "one", io.EOF},
		"the disk is full":                 {[]string{"one", long, long}, nil, 3, "one", full},
		"the disk is full at the last one": {[]string{"one", "two"}, nil, 3, "one", full},
	} {
		to, ended := &limited{room: test.room, err: full}, false
		err := pipeTo(to, func(w io.Writer) error {
			defer func() { ended = true }()
			// One buffer for all, as printing has.
			var buffer []byte
			for _, piece := range test.pieces {
				buffer = append(buffer[:0], piece...)
				if _, err := w.Write(buffer); err != nil {
					return err
				}
			}
			return test.fails
		})
		if !errors.Is(err, test.err) || !ended || to.taken.String() != test.want {
			t.Errorf("%s: %.20q, error %v, printing has ended: %t; want %q, error %v",
				name, to.taken.String(), err, ended, test.want, test.err)
		}
	}
}
