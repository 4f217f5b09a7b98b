package importer

import (
	"iter"
	"sync"
)

// prefetch takes a sequence's steps in a goroutine of its own, up to n before they are asked for, so that reading
// goes on while the consumer waits for a disk or a network. The goroutine has ended once the consumer has.
func prefetch[T any](steps iter.Seq2[T, error], n int) iter.Seq2[T, error] {
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
