package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tolerance is how old a message may be: nobody can send again one that they saw.
const tolerance = 5 * time.Minute

// maxBody is more than any event has, in bytes.
const maxBody = 1 << 20

var (
	errOld       = errors.New("the message is too old, or of another clock")
	errSignature = errors.New("no signature is right")
)

// verify holds a message to its signature (Standard Webhooks 1.0.0). The secret is whsec_ and base64.
func verify(secret string, header http.Header, body []byte, now time.Time) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return fmt.Errorf("read the secret: %w", err)
	}
	id, stamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return errOld
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, got := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(want), []byte(got)) {
			return nil
		}
	}
	return errSignature
}

// receiver takes webhooks. An answer other than 2xx has them sent again.
func receiver(c *Copy, secret string, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err == nil {
			err = verify(secret, r.Header, body, time.Now())
		}
		if err != nil {
			log.WarnContext(r.Context(), "a message is refused", "error", err)
			http.Error(w, "refused", http.StatusBadRequest)
			return
		}
		if err := c.Handle(r.Context(), body); err != nil {
			log.ErrorContext(r.Context(), "an event has to come again", "error", err)
			http.Error(w, "again", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
