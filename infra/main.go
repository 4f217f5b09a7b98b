// Command infra makes the CloudFormation templates of a Rollcall deployment with the AWS CDK: a stack that holds what
// must never be lost, and one that can be replaced at any time. It takes its settings from context keys, which
// docs/operations.md lists. `make synth` runs it, and `make deploy` deploys what it makes.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/jsii-runtime-go"

	"rollcall/portal"
)

// builtFolder holds the functions' binaries, relative to this folder: the CDK's CLI starts the program here.
const builtFolder = "../dist/arm64"

func main() { os.Exit(write()) }

func write() int {
	defer jsii.Close()
	page, err := writePage()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(page)
	// It copies the files that it takes.
	if err := synthesize(appConfig{Folder: ".", Built: builtFolder, Page: page}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// writePage writes the page's files into a new folder, for the CDK takes its assets from folders.
func writePage() (folder string, err error) {
	files, err := portal.Files()
	if err != nil {
		return "", err
	}
	folder, err = os.MkdirTemp("", "page")
	if err != nil {
		return "", fmt.Errorf("make a folder for the page's files: %w", err)
	}
	for name, content := range files {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, content, 0o600)); err != nil {
			return "", fmt.Errorf("write the page's files: %w", err)
		}
	}
	return folder, nil
}
