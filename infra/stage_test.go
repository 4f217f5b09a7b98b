package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/infra/deployment"
)

// folderOf is a folder with files of context keys.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestAStageHasItsOwnKeys(t *testing.T) {
	folder := folderOf(t, map[string]string{
		"cdk.context.json": `{"rollcall:logDays": 30, "aws:of-the-cdk": 1}`,
		"stages/prod.json": `{"rollcall:usersTable": "users-2", "rollcall:tracing": true,
			"rollcall:tags": {"Team": "mail"}}`,
		"stages/other.json": `{"rollcall:tracing": false}`,
	})
	// As the CDK's command line gives it: cdk.context.json, and what -c says.
	given := map[string]any{"rollcall:stage": "prod", "rollcall:logDays": float64(30), "aws:of-the-cdk": float64(1),
		"rollcall:tracing": "false", "rollcall:jobsTable": "jobs-2"}
	all, d, wrong := readContext(folder, given)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	settings, err := ReadSettings(all)
	if err != nil {
		t.Fatal(err)
	}
	if settings.Name != "rollcall-prod" || settings.LogDays != 30 || settings.UsersTable != "users-2" ||
		settings.Tracing || settings.Tags["Team"] != "mail" {
		t.Errorf("the settings are %+v", settings)
	}
	want := deployment.Deployment{Kept: "infra/stages/prod.json", Passing: []string{"jobsTable", "tracing"}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	all, d, wrong = readContext(folder, map[string]any{"rollcall:logDays": float64(30)})
	if len(all) != 1 || len(wrong) > 0 || d.Kept != "infra/cdk.context.json" || len(d.Passing) > 0 {
		t.Errorf("without a stage there is %v, %+v, %v", all, d, wrong)
	}
}

func TestWrongFilesOfStagesAreNamed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"missing", nil, "infra/stages/prod.json is missing: make it"},
		{"no JSON", map[string]string{"stages/prod.json": "vpc"}, "infra/stages/prod.json is no JSON object"},
		{"no key of ours", map[string]string{"stages/prod.json": `{"vpc": true}`},
			"infra/stages/prod.json: the key vpc is no context key of rollcall"},
		{"another stage", map[string]string{"stages/prod.json": `{"rollcall:stage": "test"}`},
			"infra/stages/prod.json: remove rollcall:stage"},
		{"in two files", map[string]string{"stages/prod.json": `{"rollcall:vpc": true}`,
			"cdk.context.json": `{"rollcall:vpc": false}`},
			"context rollcall:vpc is in infra/cdk.context.json and in infra/stages/prod.json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, wrong := readContext(folderOf(t, tt.files), map[string]any{"rollcall:stage": "prod"})
			if len(wrong) != 1 || !strings.Contains(wrong[0].Error(), tt.want) {
				t.Errorf("the errors are %v, want %s", wrong, tt.want)
			}
		})
	}
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	c := appConfig{Folder: t.TempDir(), Built: t.TempDir(), Page: t.TempDir(), Out: t.TempDir(),
		Context: map[string]any{"rollcall:stage": "prod", "rollcall:vpc": "x", "rollcall:name": "default"}}
	err := synthesize(c)
	if err == nil {
		t.Fatal("it was taken")
	}
	for _, want := range []string{"stages/prod.json is missing", "rollcall:vpc=x", "rollcall:name=default",
		"run: make build", "index.html"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}

// What is deployed is known by its tags, and preflight by the file beside the templates.
func TestTheTemplatesSayWhatTheyAreFor(t *testing.T) {
	a := full(t)
	var manifest struct {
		Artifacts map[string]struct {
			Properties struct{ Tags map[string]string }
		}
	}
	if err := readJSON(filepath.Join(a.out, "manifest.json"), &manifest); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Team": "mail", "CostCentre": "42", "rollcall:stage": "test"}
	for _, stack := range []string{"data", "service"} {
		if diff := cmp.Diff(want, manifest.Artifacts[stack].Properties.Tags); diff != "" {
			t.Errorf("%s: %s", stack, diff)
		}
	}
	d, err := deployment.Read(a.out)
	if err != nil {
		t.Fatal(err)
	}
	if d.Kept != "infra/stages/test.json" || d.Values["usersTable"] != "users-restored" ||
		d.Values["logLevel"] != "debug" || d.Values["name"] != "staging" || len(d.Passing) < 20 {
		t.Errorf("it says %+v", d)
	}
}
