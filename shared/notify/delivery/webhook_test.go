package delivery_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/notify"
	"rollcall/shared/notify/delivery"
)

// The vector is that of Standard Webhooks' own libraries.
func TestSignaturesAreThoseOfStandardWebhooks(t *testing.T) {
	t.Parallel()
	key, err := notify.Key(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	got := delivery.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
}

// TestAPostIsASignedCloudEvent reads what a receiver gets as a receiver would.
func TestAPostIsASignedCloudEvent(t *testing.T) {
	t.Parallel()
	l, r := newLab(t), receive(t, status(http.StatusOK))
	l.save(r.URL + "/hook?tenant=1")
	l.tell(failed("e1"))
	l.work()
	request, body := r.got[0], r.body[0]
	head := request.Header
	if request.Method != http.MethodPost || request.URL.RequestURI() != "/hook?tenant=1" ||
		!strings.HasPrefix(head.Get("Content-Type"), "application/cloudevents+json") ||
		head.Get("webhook-id") != "e1" ||
		head.Get("webhook-timestamp") != strconv.FormatInt(l.now.Unix(), 10) {
		t.Errorf("%s %s with %v", request.Method, request.URL, head)
	}
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(testSecret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("e1." + head.Get("webhook-timestamp") + "." + string(body)))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); head.Get("webhook-signature") != want {
		t.Errorf("signature %s, want %s", head.Get("webhook-signature"), want)
	}
	var event map[string]any
	if err := json.Unmarshal(body, &event); err != nil || event["specversion"] != "1.0" || event["id"] != "e1" ||
		event["type"] != "rollcall.sync.failed" || event["source"] != "/accounts/acme" {
		t.Errorf("body %s, error %v", body, err)
	}
}

// TestAHostileReceiver has receivers do what none should. Each case says what is noted of it.
func TestAHostileReceiver(t *testing.T) {
	t.Parallel()
	victim := receive(t, status(http.StatusOK))
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	endless := func(w http.ResponseWriter, code int) {
		w.WriteHeader(code)
		for chunk := []byte(strings.Repeat("x", 1<<16)); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		status int
		says   string
		wait   time.Duration // the least until the next try, where it says one
	}{
		"is slow": {answer: func(http.ResponseWriter, *http.Request) {
			select {
			case <-stop:
			case <-time.After(5 * time.Second):
			}
		}, says: "did not answer within 300ms"},
		"has no end": {answer: func(w http.ResponseWriter, _ *http.Request) { endless(w, 500) }, status: 500,
			says: "It said: " + strings.Repeat("x", 300)},
		"sends what is no text": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			w.Write([]byte("a\x1b[31m\x00\xff\r\nb"))
		}, status: 500, says: "It said: a[31m b"},
		"redirects to loopback": {answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, victim.URL, http.StatusTemporaryRedirect)
		}, status: 307, says: "Redirects are not followed"},
		"redirects to the metadata service": {answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		}, status: 302, says: "Redirects are not followed"},
		"wants to be left alone for two hours": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7200")
			w.WriteHeader(http.StatusTooManyRequests)
		}, status: 429, says: "429 Too Many Requests", wait: 2 * time.Hour},
		"wants to be left alone for years": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "99999999")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, status: 503, says: "503", wait: notify.LongestWait},
		"wants to be left alone until a date": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "Thu, 26 Nov 2026 13:00:00 GMT")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, status: 503, says: "503", wait: time.Hour},
		"hangs up": {answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			says: "was not reached: EOF."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, r := newLab(t), receive(t, test.answer)
			l.worker.Webhooks.Timeout = 300 * time.Millisecond
			l.save(r.URL)
			l.tell(failed("e1"))
			asked := l.now
			l.work()
			o := l.outcome("")
			if o.Delivered || o.Status != test.status || !strings.Contains(o.Message, test.says) ||
				len(o.Message) > 500 {
				t.Errorf("noted: %+v, want status %d and %q", o, test.status, test.says)
			}
			if wait := o.NextAt.Sub(asked); o.NextAt.IsZero() || test.wait > 0 && wait != test.wait {
				t.Errorf("tried again after %s, want %s", wait, test.wait)
			}
			if !l.settings().Webhook.Told() {
				t.Error("the subscription ended")
			}
		})
	}
	t.Cleanup(func() {
		if victim.count() > 0 {
			t.Error("a redirect was followed")
		}
	})
}

// TestAReceiverWhoseHeadersHaveNoEnd is read to its bound.
func TestAReceiverWhoseHeadersHaveNoEnd(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.save(raw(t, func(c net.Conn) {
		line := []byte("X-More: " + strings.Repeat("x", 1000) + "\r\n")
		for _, err := c.Write([]byte("HTTP/1.1 200 OK\r\n")); err == nil; {
			_, err = c.Write(line)
		}
	}))
	l.tell(failed("e1"))
	l.work()
	if o := l.outcome(""); o.Delivered || !strings.Contains(o.Message, "exceeded") {
		t.Errorf("noted: %+v", o)
	}
}

func TestGoneEndsTheSubscription(t *testing.T) {
	t.Parallel()
	l, r := newLab(t), receive(t, status(http.StatusGone))
	l.save(r.URL)
	l.tell(failed("e1"))
	l.tell(failed("e2"))
	l.work()
	s := l.settings()
	if r.count() != 1 || s.Webhook.Told() || !s.Webhook.EndedAt.Equal(l.now) {
		t.Errorf("%d posts, webhook %+v", r.count(), s.Webhook)
	}
	if o := l.outcome(""); o.Status != http.StatusGone || !o.NextAt.IsZero() {
		t.Errorf("noted: %+v", o)
	}
	l.tell(failed("e3"))
	if n := l.work(); n != 0 || l.sendDue() != 0 {
		t.Errorf("%d deliveries after the end", n)
	}
}

// TestTheNetworkPolicyHoldsForWebhooks has a deployment's rules, and names that lead to where none may.
func TestTheNetworkPolicyHoldsForWebhooks(t *testing.T) {
	t.Parallel()
	r := new(receiver)
	r.Server = httptest.NewTLSServer(r.keeping(status(http.StatusOK)))
	t.Cleanup(r.Close)
	roots := x509.NewCertPool()
	roots.AddCert(r.Certificate())
	public := netip.MustParseAddr("1.2.3.4")
	for name, test := range map[string]struct {
		url       string
		addresses []netip.Addr
		says      string // empty where it is delivered
		dialled   bool
	}{
		"a public address": {url: "https://example.com/hook", addresses: []netip.Addr{public}, dialled: true},
		"a private address": {url: "https://example.com/", addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")},
			says: "must not be reached"},
		"the metadata service": {url: "https://example.com/", says: "must not be reached",
			addresses: []netip.Addr{netip.MustParseAddr("169.254.169.254")}},
		"loopback as IPv6": {url: "https://example.com/", says: "must not be reached",
			addresses: []netip.Addr{netip.MustParseAddr("::ffff:127.0.0.1")}},
		"a private address behind a public one": {url: "https://example.com/", says: "must not be reached",
			addresses: []netip.Addr{public, netip.MustParseAddr("192.168.1.1")}},
		"a certificate with another name": {url: "https://other.test/", addresses: []netip.Addr{public}, dialled: true,
			says: "certificate is not accepted"},
		"a literal":    {url: "https://127.0.0.1/", says: "must not be reached"},
		"no TLS":       {url: "http://example.com/", says: "must begin with https://"},
		"another port": {url: "https://example.com:8443/", says: "must have no port"},
		"no such name": {url: "https://nowhere.test/", says: "No server is known"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			dialled, resolved := 0, 0
			l.worker.Webhooks = &delivery.Webhooks{
				Rules: notify.Rules{Allow: directory.Policy{}.Allow}, Roots: roots, Timeout: time.Second,
				Resolve: func(context.Context, string) ([]netip.Addr, error) {
					resolved++
					return test.addresses, nil
				},
				Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					dialled++
					if address != "1.2.3.4:443" {
						t.Errorf("dialled %s", address)
					}
					return new(net.Dialer).DialContext(ctx, network, r.Listener.Addr().String())
				},
			}
			l.save(test.url)
			l.tell(failed(name))
			l.work()
			o := l.outcome("")
			if o.Delivered != (test.says == "") || !strings.Contains(o.Message, test.says) ||
				dialled > 0 != test.dialled {
				t.Errorf("dialled %d times, noted %+v; want %q", dialled, o, test.says)
			}
			if test.dialled && dialled != resolved {
				t.Errorf("%d look-ups for %d connections", resolved, dialled)
			}
		})
	}
}
