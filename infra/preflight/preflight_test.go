package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestASoundDeploymentIsLetThrough(t *testing.T) {
	for _, a := range []asked{
		{name: "plain", templates: "plain", says: []string{"Nothing stands against the deployment; 0 warnings."}},
		{name: "with everything", templates: "full", says: []string{"; 0 warnings."}},
		{name: "the first", templates: "plain", in: func(w *world) {
			delete(w.stacks, "rollcall")
			delete(w.stacks, "rollcall-data")
		}, says: []string{"; 0 warnings."}},
		{name: "where it belongs", templates: "plain",
			values: map[string]string{"account": "123456789012", "region": "eu-central-1"}},
		{name: "in a small account", templates: "plain", in: func(w *world) { w.quota = 101 }},
		{name: "without what is in us-east-1", templates: "plain", in: func(w *world) { w.unprepared = "us-east-1" }},
	} {
		t.Run(a.name, a.run)
	}
}

func TestWhatWouldBeLostStopsTheDeployment(t *testing.T) {
	restored := changed("rollcall-data", func(s *stackIs) { s.outputs["UsersTable"] = "users-restored" })
	for _, a := range []asked{
		{name: "a restored table", templates: "plain", in: restored, status: 1, says: []string{"STOP usersTable:",
			"The restored table users-restored works now, and the deployment would go back to users-1.",
			`Add this to infra/stages/prod.json: "rollcall:usersTable": "users-restored"`}},
		{name: "a restored table on purpose", templates: "plain", in: restored, args: []string{"-accept", "usersTable"},
			says: []string{"warning usersTable:", "(accepted)"}},
		{name: "another finding than the accepted", templates: "plain", in: restored,
			args: []string{"-accept", "jobsTable"}, status: 1, says: []string{"STOP usersTable:"}},
		{name: "the other restored table", templates: "plain",
			in:     changed("rollcall-data", func(s *stackIs) { s.outputs["JobsTable"] = "jobs-restored" }),
			status: 1, says: []string{"STOP jobsTable:"}, not: []string{"STOP usersTable"}},
		{name: "people", templates: "full",
			in:     changed("staging-data", func(s *stackIs) { s.outputs["UserPool"] = "eu_1" }),
			status: 1, says: []string{"STOP signIn:", "the user pool eu_1 now"}},
		{name: "an issuer", templates: "plain",
			in:     changed("rollcall-data", func(s *stackIs) { delete(s.outputs, "UserPool") }),
			status: 1, says: []string{"STOP signIn:", "a new, empty user pool"}},
		{name: "addresses", templates: "plain",
			in:     changed("rollcall-data", func(s *stackIs) { s.outputs["Egress1"] = "192.0.2.1" }),
			status: 1, says: []string{"STOP egress:", "192.0.2.1"}},
		{name: "another stage", templates: "plain", values: map[string]string{"stage": "test"},
			in:     changed("rollcall-data", func(s *stackIs) { s.tags = map[string]string{"rollcall:stage": "prod"} }),
			status: 1, says: []string{"STOP stage:", "was deployed with STAGE=prod, and this is test"}},
		{name: "an export that is in use", templates: "plain", in: func(w *world) {
			changed("rollcall-data", func(s *stackIs) {
				s.outputs["Old"] = "eipalloc-1"
				s.exports = map[string]string{"Old": "rollcall-data:Old"}
			})(w)
			w.imports = map[string][]string{"rollcall-data:Old": {"rollcall"}}
		}, status: 1, says: []string{"STOP exports:", "The stack rollcall imports what the deployment removes."}},
		{name: "an export that is in use no more", templates: "plain", in: changed("rollcall-data", func(s *stackIs) {
			s.outputs["Old"] = "eipalloc-1"
			s.exports = map[string]string{"Old": "rollcall-data:Old"}
		})},
		{name: "a choice on the command line", templates: "full", passing: []string{"usersTable", "tracing"},
			says: []string{"warning kept: rollcall:usersTable is given on the command line alone."},
			not:  []string{"tracing"}},
	} {
		t.Run(a.name, a.run)
	}
}

func TestWhatWouldFailStopsTheDeployment(t *testing.T) {
	for _, a := range []asked{
		{name: "another account", templates: "plain", values: map[string]string{"account": "210987654321"}, status: 1,
			says: []string{"STOP account: The credentials are for the account 123456789012"}},
		{name: "another region", templates: "plain", values: map[string]string{"region": "eu-west-1"}, status: 1,
			says: []string{"STOP region:"}},
		{name: "no bootstrap", templates: "plain", in: func(w *world) { delete(w.stacks, "CDKToolkit") }, status: 1,
			says: []string{"STOP bootstrap:", "make bootstrap"}},
		{name: "an old bootstrap", templates: "plain",
			in:     changed("CDKToolkit", func(s *stackIs) { s.outputs["BootstrapVersion"] = "5" }),
			status: 1, says: []string{"has the version 5, and this CDK needs 6"}},
		{name: "no bootstrap in us-east-1", templates: "full", in: func(w *world) { w.unprepared = "us-east-1" },
			status: 1, says: []string{"STOP bootstrap: The account is not prepared for the CDK in us-east-1."}},
		{name: "a region without Cognito", templates: "plain", unknown: "cognito-idp.eu-central-1.amazonaws.com",
			status: 1, says: []string{"STOP services: The region eu-central-1 does not have cognito-idp."}},
		{name: "a region without Cognito, and an issuer", templates: "full",
			unknown: "cognito-idp.eu-central-1.amazonaws.com"},
		{name: "a new account", templates: "plain", in: func(w *world) { w.quota = 10 }, status: 1,
			says: []string{"STOP concurrency: The functions set 1 of 10", "rollcall:scheduleReserved=0",
				"STOP concurrency: The account may run 10 functions at once, and the workers take up to 80",
				"at least 101."}},
		{name: "a small account", templates: "plain", in: func(w *world) { w.quota = 20 }, status: 1,
			says: []string{"at least 101; until then set rollcall:workerConcurrency=3."}},
		{name: "more set aside than there is", templates: "full", in: func(w *world) { w.quota = 300 }, status: 1,
			says: []string{"STOP concurrency: The functions set 262 of 300", "at least 362"}},
		{name: "a deployment at work", templates: "plain",
			in:     changed("rollcall", func(s *stackIs) { s.status = "UPDATE_IN_PROGRESS" }),
			status: 1, says: []string{"STOP stack: The stack rollcall is in the state UPDATE_IN_PROGRESS"}},
		{name: "a first deployment that failed", templates: "plain",
			in:     changed("rollcall", func(s *stackIs) { s.status = "ROLLBACK_COMPLETE" }),
			status: 1, says: []string{"delete-stack --stack-name rollcall"}},
		{name: "a rollback that failed", templates: "plain",
			in:     changed("rollcall-data", func(s *stackIs) { s.status = "UPDATE_ROLLBACK_FAILED" }),
			status: 1, says: []string{"continue-update-rollback --stack-name rollcall-data"}},
	} {
		t.Run(a.name, a.run)
	}
}

func TestRestoredTablesAreLookedAt(t *testing.T) {
	users := func(key string, value any) func(*world) {
		return func(w *world) { w.tables["users-restored"][key] = value }
	}
	for _, a := range []asked{
		{name: "missing", in: func(w *world) { delete(w.tables, "users-restored") }, status: 1,
			says: []string{"STOP usersTable: There is no table users-restored in eu-central-1."}},
		{name: "not ready", in: users("TableStatus", "CREATING"), status: 1, says: []string{"is CREATING"}},
		{name: "another table", values: map[string]string{"usersTable": "jobs-restored"}, status: 1,
			says: []string{"has (account record), due (dueShard dueAt), runs (account kindRun), and not (acc"}},
		{name: "another key", in: users("SSEDescription", nil), status: 1,
			says: []string{"is not encrypted with the key of the deployment"}},
		{name: "unprotected", in: users("DeletionProtectionEnabled", false),
			says: []string{"warning usersTable: The table users-restored can be deleted."}},
		{name: "without backups", in: func(w *world) { w.backups = "DISABLED" },
			says: []string{"users-restored is not backed up", "jobs-restored is not backed up"}},
		{name: "without expiry", in: func(w *world) { w.expiry = "DISABLED" },
			says: []string{"jobs-restored keeps records for ever"}, not: []string{"users-restored keeps"}},
	} {
		a.templates = "full"
		t.Run(a.name, a.run)
	}
}

func TestWhatLiesOutsideIsLookedAt(t *testing.T) {
	certificate := func(key string, value any) func(*world) {
		return func(w *world) { w.certificate[key] = value }
	}
	document := func(path, old, replaced string) func(map[string]string) {
		return func(pages map[string]string) { pages[path] = strings.Replace(pages[path], old, replaced, 1) }
	}
	const (
		found     = "/.well-known/openid-configuration"
		elsewhere = "https://tokens.example.com/token"
	)
	for _, a := range []asked{
		{name: "no certificate", in: func(w *world) { w.certificate = nil }, status: 1,
			says: []string{"STOP certificate: There is no certificate " + arn}},
		{name: "a certificate that waits", in: certificate("Status", "PENDING_VALIDATION"), status: 1,
			says: []string{"The certificate is PENDING_VALIDATION."}},
		{name: "a certificate of another host", values: map[string]string{"domain": "a.import.example.com"}, status: 1,
			says: []string{"The certificate is for example.com, *.example.com, and the page is a.import.example.com."}},
		{name: "a key that CloudFront does not take", in: certificate("KeyAlgorithm", "EC_secp384r1"), status: 1,
			says: []string{"EC_secp384r1"}},
		{name: "a certificate that ends", in: certificate("NotAfter", 1796083200),
			says: []string{"warning certificate: The certificate ends on 2026-12-01."}},
		{name: "a certificate that has ended", in: certificate("NotAfter", 1763078400), status: 1,
			says: []string{"STOP certificate: The certificate ends on 2025-11-14."}},
		{name: "no issuer", documents: func(pages map[string]string) { delete(pages, found) }, status: 1,
			says: []string{"STOP issuer: The issuer's discovery document cannot be read:", "404"}},
		{name: "an issuer with a slash", documents: document(found, `"ISSUER"`, `"ISSUER/"`), status: 1,
			says: []string{"The issuer calls itself https://127.0.0.1:"}},
		{name: "no keys", documents: func(pages map[string]string) { delete(pages, "/keys") }, status: 1,
			says: []string{"The issuer's keys cannot be read"}},
		{name: "keys that API Gateway cannot use", documents: document("/keys", "RSA", "OKP"), status: 1,
			says: []string{"The issuer has no RSA key."}},
		{name: "no code flow", documents: document(found, "authorization_endpoint", "x"), status: 1,
			says: []string{"no endpoint for the code flow"}},
		{name: "no PKCE", documents: document(found, `, "S256"`, ""), status: 1, says: []string{"does not know PKCE"}},
		{name: "a token endpoint elsewhere", documents: document(found, "ISSUER/token", elsewhere),
			status: 1, says: []string{"has the origin https://tokens.example.com.", "rollcall:signInOrigins"}},
		{name: "a token endpoint that is allowed", documents: document(found, "ISSUER/token", elsewhere),
			values: map[string]string{"signInOrigins": "https://a.example.com,https://tokens.example.com"}},
		{name: "the sandbox", in: func(w *world) { w.sending["ProductionAccessEnabled"] = false }, status: 1,
			says: []string{"STOP mail: SES is in its sandbox"}},
		{name: "sending switched off", in: func(w *world) { w.sending["SendingEnabled"] = false }, status: 1,
			says: []string{"sending switched off"}},
		{name: "an unverified sender", in: func(w *world) { w.identities["example.com"] = false }, status: 1,
			says: []string{"SES has not verified rollcall@example.com"}},
		{name: "a sender that is verified itself", in: func(w *world) {
			w.identities = map[string]bool{"rollcall@example.com": true}
		}},
		{name: "no mails", values: map[string]string{"mailFrom": ""},
			in: func(w *world) { w.sending["ProductionAccessEnabled"] = false }},
	} {
		a.templates = "full"
		t.Run(a.name, a.run)
	}
}

// What the credentials may not read is said, and stops nothing; what is deployed has to be read.
func TestWhatCannotBeLookedAtIsSaid(t *testing.T) {
	deny := func(operation string) func(*world) {
		return func(w *world) { w.denied = map[string]bool{operation: true} }
	}
	for _, a := range []asked{
		{name: "the quota", in: deny("/2016-08-19/account-settings"),
			says: []string{"warning concurrency: The quota of concurrent executions could not be checked: "}},
		{name: "the certificate", in: deny("DescribeCertificate"), says: []string{"warning certificate:"}},
		{name: "tables", in: deny("DescribeTable"), says: []string{"warning usersTable:", "warning jobsTable:"}},
		{name: "mail", in: deny("/v2/email/account"), says: []string{"warning mail:"}},
		{name: "what is deployed", in: deny("DescribeStacks"), status: 2,
			says: []string{"looking at what is deployed"}},
		{name: "who one is", in: deny("GetCallerIdentity"), status: 2,
			says: []string{"no credentials of AWS work here"}},
		{name: "a wrong flag", args: []string{"-all"}, status: 2},
	} {
		a.templates = "full"
		t.Run(a.name, a.run)
	}
}

func TestWithoutTemplatesItSaysWhatToRun(t *testing.T) {
	var out strings.Builder
	if status := run(t.Context(), []string{t.TempDir()}, &out, surroundings{}); status != statusBlind ||
		!strings.Contains(out.String(), "run: make synth") {
		t.Errorf("it exits with %d and says %s", status, out.String())
	}
	if status := run(t.Context(), nil, &out, surroundings{}); status != statusBlind {
		t.Errorf("without a folder it exits with %d", status)
	}
}

// named is where a finding gets its name.
var named = regexp.MustCompile(`(?:finding\{|finding\{\{|name: |key: |blind\()"(\w+)"`)

func TestEveryFindingIsInTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(guide), "### Preflight")
	table, _, _ = strings.Cut(table, "\n## ")
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		for _, match := range named.FindAllStringSubmatch(string(content), -1) {
			seen[match[1]] = true
			if !strings.Contains(table, "`"+match[1]+"`") {
				t.Errorf("docs/operations.md does not say what %s looks at", match[1])
			}
		}
	}
	if len(seen) < 12 {
		t.Errorf("the test has seen %v only", seen)
	}
}
