package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// deployed compares the templates with what is deployed: a deployment must not go back on a choice that the operator
// made, and forgot to keep. What CloudFormation would refuse is found as well.
func (p *preflight) deployed(ctx context.Context) (found []finding, err error) {
	name := p.Values["name"]
	data, err := p.stack(ctx, name+"-data")
	service, other := p.stack(ctx, name)
	if err := errors.Join(err, other); err != nil {
		return nil, fmt.Errorf("looking at what is deployed: %w", err)
	}
	for _, stack := range []*cfntypes.Stack{data, service} {
		if stack != nil {
			found = append(found, p.fit(stack)...)
		}
	}
	if data == nil {
		return found, nil
	}
	for _, table := range []struct{ key, output string }{{"usersTable", "UsersTable"}, {"jobsTable", "JobsTable"}} {
		back, err := p.tableGoesBack(ctx, data, table.key, table.output)
		if err != nil {
			return nil, err
		}
		found = append(found, back...)
	}
	found = append(found, p.signInChanges(data)...)
	found = append(found, p.addressesGo(data)...)
	held, err := p.exportsGo(ctx, data)
	return append(found, held...), err
}

// fit finds a stack that cannot be updated, or that is another stage's.
func (p *preflight) fit(stack *cfntypes.Stack) (found []finding) {
	name, status := aws.ToString(stack.StackName), string(stack.StackStatus)
	f := finding{name: "stack", what: fmt.Sprintf("The stack %s is in the state %s.", name, status),
		why: "CloudFormation updates no stack that is in this state."}
	switch {
	case strings.HasSuffix(status, "_IN_PROGRESS"):
		f.do = "Wait until it is done, then try again."
	case status == "UPDATE_ROLLBACK_FAILED":
		f.do = "Mend what its events name, then: aws cloudformation continue-update-rollback --stack-name " + name
	case slices.Contains([]string{"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"}, status):
		f.do = "Its events say why it failed. Then: aws cloudformation delete-stack --stack-name " + name
	}
	if f.do != "" {
		found = append(found, f)
	}
	for _, tag := range stack.Tags {
		stage := aws.ToString(tag.Value)
		if aws.ToString(tag.Key) == "rollcall:stage" && stage != p.Values["stage"] {
			found = append(found, finding{name: "stage",
				what: fmt.Sprintf("The stack %s was deployed with STAGE=%s, and this is %s.", name, stage,
					cmp.Or(p.Values["stage"], "without a stage")),
				why: "It would get the context keys of another stage, and lose its own.",
				do:  "Give its stage, STAGE=" + stage + ", or give this deployment another rollcall:name."})
		}
	}
	return found
}

// tableGoesBack finds that a restored table works now, and that the stack's own would after the deployment.
func (p *preflight) tableGoesBack(ctx context.Context, data *cfntypes.Stack, key, output string) ([]finding, error) {
	used := outputs(data)[output]
	own := refersTo(p.data.Outputs[output].Value)
	if used == "" || own == "" {
		return nil, nil // A table is named: that is a choice.
	}
	made, err := p.resource(ctx, data, own)
	if err != nil {
		return nil, fmt.Errorf("looking for the table that the stack made: %s", brief(err))
	}
	if made == used {
		return nil, nil
	}
	return []finding{{name: key,
		what: fmt.Sprintf("The restored table %s works now, and the deployment would go back to %s.", used, made),
		why:  "What was written since the table was restored would be out of sight, and the state from before it back.",
		do: fmt.Sprintf(`Add this to %[1]s: "rollcall:%[2]s": %[3]q. To go back on purpose: make deploy ACCEPT=%[2]s`,
			p.Kept, key, used),
	}}, nil
}

// resource is the name that a stack's resource has.
func (p *preflight) resource(ctx context.Context, stack *cfntypes.Stack, id string) (string, error) {
	out, err := p.stacks.DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{
		StackName: stack.StackName, LogicalResourceId: &id,
	})
	if err != nil || out.StackResourceDetail == nil {
		return "", err
	}
	return aws.ToString(out.StackResourceDetail.PhysicalResourceId), nil
}

// signInChanges finds that people would sign in elsewhere than now.
func (p *preflight) signInChanges(data *cfntypes.Stack) []finding {
	pool, isPool := outputs(data)["UserPool"]
	_, becomesPool := p.data.Outputs["UserPool"]
	f := finding{name: "signIn"}
	switch {
	case isPool == becomesPool:
		return nil
	case isPool:
		f.what = fmt.Sprintf("People sign in with the user pool %s now, and would with %s.", pool, p.Values["issuer"])
		f.why = "Nobody can sign in until the second stack is deployed. Its people are kept, but not by the stack: " +
			"going back makes an empty pool."
	default:
		f.what = "People sign in with an issuer of your own now, and would with a new, empty user pool."
		f.why = "Nobody is in it: they all have to be added again."
	}
	f.do = "If that is meant: make deploy ACCEPT=signIn. If not, add rollcall:issuer with its keys to " + p.Kept +
		", or remove them."
	return []finding{f}
}

// addressesGo finds that fewer fixed addresses would be left than there are.
func (p *preflight) addressesGo(data *cfntypes.Stack) []finding {
	var gone []string
	for name, address := range outputs(data) {
		if _, stays := p.data.Outputs[name]; strings.HasPrefix(name, "Egress") && !stays {
			gone = append(gone, address)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	slices.Sort(gone)
	return []finding{{name: "egress",
		what: fmt.Sprintf("Directories are read from %s now, and would not be any more.", strings.Join(gone, ", ")),
		why: "Customers opened their firewalls for these addresses. They are kept and billed, but do not come back: " +
			"a network that is made later has new ones.",
		do: "Add rollcall:vpc and rollcall:vpcZones as they were to " + p.Kept +
			". If it is meant: make deploy ACCEPT=egress"}}
}

// exportsGo finds exports that the service of an earlier version imports and that the templates lack.
func (p *preflight) exportsGo(ctx context.Context, data *cfntypes.Stack) ([]finding, error) {
	stays := make(map[string]bool)
	for _, output := range p.data.Outputs {
		stays[output.Export.Name] = true
	}
	importers := make(map[string]bool)
	for _, output := range data.Outputs {
		if output.ExportName == nil || stays[*output.ExportName] {
			continue
		}
		// An export that nobody imports is an error there.
		out, err := p.stacks.ListImports(ctx, &cloudformation.ListImportsInput{ExportName: output.ExportName})
		if err != nil && !strings.Contains(err.Error(), "not imported") {
			return nil, fmt.Errorf("looking for who imports %s: %s", *output.ExportName, brief(err))
		}
		if err == nil {
			for _, name := range out.Imports {
				importers[name] = true
			}
		}
	}
	if len(importers) == 0 {
		return nil, nil
	}
	return []finding{{name: "exports",
		what: fmt.Sprintf("The stack %s imports what the deployment removes.",
			strings.Join(slices.Sorted(maps.Keys(importers)), ", ")),
		why: "CloudFormation refuses that. The service of Rollcall 0.4 and before imports values of the data.",
		do: "Upgrade with the context keys that are deployed now, then change them with a second deployment " +
			"(docs/operations.md, Upgrade)."}}, nil
}

// passing warns of choices that the next deployment will not know.
func (p *preflight) passing() (found []finding) {
	for _, key := range p.Passing {
		if slices.Contains([]string{"name", "issuer", "usersTable", "jobsTable", "vpc", "vpcZones", "domain"}, key) {
			found = append(found, finding{name: "kept", warns: true,
				what: "rollcall:" + key + " is given on the command line alone.",
				why:  "The next deployment does not know it, and would change the deployment back.",
				do:   fmt.Sprintf(`Add this to %s: "rollcall:%s": %q`, p.Kept, key, p.Values[key])})
		}
	}
	return found
}
