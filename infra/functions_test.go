package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/shared/manifest"
)

// deployed returns a function by its name in package manifest.
func (a assembly) deployed(t *testing.T, name string) resource {
	t.Helper()
	return a.service.the(t, "AWS::Lambda::Function", strings.ReplaceAll(name, "-", ""))
}

func TestEachFunctionHasTheEnvironmentThatItNeeds(t *testing.T) {
	for name, a := range map[string]assembly{"plain": plain(t), "full": full(t)} {
		for _, f := range manifest.Functions() {
			given, _ := at(a.deployed(t, f.Name).Properties, "Environment.Variables").(map[string]any)
			getenv := func(variable string) string {
				if given[variable] == nil {
					return ""
				}
				return show(given[variable])
			}
			environment, err := manifest.Read(getenv, f)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for variable := range given {
				if !slices.Contains(slices.Concat(f.Needs, f.Takes), manifest.Variable(variable)) &&
					variable != "AWS_NODEJS_CONNECTION_REUSE_ENABLED" {
					t.Errorf("%s: %s is given %s, which it does not read", name, f.Name, variable)
				}
			}
			if name == "full" && f.Handler == manifest.HandlerWorker {
				if len(environment.DenyRanges) != 2 || environment.DenyRanges[0].String() != "10.80.0.0/20" ||
					!environment.AllowPrivate ||
					slices.Contains(f.Takes, manifest.Ports) && len(environment.Ports) != 2 {
					t.Errorf("%s reaches another network than was asked for: %+v", f.Name, environment)
				}
			}
		}
	}
}

func TestFunctions(t *testing.T) {
	roles := map[string]string{}
	for _, f := range manifest.Functions() {
		t.Run(f.Name, func(t *testing.T) {
			made := plain(t).deployed(t, f.Name)
			want := map[string]string{
				"FunctionName": "rollcall-" + f.Name, "Handler": f.Handler, "Architectures": "[arm64]",
				"Runtime":                      "provided.al2023",
				"LoggingConfig.LogGroup":       strings.ReplaceAll(f.Name, "-", "") + "logs",
				"ReservedConcurrentExecutions": "<nil>", "VpcConfig": "<nil>",
			}
			if f.Handler == manifest.HandlerSchedule {
				// Whatever else runs, it starts what is due.
				want["ReservedConcurrentExecutions"] = "1"
			}
			maps.Copy(want, map[string]map[string]string{
				manifest.HandlerAPI:      {"Timeout": "29", "MemorySize": "512"},
				manifest.HandlerWorker:   {"Timeout": "900", "MemorySize": "1769"},
				manifest.HandlerSchedule: {"Timeout": "60", "MemorySize": "512"},
			}[f.Handler])
			if f.Name == manifest.NotifyWorker().Name {
				want["MemorySize"] = "512"
			}
			expect(t, made, want)
			role := show(made.Properties["Role"])
			if other := roles[role]; other != "" {
				t.Errorf("it shares the role %s with %s", role, other)
			}
			roles[role] = f.Name
			expect(t, plain(t).service.the(t, "AWS::Logs::LogGroup", strings.ReplaceAll(f.Name, "-", "")+"logs"),
				map[string]string{
					"LogGroupName": "/rollcall/rollcall/" + f.Name, "RetentionInDays": "90", "KmsKeyId": "datakey",
				})
		})
	}
	api, worker := full(t).deployed(t, "sync-api"), full(t).deployed(t, "sync-worker")
	expect(t, api, map[string]string{"ReservedConcurrentExecutions": "20", "VpcConfig": "<nil>",
		"TracingConfig.Mode": "Active", "FunctionName": "staging-sync-api"})
	expect(t, worker, map[string]string{"ReservedConcurrentExecutions": "120", "MemorySize": "3008",
		"VpcConfig.SecurityGroupIds.0": "workers"})
}

func TestFunctionsOfOneBinaryShareItsAsset(t *testing.T) {
	assets := map[string]map[string]bool{}
	for _, f := range manifest.Functions() {
		if assets[f.Binary] == nil {
			assets[f.Binary] = map[string]bool{}
		}
		assets[f.Binary][show(at(plain(t).deployed(t, f.Name).Properties, "Code.S3Key"))] = true
	}
	all := map[string]bool{}
	for binary, keys := range assets {
		if len(keys) != 1 {
			t.Errorf("%s is deployed as %v", binary, keys)
		}
		maps.Copy(all, keys)
	}
	if len(all) != len(assets) {
		t.Errorf("different binaries are one asset: %v", assets)
	}
}

// brief leaves out what is the same in the ARN of every table and bucket.
var brief = strings.NewReplacer("arn:Partition:s3:::", "", "arn:Partition:dynamodb:Region:AccountId:table/", "")

// permissions are what a role may do, a line an action and resource. Conditions are a part of the line.
func permissions(a assembly, role string) []string {
	var lines []string
	for _, statement := range a.service.statements(role) {
		for _, action := range shown(statement["Action"]) {
			for _, on := range shown(statement["Resource"]) {
				line := action + " " + brief.Replace(on)
				if statement["Effect"] == "Deny" {
					line = "not " + line
				}
				if statement["Condition"] != nil {
					line += " if " + condition(statement["Condition"])
				}
				lines = append(lines, line)
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

func condition(value any) string {
	var parts []string
	for operator, keys := range value.(map[string]any) {
		for key, values := range keys.(map[string]any) {
			parts = append(parts, operator+" "+key+" "+strings.Join(shown(values), "|"))
		}
	}
	slices.SortFunc(parts, func(a, b string) int { return cmp.Compare(a, b) })
	return strings.Join(parts, ", ")
}

func TestEachFunctionMayDoWhatItDoesAndNoMore(t *testing.T) {
	sealed := " passwordskey if ForAllValues:StringEquals kms:EncryptionContextKeys account|target, Null " +
		"kms:EncryptionContext:account false, Null kms:EncryptionContext:target false"
	key := func(service string) []string {
		var lines []string
		actions := []string{"Decrypt", "GenerateDataKey"}
		if service == "dynamodb" {
			actions = append(actions, "DescribeKey", "Encrypt", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom",
				"ReEncryptTo")
		}
		for _, action := range actions {
			lines = append(lines,
				"kms:"+action+" datakey if StringEquals kms:ViaService "+service+".Region.amazonaws.com")
		}
		return lines
	}
	jobs := slices.Concat([]string{"dynamodb:GetItem jobs", "dynamodb:Query jobs", "dynamodb:Query jobs/index/runs",
		"dynamodb:PutItem jobs", "dynamodb:DeleteItem jobs"}, key("dynamodb"))
	readUsers := []string{"dynamodb:GetItem users", "dynamodb:Query users"}
	writeUsers := []string{"dynamodb:PutItem users", "dynamodb:DeleteItem users"}
	read := func(prefixes ...string) []string {
		lines := append(key("s3"), "s3:ListBucket objects if StringLike s3:prefix "+strings.Join(prefixes, "|"))
		for _, prefix := range prefixes {
			lines = append(lines, "s3:GetObject objects/"+prefix)
		}
		return lines
	}
	write := func(prefix string) []string {
		return []string{"s3:PutObject objects/" + prefix, "s3:AbortMultipartUpload objects/" + prefix}
	}
	consume := func(queue string) []string {
		var lines []string
		for _, action := range []string{"ReceiveMessage", "ChangeMessageVisibility", "GetQueueUrl", "DeleteMessage",
			"GetQueueAttributes"} {
			lines = append(lines, "sqs:"+action+" "+queue)
		}
		return lines
	}
	requests, blocks := "recordings/*.request", "recordings/*.block"
	for name, want := range map[string][][]string{
		"connector-api": {{"dynamodb:GetItem jobs", "dynamodb:PutItem jobs", "dynamodb:UpdateItem jobs"},
			key("dynamodb"), read(requests), {"s3:PutObject objects/" + blocks, "sqs:SendMessage previews",
				"sqs:SendMessage scheduled", "sqs:SendMessage syncs"}},
		"preview-api": {jobs, read("plans/*"), {"sqs:SendMessage previews", "kms:Encrypt" + sealed}},
		"preview-worker": {readUsers, jobs, read("plans/*", "journals/*", blocks), write("plans/*"),
			write("csv/*"), write(requests), consume("previews"),
			{"sqs:SendMessage previews", "kms:Decrypt" + sealed}},
		"export-api": {readUsers, jobs, read("plans/*", "journals/*", "csv/*"), write("csv/*"),
			{"sqs:SendMessage previews", "sts:AssumeRole linkrole"}},
		// The number of an account's users changes with the edit of one, in a transaction.
		"sync-api": {readUsers, writeUsers, jobs, {"dynamodb:UpdateItem jobs"}, read("plans/*", "journals/*"),
			{"sqs:SendMessage previews", "sqs:SendMessage syncs", "sqs:SendMessage scheduled",
				"sqs:SendMessage deliveries", "kms:Encrypt" + sealed, "events:PutEvents bus"}},
		"sync-worker": {readUsers, writeUsers, jobs, read("plans/*", "journals/*", blocks), write("journals/*"),
			write(requests),
			consume("syncs"), consume("scheduled"), {"sqs:SendMessage scheduled",
				"sqs:SendMessage syncs", "sqs:SendMessage deliveries", "kms:Decrypt" + sealed,
				"events:PutEvents bus"}},
		"sync-schedule": {jobs, {"dynamodb:Query jobs/index/due", "sqs:SendMessage previews",
			"sqs:SendMessage scheduled", "sqs:SendMessage syncs", "sqs:SendMessage deliveries"}},
		// Without an address to send from it may send no mail.
		"notify-worker": {jobs, consume("deliveries"), {"kms:Decrypt" + sealed}},
		"link":          {{"s3:GetObject objects/csv/*", key("s3")[0]}},
	} {
		id := strings.ReplaceAll(name, "-", "")
		lines := slices.Concat(want...)
		if name != "link" {
			lines = append(lines, "logs:CreateLogStream "+id+"logs", "logs:PutLogEvents "+id+"logs")
		}
		slices.Sort(lines)
		if diff := gocmp.Diff(lines, permissions(plain(t), id+"role")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// With an address to send from, mails may come from that one and no other.
func TestMailsMayComeFromOneAddressOnly(t *testing.T) {
	var mail []string
	for _, line := range permissions(full(t), "notifyworkerrole") {
		if strings.HasPrefix(line, "ses:") {
			mail = append(mail, line)
		}
	}
	only := " if StringEquals ses:FromAddress rollcall@example.com"
	const identity = "ses:SendEmail arn:Partition:ses:Region:AccountId:identity/"
	want := []string{identity + "example.com" + only, identity + "rollcall@example.com" + only}
	if diff := gocmp.Diff(want, mail); diff != "" {
		t.Error(diff)
	}
	for _, f := range []string{"notify-worker", "sync-api"} {
		given := at(full(t).deployed(t, f).Properties, "Environment.Variables."+string(manifest.MailFrom))
		if show(given) != "rollcall@example.com" {
			t.Errorf("%s is told to send from %v", f, given)
		}
	}
	page := at(full(t).deployed(t, "notify-worker").Properties, "Environment.Variables."+string(manifest.PageURL))
	if show(page) != "https://import.example.com/" {
		t.Errorf("mails lead to %v", page)
	}
}

func TestNoRoleHasAManagedPolicy(t *testing.T) {
	for _, a := range []assembly{plain(t), full(t)} {
		for _, stack := range []template{a.data, a.service} {
			for name, role := range stack.of("AWS::IAM::Role") {
				expect(t, role, map[string]string{"ManagedPolicyArns": "<nil>"})
				who := show(at(role.Properties, "AssumeRolePolicyDocument.Statement.0.Principal.Service"))
				if who != "lambda.amazonaws.com" && name != "linkrole" {
					t.Errorf("%s is assumed by %s", name, who)
				}
			}
		}
	}
	expect(t, plain(t).service.the(t, "AWS::IAM::Role", "linkrole"), map[string]string{
		"AssumeRolePolicyDocument.Statement.0.Principal.AWS": "exportapirole", "MaxSessionDuration": "3600",
	})
}
