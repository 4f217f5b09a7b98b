package notify

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"rollcall/shared/settings"
)

// The limits of what is entered.
const (
	// MaxEmail is how many addresses may be told.
	MaxEmail = 10
	// MaxURL and maxAddress are in bytes (RFC 5321, 4.5.3.1).
	MaxURL     = 2048
	maxAddress = 254
	maxLocal   = 64
	// minSecret and maxSecret are a decoded secret's length in bytes, as Standard Webhooks has it.
	minSecret = 24
	maxSecret = 64
)

// secretPrefix stands before a secret's base64.
const secretPrefix = "whsec_"

// address is a dot-atom and a domain of at least two labels (RFC 5322, 3.4.1; RFC 1035, 2.3.1), in ASCII. No quoted
// local part: nothing that ends a header or a command can be in what this matches.
var address = regexp.MustCompile("^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*@" +
	`([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])$`)

// Validate lists every wrong field of what somebody entered. The webhook's URL is checked by Rules, its secret by Key.
func (s Settings) Validate(r Rules) (wrong []settings.FieldError) {
	add := func(field, format string, args ...any) {
		wrong = append(wrong, settings.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if len(s.Email) > MaxEmail {
		add("email", "has more than %d addresses: a list of your mail system can hold more people", MaxEmail)
	}
	for i, to := range s.Email[:min(len(s.Email), MaxEmail)] {
		at := strings.LastIndexByte(to, '@')
		switch {
		case !address.MatchString(to) || len(to) > maxAddress || at > maxLocal:
			add(fmt.Sprintf("email[%d]", i), "is no mail address such as admin@example.com; write a domain outside "+
				"ASCII as xn--…")
		case slices.ContainsFunc(s.Email[:i], func(earlier string) bool { return strings.EqualFold(earlier, to) }):
			add(fmt.Sprintf("email[%d]", i), "is in the list already")
		}
	}
	for i, kind := range s.Events {
		switch {
		case !slices.Contains(Kinds(), kind):
			add(fmt.Sprintf("events[%d]", i), "must be one of failed, blocked, recovered, missed, changed")
		case slices.Contains(s.Events[:i], kind):
			add(fmt.Sprintf("events[%d]", i), "is in the list already")
		}
	}
	if s.Webhook != nil {
		if _, err := r.CheckURL(s.Webhook.URL); err != nil {
			add("webhook.url", "%v", err)
		}
	}
	return wrong
}

// Rules say where a webhook may be. The zero value is the strictest but for addresses, which Allow judges.
type Rules struct {
	// Insecure allows http besides https, and every port besides 443.
	Insecure bool
	// Allow refuses addresses that must not be dialled; nil allows all. It is directory.Policy's.
	Allow func(netip.Addr) error
}

// CheckURL reads a webhook's URL and says what is wrong with it. Of its host only an address is checked: what a name
// stands for is checked when it is dialled.
func (r Rules) CheckURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, errors.New("is required; leave the whole webhook out for none")
	case len(text) > MaxURL:
		return nil, fmt.Errorf("is longer than %d bytes", MaxURL)
	case err != nil || u.Hostname() == "" || u.Opaque != "" || !ascii(text):
		return nil, errors.New("is no URL such as https://hooks.example.com/rollcall")
	case u.User != nil:
		return nil, errors.New("must not hold a username or password: the receiver knows us by the signature")
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return nil, errors.New("must have no fragment (#…): it would never be sent")
	case r.Insecure && u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("must begin with https:// or http://")
	case !r.Insecure && u.Scheme != "https":
		return nil, errors.New("must begin with https://")
	case !r.Insecure && u.Port() != "" && u.Port() != "443":
		return nil, errors.New("must have no port, or 443: events are sent to no other one")
	}
	if literal, err := netip.ParseAddr(u.Hostname()); err == nil && r.Allow != nil {
		if err := r.Allow(literal); err != nil {
			return nil, fmt.Errorf("leads to an address that must not be reached from here: %w", err)
		}
	}
	return u, nil
}

// ascii reports whether a text is printable ASCII without spaces.
func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

var errSecret = fmt.Errorf("must be %s and the base64 of %d to %d bytes, such as `openssl rand -base64 32` prints",
	secretPrefix, minSecret, maxSecret)

// Key returns the bytes that a webhook's secret stands for, which are the key of its signatures (Standard Webhooks).
func Key(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(key) < minSecret || len(key) > maxSecret {
		return nil, errSecret
	}
	return key, nil
}
