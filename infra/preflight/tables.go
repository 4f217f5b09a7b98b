package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// restored looks at the tables that shall take the place of the stack's own.
func (p *preflight) restored(ctx context.Context) (found []finding, err error) {
	for _, table := range []struct{ key, output string }{{"usersTable", "UsersTable"}, {"jobsTable", "JobsTable"}} {
		if name := p.Values[table.key]; name != "" {
			more, err := p.restoredTable(ctx, table.key, name)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
	}
	return found, nil
}

func (p *preflight) restoredTable(ctx context.Context, key, name string) (found []finding, err error) {
	out, err := p.tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return []finding{{name: key, what: fmt.Sprintf("There is no table %s in %s.", name, p.region),
			why: "Every function that needs it would fail.",
			do:  "Restore it first, or correct rollcall:" + key + " (docs/operations.md, Restore a table)."}}, nil
	case err != nil || out.Table == nil:
		return blind(key, "The table "+name, err), nil
	}
	stop := func(bad bool, what, why, do string) {
		if bad {
			found = append(found, finding{name: key, what: "The table " + name + " " + what, why: why, do: do})
		}
	}
	stop(out.Table.TableStatus != types.TableStatusActive, "is "+string(out.Table.TableStatus)+".",
		"It cannot be used yet.", "Wait: aws dynamodb wait table-exists --table-name "+name)
	want, is := p.shape(strings.TrimSuffix(key, "Table")), shapeOf(out.Table)
	stop(want != is, fmt.Sprintf("has %s, and not %s.", is, want), "It is no copy of the table whose place it takes.",
		"Correct rollcall:"+key+".")
	encrypted, err := p.withDataKey(ctx, out.Table)
	if err != nil {
		return nil, err
	}
	stop(!encrypted, "is not encrypted with the key of the deployment.",
		"The functions may use that key alone: they could not read it.",
		"Restore it with --sse-specification-override (docs/operations.md, Restore a table).")
	return append(found, p.unprotected(ctx, out.Table, key)...), nil
}

// unprotected warns of what a restored table does not inherit.
func (p *preflight) unprotected(ctx context.Context, table *types.TableDescription, key string) (found []finding) {
	name := aws.ToString(table.TableName)
	warn := func(what, why, do string) {
		found = append(found, finding{name: key, warns: true, what: "The table " + name + " " + what, why: why,
			do: "aws dynamodb " + do + " --table-name " + name})
	}
	if !aws.ToBool(table.DeletionProtectionEnabled) {
		warn("can be deleted.", "It holds what must not be lost.", "update-table --deletion-protection-enabled")
	}
	backups, err := p.tables.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
	if err != nil || backups.ContinuousBackupsDescription == nil {
		found = append(found, blind(key, "Whether "+name+" is backed up", err)...)
	} else if d := backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription; d == nil ||
		d.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled {
		warn("is not backed up.", "It could not be restored again.",
			"update-continuous-backups --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true")
	}
	if key != "jobsTable" {
		return found
	}
	ttl, err := p.tables.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil || ttl.TimeToLiveDescription == nil {
		found = append(found, blind(key, "Whether old records of "+name+" are removed", err)...)
	} else if s := ttl.TimeToLiveDescription.TimeToLiveStatus; s != types.TimeToLiveStatusEnabled &&
		s != types.TimeToLiveStatusEnabling {
		warn("keeps records for ever.", "Old runs are promised to be removed.",
			"update-time-to-live --time-to-live-specification Enabled=true,AttributeName=expiresAt")
	}
	return found
}

// withDataKey reports whether a table is encrypted with the key that the functions may use. Before the first deployment
// there is none.
func (p *preflight) withDataKey(ctx context.Context, table *types.TableDescription) (bool, error) {
	data, err := p.stack(ctx, p.Values["name"]+"-data")
	if err != nil || data == nil {
		return true, err
	}
	for id, r := range p.data.Resources {
		if r.Type != "AWS::KMS::Key" || !strings.HasPrefix(id, "datakey") {
			continue
		}
		key, err := p.resource(ctx, data, id)
		if err != nil {
			return false, fmt.Errorf("looking for the key of the deployment: %s", brief(err))
		}
		return table.SSEDescription != nil &&
			strings.HasSuffix(aws.ToString(table.SSEDescription.KMSMasterKeyArn), "/"+key), nil
	}
	return true, nil
}

// shapeOf is what a table's users depend on: keys and indexes, as text.
func shapeOf(table *types.TableDescription) string {
	parts := []string{keysOf(table.KeySchema)}
	var indexes []string
	for _, i := range table.LocalSecondaryIndexes {
		indexes = append(indexes, aws.ToString(i.IndexName)+" "+keysOf(i.KeySchema))
	}
	for _, i := range table.GlobalSecondaryIndexes {
		indexes = append(indexes, aws.ToString(i.IndexName)+" "+keysOf(i.KeySchema))
	}
	slices.Sort(indexes)
	return strings.Join(append(parts, indexes...), ", ")
}

func keysOf(schema []types.KeySchemaElement) string {
	var names []string
	for _, k := range schema {
		names = append(names, aws.ToString(k.AttributeName))
	}
	return "(" + strings.Join(names, " ") + ")"
}

// shape is the same of the table that the template makes.
func (p *preflight) shape(name string) string {
	for id, r := range p.data.Resources {
		if r.Type != "AWS::DynamoDB::Table" || !strings.HasPrefix(id, name) {
			continue
		}
		parts := []string{templateKeys(r.Properties["KeySchema"])}
		var indexes []string
		for _, property := range []string{"LocalSecondaryIndexes", "GlobalSecondaryIndexes"} {
			all, _ := r.Properties[property].([]any)
			for _, one := range all {
				i, _ := one.(map[string]any)
				indexes = append(indexes, fmt.Sprint(i["IndexName"], " ", templateKeys(i["KeySchema"])))
			}
		}
		slices.Sort(indexes)
		return strings.Join(append(parts, indexes...), ", ")
	}
	return ""
}

func templateKeys(schema any) string {
	var names []string
	all, _ := schema.([]any)
	for _, one := range all {
		key, _ := one.(map[string]any)
		names = append(names, fmt.Sprint(key["AttributeName"]))
	}
	return "(" + strings.Join(names, " ") + ")"
}
