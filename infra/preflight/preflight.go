package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/infra/deployment"
)

// preflight is a deployment that may take place, and the account that it would change.
type preflight struct {
	surroundings
	deployment.Deployment
	data, service template
	// bootstrap is the version that the templates need of the CDK's own stack, edge whether one is in us-east-1.
	bootstrap int
	edge      bool
	region    string

	sts     *sts.Client
	stacks  *cloudformation.Client
	lambda  *lambda.Client
	tables  *dynamodb.Client
	ses     *sesv2.Client
	useast1 *acm.Client
}

// template is what the checks read of one.
type template struct {
	Resources map[string]struct {
		Type       string
		Properties map[string]any
	}
	Outputs map[string]struct {
		Value  any
		Export struct{ Name string }
	}
}

func newPreflight(ctx context.Context, folder string, around surroundings) (*preflight, error) {
	p := &preflight{surroundings: around}
	var err error
	if p.Deployment, err = deployment.Read(folder); err != nil {
		return nil, err
	}
	var manifest struct {
		Artifacts map[string]struct {
			Properties struct{ RequiresBootstrapStackVersion int }
		}
	}
	for name, into := range map[string]any{"data.template.json": &p.data, "service.template.json": &p.service,
		"manifest.json": &manifest} {
		if err := readJSON(filepath.Join(folder, name), into); err != nil {
			return nil, err
		}
	}
	for _, artifact := range manifest.Artifacts {
		p.bootstrap = max(p.bootstrap, artifact.Properties.RequiresBootstrapStackVersion)
	}
	_, p.edge = manifest.Artifacts["edge"]
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of AWS: %w", err)
	}
	if cfg.Region == "" {
		return nil, fmt.Errorf("there is no region: set AWS_REGION, or one in the profile that AWS_PROFILE names")
	}
	p.region = cfg.Region
	p.sts, p.stacks, p.lambda = sts.NewFromConfig(cfg), cloudformation.NewFromConfig(cfg), lambda.NewFromConfig(cfg)
	p.tables, p.ses = dynamodb.NewFromConfig(cfg), sesv2.NewFromConfig(cfg)
	// CloudFront looks for certificates there.
	p.useast1 = acm.NewFromConfig(cfg, func(o *acm.Options) { o.Region = "us-east-1" })
	return p, nil
}

func readJSON(file string, into any) error {
	content, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		return fmt.Errorf("reading the templates; run: make synth: %w", err)
	}
	return nil
}

// of lists the properties of a template's resources of a type.
func (t template) of(kind string) (all []map[string]any) {
	for _, r := range t.Resources {
		if r.Type == kind {
			all = append(all, r.Properties)
		}
	}
	return all
}

// number is a property that may be left out.
func number(value any) int {
	n, _ := value.(float64)
	return int(n)
}

// refersTo is the resource that a property names, as far as it names one.
func refersTo(value any) string {
	object, _ := value.(map[string]any)
	if id, ok := object["Ref"].(string); ok {
		return id
	}
	if path, ok := object["Fn::GetAtt"].([]any); ok && len(path) > 0 {
		id, _ := path[0].(string)
		return id
	}
	return ""
}

// place compares account and region with those that the deployment is for.
func (p *preflight) place(ctx context.Context) (found []finding, err error) {
	who, err := p.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("no credentials of AWS work here; set AWS_PROFILE or sign in (%s)", brief(err))
	}
	for _, here := range []struct{ key, is string }{{"account", aws.ToString(who.Account)}, {"region", p.region}} {
		if want := p.Values[here.key]; want != "" && want != here.is {
			found = append(found, finding{name: here.key,
				what: fmt.Sprintf("The credentials are for the %[1]s %[2]s, and rollcall:%[1]s is %[3]s.", here.key,
					here.is, want),
				why: "This deployment belongs elsewhere: it would be made a second time here.",
				do:  "Set AWS_PROFILE or AWS_REGION, or give the STAGE= that you mean.",
			})
		}
	}
	return found, nil
}
