package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall/e2e/lab/awslab"
	"rollcall/e2e/servers/smtpserver"
)

const (
	webhookKey    = "a key of at least 24 bytes"
	webhookSecret = "whsec_YSBrZXkgb2YgYXQgbGVhc3QgMjQgYnl0ZXM="
)

// delivered waits until a receiver was asked about an event, and returns what is noted of it.
func (p *program) delivered(to, eventID string) (found object) {
	p.t.Helper()
	p.until(to+" gets "+eventID, func() bool {
		for _, d := range p.must(200, "GET", "/v1/notifications", nil).objects("deliveries") {
			if d.text("to") == to && d.text("eventId") == eventID {
				found = d
				return true
			}
		}
		return false
	})
	return found
}

// TestATestReachesMailAndWebhook has a test sent through a real mail server to a receiver that checks the signature by
// itself.
func TestATestReachesMailAndWebhook(t *testing.T) {
	onLocalOnly(t)
	t.Parallel()
	mails := smtpserver.Start(t)
	p := startProgram(t, t.TempDir(), "-demo=false", "-smtp", mails.Addr, "-mail-from", "rollcall@example.com")
	type post struct {
		head http.Header
		body []byte
	}
	posts := make(chan post, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posts <- post{r.Header, body}
	}))
	defer receiver.Close()
	saved := p.must(200, "PUT", "/v1/notifications", object{
		"email":   []string{"ann@example.com", "gone@example.com"},
		"webhook": object{"url": receiver.URL + "/hook", "secret": webhookSecret},
	})
	if saved.text("mail.from") != "rollcall@example.com" || saved.at("webhook.secret") != nil {
		t.Errorf("saved: %v", saved)
	}
	id := p.must(202, "POST", "/v1/notifications/test", nil).text("eventId")
	got := <-posts
	mac := hmac.New(sha256.New, []byte(webhookKey))
	mac.Write([]byte(id + "." + got.head.Get("webhook-timestamp") + "." + string(got.body)))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); got.head.Get("webhook-signature") != want ||
		got.head.Get("webhook-id") != id {
		t.Errorf("headers %v, want id %s and signature %s", got.head, id, want)
	}
	var event object
	if err := json.Unmarshal(got.body, &event); err != nil || event.text("type") != "rollcall.test" ||
		event.text("specversion") != "1.0" || event.text("id") != id {
		t.Errorf("event %s, error %v", got.body, err)
	}
	if m := mails.Next(); m.To[0] != "ann@example.com" || !strings.Contains(m.Data, "Subject: LDAP import: test") {
		t.Errorf("mail %+v", m)
	}
	if d := p.delivered("webhook", id); d.at("delivered") != true || d.number("status") != http.StatusOK {
		t.Errorf("noted of the webhook: %v", d)
	}
	if d := p.delivered("ann@example.com", id); d.at("delivered") != true {
		t.Errorf("noted of ann: %v", d)
	}
	if d := p.delivered("gone@example.com", id); d.at("delivered") != false || d.at("nextAt") != nil ||
		!strings.Contains(d.text("message"), "no such user") {
		t.Errorf("noted of the address that is gone: %v", d)
	}
}

// TestNotificationsOnFunctions has a test sent by the deployed functions: SES takes the mail, and what a deployment
// must not reach is refused.
func TestNotificationsOnFunctions(t *testing.T) {
	onFunctionsOnly(t)
	p := account(t)
	for _, url := range []string{
		"http://example.com/", "https://example.com:8443/", "https://169.254.169.254/latest", "https://10.0.0.1/",
		"https://[fd00:ec2::254]/",
	} {
		p.wantField("webhook.url", "PUT", "/v1/notifications", object{
			"webhook": object{"url": url, "secret": webhookSecret},
		})
	}
	// The lab allows loopback, where nothing listens on port 443.
	p.must(200, "PUT", "/v1/notifications", object{
		"email": []string{"ann@example.com"}, "webhook": object{"url": "https://127.0.0.1/", "secret": webhookSecret},
	})
	id := p.must(202, "POST", "/v1/notifications/test", nil).text("eventId")
	if d := p.delivered("ann@example.com", id); d.at("delivered") != true {
		t.Errorf("noted of ann: %v", d)
	}
	if d := p.delivered("webhook", id); d.at("delivered") != false || d.text("nextAt") == "" ||
		!strings.Contains(d.text("message"), "refuses connections") {
		t.Errorf("noted of the webhook: %v", d)
	}
	mails := lab.Mails.Mails()
	if len(mails) != 1 || mails[0].To != "ann@example.com" || !strings.Contains(mails[0].From, awslab.MailFrom) {
		t.Errorf("SES took %+v", mails)
	}
}
