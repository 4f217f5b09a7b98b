package notify_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"rollcall/shared/notify"
)

// strict are a deployment's rules, which allow one address.
var strict = notify.Rules{Allow: func(a netip.Addr) error {
	if a != netip.MustParseAddr("1.2.3.4") {
		return errors.New("it is elsewhere")
	}
	return nil
}}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for url, says := range map[string]string{
		"https://hooks.example.com/a?b=c": "", "https://hooks.example.com:443": "", "https://1.2.3.4/": "",
		"HTTPS://hooks.example.com/": "",
		"":                           "is required", "https://": "no URL", "https:hooks.example.com": "no URL",
		"//hooks.example.com/": "must begin with https://", "https://hooks.example.com/ä": "no URL",
		"https://hooks.example.com/a b": "no URL", "https://hooks.example.com:x/": "no URL",
		"http://hooks.example.com/": "must begin with https://", "https://hooks.example.com:80/": "must have no port",
		"https://me@hooks.example.com/": "username", "https://hooks.example.com/#": "fragment",
		"https://10.0.0.1/": "elsewhere", "https://[::1]/": "elsewhere", "https://[::ffff:1.2.3.4]/": "elsewhere",
		"https://hooks.example.com/" + strings.Repeat("a", notify.MaxURL): "longer",
	} {
		_, err := strict.CheckURL(url)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want %q", url, err, says)
		}
	}
}

// FuzzCheckURL looks for a URL that is taken and leads elsewhere than it may.
func FuzzCheckURL(f *testing.F) {
	f.Add("https://hooks.example.com/a")
	f.Add("https://me@hooks.example.com:443/?#")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := strict.CheckURL(text)
		if err != nil {
			return
		}
		if u.Scheme != "https" || u.User != nil || u.Hostname() == "" || u.Port() != "" && u.Port() != "443" ||
			strings.ContainsAny(text, "\r\n \x00") {
			t.Errorf("%q was taken", text)
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && a.String() != "1.2.3.4" {
			t.Errorf("%q was taken, of %s", text, a)
		}
	})
}

// FuzzEmail looks for an address that is taken and could end a header or a command of SMTP.
func FuzzEmail(f *testing.F) {
	f.Add("ann@example.com")
	f.Add("ann@example.com>\r\nRCPT TO:<bob@example.com")
	f.Fuzz(func(t *testing.T, address string) {
		s := notify.Settings{Email: []string{address}}
		if len(s.Validate(strict)) == 0 && (strings.ContainsAny(address, " \t\r\n\x00<>(),;:\\\"[]") ||
			strings.Count(address, "@") != 1) {
			t.Errorf("%q was taken", address)
		}
	})
}

func TestKey(t *testing.T) {
	t.Parallel()
	for secret, good := range map[string]bool{
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": true, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": false,
		"whsec_" + strings.Repeat("AAAA", 21) + "AA==": true, "whsec_" + strings.Repeat("AAAA", 21) + "AAA=": false,
		"whsec_" + strings.Repeat("AAAA", 7): false, "whsec_" + strings.Repeat("AAAA", 8): true,
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS\n": false, "whsec_": false, "": false,
	} {
		if key, err := notify.Key(secret); (err == nil) != good {
			t.Errorf("%q: %d bytes, error %v; want it taken: %t", secret, len(key), err, good)
		}
	}
}

// What a receiver said is kept once for each, and not past its name.
func TestNote(t *testing.T) {
	t.Parallel()
	s := notify.Settings{Email: []string{"ann@example.com"}, Webhook: new(notify.Webhook)}
	for _, to := range []string{"ann@example.com", "", "gone@example.com", "ann@example.com"} {
		s.Note(notify.Outcome{To: to, Attempts: len(s.Last) + 1})
	}
	if len(s.Last) != 2 || s.Last[1].To != "ann@example.com" || s.Last[1].Attempts != 3 {
		t.Errorf("noted: %+v", s.Last)
	}
	s.Webhook = nil
	if s.Forget(); len(s.Last) != 1 {
		t.Errorf("without the webhook: %+v", s.Last)
	}
}
