package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"rollcall/shared/connector"
)

// requestTime bounds one request, and blockTime one block on its way.
const (
	requestTime = 30 * time.Second
	blockTime   = 2 * time.Minute
)

// client sends requests to the cloud.
type client struct {
	url  string
	key  ed25519.PrivateKey
	http *http.Client
}

// problem is an answer that is an error (RFC 9457).
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Error returns the cloud's sentence.
func (p *problem) Error() string {
	if p.Detail == "" {
		return fmt.Sprintf("the cloud answers %d %s", p.Status, http.StatusText(p.Status))
	}
	return fmt.Sprintf("the cloud answers %d: %s", p.Status, p.Detail)
}

// final reports whether the same request would get the same answer again.
func (p *problem) final() bool {
	return p.Status < 500 && p.Status != http.StatusTooManyRequests && p.Status != http.StatusRequestTimeout
}

// checkURL returns the origin of a portal's URL. Without TLS a portal is only reached on this machine.
func checkURL(text string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil, u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "", strings.Trim(u.Path, "/") != "":
		return "", fmt.Errorf("%q is not the URL of a portal, which looks like https://portal.example.com", text)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u.Scheme + "://" + u.Host, nil
	}
	return "", fmt.Errorf("%s does not begin with https://, and only a portal on this very machine is reached without "+
		"encryption", text)
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// newClient returns a client for what was enrolled. It honours HTTPS_PROXY, and follows no redirect.
func newClient(l local, key ed25519.PrivateKey) (*client, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if l.CA != "" && !roots.AppendCertsFromPEM([]byte(l.CA)) {
		return nil, errors.New("the CA certificate in the settings cannot be read; enrol again with -ca FILE")
	}
	origin, err := checkURL(l.URL)
	if err != nil {
		return nil, err
	}
	return &client{url: origin, key: key, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 6,
			// A block is written in large pieces.
			WriteBufferSize: 256 << 10,
		},
	}}, nil
}

// call sends one signed request and reads its answer into out, nil for none. Errors that the cloud answered are
// *problem.
func (c *client) call(ctx context.Context, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	r, err := connector.NewRequest(ctx, c.url+path, in, c.key, time.Now())
	if err != nil {
		return err
	}
	answer, err := c.http.Do(r) //nolint:gosec // the administrator's own URL
	if err != nil {
		return c.explain(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, connector.MaxBody+1))
	switch {
	case err != nil:
		return c.explain(err)
	case len(text) > connector.MaxBody:
		return fmt.Errorf("the answer of %s is longer than %d bytes", c.url, connector.MaxBody)
	case answer.StatusCode >= 300:
		p := &problem{}
		// What answers may be a proxy: its page is no problem that can be read.
		_ = json.Unmarshal(text, p)
		p.Status = answer.StatusCode
		return p
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the answer of %s cannot be read (is it the URL of a portal?): %w", c.url, err)
	}
	return nil
}

// explain says what to do about an error of the network.
func (c *client) explain(err error) error {
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%s cannot be reached: %w. If a proxy looks into the connection, enrol with -ca and the "+
			"proxy's CA certificate", c.url, err)
	}
	return fmt.Errorf("%s cannot be reached: %w. The firewall has to let this machine through to it, and HTTPS_PROXY "+
		"names a proxy", c.url, err)
}

// linkOf returns where a block goes, if that is the portal, which was fixed at enrolment.
func (c *client) linkOf(link string) (string, error) {
	base, err := url.Parse(c.url)
	if err != nil {
		return "", err
	}
	u, err := base.Parse(link)
	if err != nil {
		return "", fmt.Errorf("the cloud gave a link that cannot be read: %w", err)
	}
	if origin := u.Scheme + "://" + u.Host; origin != c.url {
		return "", fmt.Errorf("the cloud wants entries to be sent to %s, and only %s may have them", origin, c.url)
	}
	return u.String(), nil
}

// errLink means that a link took no block; another one may.
var errLink = errors.New("a block was not taken")

// upload asks for a link and puts a block there.
func (c *client) upload(ctx context.Context, of connector.BlockRequest, block []byte) error {
	var grant connector.BlockGrant
	if err := c.call(ctx, connector.PathBlock, of, &grant); err != nil {
		return err
	}
	link, err := c.linkOf(grant.URL)
	if err != nil {
		return &problem{Status: http.StatusBadRequest, Detail: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, blockTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, link, bytes.NewReader(block))
	if err != nil {
		return fmt.Errorf("send a block: %w", err)
	}
	for name, value := range grant.Headers {
		r.Header.Set(name, value)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return c.explain(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, connector.MaxBody)) // so that the connection is used again
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%w: %s", errLink, answer.Status)
	}
	return nil
}

// The tries of a request that has to arrive: as many, with growing pauses.
const (
	tries      = 8
	firstPause = 500 * time.Millisecond
	mostPause  = 20 * time.Second
)

// persist tries again until it works, the answer is final, or there were enough tries.
func persist(ctx context.Context, do func() error) error {
	for n, pause := 1, firstPause; ; n, pause = n+1, min(2*pause, mostPause) {
		err := do()
		var p *problem
		if err == nil || n == tries || errors.As(err, &p) && p.final() || sleep(ctx, pause) != nil {
			return err
		}
	}
}

// sleep waits, or returns why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
