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
func (p *preflight) stack(
	ctx context.Context, name string, options ...func(*cloudformation.Options),
) (*cfntypes.Stack, error) {
	out, err := p.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name}, options...)
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

// edgeRegion is where a stack of what CloudFront has is, if there is one.
const edgeRegion = "us-east-1"

func (p *preflight) bootstrapped(ctx context.Context) (found []finding, err error) {
	regions := []string{p.region}
	if p.edge && p.region != edgeRegion {
		regions = append(regions, edgeRegion)
	}
	for _, region := range regions {
		toolkit, err := p.stack(ctx, "CDKToolkit", func(o *cloudformation.Options) { o.Region = region })
		if err != nil {
			return blind("bootstrap", "Whether "+region+" is prepared for the CDK", err), nil
		}
		f := finding{name: "bootstrap", what: "The account is not prepared for the CDK in " + region + ".",
			why: "The CDK uploads into a bucket, and deploys with roles: its stack CDKToolkit makes both.",
			do:  "Run: make bootstrap"}
		has := 0
		if toolkit != nil {
			has, _ = strconv.Atoi(outputs(toolkit)["BootstrapVersion"])
			f.what = fmt.Sprintf("CDKToolkit in %s has the version %d, and this CDK needs %d.", region, has,
				p.bootstrap)
		}
		if has < p.bootstrap {
			found = append(found, f)
		}
	}
	return found, nil
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
	return p.crowded(int(settings.AccountLimit.ConcurrentExecutions)), nil
}

func (p *preflight) crowded(quota int) (found []finding) {
	reserved, workers, sources := p.claims()
	need := max(workers+reserved+apiShare, reserved+leftUnreserved)
	ask := fmt.Sprintf("Ask Service Quotas (AWS Lambda, Concurrent executions, L-B99A9384) for at least %d", need)
	if reserved > 0 && reserved+leftUnreserved > quota {
		found = append(found, finding{name: "concurrency",
			what: fmt.Sprintf("The functions set %d of %d concurrent executions aside.", reserved, quota),
			why:  fmt.Sprintf("Lambda keeps %d of an account's for everybody, and refuses this.", leftUnreserved),
			do: ask + ". Or set less aside: rollcall:scheduleReserved=0, and lower rollcall:apiReserved and " +
				"rollcall:workerReserved where they are set."})
		reserved = 0 // It has to go.
	}
	share := min(apiShare, int(math.Ceil(float64(quota)/4)))
	if sources == 0 || workers+share <= quota-reserved {
		return found
	}
	do := ask
	if fits := (quota - reserved - share) / sources; fits >= 2 {
		do += fmt.Sprintf("; until then set rollcall:workerConcurrency=%d", fits)
	}
	return append(found, finding{name: "concurrency",
		what: fmt.Sprintf("The account may run %d functions at once, and the workers take up to %d of them.", quota,
			workers),
		why: "When they do, the API's functions are refused: the page does not answer while directories are read.",
		do:  do + "."})
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
