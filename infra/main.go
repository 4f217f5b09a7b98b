// Command infra makes the CloudFormation templates of a Rollcall deployment with the AWS CDK: a stack that holds what
// must never be lost, and one that can be replaced at any time. It takes its settings from context keys, which
// docs/operations.md lists. `make synth` runs it, and `make deploy` deploys what it makes.
package main

import (
	"fmt"
	"os"

	"github.com/aws/jsii-runtime-go"
)

// The folders that the stacks take files from, relative to this one: the CDK's CLI starts the program here.
const (
	builtFolder = "../dist/arm64"
	pageFolder  = "../portal/site"
)

func main() { os.Exit(write()) }

func write() int {
	defer jsii.Close()
	if err := synthesize(appConfig{Folder: ".", Built: builtFolder, Page: pageFolder}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
