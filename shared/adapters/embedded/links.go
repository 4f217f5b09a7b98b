package embedded

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rollcall/shared/ports/objects"
)

// DownloadPath is where DownloadHandler expects its requests.
const DownloadPath = "/download/"

// Link signs a link. Its path names the object, its query the file name, the expiry in Unix seconds and the signature.
func (a accountObjects) Link(ctx context.Context, key, fileName string, ttl time.Duration) (string, time.Time, error) {
	object, err := a.Open(ctx, key)
	if err != nil {
		return "", time.Time{}, err
	}
	object.Close()
	expires := a.store.options.Clock().Add(ttl).UTC().Truncate(time.Second)
	place := a.name + "/" + key
	at := strconv.FormatInt(expires.Unix(), 10)
	query := url.Values{"name": {fileName}, "expires": {at}, "signature": {a.store.sign(place, fileName, at)}}
	return a.store.options.BaseURL() + DownloadPath + place + "?" + query.Encode(), expires, nil
}

// sign returns the signature of a link's parts, each with its length.
func (s *Store) sign(parts ...string) string {
	mac := hmac.New(sha256.New, s.keys.link)
	for _, p := range parts {
		fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// DownloadHandler serves the links that Link signed, below DownloadPath. A link that was changed or has expired answers
// 403 with a problem (RFC 9457).
func (s *Store) DownloadHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			linkProblem(w, http.StatusMethodNotAllowed, "method_not_allowed", "A download link takes GET and HEAD.")
			return
		}
		place := strings.TrimPrefix(r.URL.Path, DownloadPath)
		query := r.URL.Query()
		name, at := query.Get("name"), query.Get("expires")
		if !hmac.Equal([]byte(query.Get("signature")), []byte(s.sign(place, name, at))) {
			linkProblem(w, http.StatusForbidden, "link_invalid",
				"This link was changed, or was not made here. Export again for a new one.")
			return
		}
		expires, err := strconv.ParseInt(at, 10, 64)
		if err != nil || s.options.Clock().Unix() >= expires {
			linkProblem(w, http.StatusForbidden, "link_expired", "This link has expired. Export again for a new one.")
			return
		}
		s.download(w, r, place, name)
	})
}

// filesOf returns the files of an account by the name of its folder.
func (s *Store) filesOf(account string) accountObjects {
	return accountObjects{store: s, name: account, root: filepath.Join(s.dir, objectsFolder, account)}
}

func (s *Store) download(w http.ResponseWriter, r *http.Request, place, name string) {
	account, key, _ := strings.Cut(place, "/")
	object, err := s.filesOf(account).Open(r.Context(), key)
	if err != nil {
		linkProblem(w, http.StatusNotFound, "file_not_found",
			"This file was deleted when its time was over. Export again.")
		return
	}
	defer object.Close()
	header := w.Header()
	header.Set("Content-Type", objects.ContentType(key))
	header.Set("Content-Disposition", objects.Disposition(name))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, name, time.Time{}, io.NewSectionReader(object, 0, object.Size()))
}

func linkProblem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	// The status is out; a broken connection is all that can fail here.
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "code": code, "detail": detail,
	})
}
