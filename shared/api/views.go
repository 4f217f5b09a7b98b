package api

import (
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// ConnectionView is a connection as it is shown: whether there is a password, and never which.
type ConnectionView struct {
	ServerType       settings.ServerType `json:"serverType"`
	Host             string              `json:"host"`
	Port             int                 `json:"port"`
	UseSSL           bool                `json:"useSSL"`
	Username         string              `json:"username"`
	PasswordSet      bool                `json:"passwordSet" doc:"A password is stored"`
	CACertificate    string              `json:"caCertificate,omitempty"`
	Encryption       settings.Encryption `json:"encryption" enum:"required,preferred,none"`
	AllowUnencrypted bool                `json:"allowUnencrypted" doc:"Whether encryption is preferred"`
	OldTLS           bool                `json:"oldTLS"`

	TrustedCertificate string `json:"trustedCertificate,omitempty"`
}

func connectionView(c settings.Connection, sealed []byte) ConnectionView {
	return ConnectionView{
		ServerType: c.ServerType, Host: c.Host, Port: c.Port, UseSSL: c.UseSSL, Username: c.Username,
		PasswordSet:   sealed != nil,
		CACertificate: c.CACertificate, Encryption: c.Mode(), AllowUnencrypted: c.Mode() == settings.Preferred,
		OldTLS: c.OldTLS, TrustedCertificate: c.TrustedCertificate,
	}
}

// ImportView is what a run was asked to do.
type ImportView struct {
	Connection ConnectionView    `json:"connection"`
	Advanced   settings.Advanced `json:"advanced"`
	Options    settings.Options  `json:"options"`
}

// Failure is why a run failed.
type Failure struct {
	_       struct{} `json:"-" nullable:"true"`
	Code    string   `json:"code" doc:"For programs; stable"`
	Message string   `json:"message" doc:"What went wrong and what to do"`
	Step    string   `json:"step,omitempty" doc:"The step of the connection that failed"`
}

func failureView(f *run.Failure) *Failure {
	if f == nil {
		return nil
	}
	return &Failure{Code: f.Code, Message: f.Message, Step: f.Step}
}

// Preview is a preview.
type Preview struct {
	ID         string       `json:"id"`
	State      run.State    `json:"state" enum:"queued,running,done,failed,blocked,cancelled"`
	UndoOf     string       `json:"undoOf,omitempty" doc:"The sync whose undoing this shows"`
	CreatedAt  time.Time    `json:"createdAt"`
	ExpiresAt  time.Time    `json:"expiresAt" doc:"When its rows are deleted"`
	Settings   ImportView   `json:"settings"`
	Progress   run.Progress `json:"progress"`
	Connection []run.Step   `json:"connection" doc:"The steps of reaching the directory, in order"`
	Notes      []string     `json:"notes" doc:"What was missing or unusual about the directory"`
	Summary    Summary      `json:"summary"`
	Guard      run.Guard    `json:"guard" doc:"The removal guard's verdict, as if Remove Accounts were chosen"`
	Error      *Failure     `json:"error"`
	Syncs      []string     `json:"syncs" doc:"The syncs that used it, the oldest first"`
	Outdated   bool         `json:"outdated" doc:"A later sync or edit changed the Users List"`
	Facets     *Facets      `json:"facets" doc:"null in lists, until the preview is done, and for previews of version 0.4"`
}

// Facets count the rows of a preview by what they can be filtered by.
type Facets struct {
	_      struct{}         `json:"-" nullable:"true"`
	Type   []planfile.Value `json:"type" doc:"The most frequent first"`
	Reason []planfile.Value `json:"reason" doc:"The 50 most frequent"`
	Domain []planfile.Value `json:"domain" doc:"The 50 most frequent. Of more than 20,000 domains the numbers may be a little too small"`
}

func facetsView(f *planfile.Facets) *Facets {
	if f == nil {
		return nil
	}
	return &Facets{Type: f.Types, Reason: f.Reasons, Domain: f.Domains}
}

// PreviewView shows a preview.
func PreviewView(r importer.ShownPreview) Preview {
	return Preview{
		Syncs: list(r.Syncs), Outdated: r.Outdated,
		ID: r.ID, State: r.State, UndoOf: r.UndoOf, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt,
		Settings: ImportView{Connection: connectionView(r.Import.Connection, r.SealedPassword),
			Advanced: r.Import.Advanced.Shown(), Options: r.Import.Options},
		Progress: r.Progress, Connection: list(r.Steps), Notes: list(r.Notes), Summary: summaryView(r.Run),
		Guard: r.Guard, Error: failureView(r.Failure), Facets: facetsView(r.Facets),
	}
}

// Sync is a sync.
type Sync struct {
	_          struct{}         `json:"-" nullable:"true"`
	ID         string           `json:"id"`
	State      run.State        `json:"state" enum:"queued,running,done,failed,blocked,cancelled"`
	Trigger    run.Trigger      `json:"trigger" enum:"manual,schedule,undo,quick"`
	StartedBy  string           `json:"startedBy"`
	PreviewID  string           `json:"previewId,omitempty"`
	UndoOf     string           `json:"undoOf,omitempty" doc:"The sync that this one reverses"`
	Host       string           `json:"host" doc:"The servers that its settings name"`
	Options    settings.Options `json:"options"`
	CreatedAt  time.Time        `json:"createdAt"`
	StartedAt  *time.Time       `json:"startedAt"`
	FinishedAt *time.Time       `json:"finishedAt"`
	DurationMS int64            `json:"durationMs" doc:"From start to end, or to now"`
	Progress   run.Progress     `json:"progress"`
	Connection []run.Step       `json:"connection"`
	Notes      []string         `json:"notes"`
	Summary    Summary          `json:"summary" doc:"The plan"`
	Applied    *Applied         `json:"applied" doc:"What was done; null until the end, and for syncs of version 0.4"`
	Guard      run.Guard        `json:"guard"`
	Error      *Failure         `json:"error"`

	// ConfirmRemovals links a blocked sync and the one that somebody confirmed.
	ConfirmRemovals *int `json:"confirmRemovals" doc:"How many removals somebody confirmed; null where nobody did"`
}

// Applied is what a sync did. The six numbers add up to progress.toApply.
type Applied struct {
	_         struct{} `json:"-" nullable:"true"`
	Create    int      `json:"create"`
	Update    int      `json:"update"`
	Delete    int      `json:"delete"`
	Already   int      `json:"already" doc:"Users that were in the wanted state before the sync wrote"`
	Conflicts int      `json:"conflicts" doc:"Users that somebody changed meanwhile: they were left as they are"`
	Pending   int      `json:"pending" doc:"Not written: cancelled, failed, or held by the removal guard"`
}

func appliedView(a *run.Applied) *Applied {
	if a == nil {
		return nil
	}
	return &Applied{
		Create: a.Create, Update: a.Update, Delete: a.Delete, Already: a.Already, Conflicts: a.Conflicts,
		Pending: a.Pending,
	}
}

// SyncView shows a sync as it is at a time.
func SyncView(r run.Run, now time.Time) Sync {
	view := Sync{
		ID: r.ID, State: r.State, Trigger: r.Trigger, StartedBy: r.StartedBy, PreviewID: r.PreviewID, UndoOf: r.UndoOf,
		Host: r.Import.Connection.Host, Options: r.Import.Options, ConfirmRemovals: r.ConfirmRemovals,
		CreatedAt: r.CreatedAt, StartedAt: moment(r.StartedAt), FinishedAt: moment(r.FinishedAt), Progress: r.Progress,
		Connection: list(r.Steps), Notes: list(r.Notes), Summary: summaryView(r), Guard: r.Guard,
		Applied: appliedView(r.Applied), Error: failureView(r.Failure),
	}
	switch {
	case r.StartedAt.IsZero():
	case r.FinishedAt.IsZero():
		view.DurationMS = now.Sub(r.StartedAt).Milliseconds()
	default:
		view.DurationMS = r.FinishedAt.Sub(r.StartedAt).Milliseconds()
	}
	return view
}

// Summary counts a plan.
type Summary struct {
	run.Summary
	RemovalsImported int `json:"removalsImported" doc:"How many of the plan's removals an import had created"`
}

// summaryView gives every type its count, also before there is a plan.
func summaryView(r run.Run) Summary {
	s := Summary{r.Result.Summary, r.Result.Census.RemovalsImported}
	if s.ByType == nil {
		s.ByType = map[user.Type]int{}
	}
	return s
}

// Schedule is a saved schedule.
type Schedule struct {
	_             struct{}  `json:"-" nullable:"true"`
	IntervalHours int       `json:"intervalHours" minimum:"1" maximum:"24"`
	NextRunAt     time.Time `json:"nextRunAt"`
	QuickMinutes  *int      `json:"quickMinutes" nullable:"true" minimum:"5" maximum:"60" doc:"Minutes between quick looks; null for none"`
	Paused        bool      `json:"paused"`
	PausedReason  string    `json:"pausedReason,omitempty"`
}

// Quick is whether and how the directory can be looked at for what changed.
type Quick struct {
	_        struct{} `json:"-" nullable:"true"`
	Possible bool     `json:"possible" doc:"The directory tells what changed"`
	By       string   `json:"by" enum:",uSNChanged,entryCSN,modifyTimestamp" doc:"The attribute that tells it"`
	Reason   string   `json:"reason" doc:"Why it is not possible, or which index would make looks cheaper"`
	Error    string   `json:"error" doc:"Why the last look failed; empty where it did not"`
}

// Settings are the saved settings.
type Settings struct {
	Connection          ConnectionView    `json:"connection"`
	Advanced            settings.Advanced `json:"advanced"`
	Options             settings.Options  `json:"options"`
	Schedule            *Schedule         `json:"schedule"`
	LastRun             *Sync             `json:"lastRun"`
	ConsecutiveFailures int               `json:"consecutiveFailures"`
	Health              settings.Health   `json:"health"`
	Quick               *Quick            `json:"quick" doc:"Known after the first full sync with these settings"`
	LastLookAt          *time.Time        `json:"lastLookAt" doc:"When the last quick look ended that did not fail"`
	UpdatedAt           time.Time         `json:"updatedAt"`
}

// SettingsView shows saved settings.
func SettingsView(s importer.Saved, now time.Time) Settings {
	view := Settings{
		Connection: connectionView(s.Connection, s.SealedPassword), Advanced: s.Advanced.Shown(), Options: s.Options,
		ConsecutiveFailures: s.ConsecutiveFailures, Health: s.Health, UpdatedAt: s.UpdatedAt,
	}
	if s.Schedule != nil {
		view.Schedule = &Schedule{
			IntervalHours: s.Schedule.IntervalHours, NextRunAt: s.Schedule.NextRunAt, Paused: s.Schedule.Paused,
			PausedReason: s.Schedule.PausedReason,
		}
		if quick := s.Schedule.QuickMinutes; quick > 0 {
			view.Schedule.QuickMinutes = &quick
		}
	}
	if l := s.Looks; l != nil {
		view.Quick = &Quick{Possible: l.Possible(), By: l.By(), Reason: l.Reason, Error: l.Error}
		view.LastLookAt = moment(l.LastAt)
	}
	if s.LastRun != nil {
		last := SyncView(*s.LastRun, now)
		view.LastRun = &last
	}
	return view
}

// Row is a row of a preview.
type Row struct {
	Address        string      `json:"address"`
	Kind           user.Kind   `json:"kind" doc:"primary or alias; empty for a value that is neither"`
	PrimaryAddress string      `json:"primaryAddress"`
	Type           user.Type   `json:"type"`
	Change         plan.Change `json:"change" enum:"create,update,delete,unchanged,skipped"`
	Reason         string      `json:"reason"`
	DN             string      `json:"dn"`
	Source         user.Source `json:"source,omitempty" doc:"Who put the stored user on the list: directory or manual"`
	Notes          []string    `json:"notes"`
}

// RowView shows a row.
func RowView(r *plan.Row) Row {
	row := Row{
		Address: r.Address, Kind: r.Kind, PrimaryAddress: r.PrimaryAddress, Type: r.Type, Change: r.Change,
		Reason: string(r.Reason), DN: r.DN, Notes: list(r.Notes),
	}
	if r.Before != nil {
		row.Source = r.Before.Source
	}
	return row
}

// User is a user of the Users List.
type User struct {
	_              struct{}            `json:"-" nullable:"true"`
	Address        string              `json:"address"`
	Kind           user.Kind           `json:"kind" enum:"primary,alias"`
	PrimaryAddress string              `json:"primaryAddress"`
	Type           user.Type           `json:"type"`
	Source         user.Source         `json:"source" enum:"directory,manual"`
	HeldSpamReport user.HeldSpamReport `json:"heldSpamReport" enum:"daily,off"`
	Protected      bool                `json:"protected" doc:"Imports neither change nor remove the user"`
	Version        int64               `json:"version"`
	CreatedAt      time.Time           `json:"createdAt"`
	UpdatedAt      time.Time           `json:"updatedAt"`
}

// UserView shows a user, or nothing where there is none.
func UserView(u *user.User) *User {
	if u == nil {
		return nil
	}
	return &User{
		Address: u.Address, Kind: u.Kind, PrimaryAddress: u.PrimaryAddress, Type: u.Type, Source: u.Source,
		HeldSpamReport: u.HeldSpamReport,
		Protected:      u.Protected, Version: u.Version, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}

// Change is a line of a sync's journal.
type Change struct {
	Row
	Before  *User  `json:"before"`
	After   *User  `json:"after"`
	Outcome string `json:"outcome" enum:"applied,already,conflict,pending" doc:"pending is not written; applied of the sync explains the rest"`
}

// ChangeView shows a line of a journal.
func ChangeView(c importer.Change) Change {
	return Change{
		Row: RowView(&c.Row), Before: UserView(c.Before), After: UserView(c.After), Outcome: string(c.Outcome),
	}
}

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

// List is a page of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"The cursor of the next page; absent at the end"`
}

// ListOf shows a page.
func ListOf[T, V any](items []T, next string, view func(*T) V) List[V] {
	out := List[V]{Items: make([]V, len(items)), Next: next}
	for i := range items {
		out.Items[i] = view(&items[i])
	}
	return out
}

// Found is a page of a list that can be searched.
type Found[T any] struct {
	List[T]
	Scanned int `json:"scanned" doc:"How many rows this page looked at: added up, how far a search has come"`
}

// UserList is a page of the Users List.
type UserList struct {
	Found[User]
	Total *int `json:"total,omitempty" doc:"How many users there are, whatever the filter: on the first page. A list of millions that was just written may be without"`
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
	ID    string    `json:"id"`
	State run.State `json:"state" enum:"queued,running,done,failed,blocked,cancelled"`
}

// PathOf returns the path that shows a run.
func PathOf(r run.Run) string {
	switch r.Kind {
	case run.KindPreview:
		return "/v1/previews/" + r.ID
	case run.KindExplanation:
		return "/v1/explanations/" + r.ID
	}
	return "/v1/syncs/" + r.ID
}
