package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rollcall/e2e/lab/awslab"
	"rollcall/e2e/servers/ldapserver"
	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/manifest"
	"rollcall/shared/run"
	userpkg "rollcall/shared/user"
)

// onFunctionsOnly leaves a test out where it is about what only the functions have: processes that are killed or run
// out of time.
func onFunctionsOnly(t *testing.T) {
	t.Helper()
	if *platform != onFunctions {
		t.Skip("only functions have this")
	}
}

// syncTime is how long sync-worker may run, in nanoseconds; 0 is its own 15 minutes.
var syncTime atomic.Int64

// functionTime is a function's timeout, as infra sets it.
func functionTime(f manifest.Function) time.Duration {
	short := time.Duration(syncTime.Load())
	switch {
	case f.Handler == manifest.HandlerAPI:
		return 29 * time.Second
	case f.Name == manifest.SyncWorker().Name && short > 0:
		return short
	}
	return 15 * time.Minute
}

// manyPeople are enough for a sync that takes a while.
const manyPeople = 3000

// startManySyncs previews a directory and starts its sync, which has to apply every address.
func startManySyncs(t *testing.T, p *program) (path string) {
	t.Helper()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(manyPeople)})
	preview := p.preview(request(s, nil))
	wantDone(t, preview)
	started := p.must(202, "POST", "/v1/syncs", object{"previewId": preview.text("id")})
	return "/v1/syncs/" + started.text("id")
}

// wantAllApplied checks that a sync applied every address once, and that all of them are there.
func wantAllApplied(t *testing.T, p *program, run object) {
	t.Helper()
	wantDone(t, run)
	addresses := ldapserver.PeopleAddresses(manyPeople)
	if run.number("progress.applied") != addresses || run.number("summary.conflicts") != 0 {
		t.Errorf("progress %v, summary %v; want %d applied and no conflict", run["progress"], run["summary"], addresses)
	}
	users := p.list("/v1/users", nil)
	if len(users) != addresses {
		t.Errorf("%d users, want %d", len(users), addresses)
	}
}

// TestAKilledWorkerIsReplaced kills the worker's process in the middle of a sync. Its message comes back, and another
// goes on.
func TestAKilledWorkerIsReplaced(t *testing.T) {
	onFunctionsOnly(t)
	p := account(t)
	path := startManySyncs(t, p)
	for deadline := time.Now().Add(2 * time.Minute); ; {
		run := p.must(200, "GET", path, nil)
		if run.text("progress.phase") == "applying" {
			break
		}
		if run.text("state") == "done" || time.Now().After(deadline) {
			t.Fatalf("the sync could not be caught at work: %v", run)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if killed := host.Kill(manifest.SyncWorker().Name); killed == 0 {
		t.Fatal("no process was at work")
	}
	// The message's visibility and the lease are over: the queue's clock can be moved, the workers' cannot.
	lab.Clock.Advance(2 * time.Minute)
	wantAllApplied(t, p, p.wait(path))
}

// TestALongSyncIsHandedOver gives the worker less time than the sync takes, so that it has to stop and send its
// continuation.
func TestALongSyncIsHandedOver(t *testing.T) {
	onFunctionsOnly(t)
	p := account(t)
	// A worker stops a minute before its time is up.
	syncTime.Store(int64(time.Minute + 1500*time.Millisecond))
	defer syncTime.Store(0)
	path := startManySyncs(t, p)
	run := p.wait(path)
	wantAllApplied(t, p, run)
	if n := strings.Count(p.log.String(), `"msg":"run handed over"`); n == 0 {
		t.Errorf("the sync was never handed over: it took %d ms", run.number("durationMs"))
	} else {
		t.Logf("handed over %d times", n)
	}
}

// TestTheClockStartsWhatIsDueAndFindsWhatWasLost puts a schedule that is due and a run without a message into the
// table, and waits for the scheduled function.
func TestTheClockStartsWhatIsDueAndFindsWhatWasLost(t *testing.T) {
	onFunctionsOnly(t)
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20)})
	p := account(t)
	body := request(s, nil)
	body["schedule"] = object{"intervalHours": 1}
	p.must(200, "PUT", "/v1/settings", body)
	client := dynamodb.NewClient(lab.Config("DYNAMODB"))
	jobs := dynamodb.NewJobs(client, awslab.JobsTable, time.Now).For(userpkg.Account(p.account))
	saved, err := jobs.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	saved.Schedule.NextRunAt = time.Now().Add(-time.Minute)
	if _, err := jobs.PutSettings(t.Context(), saved); err != nil {
		t.Fatal(err)
	}
	// An hour ago somebody stored a run and died before the message was sent.
	anHourAgo := dynamodb.NewJobs(client, awslab.JobsTable,
		func() time.Time { return time.Now().Add(-time.Hour) }).For(userpkg.Account(p.account))
	lost := run.Run{
		ID: "01J00000000000000000000000", Kind: run.KindSync, State: run.Queued,
		Trigger: run.TriggerManual, StartedBy: "somebody",
		Import: saved.Import, SealedPassword: saved.SealedPassword, CreatedAt: time.Now().Add(-time.Hour).UTC(),
	}
	if _, err := anHourAgo.CreateRun(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	wantDone(t, p.wait("/v1/syncs/"+lost.ID))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		var scheduled []object
		for _, r := range p.list("/v1/syncs", nil) {
			if r.text("trigger") == "schedule" {
				scheduled = append(scheduled, r)
			}
		}
		if len(scheduled) == 1 && scheduled[0].text("state") == "done" {
			break
		}
		if len(scheduled) > 1 || time.Now().After(deadline) {
			t.Fatalf("scheduled runs %v, want one that is done", scheduled)
		}
	}
	if users := p.list("/v1/users", nil); len(users) != ldapserver.PeopleAddresses(20) {
		t.Errorf("%d users", len(users))
	}
}

// TestSmoke runs the smoke test as an operator would after a deployment.
func TestSmoke(t *testing.T) {
	onFunctionsOnly(t)
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(3)})
	body, err := json.Marshal(request(s, nil))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "directory.json")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		ok   int
		fail bool
	}{
		"with a refused directory": {[]string{"-token", "smoke1 admin", "-read-token", "smoke1 read",
			"-service-token", "portal admin service"}, 10, false},
		"with a directory":      {[]string{"-token", "smoke2 admin", "-preview", file}, 8, false},
		"with a reader's token": {[]string{"-token", "smoke3 read"}, 4, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			output, err := exec.CommandContext(t.Context(), smokeTest,
				append([]string{"-url", shared.base}, test.args...)...).CombinedOutput()
			if (err != nil) != test.fail || bytes.Count(output, []byte("ok  ")) != test.ok {
				t.Errorf("error %v, want failure %t and %d checks that pass:\n%s", err, test.fail, test.ok, output)
			}
		})
	}
}

// TestNothingHoldsThePassword looks for a directory's password in all that was written on the way.
func TestNothingHoldsThePassword(t *testing.T) {
	if lab == nil {
		t.Skip("local's own test of this is importer.TestThePasswordIsNowhere")
	}
	t.Parallel()
	const planted = "Tr0ub4dor-planted-secret"
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(3)})
	p := account(t)
	body := request(s, func(c object) { c["password"] = planted })
	body["schedule"] = object{"intervalHours": 6}
	p.must(200, "PUT", "/v1/settings", body)
	if preview := p.preview(object{}); preview.text("error.code") != "invalid_credentials" {
		t.Errorf("the preview with a wrong password: %v", preview["error"])
	}
	if failed := p.sync(object{}); failed.text("state") != "failed" {
		t.Errorf("the sync with a wrong password: %v", failed["error"])
	}
	for where, text := range written(t, p) {
		if strings.Contains(text, planted) {
			t.Errorf("%s holds the password", where)
		}
	}
}

// TestNoLogHoldsAnAddress edits a user by hand, rightly and wrongly, and looks for the address in what outlasts an
// account that is erased. The events hold it, as docs/operations.md says.
func TestNoLogHoldsAnAddress(t *testing.T) {
	onFunctionsOnly(t)
	t.Parallel()
	const planted = "planted-in-no-log@example.com"
	p := account(t)
	p.must(201, "POST", "/v1/users", object{"address": planted})
	p.must(409, "POST", "/v1/users", object{"address": planted})
	p.must(200, "PATCH", "/v1/users/"+planted, object{"protected": false})
	p.must(422, "PATCH", "/v1/users/"+planted, object{"type": "nobody"})
	p.must(200, "GET", "/v1/users?q="+planted, nil)
	p.must(204, "DELETE", "/v1/users/"+planted, nil)
	p.must(404, "DELETE", "/v1/users/"+planted, nil)
	logged := p.log.String()
	if !strings.Contains(logged, `"path":"/v1/users/{address}"`) {
		t.Error("the log has no line of an edit")
	}
	if strings.Contains(logged, planted) {
		t.Error("the log holds the address")
	}
	for _, queue := range []string{awslab.DeadPreviews, awslab.DeadSyncs, awslab.DeadScheduled} {
		if strings.Contains(strings.Join(lab.Queues.Bodies(queue), "\n"), planted) {
			t.Errorf("%s holds the address", queue)
		}
	}
}

// written is all that the lab and the programs have kept.
func written(t *testing.T, p *program) map[string]string {
	t.Helper()
	all := map[string]string{"the log": p.log.String()}
	for _, e := range lab.Bus.Events() {
		all["the events"] += string(e.Detail)
	}
	for _, queue := range []string{
		awslab.PreviewsQueue, awslab.SyncsQueue, awslab.Scheduled, awslab.Deliveries,
		awslab.DeadPreviews, awslab.DeadSyncs, awslab.DeadScheduled, awslab.DeadDeliveries,
	} {
		all[queue] = strings.Join(lab.Queues.Bodies(queue), "\n")
	}
	client := dynamodb.NewClient(lab.Config("DYNAMODB"))
	for _, table := range []string{awslab.UsersTable, awslab.JobsTable} {
		var items strings.Builder
		for pages := awsdynamodb.NewScanPaginator(client,
			&awsdynamodb.ScanInput{TableName: &table}); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				text, err := json.Marshal(item)
				if err != nil {
					t.Fatal(err)
				}
				items.Write(text)
			}
		}
		all[table] = items.String()
	}
	err := filepath.WalkDir(lab.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all["file "+path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// callsFile lists what each function calls; infra's tests hold the grants against it.
const callsFile = "../infra/testdata/calls.json"

// newCalls returns the calls of functions that the file does not list, as "function service:operation".
func newCalls(listed []byte) ([]string, error) {
	var known map[string][]string
	if err := json.Unmarshal(listed, &known); err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for a := range lab.Recorder.Uses() {
		seen[a.Caller+" "+a.Service+":"+a.Operation] = true
	}
	for service, calls := range lab.ServiceCalls() {
		for _, c := range calls {
			seen[c.AppID+" "+service+":"+c.Operation] = true
		}
	}
	var unlisted []string
	for call := range seen {
		function, operation, _ := strings.Cut(call, " ")
		if list, ok := known[function]; ok && !slices.Contains(list, operation) {
			unlisted = append(unlisted, call)
		}
	}
	slices.Sort(unlisted)
	return unlisted, nil
}

// checkCalls fails where a function called what callsFile does not list: then nobody has held its grants against it. It
// comes after all tests.
func checkCalls(listed []byte) error {
	unlisted, err := newCalls(listed)
	if err == nil && len(unlisted) > 0 {
		err = fmt.Errorf("%s does not list these calls: %s", callsFile, strings.Join(unlisted, ", "))
	}
	return err
}
