// Package directory reaches and reads LDAP directories (RFC 4511): it connects step by step, says what each step found
// or what to do about what failed, and streams the entries of one paged search. An incomplete read is an error, never a
// shorter list.
//
// go-ldap speaks the short part (STARTTLS, bind, rootDSE); the stream of entries has a small reader of its own, which
// needs a fraction of the time (docs/adr/0006-entry-reader.md).
package directory

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"rollcall/shared/run"
)

// Config says how a Reader reaches servers. The zero value has the defaults named at each field.
type Config struct {
	// Dial defaults to net.Dialer.DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Resolve defaults to net.DefaultResolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// LookupSRV defaults to net.DefaultResolver.LookupSRV, which returns records by priority and, at random, by weight
	// (RFC 2782): they are tried in the order given. Service and proto are empty, and name ends with a dot.
	LookupSRV func(ctx context.Context, service, proto, name string) (cname string, records []*net.SRV, err error)
	// Allow refuses addresses that must not be dialled; nil allows all. One refused address refuses the name.
	Allow func(netip.Addr) error
	// AllowPort refuses ports that must not be dialled; nil allows all. Policy has both.
	AllowPort func(int) error
	// Trust decides about certificates in place of the system's authorities and the connection's; nil leaves it to
	// those.
	Trust *Trust
	// StepTimeout bounds each step before the search: 15 s.
	StepTimeout time.Duration
	// IdleTimeout bounds the wait for the next message of the search: 60 s, and up to a sixteenth more.
	IdleTimeout time.Duration
	// SearchTimeout bounds the whole search, which a server that always sends a little would otherwise hold for ever: 4
	// hours.
	SearchTimeout time.Duration
	// PageSize is the number of entries asked for at a time: 1000.
	PageSize int
	// MaxMemory bounds the memory that one read takes, with what its Query's Memory reports, in bytes: 1 GiB. It should
	// follow the memory of the process. MaxMemoryOfAll bounds what all reads of the Reader take at a time; 0 does not.
	MaxMemory      int64
	MaxMemoryOfAll int64
	// MaxMessage bounds one LDAP message in bytes: 8 MiB. MaxEntries and MaxBytes bound the whole search: 20 million
	// entries, 64 GiB.
	MaxMessage int
	MaxEntries int
	MaxBytes   int64
}

// Query is what to search for. As JSON it goes to a connector, which reads in place of the cloud.
type Query struct {
	// SearchBase is a DN and Filter an LDAP filter; empty means the server type's default.
	SearchBase string `json:"searchBase"`
	Filter     string `json:"filter"`
	// Attributes are the attributes to ask for. Those that are in Named too may be OIDs or other names of an attribute,
	// by the server's own schema: entries have them by the name in Named whatever the server calls them.
	Attributes []string `json:"attributes"`
	Named      []string `json:"named,omitempty"`
	// Since makes a look of the read, which gives only the entries that changed since one of these cursors: that of the
	// server that answers. Nil reads all.
	Since []run.Cursor `json:"since,omitempty"`
	// Found reports how many values that should be addresses the caller found in the entries; nil means that no Hint is
	// wanted.
	Found func() int `json:"-"`
	// Memory reports how many bytes the caller keeps of the entries that it got; nil means none.
	Memory func() int64 `json:"-"`
}

// Info is what a read found besides its entries.
type Info struct {
	// DirectoryID names the directory: its naming context, so that two servers of one directory share it.
	DirectoryID string `json:"directoryId"`
	// Base and Filter are those that were searched with.
	Base    string `json:"base"`
	Filter  string `json:"filter"`
	Entries int    `json:"entries"`
	// References are the continuation references that the server gave. They are never followed.
	References []string `json:"references,omitempty"`
	// Notes are sentences about what was missing or unusual.
	Notes []string `json:"notes,omitempty"`
	// Tracking is how the directory tells what changes from now on. It is known once a read has gone well.
	Tracking run.Tracking `json:"tracking,omitzero"`
	// Hint is what the directory seems to have and which setting reads it, where a default filter found nothing or the
	// entries have no addresses.
	Hint string `json:"hint,omitempty"`
}

// The codes of an Error.
const (
	CodeHostNotFound       = "host_not_found"
	CodeAddressForbidden   = "address_forbidden"
	CodeConnectRefused     = "connect_refused"
	CodeTimeout            = "timeout"
	CodeConnectFailed      = "connect_failed"
	CodeTLSName            = "tls_name_mismatch"
	CodeTLSAuthority       = "tls_unknown_authority"
	CodeTLSExpired         = "tls_expired"
	CodeTLSFailed          = "tls_failed"
	CodeTLSOld             = "tls_old"
	CodeTLSClient          = "tls_client_certificate"
	CodeTLSChanged         = "tls_certificate_changed"
	CodeStartTLSRefused    = "starttls_refused"
	CodeInvalidCredentials = "invalid_credentials"
	CodeUnavailable        = "server_unavailable"
	CodeEncryptionRequired = "encryption_required"
	CodeInsufficientAccess = "insufficient_access"
	CodeBaseNotFound       = "base_not_found"
	CodeInvalidBase        = "invalid_base"
	CodeInvalidFilter      = "invalid_filter"
	CodeSecretAttribute    = "secret_attribute"
	CodeIncompleteRead     = "incomplete_read"
	CodeProtocol           = "protocol_error"
	CodeOtherServer        = "other_server"
	CodeManyChanges        = "many_changes"
)

// The steps of reaching a directory, in their order.
const (
	StepResolve = "resolve"
	StepConnect = "connect"
	StepTLS     = "tls"
	StepBind    = "bind"
	StepBase    = "base"
	StepSearch  = "search"
)

// Error is why a directory cannot be reached or read. Message is a sentence for an administrator that says what to do.
type Error struct {
	Code    string `json:"code"`
	Step    string `json:"step"`
	Message string `json:"message"`
	// Refused is set where the server refused the username and password (LDAP result 49, invalidCredentials): a second
	// try could lock the account.
	Refused bool  `json:"refused,omitempty"`
	Err     error `json:"-"`
}

// Error returns step and message.
func (e *Error) Error() string { return e.Step + ": " + e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Reader reads directories. It may be used by several goroutines at once.
type Reader struct {
	c Config
	// inUse is how many bytes all reads take of memory.
	inUse *atomic.Int64
}

// New returns a reader.
func New(c Config) *Reader {
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.Resolve == nil {
		c.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if c.LookupSRV == nil {
		c.LookupSRV = net.DefaultResolver.LookupSRV
	}
	setDefault(&c.StepTimeout, 15*time.Second)
	setDefault(&c.IdleTimeout, time.Minute)
	setDefault(&c.SearchTimeout, 4*time.Hour)
	setDefault(&c.PageSize, 1000)
	setDefault(&c.MaxMemory, defaultMemory)
	setDefault(&c.MaxMessage, 8<<20)
	setDefault(&c.MaxEntries, 20_000_000)
	setDefault(&c.MaxBytes, 64<<30)
	return &Reader{c: c, inUse: new(atomic.Int64)}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
