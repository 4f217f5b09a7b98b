package connector

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Why a request is not taken. ErrUnknown comes from a Verifier's Key.
var (
	ErrUnsigned  = errors.New("the request has no signature of a connector")
	ErrSignature = errors.New("the signature is not that of this request and this connector's key")
	ErrReplayed  = errors.New("the request was sent before")
	ErrUnknown   = errors.New("no connector has this key; enrol it again")
)

// MaxSkew is how far a connector's clock may be off.
const MaxSkew = 5 * time.Minute

// ClockError means that the connector's clock is off by more than MaxSkew.
type ClockError struct {
	// Ahead is how far it is ahead; negative where it is behind.
	Ahead time.Duration
}

// Error says what to do.
func (e *ClockError) Error() string {
	way, off := "ahead of", e.Ahead
	if off < 0 {
		way, off = "behind", -off
	}
	return fmt.Sprintf("the clock of this machine is %s %s the service's: set it, best by NTP",
		off.Round(time.Second), way)
}

// ProtocolError means that the other side speaks another protocol.
type ProtocolError struct{ Theirs int }

// Error says which side to update.
func (e *ProtocolError) Error() string {
	if e.Theirs < Protocol {
		return fmt.Sprintf("the connector speaks protocol %d and the service %d: install the newest connector",
			e.Theirs, Protocol)
	}
	return fmt.Sprintf("the connector speaks protocol %d, which this service does not know (it speaks %d): it is "+
		"newer than the service; install the connector that belongs to it", e.Theirs, Protocol)
}

// scheme stands before the token in the header Authorization.
const scheme = "Connector "

// claims are what a signature covers besides the body: names as in DPoP (RFC 9449, 4.2). Issuer is the instance, ID a
// number used once.
type claims struct {
	Protocol int    `json:"v"`
	Method   string `json:"htm"`
	Path     string `json:"htu"`
	// Body is the SHA-256 of the body, in base64url.
	Body string `json:"bh"`
	jwt.RegisteredClaims
}

// InstanceID names an instance by its key: 26 letters and digits.
func InstanceID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}

func bodyHash(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Sign signs a request with an instance's key: a JWT (RFC 7519) with EdDSA (RFC 8037) over method, path and body, with
// the time and a number used once. A request that is sent again needs a new signature.
func Sign(r *http.Request, body []byte, key ed25519.PrivateKey, now time.Time) error {
	public, _ := key.Public().(ed25519.PublicKey)
	token, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		Protocol: Protocol, Method: r.Method, Path: r.URL.Path, Body: bodyHash(body),
		RegisteredClaims: jwt.RegisteredClaims{Issuer: InstanceID(public), ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(now)},
	}).SignedString(key)
	if err != nil {
		return fmt.Errorf("sign a request: %w", err)
	}
	r.Header.Set("Authorization", scheme+token)
	return nil
}

// NewRequest returns a signed POST of in, as JSON, to a URL of the portal.
func NewRequest(
	ctx context.Context, url string, in any, key ed25519.PrivateKey, now time.Time,
) (*http.Request, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("write a request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("write a request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	return r, Sign(r, body, key, now)
}

// Verifier checks signatures.
type Verifier struct {
	// Key returns the key of an instance, or ErrUnknown.
	Key func(ctx context.Context, instance string) (ed25519.PublicKey, error)
	// Once remembers a number of an instance until a time, and returns ErrReplayed where it is remembered already.
	Once func(ctx context.Context, instance, number string, until time.Time) error
	// Now defaults to time.Now.
	Now func() time.Time
}

// Verify returns the instance that signed a request with this path, which may have been changed on its way here, and
// body. Errors are those above, *ClockError, *ProtocolError, and those of Key and Once.
func (v *Verifier) Verify(ctx context.Context, r *http.Request, path string, body []byte) (string, error) {
	token, signed := strings.CutPrefix(r.Header.Get("Authorization"), scheme)
	if !signed {
		return "", ErrUnsigned
	}
	var c claims
	// The times are checked below, in words for an administrator.
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithoutClaimsValidation())
	var keyErr error
	_, err := parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) {
		if c.Protocol != Protocol {
			keyErr = &ProtocolError{c.Protocol}
			return nil, keyErr
		}
		var key ed25519.PublicKey
		key, keyErr = v.Key(ctx, c.Issuer)
		return key, keyErr
	})
	switch {
	case keyErr != nil:
		return "", keyErr
	case err != nil, c.IssuedAt == nil, c.ID == "", len(c.ID) > 64:
		return "", ErrSignature
	case c.Method != r.Method, c.Path != path, c.Body != bodyHash(body):
		return "", ErrSignature
	}
	now := time.Now()
	if v.Now != nil {
		now = v.Now()
	}
	if ahead := c.IssuedAt.Sub(now); ahead.Abs() > MaxSkew {
		return "", &ClockError{ahead}
	}
	return c.Issuer, v.Once(ctx, c.Issuer, c.ID, c.IssuedAt.Add(2*MaxSkew))
}
