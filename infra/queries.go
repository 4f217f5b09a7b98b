package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// query is a question that a runbook of docs/operations.md asks the logs. Saving it in CloudWatch Logs Insights costs
// nothing; asking it costs by what it reads.
type query struct {
	name string
	logs []awslogs.LogGroup
	// lines are joined by pipes.
	lines []string
}

// failingAccounts asks the logs which accounts' work failed or was blocked: alarms have no account, since each would be
// a metric of its own. The lines are those of the importer and of package lambda's metrics.
var failingAccounts = []string{
	`filter ispresent(account) and (level = "ERROR" or msg = "run failed" or State = "blocked")`,
	`fields coalesce(msg, concat(Kind, " ", State)) as what, coalesce(error, reason, "") as why`,
	`stats count(*) as times, max(@timestamp) as last, latest(what) as newest, latest(why) as because by account`,
	`sort times desc`,
	`limit 100`,
}

// queries are the questions, in the order in which they come up.
func (s *service) queries() []query {
	functions := s.logsOf(manifest.Functions()...)
	api := []awslogs.LogGroup{s.apiLogs}
	return []query{
		{"failing-accounts", s.whoFails(), failingAccounts},
		{"one-run", functions, []string{
			`filter run = "PUT THE ID HERE"`,
			`fields @timestamp, function, msg, State, coalesce(error, reason) as why`,
			`sort @timestamp`,
		}},
		{"offline-connectors", s.logsOf(manifest.SyncWorker()), []string{
			`filter ispresent(` + manifest.ConnectorsOffline + `)`,
			`stats count(*) as times, max(@timestamp) as last, latest(run) as newest by account`,
			`sort times desc`,
		}},
		{"errors", functions, []string{
			`filter level = "ERROR"`,
			`fields coalesce(function, ` + manifest.DimensionFunction + `) as who`,
			`stats count(*) as times, max(@timestamp) as last, latest(error) as newest by who, msg`,
			`sort times desc`,
		}},
		{"refused-calls", functions, []string{
			`filter ispresent(` + manifest.CallsRefused + `)`,
			`stats count(*) as times, max(@timestamp) as last by ` + manifest.DimensionFunction +
				`, service, operation, code`,
			`sort times desc`,
		}},
		{"long-invocations", functions, []string{
			// What Lambda itself writes at the end of each.
			`parse @message /^REPORT RequestId: (?<id>\S+)\s+Duration: (?<ms>[0-9.]+) ms/`,
			`parse @message /Max Memory Used: (?<mb>\d+) MB/`,
			`filter ispresent(ms)`,
			`fields @timestamp, @log, id, ms, mb`,
			`sort ms desc`,
			`limit 50`,
		}},
		{"api-failures", api, []string{
			`filter status >= 500`,
			`fields @timestamp, route, status, account, functionMs, error, functionError, requestId`,
			`sort @timestamp desc`,
			`limit 200`,
		}},
		{"api-routes", api, []string{
			`stats count(*) as requests, pct(functionMs, 90) as p90, max(functionMs) as longest by route`,
			`sort p90 desc`,
		}},
		{"api-callers", api, []string{
			`stats count(*) as requests by account, subject, ip, status`,
			`sort requests desc`,
			`limit 100`,
		}},
	}
}

// logsOf are the logs of functions.
func (s *service) logsOf(functions ...manifest.Function) (logs []awslogs.LogGroup) {
	for _, f := range functions {
		logs = append(logs, s.functions[f.Name].logs)
	}
	return logs
}

// whoFails are the logs that tell of accounts' work.
func (s *service) whoFails() []awslogs.LogGroup {
	return s.logsOf(manifest.SyncSchedule(), manifest.SyncWorker(), manifest.PreviewWorker())
}

// addQueries saves the queries.
func (s *service) addQueries() {
	for _, q := range s.queries() {
		var groups []any
		for _, logs := range q.logs {
			groups = append(groups, logs.LogGroupName())
		}
		awslogs.NewCfnQueryDefinition(s.stack, jsii.String(q.name), &awslogs.CfnQueryDefinitionProps{
			Name:          jsii.String(s.settings.Name + "/" + q.name),
			QueryString:   jsii.String(strings.Join(q.lines, "\n| ")),
			LogGroupNames: &groups,
		})
	}
}

// failingAccountsTable shows the answer for the dashboard's time.
func (s *service) failingAccountsTable() awscloudwatch.IWidget {
	var groups []*string
	for _, logs := range s.whoFails() {
		groups = append(groups, logs.LogGroupName())
	}
	return awscloudwatch.NewLogQueryWidget(&awscloudwatch.LogQueryWidgetProps{
		Title: jsii.String("Accounts whose work failed or was blocked"), LogGroupNames: &groups,
		QueryLines: jsii.Strings(failingAccounts...), View: awscloudwatch.LogQueryVisualizationType_TABLE,
		Width: jsii.Number(24), Height: jsii.Number(6),
	})
}
