package main

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/infra/deployment"
)

const (
	dataKey = "1234abcd-12ab-34cd-56ef-1234567890ab"
	keyArn  = "arn:aws:kms:eu-central-1:123456789012:key/" + dataKey
	arn     = "arn:aws:acm:us-east-1:123456789012:certificate/abc"
)

// sound is an account in which the deployment of every template is deployed, and can be deployed again.
func sound() *world {
	table := func(name string, keys []string, indexes map[string]any) map[string]any {
		schema := func(names []string) (all []any) {
			for _, name := range names {
				all = append(all, map[string]any{"AttributeName": name})
			}
			return all
		}
		t := map[string]any{"TableName": name, "TableStatus": "ACTIVE", "KeySchema": schema(keys),
			"DeletionProtectionEnabled": true,
			"SSEDescription":            map[string]any{"KMSMasterKeyArn": keyArn}}
		for kind, index := range indexes {
			all := index.([]string)
			t[kind] = []any{map[string]any{"IndexName": all[0], "KeySchema": schema(all[1:])}}
		}
		return t
	}
	return &world{
		account: "123456789012", quota: 1000, backups: "ENABLED", expiry: "ENABLED",
		stacks: map[string]stackIs{
			"CDKToolkit": {status: "UPDATE_COMPLETE", outputs: map[string]string{"BootstrapVersion": "30"}},
			"rollcall":   {status: "UPDATE_COMPLETE"},
			"rollcall-data": {status: "UPDATE_COMPLETE",
				outputs: map[string]string{"UsersTable": "users-1", "JobsTable": "jobs-1", "UserPool": "eu_1"}},
			"staging": {status: "UPDATE_COMPLETE"},
			"staging-data": {status: "UPDATE_COMPLETE", outputs: map[string]string{"UsersTable": "users-restored",
				"JobsTable": "jobs-restored", "Egress1": "192.0.2.1", "Egress2": "192.0.2.2", "Egress3": "192.0.2.3"}},
		},
		resources: map[string]string{"rollcall-data/users9E3E6EF7": "users-1", "rollcall-data/jobs4843572F": "jobs-1",
			"staging-data/datakey6D03DE4A": dataKey, "rollcall-data/datakey6D03DE4A": dataKey},
		certificate: map[string]any{"Status": "ISSUED", "DomainName": "example.com",
			"SubjectAlternativeNames": []any{"example.com", "*.example.com"},
			"KeyAlgorithm":            "RSA_2048", "NotAfter": 4e9},
		tables: map[string]map[string]any{
			"users-restored": table("users-restored", []string{"accountShard", "address"}, nil),
			"jobs-restored": table("jobs-restored", []string{"account", "record"}, map[string]any{
				"LocalSecondaryIndexes":  []string{"runs", "account", "kindRun"},
				"GlobalSecondaryIndexes": []string{"due", "dueShard", "dueAt"}}),
		},
		sending:    map[string]any{"SendingEnabled": true, "ProductionAccessEnabled": true},
		identities: map[string]bool{"example.com": true},
	}
}

// documents are an issuer's, by path. ISSUER is its own address.
func documents() map[string]string {
	return map[string]string{
		"/.well-known/openid-configuration": `{"issuer": "ISSUER", "jwks_uri": "ISSUER/keys",
			"authorization_endpoint": "ISSUER/authorize", "token_endpoint": "ISSUER/token",
			"code_challenge_methods_supported": ["plain", "S256"]}`,
		"/keys": `{"keys": [{"kty": "EC"}, {"kty": "RSA"}]}`,
	}
}

// asked is one call of preflight: on which templates, with which values, in which world.
type asked struct {
	name      string
	templates string // of infra/testdata
	values    map[string]string
	passing   []string
	args      []string
	in        func(*world)
	documents func(map[string]string)
	unknown   string // a host that has no address
	status    int
	says      []string
	not       []string
}

func (a asked) run(t *testing.T) {
	w, pages := sound(), documents()
	if a.in != nil {
		a.in(w)
	}
	if a.documents != nil {
		a.documents(pages)
	}
	aws := httptest.NewServer(w)
	defer aws.Close()
	issuer := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if pages[r.URL.Path] == "" {
			http.NotFound(out, r)
			return
		}
		_, _ = out.Write([]byte(strings.ReplaceAll(pages[r.URL.Path], "ISSUER", "https://"+r.Host)))
	}))
	defer issuer.Close()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": aws.URL, "AWS_REGION": "eu-central-1",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_CONFIG_FILE": os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_MAX_ATTEMPTS": "1"} {
		t.Setenv(name, value)
	}
	around := surroundings{web: issuer.Client(), now: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC),
		lookup: func(_ context.Context, host string) error {
			if host == a.unknown {
				return &net.DNSError{Err: "no such host", IsNotFound: true}
			}
			return nil
		}}
	var out strings.Builder
	status := run(t.Context(), append(a.args, a.folder(t, issuer.URL)), &out, around)
	if status != a.status {
		t.Errorf("the exit status is %d, want %d", status, a.status)
	}
	for _, want := range a.says {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, refused := range a.not {
		if strings.Contains(out.String(), refused) {
			t.Errorf("it says %q", refused)
		}
	}
	if t.Failed() {
		t.Logf("it says:\n%s", out.String())
	}
}

// folder is one as make synth leaves it.
func (a asked) folder(t *testing.T, issuer string) string {
	t.Helper()
	folder := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, stack := range []string{"data", "service"} {
		content, err := os.ReadFile("../testdata/" + a.templates + "-" + stack + ".json")
		if err != nil {
			t.Fatal(err)
		}
		write(stack+".template.json", content)
	}
	edge := ""
	if a.templates == "full" {
		edge = `, "edge": {}`
	}
	write("manifest.json", []byte(`{"artifacts": {"data": {"properties": {"requiresBootstrapStackVersion": 6}}`+
		edge+`}}`))
	values := map[string]string{"name": map[string]string{"plain": "rollcall", "full": "staging"}[a.templates]}
	if a.templates == "full" {
		maps.Copy(values, map[string]string{"issuer": issuer,
			"usersTable": "users-restored", "jobsTable": "jobs-restored",
			"domain": "import.example.com", "certificate": arn, "mailFrom": "Rollcall <rollcall@example.com>"})
	}
	maps.Copy(values, a.values)
	d := deployment.Deployment{Values: values, Kept: "infra/stages/prod.json", Passing: a.passing}
	if err := d.Write(folder); err != nil {
		t.Fatal(err)
	}
	return folder
}

// changed changes what is deployed of a stack.
func changed(name string, change func(*stackIs)) func(*world) {
	return func(w *world) {
		s := w.stacks[name]
		s.outputs = maps.Clone(s.outputs)
		change(&s)
		w.stacks[name] = s
	}
}
