package e2e

import (
	encoding "encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clockVariable names the file that says how many seconds a program's clock is ahead.
const clockVariable = "CLOCK_AHEAD"

// clockSource is added to package time.
const clockSource = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var secondsAhead = mapSecondsAhead()

func mapSecondsAhead() *atomic.Int64 {
	name, _ := syscall.Getenv("` + clockVariable + `")
	fd, err := syscall.Open(name, syscall.O_RDONLY, 0)
	if err != nil {
		panic("open $` + clockVariable + `: " + err.Error())
	}
	shared, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("map $` + clockVariable + `: " + err.Error())
	}
	return (*atomic.Int64)(unsafe.Pointer(&shared[0]))
}
`

// clock is the wall clock of a program that was built by buildWithClock. Its monotonic clock stays right, as it does
// where somebody sets a machine's clock.
type clock struct {
	file  *os.File
	ahead time.Duration
}

func newClock(t *testing.T) *clock {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "clock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	c := &clock{file: file}
	c.set(t, 0)
	return c
}

// set has the clock be ahead, or behind where ahead is negative.
func (c *clock) set(t *testing.T, ahead time.Duration) {
	t.Helper()
	seconds := encoding.NativeEndian.AppendUint64(nil, uint64(ahead/time.Second))
	if _, err := c.file.WriteAt(seconds, 0); err != nil {
		t.Fatal(err)
	}
	c.ahead = ahead
}

// variable tells a program which clock is its own.
func (c *clock) variable() string { return clockVariable + "=" + c.file.Name() }

// buildWithClock builds the program with another time.Now. The kernel's clock is everybody's, and what stands before
// the C library's does not reach a Go program.
func buildWithClock(t *testing.T) (program string) {
	t.Helper()
	dir := t.TempDir()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(folder, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	const read = "\tsec, nsec, mono := runtimeNow()\n"
	before, after, found := strings.Cut(string(source), "func Now() Time {\n"+read)
	if !found {
		t.Fatal("this Go's time.Now is another one; look at buildWithClock")
	}
	changed := before + "func Now() Time {\n" + read + "\tsec += secondsAhead.Load()\n" + after
	replace := make(map[string]string)
	for name, text := range map[string]string{"time.go": changed, "ahead.go": clockSource} {
		own := filepath.Join(dir, name)
		if err := os.WriteFile(own, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(folder, name)] = own
	}
	overlay := filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(overlay, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "rollcall")
	if err := build("rollcall/local", program, "CGO_ENABLED=0", "GOFLAGS=-overlay="+overlay); err != nil {
		t.Fatal(err)
	}
	return program
}

// jump sets a right clock wrong, by enough that nobody may delete by it, and a wrong one right.
func (c *chaos) jump() {
	const day = 24 * time.Hour
	ahead := time.Duration(0)
	switch {
	case c.clock.ahead != 0:
	case c.random.IntN(3) == 0:
		ahead = -time.Duration(1+c.random.IntN(5)) * day
	default:
		ahead = time.Duration(8+c.random.IntN(50)) * day
	}
	c.steps["clock jump"]++
	c.clock.set(c.t, ahead)
}

// wrongClock has the clock wrong for a while, in which the program may be killed, and then right.
func (c *chaos) wrongClock() {
	c.t.Helper()
	for range 2 {
		c.jump()
		if c.random.IntN(2) == 0 {
			c.kill()
		}
		c.history()
		if c.clock.ahead != 0 {
			time.Sleep(rand.N(200 * time.Millisecond))
		}
	}
	if c.clock.ahead == 0 {
		c.scheduled()
	}
}

// history holds the list of each account's syncs to those that were started, the newest first.
func (c *chaos) history() {
	c.t.Helper()
	own := *c.p
	for account, started := range c.started {
		own.account = account
		var listed []string
		for _, r := range own.list("/v1/syncs", nil) {
			listed = append(listed, r.text("id"))
		}
		slices.Reverse(listed)
		if diff := cmp.Diff(started, listed); diff != "" {
			c.t.Errorf("clock %s ahead: syncs of %s (-started +listed):\n%.2000s", c.clock.ahead, account, diff)
		}
	}
}

// newID holds an id to being newer than all before.
func (c *chaos) newID(id string) {
	c.t.Helper()
	if id <= c.newest {
		c.t.Errorf("clock %s ahead: the new id %s is not newer than %s", c.clock.ahead, id, c.newest)
	}
	c.newest = id
}

// scheduleAccount has a schedule, whose hours last slotLength.
const (
	scheduleAccount = "schedule"
	slotLength      = time.Second
)

// schedule saves settings with a schedule, whose directory has the people of now and stays.
func (c *chaos) schedule() {
	c.t.Helper()
	own := *c.p
	own.account = scheduleAccount
	server, address := c.directory()
	c.t.Cleanup(func() { server.Close() })
	_, port, _ := strings.Cut(address, ":")
	own.must(200, "PUT", "/v1/settings", object{
		"connection": c.connection(json.Number(port), object{}), "schedule": object{"intervalHours": 1},
	})
}

// scheduled waits for the schedule to sync once more, and for the settings to know of it.
func (c *chaos) scheduled() {
	c.t.Helper()
	own := *c.p
	own.account = scheduleAccount
	newest := func() (id, state string) {
		all := own.must(200, "GET", "/v1/syncs?limit=10", nil).items()
		for _, r := range all {
			if r.text("state") != "queued" && r.text("state") != "running" {
				return r.text("id"), r.text("state")
			}
		}
		return "", ""
	}
	before, _ := newest()
	last := fmt.Sprint("none of ", before)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(slotLength / 10) {
		id, state := newest()
		settings := own.must(200, "GET", "/v1/settings", nil)
		last = fmt.Sprintf("%s %s, settings name %s, next run %s", state, id, settings.text("lastRun.id"),
			settings.text("schedule.nextRunAt"))
		if id > before && settings.text("lastRun.id") >= id {
			return
		}
	}
	c.t.Errorf("the schedule is silent since the clock is right again: %s", last)
}
