package dynamodb

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/runs"
)

// The attributes of a record beside its keys and those of the indexes.
const (
	// attrDocument is the record as JSON; attrPacked, in its place, is the same compressed (RFC 1951).
	attrDocument = "document"
	attrPacked   = "packed"
	// attrWrites names the last writes that the record went through, the newest first. A writer whose answer was lost
	// finds its own there, also where another has written on top of it meanwhile.
	attrWrites = "writes"
)

// keptWrites is how many writes a record names: more than come between an attempt and the next.
const keptWrites = 16

const (
	// packFrom is the length in bytes from which a document is compressed: a write costs by the kilobyte, and a worker
	// writes its run twice a second, with every exclusion in it.
	packFrom = 4 << 10
	// maxDocument is how long a document may be as it is stored, by DynamoDB's 400 KB for an item. maxNew leaves new
	// records room: a run gets notes, a result and the names of its conflicts, and settings the marks of their runs.
	maxDocument = 396 << 10
	maxNew      = 320 << 10
	// fitSlack is more than ids, times and names change the length of a run's compressed record.
	fitSlack = 4 << 10
)

// record is an item of the Jobs table: as it is stored, or as it is to be. The zero record is where nothing is stored.
type record struct {
	// document is JSON.
	document []byte
	// writes are names of writes, the newest first, with a space behind each.
	writes string
	// index are the attributes for the indexes and the time to live.
	index item
}

// newRecord is what value is stored as.
func newRecord(value any, index item) (record, error) {
	document, err := json.Marshal(value)
	return record{document: document, index: index}, err
}

// after makes r the record that a new write puts in the place of stored.
func (r record) after(stored record) record {
	r.writes = rand.Text()[:nameLength-1] + " " + stored.writes[:min(len(stored.writes), (keptWrites-1)*nameLength)]
	return r
}

// nameLength is the length of a write's name with its space: 75 random bits.
const nameLength = 16

// includes reports whether the last write of other is among those of r.
func (r record) includes(other record) bool {
	return len(other.writes) >= nameLength && strings.Contains(r.writes, other.writes[:nameLength])
}

// unchanged is the condition that the record is as it was read.
func (r record) unchanged() (expression *string, values item) {
	if r.document == nil {
		return aws.String("attribute_not_exists(" + manifest.JobsPartition + ")"), nil
	}
	return aws.String(attrWrites + " = :writes"), item{":writes": str(r.writes)}
}

// item is the record as it is stored under a name, or ErrTooLarge.
func (a accountJobs) item(name string, r record) (item, error) {
	i := a.key(name)
	for attribute, value := range r.index {
		i[attribute] = value
	}
	i[attrWrites] = str(r.writes)
	stored := r.document
	if len(stored) < packFrom {
		i[attrDocument] = str(string(stored))
		return i, nil
	}
	stored, err := pack(stored)
	if err != nil {
		return nil, err
	}
	i[attrPacked] = &types.AttributeValueMemberB{Value: stored}
	most := maxDocument
	if len(r.writes) == nameLength {
		most = maxNew
	}
	if err := withinLimit(len(stored), most); err != nil {
		return nil, err
	}
	return i, nil
}

func withinLimit(length, most int) error {
	if length > most {
		return fmt.Errorf("%w: %d KB compressed, of %d KB", runs.ErrTooLarge, length>>10, most>>10)
	}
	return nil
}

func (a accountJobs) key(name string) item {
	return item{manifest.JobsPartition: str(string(a.account)), manifest.JobsSort: str(name)}
}

func pack(document []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(document); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// readRecord reads what is stored; a nil item gives the zero record.
func readRecord(i item) (record, error) {
	if i == nil {
		return record{}, nil
	}
	r := record{writes: text(i, attrWrites), document: []byte(text(i, attrDocument))}
	if packed, ok := i[attrPacked].(*types.AttributeValueMemberB); ok {
		document, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed.Value)))
		if err != nil {
			return record{}, fmt.Errorf("unpack record %s: %w", text(i, manifest.JobsSort), err)
		}
		r.document = document
	}
	if len(r.document) == 0 || r.writes == "" {
		return record{}, fmt.Errorf("record %s: %w", text(i, manifest.JobsSort),
			missing(attrDocument+" or "+attrWrites))
	}
	return r, nil
}

// decode reads the record's JSON, or returns ErrNotFound where nothing is stored.
func (r record) decode(into any) error {
	if r.document == nil {
		return runs.ErrNotFound
	}
	return json.Unmarshal(r.document, into)
}

// decodeOrZero returns the zero value of a record that is not stored.
func decodeOrZero[T any](r record) (value T, err error) {
	if err = r.decode(&value); errors.Is(err, runs.ErrNotFound) {
		err = nil
	}
	return value, err
}

// read reads a record; one that is not stored is the zero record.
func (a accountJobs) read(ctx context.Context, name string) (record, error) {
	out, err := a.client.GetItem(ctx, &awsdynamodb.GetItemInput{TableName: &a.table, Key: a.key(name),
		ConsistentRead: aws.Bool(true)})
	if err != nil {
		return record{}, fmt.Errorf("read record %s: %w", name, ended(ctx, err))
	}
	return readRecord(out.Item)
}

// write stores a record in the place of what was read. Where that has changed, it returns what is stored and
// ErrConflict, unless this very write was done by an attempt whose answer was lost.
func (a accountJobs) write(ctx context.Context, name string, r, read record) (stored record, err error) {
	r = r.after(read)
	i, err := a.item(name, r)
	if err != nil {
		return record{}, fmt.Errorf("write record %s: %w", name, err)
	}
	expression, values := read.unchanged()
	_, err = a.client.PutItem(ctx, &awsdynamodb.PutItemInput{
		TableName: &a.table, Item: i, ConditionExpression: expression, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return r, nil
	}
	found, ok := refused(err)
	if !ok {
		return record{}, fmt.Errorf("write record %s: %w", name, ended(ctx, err))
	}
	if stored, err = readRecord(found); err != nil || stored.includes(r) {
		return stored, err
	}
	return stored, runs.ErrConflict
}

// change reads a record, lets next say what it becomes, and stores that if nobody stored it meanwhile; it tries again
// if somebody did. next gets the zero record where nothing is stored, and its error ends the change without a write.
func (a accountJobs) change(ctx context.Context, name string, next func(record) (record, error)) error {
	stored, err := a.read(ctx, name)
	for attempt := 0; err == nil; attempt++ {
		r, err := next(stored)
		if err != nil {
			return err
		}
		found, err := a.write(ctx, name, r, stored)
		if !errors.Is(err, runs.ErrConflict) {
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
		stored = found
	}
	return err
}
