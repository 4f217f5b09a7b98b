package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awswafv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// edgeRegion is where CloudFront looks for firewalls and delivers its log from, wherever everything else is.
const edgeRegion = "us-east-1"

// addEdge makes the stack of what CloudFront has in its own region, if anything of that is asked for: a firewall that
// limits rates, and the log of the distribution. CloudFormation hands nothing over between regions, so that the
// operator tells each stack what the other one made.
func addEdge(scope constructs.Construct, s Settings) {
	if s.RateLimit == 0 && s.Distribution == "" {
		return
	}
	stack := awscdk.NewStack(scope, jsii.String("edge"), &awscdk.StackProps{
		StackName:   jsii.String(s.edgeName() + "-edge"),
		Tags:        s.tags(),
		Description: jsii.String("Rollcall: the firewall and the log of CloudFront"),
		Env:         &awscdk.Environment{Region: jsii.String(edgeRegion)},
	})
	if s.RateLimit > 0 {
		addFirewall(stack, s)
	}
	if s.Distribution != "" {
		addViewerLog(stack, s)
	}
}

// edgeName is a name in the region that the deployments of all regions share: their own region is in it.
func (s Settings) edgeName() string { return s.Name + "-" + s.Region }

// addFirewall makes a web ACL that refuses an address which sends too much, until it sends less again.
func addFirewall(stack awscdk.Stack, s Settings) {
	visible := func(name string) *awswafv2.CfnWebACL_VisibilityConfigProperty {
		return &awswafv2.CfnWebACL_VisibilityConfigProperty{
			CloudWatchMetricsEnabled: jsii.Bool(true), MetricName: jsii.String(s.edgeName() + "-" + name),
			// A sample would hold paths with addresses, and tokens.
			SampledRequestsEnabled: jsii.Bool(false),
		}
	}
	acl := awswafv2.NewCfnWebACL(stack, jsii.String("firewall"), &awswafv2.CfnWebACLProps{
		Name: jsii.String(s.edgeName()), Scope: jsii.String("CLOUDFRONT"), VisibilityConfig: visible("firewall"),
		DefaultAction: &awswafv2.CfnWebACL_DefaultActionProperty{Allow: &awswafv2.CfnWebACL_AllowActionProperty{}},
		Rules: &[]*awswafv2.CfnWebACL_RuleProperty{{
			Name: jsii.String("rate"), Priority: jsii.Number(0), VisibilityConfig: visible("rate"),
			Action: &awswafv2.CfnWebACL_RuleActionProperty{Block: &awswafv2.CfnWebACL_BlockActionProperty{
				CustomResponse: &awswafv2.CfnWebACL_CustomResponseProperty{ResponseCode: jsii.Number(429)},
			}},
			Statement: &awswafv2.CfnWebACL_StatementProperty{
				RateBasedStatement: &awswafv2.CfnWebACL_RateBasedStatementProperty{
					AggregateKeyType: jsii.String("IP"), Limit: jsii.Number(s.RateLimit),
					EvaluationWindowSec: jsii.Number(minutes5.Seconds()),
				},
			},
		}},
	})
	output(stack, "WebACL", "The firewall, for rollcall:webAcl", acl.AttrArn())
}

// viewerFields are what CloudFront logs of a request: neither path, query, referrer nor cookies, which hold addresses
// of users and what somebody looked for. The behaviour tells the page from the API.
var viewerFields = []string{"timestamp(ms)", "x-edge-request-id", "c-ip", "cs-method", "cache-behavior-path-pattern",
	"sc-status", "sc-bytes", "time-taken", "x-edge-result-type", "x-edge-location", "cs-protocol-version",
	"ssl-protocol", "ssl-cipher"}

// addViewerLog has CloudFront log each request (standard logs, version 2). The data key is in another region.
func addViewerLog(stack awscdk.Stack, s Settings) {
	logs := newLogGroup(stack, s, nil, "viewer-logs", vendedLogPrefix+s.edgeName()+"/cloudfront")
	name := jsii.String(s.edgeName() + "-cloudfront")
	source := awslogs.NewCfnDeliverySource(stack, jsii.String("viewer-log-source"), &awslogs.CfnDeliverySourceProps{
		Name: name, LogType: jsii.String("ACCESS_LOGS"),
		ResourceArn: stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("cloudfront"), Region: jsii.String(""), Resource: jsii.String("distribution"),
			ResourceName: jsii.String(s.Distribution),
		}),
	})
	destination := awslogs.NewCfnDeliveryDestination(stack, jsii.String("viewer-log-destination"),
		&awslogs.CfnDeliveryDestinationProps{
			Name: name, DestinationResourceArn: logs.LogGroupArn(), OutputFormat: jsii.String("json"),
		})
	delivery := awslogs.NewCfnDelivery(stack, jsii.String("viewer-log"), &awslogs.CfnDeliveryProps{
		DeliverySourceName: source.Name(), DeliveryDestinationArn: destination.AttrArn(),
		RecordFields: jsii.Strings(viewerFields...),
	})
	// It names its source by a text, in which CloudFormation sees no order.
	delivery.Node().AddDependency(source)
}
