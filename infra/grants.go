package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"

	"rollcall/shared/importer"
	"rollcall/shared/manifest"
	"rollcall/shared/ports/objects"
)

// What the keys of objects look like. The account is in the middle.
const (
	plans    = objects.PlanPrefix + "*"
	journals = objects.JournalPrefix + "*"
	csvs     = objects.CSVPrefix + "*"
	// requests are what connectors are asked, and blocks what they recorded.
	requests = objects.RecordingPrefix + "*" + importer.RequestSuffix
	blocks   = objects.RecordingPrefix + "*" + importer.BlockSuffix
)

// grantAll says what each function may do. Those that take requests can seal a password and open none; those that reach
// directories take no requests; nobody may scan a table or list a bucket.
func (s *service) grantAll() {
	role := func(f manifest.Function) awsiam.Role { return s.functions[f.Name].role }
	s.grantPreviewAPI(role(manifest.PreviewAPI()))
	s.grantPreviewWorker(role(manifest.PreviewWorker()))
	s.grantExportAPI(role(manifest.ExportAPI()))
	s.grantSyncAPI(role(manifest.SyncAPI()))
	s.grantSyncWorker(role(manifest.SyncWorker()))
	s.grantSchedule(role(manifest.SyncSchedule()))
	s.grantNotifyWorker(role(manifest.NotifyWorker()))
	s.grantConnectorAPI(role(manifest.ConnectorAPI()))
}

func (s *service) grantPreviewAPI(role awsiam.Role) {
	s.readJobs(role)
	s.writeJobs(role)
	s.readObjects(role, plans)
	s.send(role, s.previews)
	s.seal(role)
}

// grantPreviewWorker: the preview of an undo reads a journal, and an export that outlasts its request is written here.
// It writes what it asks of connectors, and reads what they recorded.
func (s *service) grantPreviewWorker(role awsiam.Role) {
	s.readUsers(role)
	s.readJobs(role)
	s.writeJobs(role)
	s.readObjects(role, plans, journals, blocks)
	s.writeObjects(role, plans, csvs, requests)
	s.send(role, s.previews)
	s.unseal(role)
}

func (s *service) grantExportAPI(role awsiam.Role) {
	s.readUsers(role)
	s.readJobs(role)
	s.writeJobs(role)
	s.readObjects(role, plans, journals, csvs)
	s.writeObjects(role, csvs)
	s.send(role, s.previews)
	s.linkRole.GrantAssumeRole(role)
}

func (s *service) grantSyncAPI(role awsiam.Role) {
	s.readUsers(role)
	s.writeUsers(role)
	s.countEdits(role)
	s.readJobs(role)
	s.writeJobs(role)
	s.readObjects(role, plans, journals)
	s.send(role, s.previews, s.syncs, s.scheduled, s.deliveries)
	s.seal(role)
	s.bus.GrantPutEventsTo(role, nil)
}

func (s *service) grantSyncWorker(role awsiam.Role) {
	s.readUsers(role)
	s.writeUsers(role)
	s.readJobs(role)
	s.writeJobs(role)
	s.readObjects(role, plans, journals, blocks)
	s.writeObjects(role, journals, requests)
	s.send(role, s.syncs, s.scheduled, s.deliveries)
	s.unseal(role)
	s.bus.GrantPutEventsTo(role, nil)
}

func (s *service) grantSchedule(role awsiam.Role) {
	s.readJobs(role)
	s.writeJobs(role)
	s.findDue(role)
	s.send(role, s.previews, s.syncs, s.scheduled, s.deliveries)
}

// grantNotifyWorker: it reaches whatever server an account names, and sees no user.
func (s *service) grantNotifyWorker(role awsiam.Role) {
	s.readJobs(role)
	s.writeJobs(role)
	s.unseal(role)
	s.sendMail(role)
}

// grantConnectorAPI: whoever is on the internet can ask it, so that it sees no user, no plan and no password. It reads
// what a connector is asked, and signs links that put blocks; it cannot read those.
func (s *service) grantConnectorAPI(role awsiam.Role) {
	grant(role, []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}, nil, s.data.jobs.TableArn())
	s.useDataKey(role, "dynamodb")
	s.readObjects(role, requests)
	s.putObjects(role, blocks)
	s.send(role, s.previews, s.syncs, s.scheduled)
}
