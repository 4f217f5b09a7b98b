// Package deployment is what infra says about the templates that it made, for those who check them before they are
// deployed: a file beside them. It knows neither the CDK nor AWS.
package deployment

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// file is the name of the description beside the templates.
const file = "rollcall.json"

// Deployment is what the templates were made for.
type Deployment struct {
	// Values are those of the context keys that have one, defaults included, by the key's name without "rollcall:".
	Values map[string]string `json:"values"`
	// Kept is the file that the keys are kept in, as an operator names it.
	Kept string `json:"kept"`
	// Passing are the keys that the next deployment will not know: they were given on the command line alone.
	Passing []string `json:"passing"`
}

// Write leaves the description in the folder of the templates.
func (d Deployment) Write(folder string) error {
	content, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, file), append(content, '\n'), 0o600)
}

// Read returns the description in a folder.
func Read(folder string) (d Deployment, err error) {
	content, err := os.ReadFile(filepath.Join(folder, file))
	if err == nil {
		err = json.Unmarshal(content, &d)
	}
	if err != nil {
		return d, fmt.Errorf("reading what the templates were made for; run: make synth: %w", err)
	}
	return d, nil
}
