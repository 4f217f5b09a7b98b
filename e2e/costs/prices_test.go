package costs

import (
	"encoding/json"
	"os"
	"testing"
)

// Prices are AWS's public list prices on demand in US East (N. Virginia), in US dollars; the free tier is left out.
// They were taken on 2026-11-25 from what others quote of the services' price pages (DynamoDB's after the cut of
// November 2024), since those pages were out of reach: check them before you rely on a sum.
const (
	pricesAsOf = "AWS's list prices in US East (N. Virginia), as quoted on 2026-11-25"

	perMillionWriteUnits = 0.625
	perMillionReadUnits  = 0.125
	perTableGBMonth      = 0.25
	perRecoveryGBMonth   = 0.20
	perMillionS3Puts     = 5.00
	perMillionS3Gets     = 0.40
	perBucketGBMonth     = 0.023
	perGBSecond          = 0.0000133334 // arm64
	perMillionLambdas    = 0.20
	perMillionMessages   = 0.50 // SQS FIFO
	perMillionKMS        = 3.00
	perKeyMonth          = 1.00
	perMillionEvents     = 1.00
	perMillionHTTP       = 1.00
	perAlarmMonth        = 0.10
	perSecretMonth       = 0.40
	perMetricMonth       = 0.30
	perDashboardMonth    = 3.00
	perLogGB             = 0.50
)

// fixedParts are what a deployment has whether or not it is used, as the golden templates count them. alarms are
// counted as CloudWatch does: each metric that one reckons with.
type fixedParts struct{ keys, alarms, secrets int }

const (
	// metrics is how many metrics there are by function, kind and state; dashboards is infra's one.
	metrics    = 24
	dashboards = 1
)

// countFixed counts in infra's golden templates.
func countFixed(t *testing.T) (f fixedParts) {
	t.Helper()
	for _, file := range []string{"plain-data.json", "plain-service.json"} {
		content, err := os.ReadFile("../../infra/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Resources map[string]struct {
				Type       string
				Properties struct{ Metrics []struct{ MetricStat any } }
			}
		}
		if err := json.Unmarshal(content, &template); err != nil {
			t.Fatal(err)
		}
		for _, r := range template.Resources {
			switch r.Type {
			case "AWS::KMS::Key":
				f.keys++
			case "AWS::SecretsManager::Secret":
				f.secrets++
			case "AWS::CloudWatch::Alarm":
				reckons := 0
				for _, m := range r.Properties.Metrics {
					if m.MetricStat != nil {
						reckons++
					}
				}
				f.alarms += max(1, reckons)
			}
		}
	}
	return f
}

// The functions' memory in GB, as infra gives it where nothing else is said.
const (
	workerGB = 1769.0 / 1024
	apiGB    = 512.0 / 1024
)
