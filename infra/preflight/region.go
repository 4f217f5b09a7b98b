package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
)

// services finds what the region does not have: a service has a host name in each region where it is offered.
func (p *preflight) services(ctx context.Context) (found []finding, err error) {
	names := []string{"apigateway", "cloudformation", "dynamodb", "events", "kms", "lambda", "logs", "monitoring", "s3",
		"secretsmanager", "sns", "sqs", "ssm"}
	if p.Values["issuer"] == "" {
		names = append(names, "cognito-idp")
	}
	if p.Values["mailFrom"] != "" {
		names = append(names, "email")
	}
	var missing []string
	for _, name := range names {
		err := p.lookup(ctx, name+"."+p.region+".amazonaws.com")
		var unknown *net.DNSError
		if errors.As(err, &unknown) && unknown.IsNotFound {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		found = append(found, finding{name: "services",
			what: fmt.Sprintf("The region %s does not have %s.", p.region, strings.Join(missing, ", ")),
			why:  "The deployment would fail where it makes something of it.",
			do:   "Choose another region, with AWS_REGION; for cognito-idp, give an issuer of your own.",
		})
	}
	return found, nil
}

// stack returns a deployed stack, or nil.
func (p *preflight) stack(ctx context.Context, name string) (*cfntypes.Stack, error) {
	out, err := p.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	var problem smithy.APIError
	if errors.As(err, &problem) && problem.ErrorCode() == "ValidationError" &&
		strings.Contains(problem.ErrorMessage(), "does not exist") {
		return nil, nil
	}
	if err != nil || len(out.Stacks) == 0 {
		return nil, err
	}
	return &out.Stacks[0], nil
}

func outputs(s *cfntypes.Stack) map[string]string {
	all := make(map[string]string)
	for _, o := range s.Outputs {
		all[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return all
}

func (p *preflight) bootstrapped(ctx context.Context) ([]finding, error) {
	toolkit, err := p.stack(ctx, "CDKToolkit")
	if err != nil {
		return blind("bootstrap", "Whether account and region are prepared for the CDK", err), nil
	}
	f := finding{name: "bootstrap", what: "Account and region are not prepared for the CDK.",
		why: "The CDK uploads into a bucket, and deploys with roles: its stack CDKToolkit makes both.",
		do:  "Run: make bootstrap"}
	if toolkit == nil {
		return []finding{f}, nil
	}
	if has, _ := strconv.Atoi(outputs(toolkit)["BootstrapVersion"]); has < p.bootstrap {
		f.what = fmt.Sprintf("CDKToolkit has the version %d, and this CDK needs %d.", has, p.bootstrap)
		return []finding{f}, nil
	}
	return nil, nil
}

const (
	// apiShare is the concurrency that the API shall have when all workers work, or a quarter of a small quota.
	apiShare = 20
	// leftUnreserved is what Lambda lets nobody set aside.
	leftUnreserved = 100
)

// concurrency holds the account's quota against what the workers may take of it. A new account may have 10.
func (p *preflight) concurrency(ctx context.Context) (found []finding, err error) {
	settings, err := p.lambda.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil || settings.AccountLimit == nil {
		return blind("concurrency", "The quota of concurrent executions", err), nil
	}
	quota := int(settings.AccountLimit.ConcurrentExecutions)
	reserved, workers, sources := p.claims()
	const ask = "Ask for more at Service Quotas (AWS Lambda, Concurrent executions, L-B99A9384)"
	if reserved > 0 && reserved+leftUnreserved > quota {
		found = append(found, finding{name: "concurrency",
			what: fmt.Sprintf("The functions set %d of %d concurrent executions aside.", reserved, quota),
			why:  fmt.Sprintf("Lambda keeps %d of an account's for everybody, and refuses this.", leftUnreserved),
			do: fmt.Sprintf("%s: at least %d; or lower rollcall:scheduleReserved, rollcall:apiReserved and "+
				"rollcall:workerReserved.", ask, reserved+leftUnreserved)})
		reserved = 0
	}
	share := min(apiShare, int(math.Ceil(float64(quota)/4)))
	if sources == 0 || workers+share <= quota-reserved {
		return found, nil
	}
	do := fmt.Sprintf("%s: at least %d", ask, workers+reserved+apiShare)
	if fits := (quota - reserved - share) / sources; fits >= 2 {
		do += fmt.Sprintf("; until then set rollcall:workerConcurrency=%d", fits)
	}
	return append(found, finding{name: "concurrency",
		what: fmt.Sprintf("The account may run %d functions at once, and the workers take up to %d of them.", quota,
			workers+reserved),
		why: "When they do, the API's functions are refused: the page does not answer while directories are read.",
		do:  do + "."}), nil
}

// claims adds up what is set aside, and what workers without anything set aside may take, from how many queues.
func (p *preflight) claims() (reserved, workers, sources int) {
	own := make(map[string]bool)
	for id, r := range p.service.Resources {
		if r.Type == "AWS::Lambda::Function" {
			n := number(r.Properties["ReservedConcurrentExecutions"])
			own[id] = n > 0
			reserved += n
		}
	}
	for _, mapping := range p.service.of("AWS::Lambda::EventSourceMapping") {
		scaling, _ := mapping["ScalingConfig"].(map[string]any)
		if most := number(scaling["MaximumConcurrency"]); most > 0 && !own[refersTo(mapping["FunctionName"])] {
			workers += most
			sources++
		}
	}
	return reserved, workers, sources
}
