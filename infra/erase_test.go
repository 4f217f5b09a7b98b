package main

import (
	"strconv"
	"testing"

	"rollcall/shared/manifest"
)

// TestWhatErasingLeavesGoesByItself holds the days that local -aws -erase says against what is deployed.
func TestWhatErasingLeavesGoesByItself(t *testing.T) {
	const seconds = 24 * 60 * 60
	a := plain(t)
	for _, table := range a.data.of("AWS::DynamoDB::Table") {
		expect(t, table, map[string]string{
			"PointInTimeRecoverySpecification.RecoveryPeriodInDays": strconv.Itoa(manifest.BackupDays)})
	}
	for _, archive := range a.service.of("AWS::Events::Archive") {
		expect(t, archive, map[string]string{"RetentionDays": strconv.Itoa(manifest.EventDays)})
	}
	for name, queue := range a.service.of("AWS::SQS::Queue") {
		// SQS keeps messages for four days where nothing else is said.
		if kept, said := queue.Properties["MessageRetentionPeriod"].(float64); said &&
			kept > manifest.MessageDays*seconds {
			t.Errorf("%s keeps messages for %.0f days", name, kept/seconds)
		}
	}
	for name, logs := range a.service.of("AWS::Logs::LogGroup") {
		if days := show(logs.Properties["RetentionInDays"]); days != strconv.Itoa(manifest.DefaultLogDays) {
			t.Errorf("%s keeps logs for %s days", name, days)
		}
	}
	expect(t, a.data.the(t, "AWS::S3::Bucket", "accesslogs"), map[string]string{
		"LifecycleConfiguration.Rules.0.ExpirationInDays": strconv.Itoa(manifest.AccessLogDays)})
	for name, bucket := range a.data.of("AWS::S3::Bucket") {
		// Versions would outlast their objects.
		if bucket.Properties["VersioningConfiguration"] != nil {
			t.Errorf("%s keeps versions", name)
		}
	}
}
