package runstest

import (
	"errors"
	"sync"
	"testing"
)

const takers = 6

// race has takers take something at once, and returns those who got it. The error of all others is to be lost.
func race(t *testing.T, lost error, take func(taker int) error) (won []int) {
	t.Helper()
	var mu sync.Mutex
	var running sync.WaitGroup
	for i := range takers {
		running.Go(func() {
			err := take(i)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, i)
			} else if !errors.Is(err, lost) {
				t.Error(err)
			}
		})
	}
	running.Wait()
	return won
}
