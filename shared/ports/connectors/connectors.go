// Package connectors is the port to what is remembered of an account's connectors: the programs on a customer's site
// that read a directory which the cloud cannot reach. Its adapters are in packages embedded and (on AWS) dynamodb;
// package connectorstest holds what both must do.
package connectors

import (
	"context"
	"errors"
	"time"

	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

var (
	// ErrNotFound means that there is no such connector, or that nothing has the name.
	ErrNotFound = errors.New("no such connector")
	// ErrTaken means that something has the name already.
	ErrTaken = errors.New("the name is taken")
	// ErrFull means that a set has as many numbers as it may have.
	ErrFull = errors.New("the set of numbers is full")
)

// Store holds the connectors of all accounts.
type Store interface {
	For(account user.Account) Connectors
	// Named returns whose a name is, or ErrNotFound, also once its time is over.
	Named(ctx context.Context, name string) (Owner, error)
}

// Connectors are one account's. What is erased with an account are its connectors and all names that lead to them.
type Connectors interface {
	// List returns all connectors, the oldest first.
	List(ctx context.Context) ([]Connector, error)
	// Get returns a connector, or ErrNotFound.
	Get(ctx context.Context, id string) (Connector, error)
	// Create stores a new connector, and the audit entries with it, all or nothing.
	Create(ctx context.Context, c Connector, entries ...runs.AuditEntry) error
	// Update lets change alter a connector and stores it, if nobody stored it meanwhile, with the audit entries that
	// change returns, all or nothing; it tries again if somebody did, so change may be called more than once. What
	// change returns as an error ends the update without a write; runs.ErrUnchanged is no error. Where there is no
	// connector it returns ErrNotFound.
	Update(ctx context.Context, id string, change func(*Connector) ([]runs.AuditEntry, error)) (Connector, error)
	// Delete deletes a connector and stores the audit entries, all or nothing, or returns ErrNotFound. Its names lead
	// nowhere from then on.
	Delete(ctx context.Context, id string, entries ...runs.AuditEntry) error
	// Name has a name lead to a connector until a time, for good where it is zero. Where something has the name it
	// returns ErrTaken.
	Name(ctx context.Context, name, id string, until time.Time) error
	// Number puts a number of at most 64 bytes into a set of at most so many, which is kept until a time at least. It
	// returns ErrTaken where the set has the number, and ErrFull where it has no room. It is one write: each request of
	// a connector takes one.
	Number(ctx context.Context, set, number string, most int, until time.Time) error
}

// Owner is where a name leads.
type Owner struct {
	Account     user.Account `json:"account"`
	ConnectorID string       `json:"connectorId"`
}

// Connector is a program on a customer's site, which may run on several machines.
type Connector struct {
	// ID is a ULID.
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	CreatedAt time.Time  `json:"createdAt"`
	Codes     []Code     `json:"codes,omitempty"`
	Instances []Instance `json:"instances,omitempty"`
	// Orders are the reads that are asked of it, the oldest first.
	Orders []Order `json:"orders,omitempty"`
	// Reported are hashes of the last changes on site that the audit log was told of.
	Reported []string `json:"reported,omitempty"`
}

// Code lets one instance enrol.
type Code struct {
	// Hash is SHA-256, hexadecimal.
	Hash      string    `json:"hash"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Instance is a connector's program on one machine.
type Instance struct {
	// ID is made of the key.
	ID string `json:"id"`
	// PublicKey is Ed25519 (RFC 8032).
	PublicKey  []byte    `json:"publicKey"`
	Name       string    `json:"name"`
	Version    string    `json:"version"`
	LastSeenAt time.Time `json:"lastSeenAt"`
	Targets    []Target  `json:"targets,omitempty"`
}

// Target is a directory that an instance holds a password for: hosts with ", " between them.
type Target struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Username string `json:"username"`
}

// Order is one read that is asked of a connector.
type Order struct {
	ID     string `json:"id"`
	Target Target `json:"target"`
	// Wanted says that somebody waits for it on the page.
	Wanted    bool      `json:"wanted,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	// Message goes to the queue once the recording is whole.
	Message queue.Message `json:"message"`
	// Attempt counts how often the order was given out, Instance has it, and until LeaseUntil nobody else gets it.
	Attempt    int       `json:"attempt,omitempty"`
	Instance   string    `json:"instance,omitempty"`
	LeaseUntil time.Time `json:"leaseUntil,omitzero"`
	// Recording is nil until the read is whole.
	Recording *Recording `json:"recording,omitempty"`
}

// Recording tells a whole recording from any other: each block holds the hash of the one before it, so that the number
// of blocks and the hash of the last one are enough.
type Recording struct {
	Blocks int `json:"blocks"`
	// Bytes is the size of all blocks together.
	Bytes  int64  `json:"bytes"`
	SHA256 []byte `json:"sha256"`
}
