package importer

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"sync"
)

// ahead takes a sequence's steps in a goroutine of its own, up to n ahead of its consumer, so that reading goes on while the
// consumer waits for a disk or a network. It has ended once the consumer has.
func ahead[T any](steps iter.Seq2[T, error], n int) iter.Seq2[T, error] {
	type step struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		taken, stop := make(chan step, n), make(chan struct{})
		var reader sync.WaitGroup
		reader.Go(func() {
			defer close(taken)
			for value, err := range steps {
				select {
				case taken <- step{value, err}:
				case <-stop:
					return
				}
			}
		})
		defer reader.Wait()
		defer close(stop)
		for s := range taken {
			if !yield(s.value, s.err) {
				return
			}
		}
	}
}

// piecesAhead is how many pieces are written before they are taken in; a CSV comes in pieces of 64 kB.
const piecesAhead = 8

// writeAhead gives to what write writes. Writing goes on while what was written is taken in: to hash and to store a CSV takes as long as to
// print it.
func writeAhead(to io.Writer, write func(io.Writer) error) error {
	for piece, err := range ahead(pieces(write), piecesAhead) {
		if err != nil {
			return err
		}
		if _, err := to.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// errNotWanted ends the writing of pieces that nobody takes.
var errNotWanted = errors.New("nobody takes what is written")

// pieces yields what write writes, piece by piece, and then its error.
func pieces(write func(io.Writer) error) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		err := write(writerFunc(func(p []byte) (int, error) {
			if !yield(bytes.Clone(p), nil) {
				return 0, errNotWanted
			}
			return len(p), nil
		}))
		if err != nil && !errors.Is(err, errNotWanted) {
			yield(nil, err)
		}
	}
}

// writerFunc is a function as an io.Writer.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
