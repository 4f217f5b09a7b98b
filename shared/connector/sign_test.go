package connector_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"rollcall/shared/connector"
)

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// gate is a Verifier that knows one key and remembers numbers.
func gate(key ed25519.PublicKey) *connector.Verifier {
	seen := make(map[string]bool)
	return &connector.Verifier{
		Now: func() time.Time { return now },
		Key: func(_ context.Context, instance string) (ed25519.PublicKey, error) {
			if instance != connector.InstanceID(key) {
				return nil, connector.ErrUnknown
			}
			return key, nil
		},
		Once: func(_ context.Context, instance, number string, until time.Time) error {
			if seen[instance+number] {
				return connector.ErrReplayed
			}
			if until.Before(now.Add(connector.MaxSkew)) {
				return errors.New("a number is forgotten before its request is too old")
			}
			seen[instance+number] = true
			return nil
		},
	}
}

func request(t *testing.T, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://portal.example.com"+connector.PathPoll,
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	public, private, _ := ed25519.GenerateKey(nil)
	_, other, _ := ed25519.GenerateKey(nil)
	const body = `{"version":"1"}`
	for name, c := range map[string]struct {
		key    ed25519.PrivateKey
		at     time.Time
		change func(r *http.Request) (path, body string)
		want   error
	}{
		"as it was signed":            {want: nil},
		"by another key":              {key: other, want: connector.ErrUnknown},
		"a little late":               {at: now.Add(-4 * time.Minute)},
		"a little early":              {at: now.Add(4 * time.Minute)},
		"another body":                {change: asPath(connector.PathPoll, body+" "), want: connector.ErrSignature},
		"another path":                {change: asPath(connector.PathFinish, body), want: connector.ErrSignature},
		"another method":              {change: asPut, want: connector.ErrSignature},
		"no signature":                {change: withHeader(""), want: connector.ErrUnsigned},
		"somebody's access token":     {change: withHeader("Bearer a.b.c"), want: connector.ErrUnsigned},
		"no token":                    {change: withHeader("Connector x"), want: connector.ErrSignature},
		"a token that is not signed":  {change: withoutAlgorithm(), want: connector.ErrSignature},
		"a token signed with the key": {change: withHMAC(public), want: connector.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, key, at := request(t, body), private, now
			if c.key != nil {
				key = c.key
			}
			if !c.at.IsZero() {
				at = c.at
			}
			if err := connector.Sign(r, []byte(body), key, at); err != nil {
				t.Fatal(err)
			}
			path, got := connector.PathPoll, body
			if c.change != nil {
				path, got = c.change(r)
			}
			instance, err := gate(public).Verify(t.Context(), r, path, []byte(got))
			if !errors.Is(err, c.want) || err == nil && instance != connector.InstanceID(public) {
				t.Errorf("got %q, %v; want %v", instance, err, c.want)
			}
		})
	}
}

func asPath(path, body string) func(*http.Request) (string, string) {
	return func(*http.Request) (string, string) { return path, body }
}

func asPut(r *http.Request) (string, string) {
	r.Method = http.MethodPut
	return connector.PathPoll, `{"version":"1"}`
}

func withHeader(value string) func(*http.Request) (string, string) {
	return func(r *http.Request) (string, string) {
		r.Header.Set("Authorization", value)
		return connector.PathPoll, `{"version":"1"}`
	}
}

// withoutAlgorithm makes a token that says it needs no signature (RFC 8725, 2.1).
func withoutAlgorithm() func(*http.Request) (string, string) {
	return forged(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType)
}

// withHMAC signs with the public key as a secret (RFC 8725, 2.1).
func withHMAC(key ed25519.PublicKey) func(*http.Request) (string, string) {
	return forged(jwt.SigningMethodHS256, []byte(key))
}

func forged(method jwt.SigningMethod, with any) func(*http.Request) (string, string) {
	return func(r *http.Request) (string, string) {
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
			panic(err)
		}
		text, err := jwt.NewWithClaims(method, claims).SignedString(with)
		if err != nil {
			panic(err)
		}
		r.Header.Set("Authorization", "Connector "+text)
		return connector.PathPoll, `{"version":"1"}`
	}
}

func TestARequestCountsOnce(t *testing.T) {
	t.Parallel()
	public, private, _ := ed25519.GenerateKey(nil)
	r := request(t, "{}")
	if err := connector.Sign(r, []byte("{}"), private, now); err != nil {
		t.Fatal(err)
	}
	v := gate(public)
	if _, err := v.Verify(t.Context(), r, connector.PathPoll, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), r, connector.PathPoll, []byte("{}")); !errors.Is(err, connector.ErrReplayed) {
		t.Errorf("the second time: %v", err)
	}
}

func TestAClockThatIsOffIsExplained(t *testing.T) {
	t.Parallel()
	public, private, _ := ed25519.GenerateKey(nil)
	for at, want := range map[time.Duration]string{
		14 * time.Minute:               "is 14m0s ahead of the service's",
		-3*time.Hour - 100*time.Second: "is 3h1m40s behind the service's",
	} {
		r := request(t, "{}")
		if err := connector.Sign(r, []byte("{}"), private, now.Add(at)); err != nil {
			t.Fatal(err)
		}
		var clock *connector.ClockError
		_, err := gate(public).Verify(t.Context(), r, connector.PathPoll, []byte("{}"))
		if !errors.As(err, &clock) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A protocol that is not known is refused before anything else is believed.
func TestAnotherProtocolIsRefused(t *testing.T) {
	t.Parallel()
	public, private, _ := ed25519.GenerateKey(nil)
	for version, want := range map[float64]string{0: "install the newest connector", 2: "newer than the service"} {
		r := request(t, "{}")
		if err := connector.Sign(r, []byte("{}"), private, now); err != nil {
			t.Fatal(err)
		}
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
			t.Fatal(err)
		}
		claims["v"] = version
		text, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims).SignedString(private)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Connector "+text)
		_, err = gate(public).Verify(t.Context(), r, connector.PathPoll, []byte("{}"))
		var protocol *connector.ProtocolError
		if !errors.As(err, &protocol) || !strings.Contains(err.Error(), want) {
			t.Errorf("protocol %v: %v", version, err)
		}
	}
}

// FuzzVerify takes what anybody may send for a signature.
func FuzzVerify(f *testing.F) {
	public, private, _ := ed25519.GenerateKey(bytes.NewReader(make([]byte, 32)))
	r, err := http.NewRequestWithContext(f.Context(), http.MethodPost, "https://x"+connector.PathPoll, nil)
	if err != nil {
		f.Fatal(err)
	}
	if err := connector.Sign(r, nil, private, now); err != nil {
		f.Fatal(err)
	}
	whole := r.Header.Get("Authorization")
	f.Add(whole)
	f.Add("Connector eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, header string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://x"+connector.PathPoll, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", header)
		if _, err := gate(public).Verify(t.Context(), r, connector.PathPoll, nil); err == nil && header != whole {
			t.Errorf("%q is taken", header)
		}
	})
}
