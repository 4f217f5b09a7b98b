package importer_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/importer"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/user"
	"rollcall/shared/usercsv"
)

// mixed is a sync with changes of several outcomes.
func (h *harness) mixed() run.Run {
	h.t.Helper()
	h.directory.set(ann, bob, cat)
	h.importAll()
	h.directory.set(person{"ann", "ann@example.com", nil}, person{"bob", "Bob@example.com", nil}, dan)
	preview := h.preview()
	h.patch("bob@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	if err := h.service.RemoveUser(h.t.Context(), h.id, "a.miller@example.com"); err != nil {
		h.t.Fatal(err)
	}
	options := removing()
	return h.sync(importer.SyncRequest{PreviewID: preview.ID, Options: &options})
}

// dan is on the Users List of nobody at first.
var dan = person{"dan", "dan@example.com", nil}

func TestChangesAreChosenByOutcomeAndChange(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := h.mixed()
	applied, already, conflict := importer.OutcomeApplied, importer.OutcomeAlready, importer.OutcomeConflict
	for _, test := range []struct {
		outcomes []importer.Outcome
		filter   planfile.Filter
		want     []string
	}{
		{nil, planfile.Filter{}, []string{"a.miller already", "bob conflict", "cat applied", "dan applied"}},
		{[]importer.Outcome{applied}, planfile.Filter{}, []string{"cat applied", "dan applied"}},
		{[]importer.Outcome{already, conflict}, planfile.Filter{}, []string{"a.miller already", "bob conflict"}},
		{[]importer.Outcome{importer.OutcomePending}, planfile.Filter{}, nil},
		{[]importer.Outcome{applied}, planfile.Filter{Changes: []plan.Change{plan.Create}}, []string{"dan applied"}},
		{nil, planfile.Filter{Changes: []plan.Change{plan.Delete, plan.Update}, Q: "B@e"}, []string{"bob conflict"}},
		// Only an undo has skipped rows.
		{nil, planfile.Filter{Changes: []plan.Change{plan.Skipped}}, nil},
	} {
		var got []string
		query := importer.ChangeQuery{Filter: test.filter, Outcomes: test.outcomes, Limit: 1}
		for first := true; first || query.Cursor != ""; first = false {
			page, err := h.service.Changes(t.Context(), h.id, r.ID, query)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page.Changes {
				got = append(got, fmt.Sprint(strings.TrimSuffix(c.Key, "@example.com"), " ", c.Outcome))
			}
			query.Cursor = page.Next
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("outcomes %q, filter %+v (-want +got):\n%s", test.outcomes, test.filter, diff)
		}
	}
	page, err := h.service.Changes(t.Context(), h.id, r.ID, importer.ChangeQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	other := importer.ChangeQuery{Outcomes: []importer.Outcome{applied}, Cursor: page.Next, Limit: 1}
	_, err = h.service.Changes(t.Context(), h.id, r.ID, other)
	wantCode(t, err, "invalid_cursor")
}

func TestTheChangesOfASyncAreExported(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := h.mixed()
	export, err := h.service.ExportSync(t.Context(), h.id, r.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	name := usercsv.FileName(h.id.Account, usercsv.Changes, export.Run.CreatedAt)
	if e := export.Run; e.State != run.Done || e.Export.FileName != name || e.Export.Rows != 4 {
		t.Errorf("export %+v, %+v", e, e.Export)
	}
	want := "\ufeffAddress,Address Type,Primary Address,Object Type,Change,Reason,Distinguished Name,Outcome\r\n" +
		"a.miller@example.com,alias,ann@example.com,user,delete,not in the directory," +
		"\"CN=ann,DC=example,DC=com\",already\r\n" +
		"Bob@example.com,primary,Bob@example.com,user,update,,\"CN=bob,DC=example,DC=com\",conflict\r\n" +
		"cat@example.com,primary,cat@example.com,user,delete,not in the directory," +
		"\"CN=cat,DC=example,DC=com\",applied\r\n" +
		"dan@example.com,primary,dan@example.com,user,create,,\"CN=dan,DC=example,DC=com\",applied\r\n"
	if diff := cmp.Diff(want, h.exported(export.Run)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	for name, test := range map[string]struct {
		filter run.Filter
		want   []string
	}{
		"outcome": {run.Filter{Outcomes: []string{"applied"}}, []string{"cat@example.com", "dan@example.com"}},
		"prefix":  {run.Filter{Prefix: "d"}, []string{"dan@example.com"}},
		"change and reason": {
			run.Filter{Changes: []string{"delete", "unchanged"}, Reasons: []string{"not in the directory"}},
			[]string{"a.miller@example.com", "cat@example.com"},
		},
		"a change that a journal has not": {run.Filter{Changes: []string{"unchanged"}}, nil},
		"domain":                          {run.Filter{Domains: []string{"example.org"}}, nil},
	} {
		export, err := h.service.ExportSync(t.Context(), h.id, r.ID, &test.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(h.exported(export.Run)), "\r\n")[1:] {
			address, _, _ := strings.Cut(line, ",")
			got = append(got, address)
		}
		if diff := cmp.Diff(test.want, got); diff != "" || export.Run.Export.Rows != len(test.want) {
			t.Errorf("%s: %d rows (-want +got):\n%s", name, export.Run.Export.Rows, diff)
		}
	}
	wrong := run.Identity{Account: "globex"}
	_, err = h.service.ExportSync(t.Context(), wrong, r.ID, nil)
	wantCode(t, err, "sync_not_found")
	queued := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
	_, err = h.service.ExportSync(t.Context(), h.id, queued.ID, nil)
	wantCode(t, err, "sync_not_planned")
}

// The preview's rows are gone after a day, and a scheduled sync has none: the sync itself says whom it skipped.
func TestWhatASyncSkippedIsExportedWhereItIsAskedFor(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(person{"eve", "eve@example.com", []string{"not an address"}})
	r := h.importAll()
	for _, test := range []struct {
		changes []string
		want    string
	}{
		{nil, "eve@example.com create applied"}, {[]string{"skipped"}, "not… skipped "},
		{[]string{"create", "skipped"}, "eve@example.com create applied, not… skipped "},
	} {
		export, err := h.service.ExportSync(t.Context(), h.id, r.ID, &run.Filter{Changes: test.changes})
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(strings.NewReader(h.exported(export.Run))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, fields := range records[1:] {
			got = append(got, fields[0]+" "+fields[4]+" "+fields[7])
		}
		if got := strings.Join(got, ", "); got != test.want {
			t.Errorf("of %q the file has %q, want %q", test.changes, got, test.want)
		}
	}
}

// exported returns the file of an export.
func (h *harness) exported(export run.Run) string {
	h.t.Helper()
	object, err := h.store.Objects().For(h.id.Account).Open(h.t.Context(), export.Export.ObjectKey)
	if err != nil {
		h.t.Fatal(err)
	}
	defer object.Close()
	text, err := io.ReadAll(io.NewSectionReader(object, 0, object.Size()))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}
