package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rollcall/e2e/servers/ldapserver"
)

// fullFor is how long the disk is full.
var fullFor = flag.Duration("full", 5*time.Second, "how long the disk of TestAFullDisk is full; make soak takes 20 s")

// TestAFullDisk fills the disk under a sync's feet for some seconds. It needs the right to mount a small disk, as in
// CI.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	localIsEnough(t)
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	data := t.TempDir()
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=24m,mode=0700"); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(data, syscall.MNT_DETACH) })
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(4000)})
	p := startProgram(t, data, "-demo=false", "-tick", "50ms")
	preview := p.preview(request(s, nil))
	wantDone(t, preview)
	filler := filepath.Join(data, "filler")
	id := p.must(202, "POST", "/v1/syncs", object{"previewId": preview.text("id")}).text("id")
	p.cmd.Process.Signal(syscall.SIGSTOP)
	fill(t, filler)
	p.cmd.Process.Signal(syscall.SIGCONT)
	time.Sleep(*fullFor)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	ended := p.wait("/v1/syncs/" + id)
	wantDone(t, ended)
	if got, want := len(p.list("/v1/users", nil)), preview.number("summary.addresses"); got != want {
		t.Errorf("%d users, want %d", got, want)
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, name string) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := make([]byte, 4096); ; {
		if _, err := file.Write(block); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(fmt.Errorf("fill the disk: %w", err))
		}
	}
}
