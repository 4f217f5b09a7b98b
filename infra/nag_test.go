package main

import (
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

// finding is a line of cdk-nag's report: a rule that looked at a resource.
type finding struct{ rule, path, compliance, reason string }

func findings(t *testing.T, a assembly) []finding {
	t.Helper()
	reports, err := filepath.Glob(filepath.Join(a.out, "AwsSolutions-*-NagReport.csv"))
	stacks := 2
	if len(a.edge.Resources) > 0 {
		stacks++
	}
	if err != nil || len(reports) != stacks {
		t.Fatalf("cdk-nag reported on %v (%v)", reports, err)
	}
	var all []finding
	for _, report := range reports {
		content, err := os.Open(report)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(content).ReadAll()
		content.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines[1:] {
			all = append(all, finding{line[0], line[1], line[2], line[3]})
		}
	}
	if len(all) < 80 {
		t.Fatalf("cdk-nag looked at %d things only", len(all))
	}
	return all
}

func TestCDKNagFindsNothingWithoutAReason(t *testing.T) {
	for name, a := range map[string]assembly{"plain": plain(t), "full": full(t)} {
		for _, f := range findings(t, a) {
			if f.compliance != "Compliant" && f.compliance != "Suppressed" && f.compliance != "N/A" {
				t.Errorf("%s: %s: %s is %s", name, f.path, f.rule, f.compliance)
			}
		}
	}
}

// A reason is written into the templates beside what it is for, and, by each rule that it was needed for, into the
// report.
func TestEveryReasonIsNeeded(t *testing.T) {
	for name, a := range map[string]assembly{"plain": plain(t), "full": full(t)} {
		needed := map[string]bool{}
		for _, f := range findings(t, a) {
			if f.compliance == "Suppressed" {
				_, reason, cut := strings.Cut(f.reason, "] ")
				if !cut || !strings.HasPrefix(f.reason, "[") {
					reason = f.reason
				}
				needed[f.rule+": "+reason] = true
			}
		}
		given := map[string]bool{}
		for _, stack := range []template{a.data, a.service, a.edge} {
			for _, r := range stack.Resources {
				for _, rule := range list(at(r.Metadata, "cdk_nag.rules_to_suppress")) {
					given[fmt.Sprint(at(rule, "id"), ": ", at(rule, "reason"))] = true
				}
			}
		}
		for _, reason := range slices.Sorted(maps.Keys(given)) {
			if !needed[reason] {
				t.Errorf("%s: nothing is found that this is the reason for: %s", name, reason)
			}
		}
		if len(given) < 5 {
			t.Errorf("%s: the templates hold %d reasons only", name, len(given))
		}
	}
}

func TestWhatCloudFormationWouldRefuseEndsTheSynthesis(t *testing.T) {
	context := flags()
	app := awscdk.NewApp(&awscdk.AppProps{Context: &context, Outdir: jsii.String(t.TempDir())})
	stack := awscdk.NewStack(app, jsii.String("wrong"), nil)
	awss3.NewCfnBucket(stack, jsii.String("bucket"),
		&awss3.CfnBucketProps{}).AddPropertyOverride(jsii.String("BucketNaem"), jsii.String("a"))
	defer func() {
		if says := fmt.Sprint(recover()); !strings.Contains(says, "alidation") {
			t.Errorf("the synthesis ended with %s", says)
		}
	}()
	app.Synth(nil)
}
