package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"rollcall/infra/deployment"
)

// sharedFile holds the context keys of all stages; the CDK's command line reads it. A stage's file is read here.
const sharedFile = "cdk.context.json"

// stageName leaves room for "rollcall-" before it.
var stageName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,10}$`)

// readContext adds the keys of the stage's file to those that the CDK's command line gave: its own, which win, and
// those of cdk.context.json. It also says where the keys are kept, and which are not.
func readContext(folder string, given map[string]any) (map[string]any, deployment.Deployment, []error) {
	shared, err := readKeys(folder, sharedFile)
	wrong := joined(err)
	all, kept, d := maps.Clone(given), shared, deployment.Deployment{Kept: "infra/" + sharedFile}
	if stage := plainText(given[contextPrefix+"stage"]); stageName.MatchString(stage) {
		name := filepath.Join("stages", stage+".json")
		own, err := readKeys(folder, name)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("infra/%s is missing: make it, with the context keys of this stage, such as "+
				`{"rollcall:alarmEmail": "ops@example.com"}`, name)
		}
		wrong = append(wrong, joined(err)...)
		wrong = append(wrong, twice(name, own, shared)...)
		d.Kept = "infra/" + name
		kept = maps.Clone(shared)
		maps.Copy(kept, own)
		for key, value := range own {
			if all[key] == nil {
				all[key] = value
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		own, ours := strings.CutPrefix(key, contextPrefix)
		if ours && own != "stage" && (kept[key] == nil || plainText(kept[key]) != plainText(all[key])) {
			d.Passing = append(d.Passing, own)
		}
	}
	return all, d, wrong
}

func joined(err error) []error {
	if err == nil {
		return nil
	}
	return []error{err}
}

// readKeys reads a file of context keys. Only that of all stages may be missing, and may hold keys of the CDK's own.
func readKeys(folder, name string) (keys map[string]any, err error) {
	content, err := os.ReadFile(filepath.Join(folder, name))
	if errors.Is(err, fs.ErrNotExist) && name == sharedFile {
		return map[string]any{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(content, &keys); err != nil {
		return nil, fmt.Errorf("infra/%s is no JSON object of context keys: %w", name, err)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		switch {
		case name == sharedFile:
		case key == contextPrefix+"stage":
			return nil, fmt.Errorf("infra/%s: remove rollcall:stage, which the file's own name says", name)
		case !strings.HasPrefix(key, contextPrefix):
			return nil, fmt.Errorf("infra/%s: the key %s is no context key of rollcall", name, key)
		}
	}
	return keys, nil
}

// twice finds keys that both files hold: nobody would know which of them counts.
func twice(name string, own, shared map[string]any) (wrong []error) {
	for _, key := range slices.Sorted(maps.Keys(own)) {
		if _, both := shared[key]; both {
			wrong = append(wrong, fmt.Errorf("context %s is in infra/%s and in infra/%s: leave it in one of them", key,
				sharedFile, name))
		}
	}
	return wrong
}
