package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sample is what one run of a work costs.
type sample struct {
	wall, cpu time.Duration
	// peak is the most resident memory in bytes, 0 where it was not measured.
	peak int64
}

// work is one side of a row: what is measured, once.
type work func(ctx context.Context) (sample, error)

// series are the runs of one side.
type series []sample

// median returns the median of one number of each run.
func (s series) median(of func(sample) float64) float64 { return quantile(s.numbers(of), 0.5) }

func (s series) numbers(of func(sample) float64) []float64 {
	out := make([]float64, len(s))
	for i := range s {
		out[i] = of(s[i])
	}
	return out
}

// quantile returns the nearest-rank quantile, and for 0.5 of an even number of values the mean of the middle two.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if q == 0.5 && len(sorted)%2 == 0 {
		return (sorted[len(sorted)/2-1] + sorted[len(sorted)/2]) / 2
	}
	rank := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

func wall(s sample) float64 { return s.wall.Seconds() }
func cpu(s sample) float64  { return s.cpu.Seconds() }
func peak(s sample) float64 { return float64(s.peak) / (1 << 20) }

// alternate runs the work of a row and its peer in turn, so that whatever else the machine does meets both, after one
// run of each that does not count.
func (b *bench) alternate(ctx context.Context, r *row, rounds int, ours, peer work) error {
	for round := range rounds + 1 {
		for _, side := range []struct {
			name string
			run  work
			into *series
		}{{"ours", ours, &r.ours}, {"its peer", peer, &r.base}} {
			s, err := side.run(ctx)
			if err != nil {
				return err
			}
			if round > 0 {
				*side.into = append(*side.into, s)
			}
			if s.wall > noticeable {
				b.say("  %s, round %d of %d, %s: %.2f s", r.work, round, rounds, side.name, s.wall.Seconds())
			}
		}
	}
	return nil
}

// noticeable is how long a run takes that is logged as soon as it ends.
const noticeable = 5 * time.Second

// command measures a program from its start to its end; its output is thrown away.
func command(environment []string, name string, args ...string) work {
	return commandTo(nil, environment, name, args...)
}

// commandTo is command, and out gets the output; nil throws it away.
func commandTo(out io.Writer, environment []string, name string, args ...string) work {
	return func(ctx context.Context) (sample, error) {
		c := exec.CommandContext(ctx, name, args...) //nolint:gosec // one of the programs that are measured
		var complaint bytes.Buffer
		c.Stdout, c.Stderr, c.Env = out, &complaint, append(os.Environ(), environment...)
		start := time.Now()
		if err := c.Start(); err != nil {
			return sample{}, fmt.Errorf("start %s: %w", name, err)
		}
		stop := watchPeak(c.Process.Pid)
		err := c.Wait()
		s := sample{wall: time.Since(start), peak: stop(), cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
		if err != nil {
			return s, fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(complaint.Bytes()))
		}
		return s, nil
	}
}

// watchPeak follows a process's peak of resident memory. The kernel's own account of an ended child is of no use: it
// begins with the memory of the process that started it.
func watchPeak(pid int) (stop func() int64) {
	done, result := make(chan struct{}), make(chan int64)
	go func() {
		most := int64(0)
		for {
			if now, err := peakOf(pid); err == nil {
				most = max(most, now)
			}
			select {
			case <-done:
				result <- most
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(done)
		return <-result
	}
}

// errNoPeak means that a process is not there any more, or not yet.
var errNoPeak = errors.New("the process shows no peak of memory")

// peakOf reads VmHWM, see proc_pid_status(5).
func peakOf(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if !found || len(fields) == 0 {
		return 0, errNoPeak
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	return kib << 10, err
}

// resetPeak sets VmHWM to what is resident now, see proc_pid_clear_refs(5).
func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// ticks is the unit of utime and stime, USER_HZ, which Linux fixes at 100 for programs.
const ticks = 100

// cpuOf reads the processor time that a running process has used.
func cpuOf(pid int) (time.Duration, error) {
	fields, err := statOf(pid)
	if err != nil {
		return 0, err
	}
	return sumTicks(fields[utime : stime+1])
}

// treeTime is the processor time of a process, its children and those of them that have ended.
func treeTime(pid int) time.Duration {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	parents, times := make(map[int]int), make(map[int]time.Duration)
	for _, path := range paths {
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields, err := statOf(id)
		if err != nil {
			continue // it has ended
		}
		parents[id], _ = strconv.Atoi(fields[ppid])
		times[id], _ = sumTicks(fields[utime : cstime+1])
	}
	var sum time.Duration
	for id := range times {
		at := id
		for at > 1 && at != pid {
			at = parents[at]
		}
		if at == pid {
			sum += times[id]
		}
	}
	return sum
}

// Places in what statOf returns: the parent's id, and processor times, of the process and of its children that ended.
const (
	ppid   = 1
	utime  = 11
	stime  = 12
	cstime = 14
)

// statOf reads the fields behind a process's name, which stands in brackets and may hold spaces, see proc_pid_stat(5).
func statOf(pid int) ([]string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= cstime {
		return nil, io.ErrUnexpectedEOF
	}
	return fields, nil
}

func sumTicks(fields []string) (time.Duration, error) {
	var sum int64
	for _, field := range fields {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks, nil
}

// processTime is the processor time that this process has used.
func processTime() time.Duration {
	var usage syscall.Rusage
	// It fails only for a wrong argument.
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
