package main

import (
	"os"
	"testing"
)

func TestMemoryOf(t *testing.T) {
	t.Parallel()
	const meminfo = "MemTotal:        8000000 kB\nMemFree:          100000 kB\n"
	for name, test := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"a machine": {map[string]string{"/proc/meminfo": meminfo}, 8000000 << 10},
		"a container": {map[string]string{"/proc/meminfo": meminfo,
			"/sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20},
		"a container without": {map[string]string{"/proc/meminfo": meminfo, "/sys/fs/cgroup/memory.max": "max\n"},
			8000000 << 10},
		"an old container without": {map[string]string{"/proc/meminfo": meminfo,
			"/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 8000000 << 10},
		"another system": {nil, unknownMemory},
		"empty files": {map[string]string{"/proc/meminfo": "", "/sys/fs/cgroup/memory.max": ""},
			unknownMemory},
	} {
		got := memoryOf(func(file string) ([]byte, error) {
			text, ok := test.files[file]
			if !ok {
				return nil, os.ErrNotExist
			}
			return []byte(text), nil
		})
		if got != test.want {
			t.Errorf("%s: %d bytes, want %d", name, got, test.want)
		}
	}
}
