// Package recording writes what a read of a directory hands over (steps, entries, what was found or why it failed) into
// blocks, and plays it back to an importer as if that had read itself. A connector on site records; the cloud plays.
//
// A recording is a chain of blocks, each with the hash of the one before, so that blocks out of order, repeated,
// missing or changed are an incomplete read and never a shorter list:
//
//	"RCRD" | protocol | number | SHA-256 of the block before, or the order's seed | compressed (S2) records
//
// A record is a step, an entry, or, once and last, the end. Entries are written as what differs from the entry before
// (entry.go): DNs and addresses of one directory resemble each other.
package recording

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
)

const (
	// blockRecords is the size of a block's records in bytes from which on the next block begins, before compression.
	// The last block is sent when the read has ended, so it should be small; each costs a request for its link.
	blockRecords = 2 << 20
	// maxEntry bounds one entry in bytes, and maxRecords a block's records, of which the last may be such an entry.
	maxEntry   = 12 << 20
	maxRecords = blockRecords + 24<<20
	// MaxBlock bounds a block in bytes: what S2 may make of the longest records.
	MaxBlock = headerSize + maxRecords + maxRecords/6 + 64
)

// magic begins a block, with the protocol's number as its last byte.
var magic = [5]byte{'R', 'C', 'R', 'D', connector.Protocol}

const headerSize = len(magic) + 4 + sha256.Size

// ErrMissing is what a Player's Block returns for a block that is not there.
var ErrMissing = errors.New("the block is missing")

// errDamaged means that records are not what a Recorder writes.
var errDamaged = errors.New("its records cannot be read")

// The first byte of a record: a control record, or an entry with a new shape (entry.go), or the shape of that number
// and one more.
const (
	controlRecord = iota
	newShape
	knownShape
)

// The kinds of control records: JSON follows them with its length.
const (
	stepRecord = 's'
	// foundRecord stands before an entry that answers a question.
	foundRecord = 'f'
	endRecord   = 'e'
)

// verdict is what a search makes of an entry that answers a question (directory.Found).
type verdict struct {
	InBase       bool   `json:"inBase"`
	Matches      bool   `json:"matches"`
	FailedClause string `json:"failedClause,omitempty"`
}

// end is the last record.
type end struct {
	Info directory.Info `json:"info"`
	// More is directory.Answer's.
	More bool `json:"more,omitempty"`
	// Error is why the read failed, nil where it went well.
	Error *directory.Error `json:"error,omitempty"`
}

// appendBlock compresses records into a block.
func appendBlock(to []byte, number int, before [sha256.Size]byte, records []byte) []byte {
	to = append(to, magic[:]...)
	to = binary.BigEndian.AppendUint32(to, uint32(number))
	to = append(to, before[:]...)
	head := len(to)
	if most := s2.MaxEncodedLen(len(records)); cap(to)-head < most {
		to = append(make([]byte, 0, head+most), to...)
	}
	return to[:head+len(s2.EncodeBetter(to[head:cap(to)], records))]
}

// openBlock returns the records of a block that has to be the one of this number, after the block with this hash. They
// take the place of what is in to.
func openBlock(to, block []byte, number int, before [sha256.Size]byte) ([]byte, error) {
	switch {
	case len(block) < headerSize || !bytes.Equal(block[:4], magic[:4]):
		return nil, errors.New("it is no block")
	case block[4] != magic[4]:
		return nil, &connector.ProtocolError{Theirs: int(block[4])}
	case binary.BigEndian.Uint32(block[5:]) != uint32(number):
		return nil, fmt.Errorf("it is block %d", binary.BigEndian.Uint32(block[5:]))
	case !bytes.Equal(block[9:headerSize], before[:]):
		return nil, errors.New("it does not follow on the block before")
	}
	packed := block[headerSize:]
	if size, err := s2.DecodedLen(packed); err != nil || size > maxRecords {
		return nil, errDamaged
	}
	records, err := s2.Decode(to[:cap(to)], packed)
	if err != nil {
		return nil, errDamaged
	}
	return records, nil
}

// Putter stores a block somewhere until it returns; the block is not its own afterwards. Several may be at work at
// once.
type Putter func(ctx context.Context, number int, block []byte) error
