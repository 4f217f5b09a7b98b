package delivery_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/notify"
	"rollcall/shared/ports/mail"
	"rollcall/shared/ports/queue"
)

func TestAnEventIsToldByMailAndWebhook(t *testing.T) {
	t.Parallel()
	l, r := newLab(t), receive(t, status(http.StatusNoContent))
	l.save(r.URL, "ann@example.com", "bob@example.com")
	l.tell(failed("e1"))
	l.tell(failed("e1")) // As after a crash.
	if n := l.work(); n != 2 || r.count() != 1 || len(l.mails.got) != 2 {
		t.Fatalf("%d messages, %d posts, %d mails; want 2, 1, 2", n, r.count(), len(l.mails.got))
	}
	for i, to := range []string{"ann@example.com", "bob@example.com"} {
		m := l.mails.got[i]
		if m.To != to || m.Subject != "LDAP import failed" ||
			!strings.Contains(m.Text, "https://page.example.com/#/syncs/1") {
			t.Errorf("mail %d is %+v", i, m)
		}
		if o := l.outcome(to); !o.Delivered || o.Attempts != 1 || o.EventID != "e1" || !o.NextAt.IsZero() {
			t.Errorf("noted of %s: %+v", to, o)
		}
	}
	if l.mails.got[0].ID == l.mails.got[1].ID {
		t.Error("two mails have one Message-ID")
	}
	if o := l.outcome(""); !o.Delivered || o.Status != http.StatusNoContent {
		t.Errorf("noted of the webhook: %+v", o)
	}
	// It was delivered: a crash of whoever told it makes no second one.
	l.tell(failed("e1"))
	if n := l.work(); n != 0 || l.sendDue() != 0 {
		t.Errorf("%d messages of an event that was delivered", n)
	}
}

func TestOnlyWhatWasChosenIsTold(t *testing.T) {
	t.Parallel()
	l, r := newLab(t), receive(t, status(http.StatusOK))
	l.save(r.URL, "ann@example.com")
	s := l.settings()
	s.Events = []notify.Kind{notify.Changed}
	if _, err := l.jobs.PutNotifications(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[notify.Type]int{
		notify.SyncFailed: 0, notify.SyncBlocked: 0, notify.SyncRecovered: 0, notify.SyncMissed: 0,
		notify.UsersChanged: 2, notify.Test: 2,
	} {
		l.tell(notify.New(kind, string(kind), account, "", l.now))
		if len(l.messages) != want {
			t.Errorf("%s: %d deliveries, want %d", kind, len(l.messages), want)
		}
		l.messages = nil
	}
	quiet := notify.New(notify.UsersChanged, "quiet", account, "", l.now)
	quiet.NoMail = true
	if l.tell(quiet); len(l.messages) != 1 || l.messages[0].Task != queue.TaskWebhook {
		t.Errorf("without mail: %+v", l.messages)
	}
	l.messages = nil
	digest := notify.New(notify.UsersChanged, "digest", account, "", l.now)
	digest.Digest = notify.SameReason
	if l.tell(digest); len(l.messages) != 1 || l.messages[0].Task != queue.TaskMail {
		t.Errorf("a digest: %+v", l.messages)
	}
}

// TestDeliveriesAreTriedForADay has a receiver that never works, and a clock.
func TestDeliveriesAreTriedForADay(t *testing.T) {
	t.Parallel()
	l, r := newLab(t), receive(t, status(http.StatusInternalServerError))
	l.save(r.URL)
	began := l.now
	l.tell(failed("e1"))
	l.work()
	short := []time.Duration{5 * time.Second, 5 * time.Second, 10 * time.Second}
	if n := r.count(); n != len(short)+1 || !cmp.Equal(l.slept, short) {
		t.Errorf("%d tries at first, with waits %v between them", n, l.slept)
	}
	var last time.Duration
	tries := r.count()
	for before := l.now; ; {
		next := l.outcome("").NextAt
		if next.IsZero() {
			break
		}
		if next.Sub(before) < last || next.Sub(before) > notify.LongestWait {
			t.Fatalf("try %d waits for %s, after a wait of %s", tries+1, next.Sub(before), last)
		}
		last, before = next.Sub(before), next
		l.now = next.Add(-time.Second)
		if sent := l.sendDue(); sent != 0 {
			t.Fatalf("try %d is sent before its time", tries+1)
		}
		l.now = next
		if sent := l.sendDue(); sent != 1 || l.work() != 1 || r.count() != tries+1 {
			t.Fatalf("at its time %d are sent; %d tries after %d", sent, r.count(), tries)
		}
		tries++
	}
	if took := l.now.Sub(began); took < 18*time.Hour || took > 24*time.Hour || tries < 10 || tries > 25 {
		t.Errorf("given up after %s and %d tries", took, tries)
	}
	l.now = l.now.Add(24 * time.Hour)
	if sent := l.sendDue(); sent != 0 {
		t.Error("a delivery that was given up is sent")
	}
}

// TestALostMessageIsSentAgain loses the message of a delivery, and the worker of another.
func TestALostMessageIsSentAgain(t *testing.T) {
	t.Parallel()
	l, r := newLab(t), receive(t, status(http.StatusOK))
	l.save(r.URL)
	l.tell(failed("e1"))
	first := l.messages[0]
	l.messages = nil
	l.now = l.now.Add(10 * time.Minute)
	if sent := l.sendDue(); sent != 1 || l.messages[0] == first {
		t.Fatalf("%d are sent again, as %+v", sent, l.messages)
	}
	if again := l.sendDue(); again != 0 {
		t.Error("the next tick sends it once more")
	}
	l.messages = append(l.messages, first) // It was only late.
	if l.work(); r.count() != 1 {
		t.Errorf("%d posts, want 1", r.count())
	}
}

// TestAQueueThatIsAwayLosesNothing has the clock send what the queue did not take.
func TestAQueueThatIsAwayLosesNothing(t *testing.T) {
	t.Parallel()
	l, r := newLab(t), receive(t, status(http.StatusOK))
	l.save(r.URL)
	l.away = true
	l.tell(failed("e1"))
	l.away = false
	l.now = l.now.Add(10 * time.Minute)
	if sent := l.sendDue(); sent != 1 || l.work() != 1 || r.count() != 1 {
		t.Errorf("%d are sent, %d posts", sent, r.count())
	}
}

func TestWhoIsNoLongerNamedIsNotTold(t *testing.T) {
	t.Parallel()
	l, r := newLab(t), receive(t, status(http.StatusOK))
	l.save(r.URL+"/old", "ann@example.com", "bob@example.com")
	l.tell(failed("e1"))
	l.save(r.URL+"/new", "bob@example.com")
	l.work()
	if len(l.mails.got) != 1 || l.mails.got[0].To != "bob@example.com" || r.count() != 0 {
		t.Errorf("mails %+v, posts %d", l.mails.got, r.count())
	}
	if sent := l.sendDue(); sent != 0 {
		t.Errorf("%d deliveries are left", sent)
	}
}

// TestMailsGoToEachAddressByItself has an address that does not exist, and one whose server wants to be asked later.
func TestMailsGoToEachAddressByItself(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.save("", "gone@example.com", "later@example.com", "ann@example.com")
	l.mails.fail["gone@example.com"] = fmt.Errorf("%w: 550 no such user", mail.ErrRefused)
	l.mails.fail["later@example.com"] = errors.New("450 greylisted")
	l.tell(failed("e1"))
	l.work()
	if len(l.mails.got) != 1 {
		t.Fatalf("mails %+v, want one", l.mails.got)
	}
	if o := l.outcome("gone@example.com"); o.Delivered || !o.NextAt.IsZero() || !strings.Contains(o.Message, "550") {
		t.Errorf("noted of the address that is gone: %+v", o)
	}
	later := l.outcome("later@example.com")
	if later.Delivered || later.NextAt.IsZero() {
		t.Fatalf("noted of the address that is to be tried later: %+v", later)
	}
	delete(l.mails.fail, "later@example.com")
	delete(l.mails.fail, "gone@example.com")
	l.now = later.NextAt
	l.sendDue()
	l.work()
	if len(l.mails.got) != 2 || l.mails.got[1].To != "later@example.com" {
		t.Errorf("mails %+v, want one more to later@example.com", l.mails.got)
	}
}

func TestWithoutAMailServerTheAddressSaysSo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.worker.Mail = nil
	l.save("", "ann@example.com")
	l.tell(failed("e1"))
	l.work()
	o := l.outcome("ann@example.com")
	if o.Delivered || !o.NextAt.IsZero() || !strings.Contains(o.Message, "no mail server") {
		t.Errorf("noted: %+v", o)
	}
}

// TestErasingAnAccountErasesWhatItIsTold: neither the notifications nor a delivery nor its message stay.
func TestErasingAnAccountErasesWhatItIsTold(t *testing.T) {
	t.Parallel()
	l, r := newLab(t), receive(t, status(http.StatusOK))
	l.save(r.URL, "ann@example.com")
	l.tell(failed("e1"))
	if err := l.store.Erase(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	if s := l.settings(); s.Email != nil || s.Webhook != nil {
		t.Errorf("left: %+v", s)
	}
	l.work()
	l.now = l.now.Add(time.Hour)
	if l.sendDue() != 0 || r.count() != 0 || len(l.mails.got) != 0 {
		t.Error("an erased account is told")
	}
}
