package api

import (
	"time"

	"rollcall/shared/run"
	"rollcall/shared/user"
)

// Failure is why a run failed.
type Failure struct {
	Code    string `json:"code" doc:"For programs; stable" example:"connection_failed"`
	Message string `json:"message" doc:"What went wrong and what to do" example:"The server refused the password. Enter it again."`
	Step    string `json:"step,omitempty" doc:"The step of the connection that failed" example:"bind"`
}

func failureView(f *run.Failure) *Failure {
	if f == nil {
		return nil
	}
	return &Failure{Code: f.Code, Message: f.Message, Step: f.Step}
}

// Summary counts a plan.
type Summary struct {
	run.Summary
	RemovalsImported int `json:"removalsImported" doc:"How many of the plan's removals an import had created" example:"0"`
}

// summaryView gives every type its count, also before there is a plan.
func summaryView(r run.Run) Summary {
	s := Summary{r.Result.Summary, r.Result.Census.RemovalsImported}
	if s.ByType == nil {
		s.ByType = map[user.Type]int{}
	}
	return s
}

// list returns a list that is [] where it is empty.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// moment returns a time, or null where there is none yet.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Started is the answer to a request that started a run.
type Started struct {
	ID    string    `json:"id" doc:"Names what was started" example:"01M852AJH242XXNWN3EKWSF2WF"`
	State run.State `json:"state" enum:"queued,running,done,failed,blocked,cancelled" doc:"How far it is" example:"queued"`
}

// StartedOutput says where a run that was started is shown.
type StartedOutput struct {
	Location string `header:"Location" doc:"The path that shows what was started"`
	Body     Started
}

// StartedView shows what starting a run gave.
func StartedView(r run.Run, err error) (*StartedOutput, error) {
	if err != nil {
		return nil, err
	}
	return &StartedOutput{Location: pathOf(r), Body: Started{ID: r.ID, State: r.State}}, nil
}

// pathOf returns the path that shows a run.
func pathOf(r run.Run) string {
	switch r.Kind {
	case run.KindPreview:
		return "/v1/previews/" + r.ID
	case run.KindExplanation:
		return "/v1/explanations/" + r.ID
	}
	return "/v1/syncs/" + r.ID
}
