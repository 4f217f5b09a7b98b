package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/deployment"
)

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// plain is the deployment without any context; full is one with everything that a context key can turn on.
var (
	plain = sync.OnceValue(func() assembly { return synthesize(map[string]any{}) })
	full  = sync.OnceValue(func() assembly { return synthesize(fullContext()) })
)

func fullContext() map[string]any {
	return map[string]any{
		"rollcall:name": "staging", "rollcall:issuer": "https://login.example.com/tenant", "rollcall:audience": "rollcall,portal",
		"rollcall:clientId": "page", "rollcall:signInOrigins": "https://tokens.example.com", "rollcall:accountClaim": "tenant", "rollcall:scopePrefix": "import.",
		"rollcall:domain": "import.example.com", "rollcall:certificate": "arn:aws:acm:us-east-1:123456789012:certificate/abc",
		"rollcall:webAcl": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/page/abc",
		"rollcall:vpc":    true, "rollcall:allowPrivate": true, "rollcall:denyRanges": []any{"192.0.2.0/24"}, "rollcall:ports": "389,636",
		"rollcall:workerMemory": float64(3008), "rollcall:apiReserved": "20", "rollcall:workerReserved": "40", "rollcall:logDays": "30", "rollcall:logLevel": "debug",
		"rollcall:tracing": "true", "rollcall:alarmEmail": "ops@example.com", "rollcall:alarmFailedSyncs": "10",
	}
}

// assembly is what a synthesis left.
type assembly struct {
	folder  string
	err     error
	data    template
	service template
}

// template is a CloudFormation template.
type template struct {
	Resources map[string]resource
	Outputs   map[string]any
}

type resource struct {
	Type                string
	Properties          map[string]any
	Metadata            map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// folders are removed by nobody but the operating system: they are shared by tests that end at different times.
func synthesize(context map[string]any) (made assembly) {
	folder, err := os.MkdirTemp("", "rollcall-infra-*")
	if err != nil {
		return assembly{err: err}
	}
	made.folder = folder
	config := appConfig{Built: filepath.Join(folder, "built"), Page: filepath.Join(folder, "page"), Out: filepath.Join(folder, "out"), Context: context}
	if made.err = standIns(config); made.err != nil {
		return made
	}
	app, err := newApp(config)
	if err != nil {
		return assembly{err: err}
	}
	app.Synth(nil)
	made.err = readJSON(filepath.Join(config.Out, "data.template.json"), &made.data)
	if made.err == nil {
		made.err = readJSON(filepath.Join(config.Out, "service.template.json"), &made.service)
	}
	return made
}

// standIns are files in place of what make build and the page leave.
func standIns(c appConfig) error {
	files := []string{filepath.Join(c.Page, "index.html"), filepath.Join(c.Built, deployment.TokenBinary, "bootstrap")}
	for _, f := range deployment.Functions() {
		files = append(files, filepath.Join(c.Built, f.Binary, "bootstrap"))
	}
	for _, file := range files {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(file[len(c.Built):]), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func readJSON(file string, into any) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}

func TestFirst(t *testing.T) {
	for _, a := range []assembly{plain(), full()} {
		if a.err != nil {
			t.Fatal(a.err)
		}
		t.Log(a.folder, len(a.data.Resources), len(a.service.Resources))
	}
}
