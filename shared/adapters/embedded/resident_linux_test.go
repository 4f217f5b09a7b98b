package embedded_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

// TestReadingAllUsersLeavesTheFileOutOfMemory holds that a walk over a large list does not keep the database's file
// resident.
func TestReadingAllUsersLeavesTheFileOutOfMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := open(t, dir, embedded.Options{}).Users().For("acme")
	const count, limit = 30_000, 16 << 20
	changes := make([]users.Change, count)
	for i := range changes {
		key := fmt.Sprintf("user%06d@example.com", i)
		changes[i] = users.Change{Key: key, After: &user.User{Key: key, DN: strings.Repeat("x", 1000), Version: 1}}
	}
	if _, err := list.Apply(t.Context(), users.Fence{}, changes); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "rollcall.db")
	if info, err := os.Stat(file); err != nil || info.Size() < 2*limit {
		t.Fatalf("the file is too small for this test: %v, %v", info, err)
	}
	most, read := 0, 0
	for _, err := range list.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if read++; read%1000 == 0 {
			most = max(most, resident(t, file))
		}
	}
	if read != count || most > limit {
		t.Errorf("%d users read, up to %d bytes of the file resident, want %d and at most %d", read, most, count, limit)
	}
}

// resident returns how much of a mapped file is in this process's memory, in bytes; see proc_pid_smaps(5).
func resident(t *testing.T, file string) (size int) {
	t.Helper()
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	inFile := false
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		var kib int
		switch {
		case strings.Contains(lines.Text(), "/"):
			inFile = strings.HasSuffix(lines.Text(), file)
		case strings.HasPrefix(lines.Text(), "VmFlags:"):
			inFile = false
		case inFile:
			if _, err := fmt.Sscanf(lines.Text(), "Rss: %d kB", &kib); err == nil {
				size += kib << 10
			}
		}
	}
	return size
}
