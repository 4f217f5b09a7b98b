package main

import (
	"bufio"
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

const (
	// fewestWorkers and mostWorkers bound how many messages are handled at a time. A directory that does not answer
	// keeps its worker for about a minute and needs no memory, so there are many: of sixteen, four silent directories
	// leave twelve. More would only read large directories at the same time and each more slowly.
	fewestWorkers, mostWorkers = 4, 16
	// workerMemory is what a worker may need: reading and planning some 200,000 addresses takes as much.
	workerMemory = 256 << 20
)

// workersFor returns how many workers a process with so many bytes of memory has; 0 means that nobody knows.
func workersFor(memory int64) int {
	if memory == 0 {
		return mostWorkers / 2
	}
	return int(min(max(memory/2/workerMemory, fewestWorkers), mostWorkers))
}

// memory returns how many bytes the process may use: the least of GOMEMLIMIT, its control group's limit and the
// machine's memory, as far as they are known.
func memory() int64 {
	least := int64(math.MaxInt64)
	for _, limit := range []int64{debug.SetMemoryLimit(-1), controlGroupLimit(), machineMemory()} {
		if limit > 0 {
			least = min(least, limit)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// controlGroupLimit is what a container may use, 0 where there is no limit.
func controlGroupLimit() int64 {
	text, err := os.ReadFile("/sys/fs/cgroup/memory.max")
	if err != nil {
		return 0
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return limit
}

// machineMemory is what Linux says; 0 elsewhere.
func machineMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 3 && fields[0] == "MemTotal:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0
			}
			return kilobytes << 10
		}
	}
	return 0
}
