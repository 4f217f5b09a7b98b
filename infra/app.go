package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"rollcall/infra/deployment"
	"rollcall/shared/manifest"
)

// appConfig says where the app finds its files and leaves its templates.
type appConfig struct {
	// Built holds a folder with a bootstrap for each binary, Page the page's files.
	Built string
	Page  string
	// Folder holds the files of context keys: cdk.context.json, and stages/STAGE.json.
	Folder string
	// Out is where templates go; empty leaves it to the CDK's CLI. Context is what the command line gives it otherwise.
	Out     string
	Context map[string]any
}

// flags are the CDK's feature flags that the templates need; they are here and not in cdk.json, so that tests have them
// too.
func flags() map[string]any {
	return map[string]any{
		// Property names and values that CloudFormation would refuse are refused here.
		"@aws-cdk/core:validateAgainstDefaultRules":       true,
		"@aws-cdk/aws-iam:minimizePolicies":               true,
		"@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": true,
		"@aws-cdk/core:target-partitions":                 []string{"aws"},
		// The stack of data cannot lose what the other one uses.
		"@aws-cdk/core:defaultCrossStackReferences":                 "strong",
		"@aws-cdk/core:checkSecretUsage":                            true,
		"@aws-cdk/aws-cloudfront:defaultSecurityPolicyTLSv1.2_2021": true,
	}
}

// synthesize writes the templates, and beside them what they were made for.
func synthesize(c appConfig) error {
	app, d, err := newApp(c)
	if err != nil {
		return err
	}
	return d.Write(*app.Synth(nil).Directory())
}

// newApp makes the app with its two stacks, and has cdk-nag look at all of it. Its error has everything that is wrong.
func newApp(c appConfig) (awscdk.App, deployment.Deployment, error) {
	context := flags()
	for key, value := range c.Context {
		context[key] = value
	}
	props := &awscdk.AppProps{AnalyticsReporting: jsii.Bool(false), Context: &context}
	if c.Out != "" {
		props.Outdir = jsii.String(c.Out)
	}
	app := awscdk.NewApp(props)
	given, _ := app.Node().GetAllContext(nil).(map[string]any)
	given, d, wrong := readContext(c.Folder, given)
	settings, err := ReadSettings(given)
	if err := errors.Join(append(wrong, err, c.checkFiles(settings))...); err != nil {
		return nil, d, err
	}
	d.Values = settings.values
	data := newData(app, settings, c)
	newService(app, settings, c, data)
	addEdge(app, settings)
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(true)}), nil)
	return app, d, nil
}

// checkFiles reports files that are missing: the CDK's own message names neither the reason nor what to do.
func (c appConfig) checkFiles(s Settings) error {
	binaries := map[string]bool{}
	for _, f := range manifest.Functions() {
		binaries[f.Binary] = true
	}
	if s.Issuer == "" {
		binaries[manifest.TokenBinary] = true
	}
	var missing []error
	for binary := range binaries {
		if _, err := os.Stat(filepath.Join(c.Built, binary, "bootstrap")); err != nil {
			missing = append(missing, fmt.Errorf("%w; run: make build", err))
		}
	}
	if _, err := os.Stat(filepath.Join(c.Page, "index.html")); err != nil {
		missing = append(missing, fmt.Errorf("the page's files: %w", err))
	}
	return errors.Join(missing...)
}
