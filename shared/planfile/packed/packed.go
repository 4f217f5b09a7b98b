// Package packed writes texts, numbers and times as few bytes and reads them back without trusting them. The stores,
// the stored plans and the lists in memory are made of it.
package packed

import (
	"encoding/binary"
	"errors"
	"time"
)

// ErrDamaged means that what is read is not what was written.
var ErrDamaged = errors.New("the stored data is damaged")

// AppendText writes a text with its length.
func AppendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// AppendUnless writes a text, or a single byte where it equals other, which the reader must know.
func AppendUnless(b []byte, s, other string) []byte {
	if s == other {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(s))+1), s...)
}

// AppendKnown writes a text as its number in known, from 1 on and below 255, or in full where it is not there.
func AppendKnown(b []byte, s string, known []string) []byte {
	for i, k := range known {
		if k == s {
			return append(b, byte(i+1))
		}
	}
	return AppendText(append(b, 0), s)
}

// AppendTime writes a time to the nanosecond, and the zero time as such. It comes back in UTC.
func AppendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, t.UnixNano())
}

// AppendBool writes a truth value.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// Reader reads what the functions above wrote. Its first error sticks, and everything it returns afterwards is empty.
// The texts share the memory of its input.
type Reader struct {
	text string
	at   int
	err  error
}

// NewReader returns a reader of text.
func NewReader(text string) Reader { return Reader{text: text} }

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Fail makes the reader fail, where what it read makes no sense to its caller.
func (r *Reader) Fail() {
	if r.err == nil {
		r.err = ErrDamaged
	}
	r.at = len(r.text)
}

// Left returns the number of bytes that are not read yet, and Rest those bytes.
func (r *Reader) Left() int { return len(r.text) - r.at }

// Rest returns the bytes that are not read yet.
func (r *Reader) Rest() string { return r.text[r.at:] }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.at >= len(r.text) {
		r.Fail()
		return 0
	}
	r.at++
	return r.text[r.at-1]
}

// Bool reads a truth value.
func (r *Reader) Bool() bool { return r.Byte() == 1 }

// Uvarint reads what binary.AppendUvarint wrote.
func (r *Reader) Uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		c := r.Byte()
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	r.Fail()
	return 0
}

// Varint reads what binary.AppendVarint wrote.
func (r *Reader) Varint() int64 {
	n := r.Uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

// Count reads the number of things of which each takes a byte at least.
func (r *Reader) Count() int {
	n := r.Uvarint()
	if n > uint64(r.Left()) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Take reads n bytes.
func (r *Reader) Take(n uint64) string {
	if n > uint64(r.Left()) {
		r.Fail()
		return ""
	}
	r.at += int(n)
	return r.text[r.at-int(n) : r.at]
}

// Text reads what AppendText wrote.
func (r *Reader) Text() string { return r.Take(r.Uvarint()) }

// Unless reads what AppendUnless wrote.
func (r *Reader) Unless(other string) string {
	n := r.Uvarint()
	if n == 0 {
		return other
	}
	return r.Take(n - 1)
}

// Known reads what AppendKnown wrote with the same list.
func (r *Reader) Known(known []string) string {
	n := int(r.Byte())
	switch {
	case n == 0:
		return r.Text()
	case n > len(known):
		r.Fail()
		return ""
	}
	return known[n-1]
}

// Time reads what AppendTime wrote.
func (r *Reader) Time() time.Time {
	n := r.Varint()
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
