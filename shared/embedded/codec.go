package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"rollcall/shared/user"
)

// codecVersion is the first byte of a stored user.
const codecVersion = 1

// errCorrupt means that a stored user cannot be read.
var errCorrupt = errors.New("the stored user is damaged")

// The marks of a stored user's enumerations; a text that is not among them is written out.
var enumerations = []string{
	"", string(user.Primary), string(user.Alias), string(user.FromDirectory), string(user.Manual), string(user.ReportDaily), string(user.ReportOff),
	string(user.TypeUser), string(user.TypeContact), string(user.TypeGroup), string(user.TypePublicFolder), string(user.TypeResource),
	string(user.TypeShared), string(user.TypeUnknown),
}

// encodeUser writes a user without its key: version byte, version, run, flags and times, then the texts.
func encodeUser(u *user.User) []byte {
	b := make([]byte, 0, 96+len(u.LastRunID)+len(u.Address)+len(u.PrimaryAddress)+len(u.DirectoryID)+len(u.SourceID)+len(u.DN))
	b = append(b, codecVersion)
	b = binary.AppendVarint(b, u.Version)
	b = putText(b, u.LastRunID)
	protected := byte(0)
	if u.Protected {
		protected = 1
	}
	b = append(b, protected)
	for _, s := range []string{string(u.Kind), string(u.Type), string(u.Source), string(u.HeldSpamReport)} {
		b = putEnumeration(b, s)
	}
	b = putTime(b, u.CreatedAt)
	b = putTime(b, u.UpdatedAt)
	b = putTwin(b, u.Address, u.Key)
	b = putTwin(b, u.PrimaryAddress, u.Address)
	b = putText(b, u.DirectoryID)
	b = putText(b, u.SourceID)
	return putText(b, u.DN)
}

// decodeStamp reads what a condition needs of a stored user. runID shares the memory of b.
func decodeStamp(b []byte) (version int64, runID []byte, err error) {
	r := reader{rest: b}
	r.version()
	version = r.varint()
	runID = r.bytes()
	return version, runID, r.err
}

// decodeUser reads a user; its texts are copies.
func decodeUser(key string, b []byte) (user.User, error) {
	r := reader{rest: b}
	u := user.User{Key: key}
	r.version()
	u.Version = r.varint()
	u.LastRunID = string(r.bytes())
	u.Protected = r.byte() == 1
	u.Kind, u.Type = user.Kind(r.enumeration()), user.Type(r.enumeration())
	u.Source, u.HeldSpamReport = user.Source(r.enumeration()), user.HeldSpamReport(r.enumeration())
	u.CreatedAt, u.UpdatedAt = r.time(), r.time()
	u.Address = r.twin(key)
	u.PrimaryAddress = r.twin(u.Address)
	u.DirectoryID, u.SourceID, u.DN = string(r.bytes()), string(r.bytes()), string(r.bytes())
	if r.err != nil {
		return user.User{}, fmt.Errorf("%s: %w", key, r.err)
	}
	return u, nil
}

func putText(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

// putTwin writes s, or 0 where it equals the text before it.
func putTwin(b []byte, s, twin string) []byte {
	if s == twin {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(s))+1), s...)
}

func putEnumeration(b []byte, s string) []byte {
	for i, known := range enumerations {
		if s == known {
			return append(b, byte(i))
		}
	}
	return putText(append(b, 0xff), s)
}

func putTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, t.UnixNano())
}

// reader reads a stored user. Its first error sticks.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail() { r.err, r.rest = errCorrupt, nil }

func (r *reader) version() {
	if v := r.byte(); r.err == nil && v != codecVersion {
		r.err = fmt.Errorf("stored user has format %d, and this program reads %d: start a newer one", v, codecVersion)
	}
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return c
}

func (r *reader) varint() int64 {
	n, w := binary.Varint(r.rest)
	if w <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[w:]
	return n
}

func (r *reader) length() uint64 {
	n, w := binary.Uvarint(r.rest)
	if w <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[w:]
	return n
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) bytes() []byte { return r.take(r.length()) }

func (r *reader) twin(twin string) string {
	n := r.length()
	if n == 0 {
		return twin
	}
	return string(r.take(n - 1))
}

func (r *reader) enumeration() string {
	mark := r.byte()
	switch {
	case mark == 0xff:
		return string(r.bytes())
	case int(mark) >= len(enumerations):
		r.fail()
		return ""
	}
	return enumerations[mark]
}

func (r *reader) time() time.Time {
	n := r.varint()
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
