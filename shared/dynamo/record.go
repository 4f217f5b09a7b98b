package dynamo

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/deployment"
	"rollcall/shared/jobstore"
)

// The attributes of a record beside its keys and those of the indexes.
const (
	// attrDocument is the record as JSON; attrPacked, in its place, is the same compressed (RFC 1951).
	attrDocument = "document"
	attrPacked   = "packed"
	// attrWriteID names the write that stored the record: a writer whose answer was lost finds its own there.
	attrWriteID = "writeId"
	// attrRevision is the settings' Revision.
	attrRevision = "revision"
)

const (
	// packFrom is the length in bytes from which a document is compressed: a write costs by the kilobyte, and a worker writes
	// its run twice a second, with every exclusion in it.
	packFrom = 4 << 10
	// maxDocument is how long a document may be as it is stored, by DynamoDB's 400 KB for an item. maxNew leaves a new one
	// room: a run gets notes, a result and the names of its conflicts.
	maxDocument = 396 << 10
	maxNew      = 320 << 10
)

// record is an item of the Jobs table: as it is stored, or as it is to be.
type record struct {
	// document is JSON, and nil where nothing is stored.
	document []byte
	writeID  string
	// index are the attributes for indexes, conditions and the time to live.
	index item
}

func newRecord(value any, index item) (record, error) {
	document, err := json.Marshal(value)
	return record{document: document, writeID: rand.Text(), index: index}, err
}

// condition is when a record may be written or deleted: where an attribute has a value, or, where value is nil, nothing is stored.
type condition struct {
	attribute string
	value     types.AttributeValue
}

func absent() condition { return condition{deployment.JobsPartition, nil} }

// unchanged holds where the record is as it was read.
func (r record) unchanged() condition {
	if r.document == nil {
		return absent()
	}
	return condition{attrWriteID, str(r.writeID)}
}

func (c condition) expression() (*string, item) {
	if c.value == nil {
		return aws.String("attribute_not_exists(" + c.attribute + ")"), nil
	}
	return aws.String(c.attribute + " = :value"), item{":value": c.value}
}

// item is the record as it is stored under a name.
func (a accountJobs) item(name string, r record) (item, error) {
	i := a.key(name)
	for attribute, value := range r.index {
		i[attribute] = value
	}
	i[attrWriteID] = str(r.writeID)
	if len(r.document) < packFrom {
		i[attrDocument] = str(string(r.document))
		return i, nil
	}
	packed, err := pack(r.document)
	i[attrPacked] = &types.AttributeValueMemberB{Value: packed}
	return i, err
}

func (a accountJobs) key(name string) item {
	return item{deployment.JobsPartition: str(string(a.account)), deployment.JobsSort: str(name)}
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
	return packed.Bytes(), w.Close()
}

// readRecord reads what is stored; a nil item gives the zero record.
func readRecord(i item) (record, error) {
	if i == nil {
		return record{}, nil
	}
	r := record{writeID: text(i, attrWriteID), document: []byte(text(i, attrDocument))}
	if packed, ok := i[attrPacked].(*types.AttributeValueMemberB); ok {
		document, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed.Value)))
		if err != nil {
			return record{}, fmt.Errorf("unpack record %s: %w", text(i, deployment.JobsSort), err)
		}
		r.document = document
	}
	if len(r.document) == 0 || r.writeID == "" {
		return record{}, fmt.Errorf("record %s: %w", text(i, deployment.JobsSort), missing(attrDocument+" or "+attrWriteID))
	}
	return r, nil
}

// decode reads the record's JSON, or returns ErrNotFound where nothing is stored.
func (r record) decode(into any) error {
	if r.document == nil {
		return jobstore.ErrNotFound
	}
	return json.Unmarshal(r.document, into)
}

// read reads a record; one that is not stored is the zero record.
func (a accountJobs) read(ctx context.Context, name string) (record, error) {
	out, err := a.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &a.table, Key: a.key(name), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return record{}, fmt.Errorf("read record %s: %w", name, ended(ctx, err))
	}
	return readRecord(out.Item)
}

// write stores a record where the condition holds. Where it does not, it returns what is stored and ErrConflict, unless that is
// this very write, done by an attempt whose answer was lost.
func (a accountJobs) write(ctx context.Context, name string, r record, c condition) (stored record, err error) {
	i, err := a.item(name, r)
	if err != nil {
		return record{}, fmt.Errorf("write record %s: %w", name, err)
	}
	if err := fits(i, c); err != nil {
		return record{}, fmt.Errorf("write record %s: %w", name, err)
	}
	expression, values := c.expression()
	_, err = a.client.PutItem(ctx, &dynamodb.PutItemInput{
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
	if stored, err = readRecord(found); err != nil || stored.writeID == r.writeID {
		return stored, err
	}
	return stored, jobstore.ErrConflict
}

// fits refuses what DynamoDB would refuse with an error that names no mend.
func fits(i item, c condition) error {
	size, most := len(text(i, attrDocument)), maxDocument
	if packed, ok := i[attrPacked].(*types.AttributeValueMemberB); ok {
		size = len(packed.Value)
	}
	if c.value == nil || c.attribute == attrRevision {
		most = maxNew
	}
	if size > most {
		return fmt.Errorf("%w: %d KB of %d KB, compressed", jobstore.ErrTooLarge, size>>10, most>>10)
	}
	return nil
}

// change reads a record, lets next say what it becomes, and stores that if nobody stored it meanwhile; it tries again if somebody
// did. next gets the zero record where nothing is stored, and its error ends the change without a write.
func (a accountJobs) change(ctx context.Context, name string, next func(record) (record, error)) error {
	stored, err := a.read(ctx, name)
	for attempt := 0; err == nil; attempt++ {
		var r record
		if r, err = next(stored); err != nil {
			return err
		}
		var found record
		if found, err = a.write(ctx, name, r, stored.unchanged()); !errors.Is(err, jobstore.ErrConflict) {
			return err
		}
		stored, err = found, pause(ctx, attempt)
	}
	return err
}

// remove reads a record and, unless may says no with an error, deletes it as it was read; it tries again if somebody stored it
// meanwhile.
func (a accountJobs) remove(ctx context.Context, name string, may func(record) error) error {
	stored, err := a.read(ctx, name)
	for attempt := 0; err == nil; attempt++ {
		if err := may(stored); err != nil {
			return err
		}
		var found record
		if found, err = a.removeAsRead(ctx, name, stored); !errors.Is(err, jobstore.ErrConflict) {
			return err
		}
		stored, err = found, pause(ctx, attempt)
	}
	return err
}

// removeAsRead deletes a record that is as it was read; else it returns what is stored, and ErrConflict. One that is gone after an
// attempt whose answer was lost was deleted by that.
func (a accountJobs) removeAsRead(ctx context.Context, name string, r record) (stored record, err error) {
	expression, values := r.unchanged().expression()
	doubt := false
	_, err = a.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &a.table, Key: a.key(name), ConditionExpression: expression, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, noteDoubt(&doubt))
	if err == nil {
		return record{}, nil
	}
	found, ok := refused(err)
	if !ok {
		return record{}, fmt.Errorf("delete record %s: %w", name, ended(ctx, err))
	}
	if found == nil && doubt {
		return record{}, nil
	}
	if stored, err = readRecord(found); err != nil {
		return stored, err
	}
	return stored, jobstore.ErrConflict
}
