package importer_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// TestOneResultOfTwoInstances lets the first instance stall: the second takes the read over, and what the first hands
// over later counts for nothing.
func TestOneResultOfTwoInstances(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first, second := s.enrol(), s.enrol()
	s.directory.set(ann)
	preview := s.startPreview()
	stalled := first.take()
	if second.poll(nil).Order != nil {
		t.Fatal("two instances have one order")
	}
	late, err := first.read(stalled)
	if err != nil {
		t.Fatal(err)
	}
	s.clock = s.clock.Add(connector.LeaseTime - 5*time.Second)
	first.poll(&connector.Busy{Order: stalled.ID, Attempt: stalled.Attempt})
	s.clock = s.clock.Add(connector.LeaseTime - 5*time.Second)
	if second.poll(nil).Order != nil {
		t.Fatal("an order was given to another instance while the first is at it")
	}
	s.clock = s.clock.Add(6 * time.Second)
	taken := second.take()
	if taken.ID != stalled.ID || taken.Attempt != stalled.Attempt+1 {
		t.Errorf("the second has order %s, attempt %d", taken.ID, taken.Attempt)
	}
	if !first.poll(&connector.Busy{Order: stalled.ID, Attempt: stalled.Attempt}).Stop {
		t.Error("the first reads on")
	}
	wantIs(t, first.finish(late), importer.ErrOrder)
	wantIs(t, first.put(stalled, 9, []byte("late")), importer.ErrOrder)
	// Nor may it speak for the second.
	late.Attempt = taken.Attempt
	wantIs(t, first.finish(late), importer.ErrOrder)
	wantIs(t, first.put(taken, 0, []byte("forged")), importer.ErrOrder)
	if len(s.queue.messages) != 0 {
		t.Errorf("messages were sent: %+v", s.queue.messages)
	}
	s.directory.set(ann, bob)
	finish, err := second.read(taken)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.finish(finish); err != nil {
		t.Fatal(err)
	}
	wantIs(t, second.put(taken, 1, []byte("more")), importer.ErrOrder)
	s.mustDeliver()
	if r := s.ended(preview.ID, run.Done); r.Progress.Entries != 2 {
		t.Errorf("the preview is of %d entries, not of what the second read", r.Progress.Entries)
	}
}

// TestAConnectorThatStartsAgainGetsItsOrderBack at once: it need not wait for its own lease.
func TestAConnectorThatStartsAgainGetsItsOrderBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	preview := s.startPreview()
	lost := m.take()
	if again := m.work(); again.ID != lost.ID || again.Attempt != 2 {
		t.Errorf("after its start the instance gets %s, attempt %d", again.ID, again.Attempt)
	}
	s.ended(preview.ID, run.Done)
}

// TestAHostileRecordingIsAnIncompleteRead finishes with what was never handed over.
func TestAHostileRecordingIsAnIncompleteRead(t *testing.T) {
	t.Parallel()
	for name, hurt := range map[string]func(*connector.Finish){
		"more blocks": func(f *connector.Finish) { f.Blocks++ },
		"fewer bytes": func(f *connector.Finish) { f.Bytes-- },
		"other hash":  func(f *connector.Finish) { f.SHA256 = slices.Repeat([]byte{1}, 32) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			m := s.enrol()
			s.directory.set(ann, bob)
			preview := s.startPreview()
			finish, err := m.read(m.take())
			if err != nil {
				t.Fatal(err)
			}
			hurt(&finish)
			if err := m.finish(finish); err != nil {
				t.Fatal(err)
			}
			s.mustDeliver()
			if r := s.ended(preview.ID, run.Failed); r.Guard.Reason != run.GuardIncompleteRead {
				t.Errorf("failed with %+v, guard %+v", r.Failure, r.Guard)
			}
		})
	}
}

// TestRequestsThatNoConnectorMakes are refused before anything is stored.
func TestRequestsThatNoConnectorMakes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	s.startPreview()
	o := m.take()
	sum := make([]byte, 32)
	block := connector.BlockRequest{Order: o.ID, Attempt: o.Attempt, Size: 1, SHA256: sum}
	finish := connector.Finish{Order: o.ID, Attempt: o.Attempt,
		Sealed: connector.Sealed{Blocks: 1, Bytes: 1, SHA256: sum}}
	for name, hurt := range map[string]func(*connector.BlockRequest, *connector.Finish){
		"no size":         func(b *connector.BlockRequest, f *connector.Finish) { b.Size, f.Bytes = 0, 0 },
		"negative":        func(b *connector.BlockRequest, f *connector.Finish) { b.Number, f.Blocks = -1, -1 },
		"too many blocks": func(b *connector.BlockRequest, f *connector.Finish) { b.Number, f.Blocks = 1e6, 1e6 },
		"half a hash": func(b *connector.BlockRequest, f *connector.Finish) {
			b.SHA256, f.SHA256 = sum[:16], sum[:16]
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, f := block, finish
			hurt(&b, &f)
			_, err := s.desk.Block(t.Context(), m.instance(), b)
			wantIs(t, err, importer.ErrRequest)
			wantIs(t, m.finish(f), importer.ErrRequest)
		})
	}
	block.Size = 1 << 30
	_, err := s.desk.Block(t.Context(), m.instance(), block)
	wantIs(t, err, importer.ErrRequest)
	wantIs(t, s.desk.Report(t.Context(), m.instance(), connector.Report{Changes: make([]connector.Change, 101)}),
		importer.ErrRequest)
}

// TestWhatAnInstanceSaysIsBounded has one say as much as fits into a request.
func TestWhatAnInstanceSaysIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	preview := s.startPreview()
	o, long := m.take(), strings.Repeat("x", 100_000)
	steps := slices.Repeat([]run.Step{{Step: long, Host: long, Detail: long}}, 1000)
	m.targets = append(m.targets, slices.Repeat([]connector.Target{{Host: "h"}, {Host: long, Username: long}}, 1000)...)
	_, err := s.desk.Poll(t.Context(), m.instance(), connector.Poll{Version: long, Targets: m.targets,
		Busy: &connector.Busy{Order: o.ID, Attempt: 1, Steps: steps, Entries: -5}})
	if err != nil {
		t.Fatal(err)
	}
	if i := s.connector().Instances[0]; len(i.Version) > 100 || len(i.Targets) > 50 || slices.ContainsFunc(i.Targets,
		func(t connector.Target) bool { return len(t.Host) > 1000 }) {
		t.Errorf("stored a version of %d bytes and %d targets", len(i.Version), len(i.Targets))
	}
	if size := len(fmt.Sprint(s.record(preview.ID).Steps)); size > 250_000 {
		t.Errorf("%d bytes of steps are shown", size)
	}
	if size := len(fmt.Sprint(s.connector())); size > 10_000 {
		t.Errorf("%d bytes are stored of a connector", size)
	}
	if n := s.record(preview.ID).Progress.Entries; n != 0 {
		t.Errorf("%d entries are shown", n)
	}
}

// TestAnOrderGoesWhereThePasswordIs, and to anybody where it is nowhere: who says so.
func TestAnOrderGoesWhereThePasswordIs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	holds, empty := s.enrol(), s.enrol()
	empty.targets = nil
	holds.poll(nil)
	empty.poll(nil)
	s.startPreview()
	if answer := empty.poll(nil); answer.Order != nil || answer.WaitSeconds != 1 {
		t.Errorf("an instance without the password got %+v", answer)
	}
	if answer := holds.poll(nil); answer.Order == nil {
		t.Errorf("the one that has it got %+v", answer)
	}
	// A machine that was away for a day is taken for gone.
	s.clock = s.clock.Add(24 * time.Hour)
	s.startPreview()
	if answer := empty.poll(nil); answer.Order == nil {
		t.Error("the order waits for an instance that is gone")
	}
	nobody := newSite(t)
	m := nobody.enrol()
	m.targets = nil
	nobody.directory.err = &directory.Error{Code: connector.CodeNoPassword, Step: "bind", Message: "Enter it on site."}
	preview := nobody.startPreview()
	m.work()
	wantFailure(t, nobody.ended(preview.ID, run.Failed), connector.CodeNoPassword, "on site")
}

// TestAnOrderWaitsForThePassword: the only instance that has it is away, and another one is there. Once the password
// was removed on site nobody waits for it.
func TestAnOrderWaitsForThePassword(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// then is what happens after a while.
		then  func(s *site, holds, empty *machine)
		state run.State
		code  string
		says  string
	}{
		"it comes back": {
			then:  func(_ *site, holds, _ *machine) { holds.work() },
			state: run.Done,
		},
		"it comes back without": {
			then: func(s *site, holds, _ *machine) {
				holds.targets = nil
				s.directory.err = &directory.Error{Code: connector.CodeNoPassword, Step: "bind"}
				holds.work()
			},
			state: run.Failed, code: connector.CodeNoPassword,
		},
		"it stays away": {
			then: func(s *site, _, empty *machine) {
				s.clock = s.clock.Add(14 * time.Minute)
				empty.poll(nil)
				s.care()
				s.mustDeliver()
			},
			state: run.Failed, code: importer.CodeConnectorOffline,
			says: "is there, but not with the password. No instance of it took the read up within 15 minutes. Its " +
				"instance srv, which holds the password, was seen last at 2026-11-23T12:00:00Z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.directory.set(ann)
			holds, empty := s.enrol(), s.enrol()
			empty.targets = nil
			holds.poll(nil)
			s.clock = s.clock.Add(time.Hour)
			empty.poll(nil)
			preview := s.startPreview()
			s.clock = s.clock.Add(time.Minute)
			if answer := empty.poll(nil); answer.Order != nil {
				t.Errorf("an instance without the password got %+v", answer.Order)
			}
			s.parked(preview.ID)
			test.then(s, holds, empty)
			r := s.ended(preview.ID, test.state)
			if test.code != "" {
				wantFailure(t, r, test.code, test.says)
			}
		})
	}
}

// TestAConnectorSendsNoMoreRequestsThanItMay, with whatever instances, and others are not held up by it.
func TestAConnectorSendsNoMoreRequestsThanItMay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first, second := s.enrol(), s.enrol()
	refused := 0
	for n := range 210 {
		m := first
		if n%2 == 1 {
			m = second
		}
		_, err := m.signed()
		switch {
		case errors.Is(err, importer.ErrTooMany):
			refused++
		case err != nil:
			t.Fatal(err)
		}
	}
	if refused != 10 {
		t.Errorf("%d of 210 requests were refused, want 10", refused)
	}
	s.clock = s.clock.Add(importer.RetryAfter)
	if _, err := first.signed(); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestConnectorsAreAskedToHurryWhileSomebodyWaits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	if wait := m.poll(nil).WaitSeconds; wait != 15 {
		t.Errorf("an idle connector waits %d s, want 15", wait)
	}
	s.startPreview()
	m.work()
	if wait := m.poll(nil).WaitSeconds; wait != 15 {
		t.Errorf("after the work it waits %d s, want 15", wait)
	}
}

// TestEnrolmentCodes are good once, within a quarter of an hour.
func TestEnrolmentCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	code := func() string {
		_, code, err := s.service.NewEnrolmentCode(t.Context(), s.id, s.connectorID)
		if err != nil {
			t.Fatal(err)
		}
		return code.Code
	}
	enrol := func(code string, key ed25519.PublicKey) error {
		_, err := s.desk.Enrol(t.Context(), connector.Enrol{Code: code, PublicKey: key, Name: "srv", Version: "1"})
		return err
	}
	key := func() ed25519.PublicKey {
		public, _, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		return public
	}
	for _, wrong := range []string{"", "wrong"} {
		wantIs(t, enrol(wrong, key()), importer.ErrCode)
	}
	good, known := code(), key()
	if err := enrol(good, known); err != nil {
		t.Fatal(err)
	}
	wantIs(t, enrol(good, key()), importer.ErrCode)
	wantIs(t, enrol(code(), known), importer.ErrCode)
	old := code()
	s.clock = s.clock.Add(15 * time.Minute)
	wantIs(t, enrol(old, key()), importer.ErrCode)
	// A code of another account leads to that one's connector only.
	others := run.Identity{Account: "other", Subject: "admin@other.example"}
	c, theirs, err := s.service.AddConnector(t.Context(), others, "HQ")
	if err != nil {
		t.Fatal(err)
	}
	enrolled, err := s.desk.Enrol(t.Context(), connector.Enrol{Code: theirs.Code, PublicKey: key()})
	if err != nil || enrolled.ConnectorID != c.ID {
		t.Errorf("enrolled with %+v, error %v, want %s", enrolled, err, c.ID)
	}
	if got := len(s.connector().Instances); got != 1 {
		t.Errorf("the connector has %d instances, want 1", got)
	}
	if err := s.service.RevokeConnector(t.Context(), s.id, s.connectorID); err != nil {
		t.Fatal(err)
	}
	wantIs(t, enrol(old, key()), importer.ErrCode)
}

// TestAConnectorHasAFewInstances: who was seen longest ago makes room for another one.
func TestAConnectorHasAFewInstances(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var all []*machine
	for range 10 {
		m := s.enrol()
		m.poll(nil)
		all = append(all, m)
	}
	s.enrol()
	if _, err := all[0].signed(); !errors.Is(err, connector.ErrUnknown) {
		t.Errorf("the first instance gets %v", err)
	}
	all[1].instance()
}

func TestAReportIsStoredOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, other := s.enrol(), s.enrol()
	long := strings.Repeat("x", 10_000)
	report := connector.Report{Changes: []connector.Change{
		{ID: "1", What: connector.ChangePassword, Detail: "The password was stored."},
		{ID: "2", What: connector.ChangeAttribute, Detail: long},
	}}
	for range 3 {
		if err := s.desk.Report(t.Context(), m.instance(), report); err != nil {
			t.Fatal(err)
		}
	}
	// Another instance counts by itself.
	if err := s.desk.Report(t.Context(), other.instance(), connector.Report{Changes: report.Changes[:1]}); err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, e := range s.auditLog() {
		if e.Action != runs.ConnectorChanged {
			continue
		}
		told[e.Details["what"]]++
		if len(e.Details["detail"]) > 200 || !strings.HasPrefix(e.By, "connector ") || e.Subject != s.connectorID {
			t.Errorf("entry %+v", e)
		}
	}
	want := map[string]int{connector.ChangeEnrolled: 2, connector.ChangePassword: 2, connector.ChangeAttribute: 1}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("the audit log tells %v, want %v", told, want)
	}
}

func TestConnectorsOfAnAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	state := func() importer.ConnectorState {
		all, err := s.service.Connectors(t.Context(), s.id)
		if err != nil || len(all) != 1 {
			t.Fatalf("error %v, connectors %+v", err, all)
		}
		return importer.StateOf(&all[0], s.clock)
	}
	if got := state(); got != importer.ConnectorWaiting {
		t.Errorf("a new connector is %s", got)
	}
	m := s.enrol()
	if got := state(); got != importer.ConnectorOffline {
		t.Errorf("one that never asked is %s", got)
	}
	m.poll(nil)
	s.clock = s.clock.Add(15 * time.Second)
	m.poll(nil)
	s.clock = s.clock.Add(15 * time.Second)
	m.poll(nil)
	if got := state(); got != importer.ConnectorOnline {
		t.Errorf("one that asks is %s", got)
	}
	s.clock = s.clock.Add(45 * time.Second)
	if got := state(); got != importer.ConnectorOffline {
		t.Errorf("one that asked a while ago is %s", got)
	}
	for _, name := range []string{"", "  ", "hq", strings.Repeat("x", 101)} {
		_, _, err := s.service.AddConnector(t.Context(), s.id, name)
		wantField(t, err, "name")
	}
	stranger := run.Identity{Account: "other", Subject: "x"}
	_, _, err := s.service.NewEnrolmentCode(t.Context(), stranger, s.connectorID)
	wantCode(t, err, "connector_not_found")
	wantCode(t, s.service.RevokeConnector(t.Context(), stranger, s.connectorID), "connector_not_found")
	for n := range 19 {
		if _, _, err := s.service.AddConnector(t.Context(), s.id, fmt.Sprint("site ", n)); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = s.service.AddConnector(t.Context(), s.id, "one more")
	wantCode(t, err, "too_many_connectors")
	for range 9 {
		if _, _, err := s.service.NewEnrolmentCode(t.Context(), s.id, s.connectorID); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = s.service.NewEnrolmentCode(t.Context(), s.id, s.connectorID)
	if err == nil {
		_, _, err = s.service.NewEnrolmentCode(t.Context(), s.id, s.connectorID)
	}
	wantCode(t, err, "too_many_codes")
}
