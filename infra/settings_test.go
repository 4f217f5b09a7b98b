package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadSettings(t *testing.T) {
	defaults, err := ReadSettings(map[string]any{"aws:cdk:something": "else"})
	if err != nil {
		t.Fatal(err)
	}
	if defaults.Name != "rollcall" || defaults.WorkerMemory != 1769 || defaults.VPCCIDR.String() != "10.71.0.0/16" ||
		len(defaults.Ports) != 4 || defaults.VPC {
		t.Errorf("the defaults are %+v", defaults)
	}
	given, err := ReadSettings(fullContext())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"rollcall", "portal"}, given.Audience); diff != "" {
		t.Error(diff)
	}
	if !given.VPC || given.WorkerMemory != 3008 || given.LogDays != 30 ||
		!slices.Equal(given.DenyRanges, []string{"192.0.2.0/24"}) {
		t.Errorf("the settings are %+v", given)
	}
}

func TestWrongContextIsNamedWithItsMend(t *testing.T) {
	for _, tt := range []struct {
		name    string
		context map[string]any
		want    []string
	}{
		{"unknown", map[string]any{"rollcall:vcp": "true"},
			[]string{"context rollcall:vcp is unknown", "rollcall:vpc,"}},
		{"a boolean", map[string]any{"rollcall:vpc": "yes"}, []string{"context rollcall:vpc=yes: give true or false"}},
		{"a number", map[string]any{"rollcall:workerMemory": float64(64)},
			[]string{"context rollcall:workerMemory=64: give 256 to 10240, in MB"}},
		{"retention", map[string]any{"rollcall:logDays": "8"},
			[]string{"context rollcall:logDays=8: give one of 1 3 5 7 14"}},
		{"a network that is none", map[string]any{"rollcall:vpcCidr": "10.0.0.1/16"},
			[]string{"rollcall:vpcCidr=10.0.0.1/16: give an IPv4 prefix"}},
		{"a port", map[string]any{"rollcall:ports": "389,70000"}, []string{`"70000" is not a port`}},
		{"a range", map[string]any{"rollcall:denyRanges": "10.0.0.0"},
			[]string{"rollcall:denyRanges=10.0.0.0: give prefixes"}},
		{"a name", map[string]any{"rollcall:name": "Roll Call"},
			[]string{"rollcall:name=Roll Call: give 2 to 20 lower-case letters"}},
		{"a certificate elsewhere", map[string]any{"rollcall:domain": "a.example.com",
			"rollcall:certificate": "arn:aws:acm:eu-west-1:123456789012:certificate/x"}, []string{"in us-east-1"}},
		{"an issuer without TLS", map[string]any{"rollcall:issuer": "http://login.example.com"},
			[]string{"rollcall:issuer=http://login.example.com: give the https URL"}},
		{"any portal", map[string]any{"rollcall:frameAncestors": "https://*.example.com"},
			[]string{`"https://*.example.com" is no origin`, "give origins such as https://portal.example.com"}},
		{"any caller", map[string]any{"rollcall:corsOrigins": "*"}, []string{`"*" is no origin`}},
		{"a program's name", map[string]any{"rollcall:machineClients": "portal,Mail Filter"},
			[]string{"rollcall:machineClients=portal,Mail Filter: give names"}},
		{"a program of another issuer", map[string]any{"rollcall:issuer": "https://login.example.com",
			"rollcall:machineClients": "portal"}, []string{"register programs there"}},
		{"an issuer alone", map[string]any{"rollcall:issuer": "https://login.example.com"},
			[]string{"rollcall:issuer and rollcall:audience go together", "rollcall:clientId is needed"}},
		{"a claim for the pool", map[string]any{"rollcall:accountClaim": "tenant"},
			[]string{"rollcall:accountClaim and rollcall:scopePrefix need rollcall:issuer"}},
		{"a client for the pool", map[string]any{"rollcall:clientId": "x"}, []string{"need rollcall:issuer"}},
		{"a domain alone", map[string]any{"rollcall:domain": "a.example.com"},
			[]string{"rollcall:domain and rollcall:certificate go together"}},
		{"private addresses without a network", map[string]any{"rollcall:allowPrivate": "true"},
			[]string{"rollcall:allowPrivate needs rollcall:vpc=true"}},
		{"a network without a network", map[string]any{"rollcall:vpcZones": 3},
			[]string{"rollcall:vpcCidr and rollcall:vpcZones need rollcall:vpc=true"}},
		{"a network where none can be", map[string]any{"rollcall:vpc": true, "rollcall:vpcCidr": "169.254.0.0/20"},
			[]string{"rollcall:vpcCidr=169.254.0.0/20", "EC2 makes no VPC there"}},
		{"a port twice", map[string]any{"rollcall:ports": "389,636,389"}, []string{"389 is there twice"}},
		{"workers that would be refused", map[string]any{"rollcall:workerReserved": 10},
			[]string{"rollcall:workerReserved=10 is below rollcall:workerConcurrency=20"}},
		{"a firewall of no region", map[string]any{"rollcall:rateLimit": 2000},
			[]string{"rollcall:rateLimit and rollcall:distribution need rollcall:region"}},
		{"one table for both", map[string]any{"rollcall:usersTable": "restored", "rollcall:jobsTable": "restored"},
			[]string{"rollcall:usersTable and rollcall:jobsTable are one table"}},
		{"a certificate of another account", map[string]any{"rollcall:account": "210987654321",
			"rollcall:domain":      "a.example.com",
			"rollcall:certificate": "arn:aws:acm:us-east-1:123456789012:certificate/x"},
			[]string{"rollcall:certificate is not of rollcall:account=210987654321"}},
		{"a domain that is none", map[string]any{"rollcall:domain": "-a.example.com"},
			[]string{"rollcall:domain=-a.example.com: give a host name"}},
		{"EventBridge's own bus", map[string]any{"rollcall:name": "default"},
			[]string{"rollcall:name=default: give another name (EventBridge"}},
		{"a name that Cognito refuses", map[string]any{"rollcall:name": "aws-import"},
			[]string{"rollcall:name=aws-import: give another name (Cognito refuses aws"}},
		{"another such name", map[string]any{"rollcall:name": "my-cognito"}, []string{"Cognito refuses cognito"}},
		{"a name that S3 refuses", map[string]any{"rollcall:name": "sthree-import"},
			[]string{"S3 refuses buckets that begin with sthree-"}},
		{"the name of another's data", map[string]any{"rollcall:name": "rollcall-data"},
			[]string{"rollcall:name=rollcall-data: give another name"}},
		{"a stage that makes such a name", map[string]any{"rollcall:stage": "aws"},
			[]string{"rollcall:name=rollcall-aws: give another name"}},
		{"a stage", map[string]any{"rollcall:stage": "Production"},
			[]string{"rollcall:stage=Production: give 1 to 11 lower-case letters"}},
		{"a tag without a value", map[string]any{"rollcall:tags": "Team"}, []string{`"Team" is not KEY=VALUE`}},
		{"AWS's own tag", map[string]any{"rollcall:tags": "AWS:team=a"}, []string{`"AWS:team" is reserved`}},
		{"a tag of other characters", map[string]any{"rollcall:tags": "Team=a&b"},
			[]string{"has a character that no tag may have"}},
		{"several at once", map[string]any{"rollcall:vpc": "x", "rollcall:tracing": "y"},
			[]string{"rollcall:vpc=x", "rollcall:tracing=y"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadSettings(tt.context)
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
}

// line is one of the table of context keys: its name and what it is otherwise.
var line = regexp.MustCompile("(?m)^\\| `rollcall:(\\w+)` \\| (?:`([^`]*)`|none) \\|")

func TestTheTableListsEveryContextKey(t *testing.T) {
	content, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, match := range line.FindAllStringSubmatch(string(content), -1) {
		documented[match[1]] = match[2]
	}
	known := map[string]string{}
	for _, key := range contextKeys() {
		known[key.name] = key.fallback
	}
	if diff := cmp.Diff(known, documented); diff != "" {
		t.Errorf("docs/operations.md and the code differ: %s", diff)
	}
}

func TestEveryContextKeyHasAnEffect(t *testing.T) {
	touched := slices.AppendSeq(slices.Collect(maps.Keys(fullContext())), maps.Keys(machineContext()))
	for _, key := range contextKeys() {
		if name := contextPrefix + key.name; !slices.Contains(touched, name) {
			t.Errorf("no synthesis has %s", name)
		}
	}
}
