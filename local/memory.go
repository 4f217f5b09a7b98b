package main

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"
)

const (
	// unknownMemory is what the program takes for the memory of a system that does not say how much it has, in bytes.
	unknownMemory = 4 << 30
	// collectAt is the percentage of the memory from which on the garbage collector works harder.
	collectAt = 85
	// fewestWorkers and mostWorkers bound how many messages are handled at a time. A directory that does not answer
	// keeps its worker for about a minute and needs no memory, so there are many: of sixteen, four silent directories
	// leave twelve. More would only read large directories at the same time and each more slowly.
	fewestWorkers, mostWorkers = 4, 16
	// workerMemory is what a worker may need: reading and planning some 200,000 addresses takes as much.
	workerMemory = 256 << 20
)

// workersFor returns how many workers a process with so many bytes of memory has.
func workersFor(memory int64) int {
	return int(min(max(memory/2/workerMemory, fewestWorkers), mostWorkers))
}

// limitMemory tells the garbage collector how much memory there is, unless GOMEMLIMIT did, and returns it in bytes.
func limitMemory() int64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return limit
	}
	memory := memoryOf(os.ReadFile)
	debug.SetMemoryLimit(memory / 100 * collectAt)
	return memory
}

// memoryOf returns the memory of a container (cgroups v2 and v1) or of the machine, whichever is less, on Linux.
func memoryOf(read func(name string) ([]byte, error)) int64 {
	memory := int64(math.MaxInt64)
	for _, file := range []struct {
		name, before string
		unit         int64
	}{
		{"/sys/fs/cgroup/memory.max", "", 1},
		{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "", 1},
		{"/proc/meminfo", "MemTotal:", 1 << 10},
	} {
		text, err := read(file.name)
		if err != nil {
			continue
		}
		_, after, _ := bytes.Cut(text, []byte(file.before))
		words := bytes.Fields(after)
		if len(words) == 0 {
			continue
		}
		// Without a limit the files say "max", or a number that is larger than any machine.
		if n, err := strconv.ParseInt(string(words[0]), 10, 64); err == nil && n > 0 && n < math.MaxInt64/file.unit {
			memory = min(memory, n*file.unit)
		}
	}
	if memory == math.MaxInt64 {
		return unknownMemory
	}
	return memory
}
