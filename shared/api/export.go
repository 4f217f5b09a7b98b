package api

import (
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/run"
)

// Export is a CSV that was asked for.
type Export struct {
	ID        string     `json:"id" doc:"Names the export" example:"01M852AJH242XXNWN3EKWSF2WF"`
	State     run.State  `json:"state" enum:"queued,running,done,failed,blocked,cancelled" doc:"How far it is" example:"done"`
	URL       string     `json:"url" doc:"Downloads the file until expiresAt; empty until the export is done" example:"https://example.s3.amazonaws.com/csv/01M852AJH242XXNWN3EKWSF2WF.csv"`
	ExpiresAt *time.Time `json:"expiresAt" doc:"Until when url works; null until the export is done" example:"2026-11-26T08:00:00Z"`
	Rows      int        `json:"rows" doc:"Lines of the file, without its head" example:"452"`
	Bytes     int64      `json:"bytes" doc:"Size of the file" example:"41872"`
	SHA256    string     `json:"sha256" doc:"The file's SHA-256, 64 hexadecimal digits; empty until the export is done" example:"2f0e0ba9e5a9b1f5e1c7d4f5b0a1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3"`
	FileName  string     `json:"fileName" doc:"What the file is saved as" example:"rollcall-acme-users-20261126T080000Z.csv"`
}

// ExportView shows an export.
func ExportView(e importer.Export) Export {
	view := Export{ID: e.Run.ID, State: e.Run.State, URL: e.URL, ExpiresAt: moment(e.ExpiresAt)}
	if x := e.Run.Export; x != nil {
		view.Rows, view.Bytes, view.SHA256, view.FileName = x.Rows, x.Bytes, x.SHA256, x.FileName
	}
	return view
}
