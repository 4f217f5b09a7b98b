package lambda

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"rollcall/shared/api"
	"rollcall/shared/manifest"
)

// throughOrigin lets requests pass that name one of the keys, which are separated by commas: those that CloudFront
// sent, behind the firewall that it may have. Without keys all pass. There are two keys while one takes the place of
// the other.
func throughOrigin(keys string, next http.Handler) http.Handler {
	if keys == "" {
		return next
	}
	var known [][sha256.Size]byte
	for key := range strings.SplitSeq(keys, ",") {
		known = append(known, sha256.Sum256([]byte(key)))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Hashes have one length, and all are compared: the time tells nothing of a key.
		given, found := sha256.Sum256([]byte(r.Header.Get(manifest.OriginHeader))), 0
		for _, key := range known {
			found |= subtle.ConstantTimeCompare(given[:], key[:])
		}
		if found == 0 {
			(&api.Problem{
				Status: http.StatusForbidden, Code: "wrong_origin",
				Detail: "The API is not served at this address. Use the page's: its paths under /v1 are the API.",
			}).ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
