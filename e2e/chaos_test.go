package e2e

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/local/demo/authority"
	"rollcall/local/demo/ldapd"
)

var (
	chaosTime = flag.Duration("chaos", 12*time.Second, "how long TestChaos goes on; make soak takes ten minutes")
	chaosSeed = flag.Uint64("seed", 0, "the seed of TestChaos; 0 takes the time, and the test prints it")
)

// chaosPeople is how many people the directory has at first: with an alias each they are several batches of a sync.
const chaosPeople = 1500

// chaos is the program in a world that goes wrong: random syncs, undos and edits, with kills, stops, a clock that jumps
// and faults of the network in between. After each step the Users List must be what the journals say.
type chaos struct {
	t      *testing.T
	random *rand.Rand
	p      *program
	binary string
	clock  *clock
	data   string
	proxy  *proxy
	trust  *authority.Authority
	server *ldapd.Server
	target string
	// people are who the directory has: their primary addresses by id.
	people map[int]string
	nextID int
	// ended are the syncs that may be undone, started all syncs by their account, and newest is the newest id.
	ended   []string
	started map[string][]string
	newest  string
	steps   map[string]int
	// previews counts all previews: after some the account changes, which may take no more.
	previews int
}

func TestChaos(t *testing.T) {
	t.Parallel()
	onLocalOnly(t)
	seed := *chaosSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	// Its certificates are valid while the clock is wrong, too.
	long := func() time.Time { return time.Now().Add(-10 * 24 * time.Hour) }
	trust, err := authority.New(authority.Config{Name: "chaos", Now: long})
	if err != nil {
		t.Fatal(err)
	}
	c := &chaos{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), data: t.TempDir(), proxy: startProxy(t), trust: trust,
		binary: buildWithClock(t), clock: newClock(t),
		people: make(map[int]string), started: make(map[string][]string), steps: make(map[string]int),
	}
	c.start()
	c.hire()
	c.schedule()
	for range chaosPeople {
		c.hire()
	}
	c.serve()
	t.Cleanup(func() { c.server.Close() })
	for end := time.Now().Add(*chaosTime); time.Now().Before(end) && !t.Failed(); {
		c.step()
	}
	c.wrongClock()
	if c.clock.ahead != 0 {
		c.wrongClock()
	}
	t.Logf("seed %d: %v", seed, c.steps)
}

// start starts the program on its data.
func (c *chaos) start() {
	c.t.Helper()
	c.p = startBinary(c.t, c.binary, c.data, []string{c.clock.variable()},
		"-demo=false", "-tick", "20ms", "-hour", slotLength.String())
	c.p.account = c.account()
}

// account names the account at work.
func (c *chaos) account() string { return fmt.Sprint("account ", c.previews/50) }

// kill ends the program as a power cut does, and starts it again.
func (c *chaos) kill() {
	c.t.Helper()
	c.p.stop(syscall.SIGKILL)
	c.start()
}

// step does one random thing.
func (c *chaos) step() {
	steps := []struct {
		name string
		do   func()
	}{
		{"sync", c.sync}, {"sync", c.sync}, {"sync", c.sync}, {"undo", c.undo}, {"edit", c.edit}, {"edit", c.edit},
		{"kill", c.kill}, {"wrong clock", c.wrongClock},
	}
	step := steps[c.random.IntN(len(steps))]
	c.steps[step.name]++
	step.do()
}

// sync changes the directory, previews it and syncs that, while something may go wrong.
func (c *chaos) sync() {
	for range c.random.IntN(40) {
		c.hire()
	}
	ids := slices.Sorted(maps.Keys(c.people))
	for range c.random.IntN(40) {
		id := ids[c.random.IntN(len(ids))]
		if c.random.IntN(2) == 0 {
			delete(c.people, id)
		} else if _, there := c.people[id]; there {
			c.people[id] = fmt.Sprintf("person%d.%d@example.com", id, c.random.IntN(3))
		}
	}
	c.serve()
	var wrong fault
	if c.random.IntN(3) == 0 {
		wrong = fault{faultKind(1 + c.random.IntN(3)), c.random.IntN(100_000)}
		c.steps[wrong.kind.String()]++
	}
	c.proxy.set(c.target, wrong)
	if c.previews++; c.p.account != c.account() {
		c.p.account, c.ended = c.account(), nil
	}
	protection := protections[c.random.IntN(len(protections))]
	plain := protection["allowUnencrypted"] == true
	preview := c.p.preview(object{"connection": c.connection(c.proxy.port(), protection)})
	c.newID(preview.text("id"))
	turned := wrong.kind == flipBit
	if turned && !plain {
		c.steps["bit flip under TLS"]++
	}
	if preview.text("state") != "done" {
		if wrong.kind != cutConnection && wrong.kind != flipBit {
			c.t.Errorf("a preview ends %s: %v", preview.text("state"), preview["error"])
		}
		return
	}
	// A fault may come after the last entry, and a flipped bit may be part of an address: only TLS protects from that.
	id := preview.text("id")
	if found := preview.number("summary.entries"); found != len(c.people) && !(turned && plain) {
		c.t.Errorf("a preview that is done has %d entries of %d (%s, %v)", found, len(c.people), wrong.kind, protection)
	}
	if turned && !plain {
		c.unharmed(id)
	}
	c.run("sync", func() object {
		return c.p.must(202, "POST", "/v1/syncs", object{
			"previewId": id, "confirmRemovals": preview.number("guard.removals"),
			"options": object{"removeAccounts": true, "sendHSR": c.random.IntN(2) == 0},
		})
	})
}

// undo takes one of the last syncs back.
func (c *chaos) undo() {
	if len(c.ended) == 0 {
		return
	}
	undone := c.ended[len(c.ended)-1-c.random.IntN(min(3, len(c.ended)))]
	if c.p.must(200, "GET", "/v1/syncs/"+undone, nil).number("progress.applied") == 0 {
		return
	}
	c.run("undo", func() object { return c.p.must(202, "POST", "/v1/syncs/"+undone+"/undo", nil) })
}

// run starts a sync, lets something happen to it, and holds what it did to its journal.
func (c *chaos) run(what string, start func() object) {
	before := c.users()
	id := start().text("id")
	c.newID(id)
	c.started[c.p.account] = append(c.started[c.p.account], id)
	path := "/v1/syncs/" + id
	time.Sleep(time.Duration(c.random.IntN(120)) * time.Millisecond)
	switch c.random.IntN(5) {
	case 0:
		for range 1 + c.random.IntN(3) {
			c.kill()
			time.Sleep(time.Duration(c.random.IntN(60)) * time.Millisecond)
		}
		c.steps["kill at work"]++
	case 1:
		c.p.call("POST", path+"/cancel", nil)
		c.steps["cancel"]++
	case 2:
		c.p.cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(200 * time.Millisecond)
		c.p.cmd.Process.Signal(syscall.SIGCONT)
		c.steps["stop"]++
	case 3:
		c.jump()
	}
	ended := c.p.wait(path)
	c.ended = append(c.ended, ended.text("id"))
	c.expect(what, before, ended)
}

// expect holds the Users List to what it was before a run, with the changes that the run's journal has as applied.
func (c *chaos) expect(what string, before map[string]object, ended object) {
	c.t.Helper()
	id := ended.text("id")
	want := maps.Clone(before)
	told := make(map[string]int)
	for _, change := range c.p.list("/v1/syncs/"+id+"/changes", nil) {
		outcome := change.text("outcome")
		if change.text("change") == "skipped" {
			continue
		}
		if outcome != "applied" {
			told[outcome]++
			continue
		}
		told[change.text("change")]++
		key := strings.ToLower(change.text("address"))
		if change.text("change") == "delete" {
			delete(want, key)
			continue
		}
		after, _ := change["after"].(map[string]any)
		want[key] = kept(after)
	}
	if diff := cmp.Diff(want, c.users()); diff != "" {
		c.t.Errorf("%s %s (%s): the Users List is not what its journal says (-journal +list):\n%.3000s", what, id,
			ended.text("state"), diff)
	}
	sum := 0
	for name, outcome := range map[string]string{
		"create": "create", "update": "update", "delete": "delete",
		"already": "already", "conflicts": "conflict", "pending": "pending",
	} {
		n := ended.number("applied." + name)
		sum += n
		if n != told[outcome] {
			c.t.Errorf("%s %s (%s): applied.%s is %d, and the journal has %d", what, id, ended.text("state"), name, n,
				told[outcome])
		}
	}
	if sum != ended.number("progress.toApply") {
		c.t.Errorf("%s %s (%s): what it did adds up to %d of %d", what, id, ended.text("state"), sum,
			ended.number("progress.toApply"))
	}
}

// users returns the Users List by address, without versions and times.
func (c *chaos) users() map[string]object {
	c.t.Helper()
	all := make(map[string]object)
	for _, u := range c.p.list("/v1/users", nil) {
		all[strings.ToLower(u.text("address"))] = kept(u)
	}
	return all
}

// kept are the fields of a user that syncs and edits decide.
func kept(u object) object {
	return object{"kind": u["kind"], "primaryAddress": u["primaryAddress"], "type": u["type"],
		"heldSpamReport": u["heldSpamReport"], "protected": u["protected"]}
}

// edit changes users by hand, which must stay as they were acknowledged.
func (c *chaos) edit() {
	list := c.p.must(200, "GET", "/v1/users?limit=1000", nil).items()
	if len(list) == 0 {
		return
	}
	address := list[c.random.IntN(len(list))].text("address")
	protect := c.random.IntN(2) == 0
	c.p.must(200, "PATCH", "/v1/users/"+address, object{"protected": protect})
	added := fmt.Sprintf("hand%d@example.com", c.random.IntN(1000))
	c.p.call("POST", "/v1/users", object{"address": added})
	if c.random.IntN(3) == 0 {
		c.kill()
	}
	users := c.users()
	if got := users[strings.ToLower(address)]["protected"]; got != protect {
		c.t.Errorf("%s was acknowledged as protected %t, and is %v", address, protect, got)
	}
	if users[added] == nil {
		c.t.Errorf("%s was acknowledged, and is not there", added)
	}
}
