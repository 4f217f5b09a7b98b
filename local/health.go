package main

import (
	"encoding/json"
	"net/http"
	"runtime"
	"runtime/debug"
)

// buildInfo says which program this is.
type buildInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// build returns what the Go command noted when it built the program. Outside of a git checkout there is no commit.
func build() buildInfo {
	b := buildInfo{Version: "(devel)", Commit: "unknown", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Commit = s.Value
		}
	}
	return b
}

// healthz answers 200 while the data can be read, and 503 else.
func (m *metrics) healthz(w http.ResponseWriter, _ *http.Request) {
	status, answer := http.StatusOK, map[string]string{"status": "ok"}
	if m.state != nil {
		if _, err := m.state(); err != nil {
			status, answer = http.StatusServiceUnavailable, map[string]string{"status": "the data cannot be read"}
		}
	}
	writeJSON(w, status, answer)
}

func version(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, build()) }

func writeJSON(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The status is out; a broken connection is all that can fail here.
	_ = json.NewEncoder(w).Encode(answer)
}
