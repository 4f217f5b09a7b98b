package main

import (
	"strings"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// justify says why one of cdk-nag's rules does not hold for a construct and what is below it. With findings it holds
// for all but those; one that begins with a slash is a regular expression, for what holds a generated name. A test
// fails where nothing is found that a reason was given for.
func justify(construct constructs.IConstruct, rule, reason string, findings ...string) {
	suppression := &cdknag.NagPackSuppression{Id: jsii.String(rule), Reason: jsii.String(reason)}
	if len(findings) > 0 {
		only := make([]any, len(findings))
		for i, finding := range findings {
			only[i] = finding
			if strings.HasPrefix(finding, "/") {
				only[i] = &cdknag.RegexAppliesTo{Regex: jsii.String(finding)}
			}
		}
		suppression.AppliesTo = &only
	}
	cdknag.NagSuppressions_AddResourceSuppressions(construct, &[]*cdknag.NagPackSuppression{suppression},
		jsii.Bool(true))
}
