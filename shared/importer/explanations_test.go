package importer_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// has makes the directory answer each question with entries that have a primary address.
func (d *fakeDirectory) has(primaries ...string) {
	d.answer = func(directory.Question) directory.Answer {
		answer := directory.Answer{Info: directory.Info{DirectoryID: "dc=example,dc=com"}}
		for i, primary := range primaries {
			answer.Found = append(answer.Found, directory.Found{InBase: true, Matches: true, Entry: directory.Entry{
				DN: fmt.Appendf(nil, "CN=%d,DC=example,DC=com", i),
				Attributes: []directory.Attribute{
					{Name: "proxyAddresses", Values: [][]byte{[]byte("SMTP:" + primary)}},
				},
			}})
		}
		return answer
	}
}

// explain asks and waits for the answer.
func (h *harness) explain(req importer.ExplanationRequest) run.Run {
	h.t.Helper()
	r, err := h.service.StartExplanation(h.t.Context(), h.id, req)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mustDeliver()
	if r, err = h.service.Explanation(h.t.Context(), h.id, r.ID); err != nil {
		h.t.Fatal(err)
	}
	return r
}

func TestAnExplanationIsWhatASyncWouldDo(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(person{id: "1", primary: "ann@example.com"})
	h.importAll()
	before := h.users()
	h.directory.has("Ann@example.com")
	r := h.explain(importer.ExplanationRequest{Address: " ann@example.com ", Connection: connection()})
	wantState(t, r, run.Done)
	if x := r.Explanation; x.Verdict != run.Imported || x.Stored == nil || x.Stored.Key != "ann@example.com" ||
		x.Address != "ann@example.com" {
		t.Errorf("explained as %+v", x)
	}
	if q := h.directory.asked[0]; len(q.Any) == 0 || q.DN != "" || len(h.directory.asked) != 1 {
		t.Errorf("asked %+v", h.directory.asked)
	}
	if r.SealedPassword != nil || h.directory.seen.Password.Reveal() != plantedPassword {
		t.Error("the password was not used, or is kept")
	}
	if diff := cmp.Diff(before, h.users()); diff != "" {
		t.Errorf("the Users List changed:\n%s", diff)
	}
	log, err := h.service.Audit(t.Context(), h.id, "", 1)
	if err != nil || log.Entries[0].Action != runs.ExplanationStarted || log.Entries[0].Subject != r.ID ||
		log.Entries[0].Details["address"] != "ann@example.com" || log.Entries[0].By != h.id.Subject {
		t.Errorf("error %v, audit %+v", err, log.Entries)
	}
	for _, file := range h.files() {
		if data, err := os.ReadFile(file); err == nil && strings.Contains(string(data), plantedPassword) {
			t.Errorf("%s holds the password", file)
		}
	}
}

// TestADNIsExplainedByItsPrimary asks for an entry, and then for the others that claim its address.
func TestADNIsExplainedByItsPrimary(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.has("ann@example.com")
	r := h.explain(importer.ExplanationRequest{DN: "CN=0,DC=example,DC=com", Connection: connection()})
	wantState(t, r, run.Done)
	asked := h.directory.asked
	if len(asked) != 2 || asked[0].DN != "CN=0,DC=example,DC=com" || asked[1].DN != "" || len(asked[1].Any) == 0 ||
		r.Explanation.Address != "ann@example.com" || len(r.Explanation.Entries) != 1 {
		t.Errorf("asked %+v, explained as %+v", asked, r.Explanation)
	}
	h.directory.has()
	r = h.explain(importer.ExplanationRequest{DN: "CN=0", Connection: connection()})
	if r.Explanation.Verdict != run.NotFound || len(h.directory.asked) != 3 {
		t.Errorf("%d questions, explained as %+v", len(h.directory.asked), r.Explanation)
	}
}

func TestWhatCannotBeExplained(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for name, test := range map[string]struct {
		req   importer.ExplanationRequest
		field string
	}{
		"nothing":    {importer.ExplanationRequest{}, "address"},
		"only space": {importer.ExplanationRequest{Address: " "}, "address"},
		"both":       {importer.ExplanationRequest{Address: "a@example.com", DN: "cn=a"}, "address"},
		"no address": {importer.ExplanationRequest{Address: "ann"}, "address"},
		"a star":     {importer.ExplanationRequest{Address: "*"}, "address"},
		"no DN":      {importer.ExplanationRequest{DN: "ann"}, "dn"},
		"a wrong type": {importer.ExplanationRequest{DN: "cn=a", Advanced: &settings.Advanced{Include: []string{"x"}}},
			"advanced.include"},
		"no password": {importer.ExplanationRequest{DN: "cn=a", Connection: withoutPassword()},
			"connection.password"},
		"wrong product": {importer.ExplanationRequest{DN: "cn=a", Connection: &settings.Connection{}},
			"connection.serverType"},
	} {
		_, err := h.service.StartExplanation(t.Context(), h.id, test.req)
		var e *importer.Error
		if !errors.As(err, &e) || e.Class != importer.Invalid || len(e.Fields) == 0 ||
			e.Fields[0].Field != test.field || strings.Contains(e.Fields[0].Message, "search base") {
			t.Errorf("%s: error %v, want one of the field %s", name, err, test.field)
		}
	}
	_, err := h.service.StartExplanation(t.Context(), h.id, importer.ExplanationRequest{DN: "ann"})
	var e *importer.Error
	if !errors.As(err, &e) || strings.Count(fmt.Sprint(e.Fields), "distinguished name") != 1 {
		t.Errorf("error %v, which is to say once what is wrong", err)
	}
	_, err = h.service.StartExplanation(t.Context(), h.id, importer.ExplanationRequest{Address: "a@example.com"})
	wantCode(t, err, "settings_not_found")
	preview := h.preview()
	_, err = h.service.Explanation(t.Context(), h.id, preview.ID)
	wantCode(t, err, "explanation_not_found")
}

func withoutPassword() *settings.Connection {
	c := connection()
	c.Password = secret.String{}
	return c
}

// TestTheStoredPasswordExplainsOnlyWhatItWasEnteredFor uses the saved settings, and then changes what the password is
// bound to.
func TestTheStoredPasswordExplainsOnlyWhatItWasEnteredFor(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.has("ann@example.com")
	saved := importer.SettingsRequest{Connection: connection()}
	if _, err := h.service.SaveSettings(t.Context(), h.id, saved); err != nil {
		t.Fatal(err)
	}
	ask := importer.ExplanationRequest{Address: "ann@example.com"}
	wantState(t, h.explain(ask), run.Done)
	ask.Advanced = &settings.Advanced{Filter: "(mail=*)"}
	wantState(t, h.explain(ask), run.Done)
	if got := h.directory.seen.Password.Reveal(); got != plantedPassword || h.directory.asked[1].Filter != "(mail=*)" {
		t.Errorf("asked with the password %q and %+v", got, h.directory.asked[1])
	}
	ask.Advanced = &settings.Advanced{Attributes: settings.Attributes{Primary: []string{"description"}}}
	_, err := h.service.StartExplanation(t.Context(), h.id, ask)
	wantCode(t, err, "invalid_request")
	ask.Advanced, ask.Connection = nil, withoutPassword()
	ask.Connection.Host = "other.example.com"
	_, err = h.service.StartExplanation(t.Context(), h.id, ask)
	wantCode(t, err, "invalid_request")
}

// TestAFailedExplanationSaysWhere has a directory that refuses the password: it is asked once, whatever else fails.
func TestAFailedExplanationSaysWhere(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.err = &directory.Error{Code: directory.CodeInvalidCredentials, Step: directory.StepBind,
		Message: "wrong", Refused: true}
	r := h.explain(importer.ExplanationRequest{DN: "cn=a", Connection: connection()})
	wantState(t, r, run.Failed)
	if r.Failure.Step != directory.StepBind || len(h.directory.asked) != 1 || r.Explanation != nil ||
		len(r.Steps) == 0 {
		t.Errorf("failure %+v after %d questions", r.Failure, len(h.directory.asked))
	}
}

func TestAnAnswerIsDeletedAfterADay(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.has("ann@example.com")
	r := h.explain(importer.ExplanationRequest{Address: "ann@example.com", Connection: connection()})
	h.clock = h.clock.Add(24*time.Hour - time.Minute)
	if _, err := h.service.Explanation(t.Context(), h.id, r.ID); err != nil {
		t.Error(err)
	}
	h.clock = h.clock.Add(2 * time.Minute)
	_, err := h.service.Explanation(t.Context(), h.id, r.ID)
	wantCode(t, err, "explanation_not_found")
}

// TestSixtyExplanationsAMinute starts as many as somebody asks who looks for a whole department.
func TestSixtyExplanationsAMinute(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.has()
	ask := importer.ExplanationRequest{Address: "ann@example.com", Connection: connection()}
	start := func() (err error) {
		_, err = h.service.StartExplanation(t.Context(), h.id, ask)
		return err
	}
	for range 60 {
		if err := start(); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, start(), "too_many_waiting")
	h.mustDeliver()
	for range 60 {
		if err := start(); err != nil {
			t.Fatal(err)
		}
	}
	h.mustDeliver()
	wantCode(t, start(), "too_many_explanations")
}
