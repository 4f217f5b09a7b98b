package dynamodb

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// batchRows is the most items that one BatchWriteItem takes.
const batchRows = 25

// eraser deletes whole partitions of a table.
type eraser struct {
	client                       Client
	table, partitionKey, sortKey string
	deleted                      int
	progress                     func(deleted int)
}

// partition deletes all items of one partition key.
func (e *eraser) partition(ctx context.Context, value string) error {
	query := &awsdynamodb.QueryInput{
		TableName: &e.table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#partition = :partition"),
		ProjectionExpression:      aws.String("#partition, #sort"),
		ExpressionAttributeNames:  map[string]string{"#partition": e.partitionKey, "#sort": e.sortKey},
		ExpressionAttributeValues: item{":partition": str(value)},
	}
	for {
		page, err := e.client.Query(ctx, query)
		if err != nil {
			return ended(ctx, err)
		}
		for batch := range slices.Chunk(page.Items, batchRows) {
			if err := e.delete(ctx, batch); err != nil {
				return ended(ctx, err)
			}
		}
		if query.ExclusiveStartKey = page.LastEvaluatedKey; query.ExclusiveStartKey == nil {
			return nil
		}
	}
}

// delete deletes the items with these keys, as often as the table takes only some of them.
func (e *eraser) delete(ctx context.Context, keys []item) error {
	var requests []types.WriteRequest
	for _, key := range keys {
		requests = append(requests, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}})
	}
	for attempt := 0; len(requests) > 0; attempt++ {
		if attempt > 0 {
			if err := pause(ctx, attempt); err != nil {
				return err
			}
		}
		out, err := e.client.BatchWriteItem(
			ctx, &awsdynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{e.table: requests}},
		)
		if err != nil {
			return err
		}
		left := out.UnprocessedItems[e.table]
		e.deleted += len(requests) - len(left)
		requests = left
		if e.progress != nil {
			e.progress(e.deleted)
		}
	}
	return nil
}
