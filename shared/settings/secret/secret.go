// Package secret keeps passwords out of everything that is printed, logged or stored.
package secret

import (
	"context"
	"errors"
	"log/slog"
)

const redacted = "[redacted]"

// ErrUnsealable means a sealed secret does not open: it was changed, or it belongs to another account or connection.
var ErrUnsealable = errors.New("the stored password cannot be opened")

// String is text that must never be shown. Every way of printing it gives a placeholder; Reveal gives the text.
type String struct{ text string }

// New wraps text.
func New(text string) String { return String{text: text} }

// Reveal returns the text. Call it only where the text leaves for the directory or the sealer.
func (s String) Reveal() string { return s.text }

// Empty reports whether there is no text.
func (s String) Empty() bool { return s.text == "" }

// String returns a placeholder.
func (s String) String() string { return redacted }

// GoString returns a placeholder.
func (s String) GoString() string { return redacted }

// LogValue returns a placeholder.
func (s String) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (s String) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns a placeholder.
func (s String) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Binding ties a sealed secret to where it may be used: sealed for one binding, it opens for no other.
type Binding struct {
	Account string
	// Target is a hash of hosts, port, encryption and username (settings.Connection.Target).
	Target string
}

// Sealer encrypts passwords at rest.
type Sealer interface {
	Seal(ctx context.Context, plain String, to Binding) ([]byte, error)
}

// Opener decrypts what a Sealer sealed for the same binding; anything else is ErrUnsealable.
type Opener interface {
	Open(ctx context.Context, sealed []byte, to Binding) (String, error)
}
