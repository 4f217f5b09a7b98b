package fake

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// Region is the region of the configurations that this package makes.
const Region = "us-east-1"

// Credentials returns credentials that never expire.
func Credentials(accessKey, secretKey string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}, nil
	})
}

// Config returns the configuration of clients that call endpoint.
func Config(endpoint string) aws.Config {
	return aws.Config{Region: Region, Credentials: Credentials("AKIAEXAMPLE", "secret"),
		BaseEndpoint: aws.String(endpoint), AppID: "rollcall-test"}
}

// Serve serves a fake until the test ends and returns the configuration of clients that call it.
func Serve(t testing.TB, fake http.Handler) aws.Config {
	t.Helper()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return Config(server.URL)
}

// FromEnvironment serves a fake and returns the configuration that the SDK makes of an environment in which only the
// variable (AWS_ENDPOINT_URL or one with a service's name) says where it is.
func FromEnvironment(t *testing.T, variable string, fake http.Handler) aws.Config {
	t.Helper()
	for name, value := range map[string]string{
		variable: aws.ToString(Serve(t, fake).BaseEndpoint), "AWS_REGION": Region, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_CONFIG_FILE":       "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	c, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}
