// Package objects is the port to the files of a tenant: plans, journals and CSVs. Objects are written once
// and never changed. Its adapters are in packages embedded and (on AWS) s3; objectstest holds what both must do.
package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"path"
	"slices"
	"strings"
	"time"

	"rollcall/shared/user"
)

var (
	// ErrNotFound means that there is no such object, or no longer.
	ErrNotFound = errors.New("no such object")
	// ErrKey means that a key is none that CheckKey allows.
	ErrKey = errors.New("this is no object key")
)

// Store holds the objects of all accounts; For is the only way in.
type Store interface {
	For(account user.Account) Objects
}

// Objects is one account's objects. A key is a slash-separated path such as plans/01J…; its first element decides
// how long the object is kept.
type Objects interface {
	// Put streams an object. It exists, whole, once Put returns nil, and not at all if write returns an error.
	Put(ctx context.Context, key string, write func(io.Writer) error) error
	// Open returns an object for reading at any offset. The caller closes it.
	Open(ctx context.Context, key string) (Object, error)
	// Copy copies one object, replacing what is at to.
	Copy(ctx context.Context, from, to string) error
	// Delete removes an object; one that does not exist is no error.
	Delete(ctx context.Context, key string) error
	// Link signs a download link for fileName that works until the time returned, at most ttl from now.
	Link(ctx context.Context, key, fileName string, ttl time.Duration) (url string, expires time.Time, err error)
	// UploadLink signs a link that takes the object by PUT, with the headers that are returned, once or again until ttl
	// is over. It takes exactly that content. It is a path and a query, below whatever origin the portal is reached at.
	UploadLink(ctx context.Context, key string, content Content, ttl time.Duration) (link string,
		headers map[string]string, err error)
}

// Content is what an object is to hold: its length in bytes and its hash.
type Content struct {
	Size   int64
	SHA256 []byte
}

// Object is an open object.
type Object interface {
	io.ReaderAt
	io.Closer
	// Size is the object's length in bytes.
	Size() int64
}

// Keys of the objects that the project writes.
const (
	PlanPrefix    = "plans/"
	JournalPrefix = "journals/"
	CSVPrefix     = "csv/"
	// RecordingPrefix is that of what connectors read.
	RecordingPrefix = "recordings/"
)

// Prefixes lists all that a key may begin with.
func Prefixes() []string { return []string{PlanPrefix, JournalPrefix, CSVPrefix, RecordingPrefix} }

// CheckKey reports whether a key is valid: a prefix and a path below it, of letters, digits, dots, dashes and
// underscores. So it means nothing else to a file system, in a URL or in a policy.
func CheckKey(key string) error {
	known := slices.ContainsFunc(Prefixes(), func(prefix string) bool { return strings.HasPrefix(key, prefix) })
	if !known || !fs.ValidPath(key) || strings.ContainsFunc(key, unsafeInKey) {
		return fmt.Errorf("%w: %q", ErrKey, key)
	}
	return nil
}

func unsafeInKey(r rune) bool {
	allowed := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !allowed && !strings.ContainsRune("./-_", r)
}

// ContentType is the media type that the object with a key is downloaded as.
func ContentType(key string) string {
	if path.Ext(key) == ".csv" {
		return "text/csv; charset=utf-8"
	}
	return "application/octet-stream"
}

// Disposition is the Content-Disposition (RFC 6266) of a download that is saved as fileName.
func Disposition(fileName string) string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": fileName})
}
