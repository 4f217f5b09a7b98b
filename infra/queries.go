package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// failingAccounts asks the logs which accounts' work failed or was blocked: alarms have no account, since each would be
// a metric of its own. The lines are those of the importer and of package lambda's metrics.
var failingAccounts = []string{
	`filter ispresent(account) and (level = "ERROR" or msg = "run failed" or State = "blocked")`,
	`fields coalesce(msg, concat(Kind, " ", State)) as what, coalesce(error, reason, "") as why`,
	`stats count(*) as times, max(@timestamp) as last, latest(what) as newest, latest(why) as because by account`,
	`sort times desc`,
	`limit 100`,
}

// whoFails are the functions whose logs tell of accounts' work.
func (s *service) whoFails() (groups []*string) {
	for _, f := range []manifest.Function{
		manifest.SyncSchedule(), manifest.SyncWorker(), manifest.PreviewWorker(),
	} {
		groups = append(groups, s.functions[f.Name].logs.LogGroupName())
	}
	return groups
}

// addQueries saves the query in CloudWatch Logs Insights. Saving costs nothing; a question costs by what it reads.
func (s *service) addQueries() {
	var groups []any
	for _, name := range s.whoFails() {
		groups = append(groups, name)
	}
	awslogs.NewCfnQueryDefinition(s.stack, jsii.String("failing-accounts"), &awslogs.CfnQueryDefinitionProps{
		Name:          jsii.String(s.settings.Name + "/failing-accounts"),
		QueryString:   jsii.String(strings.Join(failingAccounts, "\n| ")),
		LogGroupNames: &groups,
	})
}

// failingAccountsTable shows the answer for the dashboard's time.
func (s *service) failingAccountsTable() awscloudwatch.IWidget {
	groups, lines := s.whoFails(), jsii.Strings(failingAccounts...)
	return awscloudwatch.NewLogQueryWidget(&awscloudwatch.LogQueryWidgetProps{
		Title: jsii.String("Accounts whose work failed or was blocked"), LogGroupNames: &groups, QueryLines: lines,
		View: awscloudwatch.LogQueryVisualizationType_TABLE, Width: jsii.Number(24), Height: jsii.Number(6),
	})
}
