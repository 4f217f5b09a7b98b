package api

import (
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/run"
)

// Export is a CSV that was asked for.
type Export struct {
	ID        string     `json:"id"`
	State     run.State  `json:"state" enum:"queued,running,done,failed,blocked,cancelled"`
	URL       string     `json:"url" doc:"Downloads the file until expiresAt; empty until the export is done"`
	ExpiresAt *time.Time `json:"expiresAt"`
	Rows      int        `json:"rows"`
	Bytes     int64      `json:"bytes"`
	SHA256    string     `json:"sha256"`
	FileName  string     `json:"fileName"`
}

// ExportView shows an export.
func ExportView(e importer.Export) Export {
	view := Export{ID: e.Run.ID, State: e.Run.State, URL: e.URL, ExpiresAt: moment(e.ExpiresAt)}
	if x := e.Run.Export; x != nil {
		view.Rows, view.Bytes, view.SHA256, view.FileName = x.Rows, x.Bytes, x.SHA256, x.FileName
	}
	return view
}
