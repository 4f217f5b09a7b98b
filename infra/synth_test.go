package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// foldersVariable names the folder that all syntheses go into: several tests share one, and the last to end removes it.
const foldersVariable = "ROLLCALL_INFRA_TEST"

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folders, err := os.MkdirTemp("", "rollcall-infra-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(folders)
		os.Setenv(foldersVariable, folders)
		defer jsii.Close()
		return m.Run()
	}())
}

// plain is the deployment without any context; full is one with everything that a context key can turn on. Starting the
// CDK takes most of the time, so that the tests share them.
var (
	synthesizePlain = sync.OnceValue(func() assembly { return synthesized(map[string]any{}) })
	synthesizeFull  = sync.OnceValue(func() assembly { return synthesized(fullContext()) })
)

func plain(t *testing.T) assembly { return sound(t, synthesizePlain()) }
func full(t *testing.T) assembly  { return sound(t, synthesizeFull()) }

func sound(t *testing.T, a assembly) assembly {
	t.Helper()
	if a.err != nil {
		t.Fatal(a.err)
	}
	return a
}

func fullContext() map[string]any {
	return map[string]any{
		"rollcall:stage": "test", "rollcall:account": "123456789012", "rollcall:region": "eu-central-1",
		"rollcall:tags": map[string]any{"Team": "mail", "CostCentre": float64(42)},
		"rollcall:name": "staging", "rollcall:issuer": "https://login.example.com/tenant",
		"rollcall:audience": "rollcall,portal",
		"rollcall:clientId": "page", "rollcall:signInOrigins": "https://tokens.example.com",
		"rollcall:accountClaim": "tenant", "rollcall:scopePrefix": "import.",
		"rollcall:domain":         "import.example.com",
		"rollcall:frameAncestors": "https://portal.example.com,https://admin.example.com:8443",
		"rollcall:corsOrigins":    "https://portal.example.com",
		"rollcall:certificate":    "arn:aws:acm:us-east-1:123456789012:certificate/abc",
		"rollcall:webAcl":         "arn:aws:wafv2:us-east-1:123456789012:global/webacl/page/abc",
		"rollcall:vpc":            true, "rollcall:allowPrivate": true, "rollcall:denyRanges": []any{"192.0.2.0/24"},
		"rollcall:ports":   "389,636",
		"rollcall:vpcCidr": "10.80.0.0/20", "rollcall:vpcZones": float64(3), "rollcall:throttleRate": "200",
		"rollcall:throttleBurst": "400", "rollcall:connectorRate": "300", "rollcall:originKey": "3",
		"rollcall:rateLimit":    float64(2000),
		"rollcall:distribution": "E2QWERTYUIOP12",
		"rollcall:apiMemory":    "1024", "rollcall:workerConcurrency": "50", "rollcall:usersTable": "users-restored",
		"rollcall:jobsTable":    "jobs-restored",
		"rollcall:workerMemory": float64(3008), "rollcall:apiReserved": "20", "rollcall:workerReserved": "60",
		"rollcall:logDays": "30", "rollcall:logLevel": "debug",
		"rollcall:tracing": "true", "rollcall:alarmEmail": "ops@example.com", "rollcall:alarmFailedSyncs": "10",
		"rollcall:alarmFailedShare": "50", "rollcall:scheduleReserved": "2",
		"rollcall:mailFrom": "rollcall@example.com",
	}
}

// assembly is what a synthesis left.
type assembly struct {
	out     string
	err     error
	data    template
	service template
	// edge is empty where nothing is asked for that CloudFront has in its own region.
	edge template
}

// template is a CloudFormation template.
type template struct {
	Parameters map[string]any
	Resources  map[string]resource
	Outputs    map[string]any
}

type resource struct {
	Type                string
	Properties          map[string]any
	Metadata            map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
	DependsOn           []string
}

func synthesized(context map[string]any) assembly {
	config := temporary()
	config.Context = context
	if err := standIns(config); err != nil {
		return assembly{err: err}
	}
	if err := synthesize(config); err != nil {
		return assembly{err: err}
	}
	made, err := read(config.Out)
	made.err = err
	return made
}

// temporary is a configuration with folders of its own.
func temporary() appConfig {
	folder, err := os.MkdirTemp(os.Getenv(foldersVariable), "")
	if err != nil {
		panic(err)
	}
	return appConfig{Folder: folder, Built: filepath.Join(folder, "built"), Page: filepath.Join(folder, "page"),
		Out: filepath.Join(folder, "out")}
}

func read(out string) (made assembly, err error) {
	made.out = out
	if err := readJSON(filepath.Join(out, "data.template.json"), &made.data); err != nil {
		return made, err
	}
	if err := readJSON(filepath.Join(out, "service.template.json"), &made.service); err != nil {
		return made, err
	}
	edge := filepath.Join(out, "edge.template.json")
	if _, err := os.Stat(edge); errors.Is(err, fs.ErrNotExist) {
		return made, nil
	}
	return made, readJSON(edge, &made.edge)
}

// standIns are files in place of what make build and the page leave.
func standIns(c appConfig) error {
	stage := filepath.Join(c.Folder, "stages", "test.json")
	err := errors.Join(os.MkdirAll(filepath.Dir(stage), 0o755), os.WriteFile(stage, []byte("{}"), 0o600))
	if err != nil {
		return err
	}
	files := []string{filepath.Join(c.Page, "index.html"), filepath.Join(c.Built, manifest.TokenBinary, "bootstrap")}
	for _, f := range manifest.Functions() {
		files = append(files, filepath.Join(c.Built, f.Binary, "bootstrap"))
	}
	for _, file := range files {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		// Each has other contents, or they would be one asset.
		if err := os.WriteFile(file, []byte(filepath.Base(filepath.Dir(file))), 0o755); err != nil {
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
