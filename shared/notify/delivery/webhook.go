package delivery

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	"rollcall/shared/notify"
	"rollcall/shared/settings/secret"
)

const (
	// postTime is how long a receiver may take, from the look-up of its name to the head of its answer.
	postTime = 15 * time.Second
	// maxHead and maxShown are how much of an answer is read, in bytes: its headers, and what is shown of its body.
	maxHead  = 16 << 10
	maxShown = 300
)

// Webhooks posts signed events. The zero value is for production but for Rules.Allow.
type Webhooks struct {
	notify.Rules
	// Resolve defaults to net.DefaultResolver, Dial to net.Dialer.DialContext, Roots to the system's.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Roots   *x509.CertPool
	// Timeout defaults to 15 seconds.
	Timeout time.Duration
}

// Sign returns the header webhook-signature of a message (Standard Webhooks 1.0.0): v1 and the HMAC-SHA256 of its id,
// time and body.
func Sign(key []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// post sends an event once.
func (w *Webhooks) post(ctx context.Context, to string, key secret.String, e notify.Event, now time.Time) answer {
	ctx, cancel := context.WithTimeout(ctx, orDefault(w.Timeout, postTime))
	defer cancel()
	request, err := w.request(ctx, to, key, e, now)
	if err != nil {
		return answer{final: true, message: sentence(err)}
	}
	transport := &http.Transport{
		DialContext: w.dial, TLSClientConfig: &tls.Config{RootCAs: w.Roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHead, ForceAttemptHTTP2: false,
	}
	client := &http.Client{
		Transport: transport,
		// The answer that redirects is the answer: what it leads to was not checked, and is not who was chosen.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{message: w.explain(err)}
	}
	defer response.Body.Close()
	return judge(response, now)
}

// request makes the request that tells an event.
func (w *Webhooks) request(
	ctx context.Context, to string, key secret.String, e notify.Event, now time.Time,
) (*http.Request, error) {
	if _, err := w.CheckURL(to); err != nil {
		return nil, fmt.Errorf("the URL %w", err)
	}
	signing, err := notify.Key(key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("the secret %w", err)
	}
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	request.Header.Set("User-Agent", "Rollcall-Webhook/1")
	request.Header.Set("webhook-id", e.ID)
	request.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("webhook-signature", Sign(signing, e.ID, now, body))
	return request, nil
}

// errForbidden means that a receiver's name leads to where none may be.
var errForbidden = errors.New("leads to an address that must not be reached from here")

// dial looks a name up once and dials the addresses that it checked: one that changes between check and dial does not
// count. One forbidden address forbids the name, as it does for directories.
func (w *Webhooks) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addresses, err := w.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	for i, a := range addresses {
		addresses[i] = a.Unmap()
		if w.Allow == nil {
			continue
		}
		if err := w.Allow(a); err != nil {
			return nil, fmt.Errorf("%s %w: %w", host, errForbidden, err)
		}
	}
	dial := w.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	// The client's own deadline does not reach a dial.
	deadline := time.Now().Add(orDefault(w.Timeout, postTime))
	var failures []error
	for i, a := range addresses {
		// Later addresses get their share of the time.
		limit, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(addresses)-i+1))
		conn, err := dial(limit, network, net.JoinHostPort(a.String(), port))
		cancel()
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

func (w *Webhooks) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if literal, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{literal}, nil
	}
	resolve := w.Resolve
	if resolve == nil {
		resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	addresses, err := resolve(ctx, host)
	if err == nil && len(addresses) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	return addresses, err
}

// judge says what an answer means.
func judge(r *http.Response, now time.Time) answer {
	a := answer{status: r.StatusCode, message: "The receiver answered " + statusText(r.StatusCode) + "."}
	switch {
	case r.StatusCode >= 200 && r.StatusCode <= 299:
		a.delivered = true
		return a
	case r.StatusCode == http.StatusGone:
		a.ended = true
		a.message += " It wants no more events; save the notifications once more to begin again."
		return a
	case r.StatusCode >= 300 && r.StatusCode <= 399:
		a.message += " Redirects are not followed: enter the URL that it leads to."
	default:
		if text := shown(r.Body); text != "" {
			a.message += " It said: " + text
		}
	}
	a.retryAfter = retryAfter(r.Header.Get("Retry-After"), now)
	return a
}

func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// retryAfter reads the header of this name (RFC 9110, 10.2.3): seconds, or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// shown returns the beginning of a text that a receiver sent, without what is no text.
func shown(body io.Reader) string {
	// A body that ends early says what it said.
	read, _ := io.ReadAll(io.LimitReader(body, maxShown))
	text := strings.Map(func(r rune) rune {
		switch {
		case r == unicode.ReplacementChar:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, string(read))
	return strings.Join(strings.Fields(text), " ")
}

// explain says why a receiver was not reached.
func (w *Webhooks) explain(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errForbidden):
		return "The receiver's name leads to an address that must not be reached from here."
	case errors.As(err, &dns) && dns.IsNotFound:
		return "No server is known by the name of the receiver."
	case errors.As(err, &certificate):
		return "The receiver's certificate is not accepted: " + sentence(certificate.Err)
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return fmt.Sprintf("The receiver did not answer within %s.", orDefault(w.Timeout, postTime))
	case strings.Contains(err.Error(), "connection refused"):
		return "The receiver refuses connections."
	}
	var wrapped interface{ Unwrap() error }
	if errors.As(err, &wrapped) {
		// Around it are method and URL, which everybody knows.
		err = wrapped.Unwrap()
	}
	return "The receiver was not reached: " + sentence(err)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// sentence is an error with a full stop, shortened.
func sentence(err error) string {
	text := shown(strings.NewReader(err.Error()))
	return strings.ToUpper(text[:min(1, len(text))]) + strings.TrimSuffix(text[min(1, len(text)):], ".") + "."
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
