package main

import (
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// addOriginKeys makes the secret by which the functions know what came through CloudFront, and keeps the one before it:
// the functions take both while CloudFront, which needs minutes, goes from one to the other. A higher number in
// rollcall:originKey makes the next. docs/adr/0058-origin-key.md has the reasons.
func (s *service) addOriginKeys() {
	// With 0 CloudFront sends the first already, so that a deployment which comes after can ask for it at once.
	newest := max(s.settings.OriginKey, 1)
	for number := newest; number > 0 && number > newest-2; number-- {
		key := awssecretsmanager.NewSecret(s.stack, jsii.String("origin-key-"+strconv.Itoa(number)),
			&awssecretsmanager.SecretProps{
				Description: jsii.String("Rollcall: what CloudFront tells the API, key " + strconv.Itoa(number)),
				GenerateSecretString: &awssecretsmanager.SecretStringGenerator{
					ExcludePunctuation: jsii.Bool(true), PasswordLength: jsii.Number(43),
				},
			})
		justify(key, "AwsSolutions-SMG4",
			"A deployment with a higher rollcall:originKey rotates it: CloudFront has to be told each new one.")
		// CloudFormation resolves it: the template holds a reference, and CloudFront and the functions the key.
		s.originKeys = append(s.originKeys, key.SecretValue().UnsafeUnwrap())
	}
}

// originKeyList is what a function takes; empty, it asks for none.
func (s *service) originKeyList() *string {
	var keys []string
	if s.settings.OriginKey == 0 {
		return jsii.String("")
	}
	for _, key := range s.originKeys {
		keys = append(keys, *key)
	}
	return jsii.String(strings.Join(keys, ","))
}

// sendKeysThatAreTaken has CloudFront send a new key only once the functions take it.
func (s *service) sendKeysThatAreTaken() {
	cdn := s.cdn.Node().DefaultChild().Node()
	for _, f := range manifest.Functions() {
		if f.Handler == manifest.HandlerAPI {
			cdn.AddDependency(s.functions[f.Name].lambda.Node().DefaultChild())
		}
	}
}
