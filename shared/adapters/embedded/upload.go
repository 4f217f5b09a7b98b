package embedded

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rollcall/shared/ports/objects"
)

// UploadPath is where UploadHandler expects its requests.
const UploadPath = "/upload/"

// UploadLink signs a link. Its path names the object, its query what it takes, the expiry in Unix seconds and the
// signature.
func (a accountObjects) UploadLink(
	_ context.Context, key string, content objects.Content, ttl time.Duration,
) (string, map[string]string, error) {
	if err := objects.CheckKey(key); err != nil {
		return "", nil, err
	}
	place, at := a.name+"/"+key, strconv.FormatInt(a.store.options.Clock().Add(ttl).Unix(), 10)
	size, sum := strconv.FormatInt(content.Size, 10), base64.RawURLEncoding.EncodeToString(content.SHA256)
	query := url.Values{"size": {size}, "sha256": {sum}, "expires": {at},
		"signature": {a.store.sign("PUT", place, size, sum, at)}}
	return UploadPath + place + "?" + query.Encode(), nil, nil
}

// UploadHandler takes what is sent to the links that UploadLink signed, below UploadPath.
func (s *Store) UploadHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			w.Header().Set("Allow", "PUT")
			linkProblem(w, http.StatusMethodNotAllowed, "method_not_allowed", "An upload link takes PUT.")
			return
		}
		place, query := strings.TrimPrefix(r.URL.Path, UploadPath), r.URL.Query()
		size, sum, at := query.Get("size"), query.Get("sha256"), query.Get("expires")
		if !hmac.Equal([]byte(query.Get("signature")), []byte(s.sign("PUT", place, size, sum, at))) {
			linkProblem(w, http.StatusForbidden, "link_invalid", "This link was changed, or was not made here.")
			return
		}
		// What is signed was written by UploadLink.
		expires, _ := strconv.ParseInt(at, 10, 64)
		length, _ := strconv.ParseInt(size, 10, 64)
		want, _ := base64.RawURLEncoding.DecodeString(sum)
		if s.options.Clock().Unix() >= expires {
			linkProblem(w, http.StatusForbidden, "link_expired", "This link has expired. Ask for a new one.")
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, length+1))
		if got := sha256.Sum256(body); err != nil || int64(len(body)) != length || !bytes.Equal(got[:], want) {
			linkProblem(w, http.StatusBadRequest, "content_differs",
				"This is not what the link was made for. Send it again.")
			return
		}
		account, key, _ := strings.Cut(place, "/")
		if err := s.filesOf(account).Put(r.Context(), key, func(to io.Writer) error {
			_, err := to.Write(body)
			return err
		}); err != nil {
			s.options.Log.ErrorContext(r.Context(), "an upload cannot be stored", "error", err)
			linkProblem(w, http.StatusInternalServerError, "internal", "It could not be stored. Send it again.")
		}
	})
}
