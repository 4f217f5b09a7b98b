// Package objectstore is the port to the files of a tenant: plans, journals and CSVs. Objects are written once
// and never changed. Its adapters are in packages embedded and (on AWS) s3; objectstoretest holds what both must do.
package objectstore

import (
	"context"
	"errors"
	"io"
	"time"

	"rollcall/shared/user"
)

// ErrNotFound means that there is no such object, or no longer.
var ErrNotFound = errors.New("no such object")

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
)
