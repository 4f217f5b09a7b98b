package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"
)

// states are the deployments between which docs/operations.md says how to change.
func states() map[string]map[string]any {
	issuer := map[string]any{"rollcall:issuer": "https://login.example.com", "rollcall:audience": "page",
		"rollcall:clientId": "page"}
	everything := map[string]any{"rollcall:usersTable": "users-2", "rollcall:jobsTable": "jobs-2", "rollcall:vpc": true}
	maps.Copy(everything, issuer)
	return map[string]map[string]any{
		"plain":          {},
		"users restored": {"rollcall:usersTable": "users-2"},
		"users again":    {"rollcall:usersTable": "users-3"},
		"both restored":  {"rollcall:usersTable": "users-2", "rollcall:jobsTable": "jobs-2"},
		"issuer":         issuer,
		"vpc":            {"rollcall:vpc": true},
		"three zones":    {"rollcall:vpc": true, "rollcall:vpcZones": 3},
		"everything":     everything,
	}
}

// outlines are the states' stacks of data, and of the services those parts that know the data.
var outlines = sync.OnceValues(func() (map[string]assembly, error) {
	made := map[string]assembly{}
	for name, context := range states() {
		a, err := outline(context)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		made[name] = a
	}
	return made, nil
})

func outline(context map[string]any) (a assembly, err error) {
	c := temporary()
	if err := standIns(c); err != nil {
		return a, err
	}
	settings, err := ReadSettings(context)
	if err != nil {
		return a, err
	}
	with := flags()
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false), Context: &with, Outdir: &c.Out,
		BuiltinCloudFormationValidation: jsii.Bool(false)}) // These are no whole templates.
	beginService(app, settings, c, newData(app, settings, c))
	app.Synth(nil)
	return read(c.Out)
}

func outlined(t *testing.T, state string) assembly {
	t.Helper()
	made, err := outlines()
	if err != nil {
		t.Fatal(err)
	}
	a, ok := made[state]
	if !ok {
		t.Fatalf("there is no state %s", state)
	}
	return a
}

// exports are the values that a template exports, by name.
func exports(of template) map[string]string {
	found := map[string]string{}
	for _, output := range of.Outputs {
		if name := at(output, "Export.Name"); name != nil {
			found[show(name)] = fmt.Sprint(at(output, "Value"))
		}
	}
	return found
}

// refused are the exports that CloudFormation would not let a new stack of data change, since the deployed service
// imports them with these values.
func refused(imported map[string]any, next template) (names []string) {
	exported := exports(next)
	for name, value := range imported {
		if exported[name] != fmt.Sprint(value) {
			names = append(names, strings.TrimPrefix(name, "rollcall-data:ExportsOutput"))
		}
	}
	slices.Sort(names)
	return names
}

func TestTheServiceImportsNothing(t *testing.T) {
	for name, a := range map[string]assembly{"plain": plain(t), "full": full(t)} {
		content := fmt.Sprint(a.service.Resources, a.service.Outputs)
		for _, function := range []string{"Fn::ImportValue", "Fn::GetStackOutput", "resolve:ssm"} {
			if strings.Contains(content, function) {
				t.Errorf("%s: the service has something from the data by %s", name, function)
			}
		}
		inHand(t, a)
	}
}

// inHand finds everything that the service takes over handed over by the same version of the data, which is deployed
// before it. So it is with a first deployment as well.
func inHand(t *testing.T, a assembly) {
	t.Helper()
	over := map[string]bool{}
	for _, p := range a.data.of("AWS::SSM::Parameter") {
		over[show(p.Properties["Name"])] = true
	}
	taken := 0
	for name, p := range a.service.Parameters {
		if !strings.HasPrefix(name, takenResource) {
			continue
		}
		taken++
		if show(at(p, "Type")) != "AWS::SSM::Parameter::Value<String>" || !over[show(at(p, "Default"))] {
			t.Errorf("nothing hands %s over: %v", name, p)
		}
		// The CDK's command line leaves a stack alone whose template is the same and whose parameters say this.
		if strings.Contains(show(at(p, "Description")), "[cdk:skip]") {
			t.Errorf("a new value of %s would not be deployed", name)
		}
	}
	if taken < 5 || taken != len(over) {
		t.Errorf("%d values are taken of %d", taken, len(over))
	}
	var manifest struct {
		Artifacts map[string]struct{ Dependencies []string }
	}
	if err := readJSON(filepath.Join(a.out, "manifest.json"), &manifest); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(manifest.Artifacts["service"].Dependencies, "data") {
		t.Error("the service is not deployed after the data")
	}
}

func TestEveryStateCanBeDeployedFirst(t *testing.T) {
	for state := range states() {
		t.Run(state, func(t *testing.T) { inHand(t, outlined(t, state)) })
	}
}

// TestChangesOfStateDeploy walks every change that docs/operations.md describes. leaves are the kept things that the
// data no longer has afterwards, and ends what is deleted while the service of before still runs.
func TestChangesOfStateDeploy(t *testing.T) {
	ofPool := []string{"people", "peopleadmins", "peopleapi"}
	pool := []string{"peoplePreTokenGenerationConfigCognito", "peoplesignin", "token", "tokenlogs", "tokenrole",
		"tokenroleDefaultPolicy"}
	for _, step := range []struct {
		from, to     string
		leaves, ends []string
	}{
		{from: "plain", to: "users restored"},
		{from: "plain", to: "both restored"},
		{from: "users restored", to: "users again"},
		{from: "users restored", to: "plain"},
		{from: "both restored", to: "users restored"},
		{from: "plain", to: "issuer", leaves: ofPool, ends: pool},
		{from: "issuer", to: "plain"},
		{from: "plain", to: "vpc"},
		{from: "vpc", to: "plain", leaves: []string{"egress1", "egress2"}},
		{from: "vpc", to: "three zones"},
		{from: "three zones", to: "vpc", leaves: []string{"egress3"}},
		{from: "three zones", to: "plain", leaves: []string{"egress1", "egress2", "egress3"}},
		{from: "three zones", to: "everything", leaves: append([]string{"egress3"}, ofPool...), ends: pool},
		{from: "everything", to: "plain", leaves: []string{"egress1", "egress2"}},
	} {
		t.Run(step.from+" to "+step.to, func(t *testing.T) {
			before, after := outlined(t, step.from), outlined(t, step.to)
			leaves, ends := gone(before.data, after.data)
			if diff := cmp.Diff(step.leaves, leaves); diff != "" {
				t.Errorf("what is kept and left (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(step.ends, ends); diff != "" {
				t.Errorf("what is deleted under the old service (-want +got):\n%s", diff)
			}
			unchanged(t, before.data, after.data)
			fitting(t, before.data, after.data)
			unmoved(t, before.service, after.service)
		})
	}
}

// gone are the resources that a stack no longer has: those that are kept, and those that are deleted. A parameter that
// handed something over is read at deployments only.
func gone(before, after template) (kept, deleted []string) {
	for id, r := range before.Resources {
		name := generated.ReplaceAllString(id, "")
		if _, stays := after.Resources[id]; stays || r.Type == "AWS::SSM::Parameter" {
			continue
		}
		if r.DeletionPolicy == "Retain" {
			kept = append(kept, name)
		} else {
			deleted = append(deleted, name)
		}
	}
	slices.Sort(kept)
	slices.Sort(deleted)
	return kept, deleted
}

// unchanged finds every kept thing as it was: it is neither replaced nor renamed.
func unchanged(t *testing.T, before, after template) {
	t.Helper()
	for id, r := range before.Resources {
		if next, stays := after.Resources[id]; stays && r.DeletionPolicy == "Retain" {
			if diff := cmp.Diff(r.Properties, next.Properties); diff != "" {
				t.Errorf("%s changes: %s", id, diff)
			}
		}
	}
}

// fitting finds no new thing with a name that something kept holds still.
func fitting(t *testing.T, before, after template) {
	t.Helper()
	for id, r := range after.Resources {
		if _, was := before.Resources[id]; was || r.DeletionPolicy != "Retain" {
			continue
		}
		for _, property := range []string{"TableName", "BucketName", "AliasName", "Domain"} {
			if name := r.Properties[property]; name != nil && r.Type != "AWS::EC2::EIP" {
				t.Errorf("%s is made with the name %v, which an earlier one may hold", id, name)
			}
		}
	}
}

// unmoved finds the subnets of both where they were: a new subnet cannot have addresses that an old one has, which is
// removed after it.
func unmoved(t *testing.T, before, after template) {
	t.Helper()
	for id, r := range before.Resources {
		if next, stays := after.Resources[id]; stays && r.Type == "AWS::EC2::Subnet" {
			for _, property := range []string{"CidrBlock", "AvailabilityZone"} {
				if was, is := show(r.Properties[property]), show(next.Properties[property]); was != is {
					t.Errorf("the subnet %s moves from %s to %s", id, was, is)
				}
			}
		}
	}
}

// TestAnUpgradeFromExportsDeploys has the service of version 0.4 run, which imports what testdata/imports-0.4.json
// lists, while the data of this version is deployed.
func TestAnUpgradeFromExportsDeploys(t *testing.T) {
	var imported map[string]map[string]any
	if err := readJSON("testdata/imports-0.4.json", &imported); err != nil {
		t.Fatal(err)
	}
	if len(imported["plain"]) != 13 || len(imported["full"]) != 8 {
		t.Fatalf("version 0.4 imported %d and %d values", len(imported["plain"]), len(imported["full"]))
	}
	if names := refused(imported["full"], full(t).data); len(names) > 0 {
		t.Errorf("with every key, CloudFormation refuses to change %v", names)
	}
	for _, state := range []string{"plain", "users restored", "both restored", "vpc", "three zones"} {
		if names := refused(imported["plain"], outlined(t, state).data); len(names) > 0 {
			t.Errorf("with %s, CloudFormation refuses to change %v", state, names)
		}
	}
	// These have to wait for the deployment after the upgrade: docs/operations.md says so, and preflight finds it.
	if names := refused(imported["plain"], outlined(t, "issuer").data); len(names) != 4 {
		t.Errorf("with an issuer, CloudFormation refuses to change %v, want what the pool had", names)
	}
	without := full(t).data
	without.Outputs = maps.Clone(without.Outputs)
	maps.DeleteFunc(without.Outputs, func(name string, _ any) bool { return strings.Contains(name, "egress3") })
	if names := refused(imported["full"], without); len(names) != 1 {
		t.Errorf("with a zone less, CloudFormation refuses to change %v, want the third address", names)
	}
}
