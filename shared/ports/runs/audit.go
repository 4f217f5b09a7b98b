package runs

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Audit is an account's record of who did what by hand. It is append-only. Entries about settings and runs are stored
// with them, in one step, and those about users by package users.
type Audit interface {
	// AuditLog returns entries, the newest first. after is the Next of the page before; limit is 1 to 1000.
	AuditLog(ctx context.Context, after string, limit int) (AuditPage, error)
}

// AuditEntry says who did what to what, and when. It holds no secret.
type AuditEntry struct {
	// ID is a ULID.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// By is the subject of the request's identity.
	By     string `json:"by"`
	Action Action `json:"action"`
	// Subject is what it was done to: an address, the id of a run, "settings" or "notifications".
	Subject string `json:"subject"`
	// Details names the fields that changed, as "before → after", or what a run was started with. Keys and values
	// together are a few kilobytes.
	Details map[string]string `json:"details,omitempty"`
}

// Action is what somebody did.
type Action string

// The actions.
const (
	SettingsSaved    Action = "settings.saved"
	SettingsChanged  Action = "settings.changed"
	SettingsDeleted  Action = "settings.deleted"
	UserAdded        Action = "user.added"
	UserChanged      Action = "user.changed"
	UserRemoved      Action = "user.removed"
	PreviewStarted   Action = "preview.started"
	PreviewCancelled Action = "preview.cancelled"
	ExportStarted    Action = "export.started"
	SyncStarted      Action = "sync.started"
	SyncCancelled    Action = "sync.cancelled"
	UndoStarted      Action = "undo.started"
	// ExplanationStarted: somebody asked what a sync would make of an address.
	ExplanationStarted Action = "explanation.started"
	// NotificationsSaved: somebody chose who is told of what. NotificationsTested: somebody had a test sent.
	NotificationsSaved  Action = "notifications.saved"
	NotificationsTested Action = "notifications.tested"
	ConnectorAdded      Action = "connector.added"
	ConnectorCode       Action = "connector.code"
	ConnectorRevoked    Action = "connector.revoked"
	// ConnectorChanged: somebody changed a connector's local settings on site.
	ConnectorChanged Action = "connector.changed"
)

// Actions lists every action.
func Actions() []Action {
	return []Action{
		SettingsSaved, SettingsChanged, SettingsDeleted, UserAdded, UserChanged, UserRemoved, PreviewStarted,
		PreviewCancelled, ExportStarted, SyncStarted, SyncCancelled, UndoStarted,
		ExplanationStarted, NotificationsSaved, NotificationsTested,
		ConnectorAdded, ConnectorCode, ConnectorRevoked, ConnectorChanged,
	}
}

// AuditPage is one page of the audit log. Next is empty at the end.
type AuditPage struct {
	Entries []AuditEntry
	Next    string
}

// Keys remembers which run an Idempotency-Key started.
type Keys interface {
	// TakeKey stores k if the key is new for the account and route, or was stored more than 24 hours before k.At.
	// It returns what is stored then: k itself, or the earlier use.
	TakeKey(ctx context.Context, k Key) (Key, error)
	// FindKey returns the earlier use that TakeKey would return in place of k, or ErrNotFound. It stores nothing.
	FindKey(ctx context.Context, k Key) (Key, error)
}

// Key is one use of an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header); NewKey makes one.
type Key struct {
	Route string `json:"route"`
	// Key is a hash of what the client sent as its key.
	Key string `json:"key"`
	// Request is a digest of the request, RunID the run that it starts.
	Request string    `json:"request"`
	RunID   string    `json:"runId"`
	At      time.Time `json:"at"`
}

// hashedKey begins the keys of records whose key is a hash. Earlier builds stored the key itself, and a plain hash of
// the request with its password.
const hashedKey = "sha256:"

// NewKey returns the record of a client's key and its request. The digest of the request is keyed with the client's
// key, which is not in the record: whoever reads the records can try out neither.
func NewKey(route, clientKey string, body []byte) Key {
	hash := sha256.Sum256([]byte(clientKey))
	digest := hmac.New(sha256.New, []byte(clientKey))
	digest.Write([]byte(route + "\x00"))
	digest.Write(body)
	return Key{Route: route, Key: hashedKey + hex.EncodeToString(hash[:]), Request: hex.EncodeToString(digest.Sum(nil))}
}

// Hashed reports whether the record is one that NewKey made.
func (k Key) Hashed() bool { return strings.HasPrefix(k.Key, hashedKey) }
