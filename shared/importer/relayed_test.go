package importer_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/notify"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

// A plan, an explanation and what is imported are the same through a connector, whose runs wait without a worker.
func TestWhatAConnectorReadsIsImported(t *testing.T) {
	t.Parallel()
	direct := newHarness(t)
	direct.directory.set(ann, bob)
	direct.importAll()
	want := direct.rows(direct.preview().ID, planfile.Filter{})

	s := newSite(t)
	s.directory.set(ann, bob)
	m := s.enrol()
	preview := s.startPreview()
	s.parked(preview.ID)
	order := m.work()
	if c := order.Request.Connection; !c.Password.Empty() || c.Host != "dc1.example.com" {
		t.Errorf("the connector was asked for %+v", c)
	}
	done := s.ended(preview.ID, run.Done)
	if len(done.Steps) == 0 || done.Progress.Entries != 2 || done.Attempts != 2 {
		t.Errorf("the preview is %+v", done)
	}
	syncRun := s.start(importer.SyncRequest{PreviewID: preview.ID})
	s.mustDeliver()
	s.ended(syncRun.ID, run.Done)
	again := s.startPreview()
	m.work()
	s.ended(again.ID, run.Done)
	if diff := cmp.Diff(want, s.rows(again.ID, planfile.Filter{})); diff != "" {
		t.Errorf("the plan differs from the one of a direct read:\n%s", diff)
	}
	// An undo asks no directory.
	undo := s.startUndo(syncRun.ID)
	s.mustDeliver()
	s.mustDeliver()
	s.ended(undo.ID, run.Done)
	if users := s.users(); len(users) != 0 {
		t.Errorf("after the undo there are %q", users)
	}
}

func TestAScheduleNeedsNoPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	s.directory.set(ann)
	s.save(importer.SettingsRequest{Connection: s.connection(), Options: ptr(removing()), IntervalHours: ptr(6)})
	s.slot()
	m.work()
	s.ended(s.history()[0].ID, run.Done)
	if len(s.users()) != 2 {
		t.Errorf("imported %q", s.users())
	}
	if saved := s.settings(); saved.ConsecutiveFailures != 0 || saved.Health.State != settings.OK ||
		saved.SealedPassword != nil {
		t.Errorf("the settings are %+v", saved)
	}
}

func TestASyncOfTheAccountRunsWhileAnotherIsParked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	s.directory.set(ann)
	preview := s.startPreview()
	m.work()
	s.save(importer.SettingsRequest{Connection: s.connection(), IntervalHours: ptr(6)})
	s.slot()
	scheduled := s.history()[0]
	s.parked(scheduled.ID)
	byHand := s.start(importer.SyncRequest{PreviewID: preview.ID})
	s.mustDeliver()
	wantState(t, s.record(byHand.ID), run.Done)
	s.parked(scheduled.ID)
	m.work()
	s.ended(scheduled.ID, run.Done)
}

// TestAnExplanationAsksTwice asks about a DN: the second question depends on the answer to the first.
func TestAnExplanationAsksAConnectorTwice(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		req       importer.ExplanationRequest
		questions int
	}{
		"address": {importer.ExplanationRequest{Address: "ann@example.com"}, 1},
		"dn":      {importer.ExplanationRequest{DN: "CN=0,DC=example,DC=com"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			m := s.enrol()
			s.directory.has("ann@example.com")
			test.req.Connection = s.connection()
			r, err := s.service.StartExplanation(t.Context(), s.id, test.req)
			if err != nil {
				t.Fatal(err)
			}
			s.mustDeliver()
			for range test.questions {
				s.parked(r.ID)
				m.work()
			}
			done := s.ended(r.ID, run.Done)
			if done.Explanation == nil || done.Explanation.Address != "ann@example.com" ||
				len(s.directory.asked) != test.questions {
				t.Errorf("explained as %+v with the questions %+v", done.Explanation, s.directory.asked)
			}
		})
	}
}

// A look has no run: what it asked for is played once more to the sync that it starts.
func TestALookThroughAConnector(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	s.directory.server = "dc1"
	s.directory.set(ann)
	s.save(importer.SettingsRequest{Connection: s.connection(), Options: ptr(removing()), IntervalHours: ptr(24),
		QuickMinutes: ptr(5)})
	s.slot()
	m.work()
	wantState(t, s.history()[0], run.Done)

	before := s.settings().Looks.LastAt
	s.lookOnline(m)
	m.work()
	if last := s.settings().Looks; !last.LastAt.After(before) || last.Error != "" || len(s.history()) != 1 ||
		len(s.connector().Orders) != 0 {
		t.Errorf("after a look that finds nothing: %+v, orders %+v", last, s.connector().Orders)
	}

	s.directory.set(ann, bob)
	s.lookOnline(m)
	reads := s.directory.reads
	m.work()
	s.mustDeliver()
	quick := s.history()[0]
	if quick.Trigger != run.TriggerQuick || s.directory.reads != reads+1 {
		t.Errorf("%d reads, newest sync %+v", s.directory.reads-reads, quick)
	}
	s.ended(quick.ID, run.Done)

	// A look does not wait for a connector that is not there.
	s.look()
	if looks := s.settings().Looks; !strings.Contains(looks.Error, "is offline") ||
		!strings.Contains(looks.Error, "seen last at") || len(s.connector().Orders) != 0 {
		t.Errorf("a look without a connector: %+v, orders %+v", looks, s.connector().Orders)
	}

	empty := s.enrol()
	empty.targets = nil
	s.lookOnline(empty)
	if looks := s.settings().Looks; !strings.Contains(looks.Error, "there, but not with the password") {
		t.Errorf("a look whose password is away: %+v", looks)
	}
}

// lookOnline is look with a machine that is there.
func (s *site) lookOnline(m *machine) {
	s.t.Helper()
	s.clock = s.clock.Add(5*time.Minute + time.Second)
	m.poll(nil)
	if _, err := s.service.StartLooks(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.mustDeliver()
}

func TestCancellingARunThatWaitsEndsItAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	preview := s.startPreview()
	order := m.take()
	if _, err := s.service.CancelPreview(t.Context(), s.id, preview.ID); err != nil {
		t.Fatal(err)
	}
	s.ended(preview.ID, run.Cancelled)
	if !m.poll(&connector.Busy{Order: order.ID, Attempt: 1}).Stop {
		t.Error("the connector reads on")
	}
	finish, err := m.read(order)
	if err == nil {
		err = m.finish(finish)
	}
	wantIs(t, err, importer.ErrOrder)
}

// TestARunCancelledBeforeItIsParkedEnds cancels while the worker is about to park the run.
func TestARunCancelledBeforeItIsParkedEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r, err := s.service.StartPreview(t.Context(), s.id, importer.PreviewRequest{Connection: s.connection()})
	if err != nil {
		t.Fatal(err)
	}
	config := s.config
	config.Connectors = meddling{s.config.Connectors, func() {
		if _, err := s.service.CancelPreview(t.Context(), s.id, r.ID); err != nil {
			t.Error(err)
		}
	}}
	s.worker = importer.NewWorker(config)
	s.mustDeliver()
	s.ended(r.ID, run.Cancelled)
}

func TestARunWaitsAQuarterOfAnHourForAConnector(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before func(s *site)
		says   string
	}{
		"nobody enrolled": {func(*site) {}, "None is enrolled"},
		"never ran":       {func(s *site) { s.enrol() }, "never asked for work"},
		"ran once":        {func(s *site) { s.enrol().poll(nil) }, "seen last at 2026-11-23T12:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			test.before(s)
			preview := s.startPreview()
			s.clock = s.clock.Add(14 * time.Minute)
			if s.care() != 0 {
				t.Error("somebody looked after the run too early")
			}
			s.parked(preview.ID)
			s.clock = s.clock.Add(time.Minute + time.Second)
			s.care()
			s.mustDeliver()
			wantFailure(t, s.ended(preview.ID, run.Failed), "connector_offline", test.says)
		})
	}
}

// TestTheWaitForAConnectorCountsOnce starts the program again while a run waits, which makes the wait no longer.
func TestTheWaitForAConnectorCountsOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	preview := s.startPreview()
	s.clock = s.clock.Add(10 * time.Minute)
	s.startAgain()
	s.parked(preview.ID)
	s.clock = s.clock.Add(4 * time.Minute)
	order := m.take()
	m.poll(&connector.Busy{Order: order.ID, Attempt: 1, Entries: 7})
	s.clock = s.clock.Add(30 * time.Second)
	s.startAgain()
	if phase := s.record(preview.ID).Progress.Phase; phase != run.PhaseConnecting {
		t.Errorf("a run that an instance is at is shown in the phase %s", phase)
	}
	s.clock = s.clock.Add(14 * time.Minute)
	s.startAgain()
	s.clock = s.clock.Add(29 * time.Second)
	if s.care() != 0 {
		t.Error("somebody looked after the run too early")
	}
	s.clock = s.clock.Add(time.Second)
	s.care()
	s.mustDeliver()
	wantFailure(t, s.ended(preview.ID, run.Failed), importer.CodeConnectorOffline, "within 15 minutes")
}

// startAgain does what the start of a program does.
func (s *site) startAgain() {
	s.t.Helper()
	if _, err := s.service.CareFor(s.t.Context(), s.clock.Add(time.Hour)); err != nil {
		s.t.Fatal(err)
	}
	s.mustDeliver()
}

// TestPeopleAreToldOfAConnectorThatIsAway lets a schedule come while the connector is off: who is told of failures
// reads what to do on site.
func TestPeopleAreToldOfAConnectorThatIsAway(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	s.directory.set(ann)
	s.save(importer.SettingsRequest{Connection: s.connection(), IntervalHours: ptr(6)})
	m.poll(nil)
	s.slot()
	scheduled := s.history()[0]
	s.parked(scheduled.ID)
	s.clock = s.clock.Add(15*time.Minute + time.Second)
	s.care()
	s.mustDeliver()
	wantFailure(t, s.ended(scheduled.ID, run.Failed), importer.CodeConnectorOffline, "seen last at")
	if len(s.told.all) != 1 || s.told.all[0].Type != notify.SyncFailed ||
		!strings.Contains(s.told.all[0].Data.Message, "look on site whether it runs (rollcall-connector status)") {
		t.Errorf("told was %+v", s.told.all)
	}
}

// TestAConnectorThatDiesForGood counts the time from when it was heard of last.
func TestAConnectorThatDiesForGood(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	preview := s.startPreview()
	s.clock = s.clock.Add(14 * time.Minute)
	order := m.take()
	m.poll(&connector.Busy{Order: order.ID, Attempt: 1, Entries: 7,
		Steps: []run.Step{{Step: directory.StepBase, OK: true}}})
	if r := s.record(preview.ID); r.Progress.Phase != run.PhaseReading || r.Progress.Entries != 7 || len(r.Steps) != 1 {
		t.Errorf("the preview shows %+v %+v", r.Progress, r.Steps)
	}
	s.clock = s.clock.Add(14 * time.Minute)
	s.care()
	s.mustDeliver()
	wantState(t, s.record(preview.ID), run.Running)
	s.clock = s.clock.Add(time.Minute + time.Second)
	s.care()
	s.mustDeliver()
	wantFailure(t, s.ended(preview.ID, run.Failed), "connector_offline", "seen last at")
}

// TestAReadThatKillsEachConnectorEnds gives an order out so many times, and no more.
func TestAReadThatKillsEachConnectorEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	preview := s.startPreview()
	for range 20 {
		m.take()
		s.clock = s.clock.Add(connector.LeaseTime + time.Second)
	}
	if m.poll(nil).Order != nil {
		t.Error("the order is given out for ever")
	}
	s.clock = s.clock.Add(16 * time.Minute)
	s.care()
	s.mustDeliver()
	wantFailure(t, s.ended(preview.ID, run.Failed), "connector_lost", "20 times")
}

// TestAReadWithoutEndEnds has a connector say for hours that it is at work.
func TestAReadWithoutEndEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	preview := s.startPreview()
	busy := connector.Busy{Order: m.take().ID, Attempt: 1}
	for hours := 0; !m.poll(&busy).Stop; hours++ {
		if hours > 24 {
			t.Fatal("a connector may be at work for ever")
		}
		s.clock = s.clock.Add(time.Hour)
	}
	s.clock = s.clock.Add(16 * time.Minute)
	s.care()
	s.mustDeliver()
	wantFailure(t, s.ended(preview.ID, run.Failed), "connector_lost", "did not finish")
}

func TestARunFailsAtOnceWhenItsConnectorIsRevoked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	s.save(importer.SettingsRequest{Connection: s.connection(), IntervalHours: ptr(6)})
	preview := s.startPreview()
	m.take()
	if err := s.service.RevokeConnector(t.Context(), s.id, s.connectorID); err != nil {
		t.Fatal(err)
	}
	s.mustDeliver()
	wantFailure(t, s.record(preview.ID), connector.CodeRevoked, "was revoked")
	if _, err := m.signed(); err == nil {
		t.Error("a revoked connector is taken at its word")
	}
	s.slot()
	wantFailure(t, s.history()[0], connector.CodeRevoked, "Choose another one")
	_, err := s.service.PatchSettings(t.Context(), s.id, importer.SettingsPatch{
		Change: func(r *importer.SettingsRequest) error {
			r.Paused = true
			return nil
		}})
	if err != nil {
		t.Errorf("the schedule of a revoked connector cannot be paused: %v", err)
	}
}

func TestABusyConnectorSaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.store.Connectors().For(s.id.Account).Update(t.Context(), s.connectorID,
		func(c *connectors.Connector) ([]runs.AuditEntry, error) {
			for n := range 64 {
				c.Orders = append(c.Orders, connectors.Order{ID: strconv.Itoa(n), CreatedAt: s.clock})
			}
			return nil, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, s.record(s.startPreview().ID), "connector_busy", "64 reads")
	// What nobody waits for any more makes room.
	s.clock = s.clock.Add(25 * time.Hour)
	s.parked(s.startPreview().ID)
}

// TestConnectionsThroughAConnectorAreChecked sends what no connection through a connector may have.
func TestConnectionsThroughAConnectorAreChecked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.save(importer.SettingsRequest{Connection: s.connection()})
	others := s.id
	others.Account = "other"
	foreign, _, err := s.service.AddConnector(t.Context(), others, "theirs")
	if err != nil {
		t.Fatal(err)
	}
	unknown, another := s.connection(), s.connection()
	unknown.ConnectorID, another.ConnectorID = "nobody", foreign.ID
	const field = "connection.connectorId"
	for name, c := range map[string]*settings.Connection{"unknown": unknown, "another account's": another} {
		t.Run(name, func(t *testing.T) {
			ctx, id := t.Context(), s.id
			_, err := s.service.StartPreview(ctx, id, importer.PreviewRequest{Connection: c})
			wantField(t, err, field)
			_, err = s.service.StartExplanation(ctx, id, importer.ExplanationRequest{Address: "a@x.org", Connection: c})
			wantField(t, err, field)
			_, err = s.service.SaveSettings(ctx, id, importer.SettingsRequest{Connection: c})
			wantField(t, err, field)
			change := func(r *importer.SettingsRequest) error {
				r.Connection = c
				return nil
			}
			_, err = s.service.PatchSettings(ctx, id, importer.SettingsPatch{Change: change})
			wantField(t, err, field)
		})
	}
	if len(s.queue.messages) != 0 {
		t.Errorf("messages were sent: %+v", s.queue.messages)
	}
}

// TestAStoredPasswordStaysBehind changes from direct to a connector and back: the stored password is gone.
func TestAStoredPasswordStaysBehind(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if saved := s.save(importer.SettingsRequest{Connection: connection()}); saved.SealedPassword == nil {
		t.Fatal("no password was stored")
	}
	if saved := s.save(importer.SettingsRequest{Connection: s.connection()}); saved.SealedPassword != nil {
		t.Error("the password is kept beside a connector")
	}
	direct := connection()
	direct.Password = secret.String{}
	_, err := s.service.SaveSettings(t.Context(), s.id, importer.SettingsRequest{Connection: direct})
	wantField(t, err, "connection.password")
}

// diesAtBlock kills the process when it opens a block of a recording: once blocks lets no more of them through.
type diesAtBlock struct {
	objects.Store
	blocks, all *failpoint
}

func (s diesAtBlock) For(a user.Account) objects.Objects {
	return diesAtAccountsBlock{failingAccountObjects{s.Store.For(a), s.all}, s.blocks}
}

type diesAtAccountsBlock struct {
	failingAccountObjects
	blocks *failpoint
}

func (o diesAtAccountsBlock) Open(ctx context.Context, key string) (object objects.Object, err error) {
	if !strings.HasPrefix(key, objects.RecordingPrefix) {
		return o.Objects.Open(ctx, key)
	}
	err = o.blocks.write(func() (err error) { object, err = o.Objects.Open(ctx, key); return err })
	o.f.hit = o.f.hit || o.blocks.hit
	return object, err
}

// TestAWorkerThatDiesAtABlock kills the process of the worker at each block of a recording that it plays back, and
// starts it again: the sync ends whole.
func TestAWorkerThatDiesAtABlock(t *testing.T) {
	t.Parallel()
	blocks := 0
	for done := false; !done; blocks++ {
		s := newSite(t)
		m := s.enrol()
		s.directory.set(people(3)...)
		s.save(importer.SettingsRequest{Connection: s.connection(), Options: ptr(removing())})
		first := s.start(importer.SyncRequest{})
		s.mustDeliver()
		m.work()
		s.ended(first.ID, run.Done)

		s.directory.set(people(5)[1:]...)
		m.bulk = 3 << 20
		second := s.start(importer.SyncRequest{})
		s.mustDeliver()
		finish, err := m.read(m.take())
		if err == nil {
			err = m.finish(finish)
		}
		if err != nil {
			t.Fatal(err)
		}
		worker, c, all := s.worker, s.config, &failpoint{left: -1}
		at := &failpoint{left: blocks}
		c.Objects = diesAtBlock{s.store.Objects(), at, all}
		c.Users, c.Jobs = failingUsers{s.store.Users(), all}, failingJobs{s.store.Jobs(), all}
		s.worker = importer.NewWorker(c)
		err = s.deliver()
		s.worker = worker
		s.outlast()
		if done = !at.hit; done && finish.Blocks != blocks {
			t.Errorf("the worker was killed at %d of %d blocks", blocks, finish.Blocks)
		}
		if at.hit == (err == nil) {
			t.Errorf("killed %t, and the message is handled with error %v", at.hit, err)
		}
		s.mustDeliver()
		s.ended(second.ID, run.Done)
		// Four people with an alias each, and not the first one of before.
		if users := s.users(); len(users) != 8 || !strings.HasPrefix(users[0], "alias00001") {
			t.Errorf("killed at block %d, the sync ends with %q", blocks, users)
		}
	}
	if blocks < 4 {
		t.Errorf("the recording has %d blocks", blocks-1)
	}
}

// TestAMessageThatIsLostComesAgain loses what Finish sends: the connector finishes again.
func TestAMessageThatIsLostComesAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.enrol()
	s.directory.set(ann)
	preview := s.startPreview()
	finish, err := m.read(m.take())
	if err != nil {
		t.Fatal(err)
	}
	config := s.config
	config.Queue = lostQueue{}
	desk := s.desk
	s.desk = importer.NewDesk(config)
	wantIs(t, m.finish(finish), errUnreachable)
	s.desk = desk
	for range 2 {
		if err := m.finish(finish); err != nil {
			t.Fatal(err)
		}
	}
	if sent := s.queue.messages; len(sent) != 2 || sent[0] != sent[1] || sent[0].Again == 0 ||
		sent[0].Task != queue.TaskPreview {
		t.Errorf("the messages are %+v", sent)
	}
	s.mustDeliver()
	s.ended(preview.ID, run.Done)
	wantIs(t, m.finish(finish), importer.ErrOrder)
}
