package dynamodb

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/connectors"
)

// The record of a set of numbers: attrCount says how many there are, and each has an attribute of its own, prefixNumber
// and the number, which says who wrote it.
const (
	prefixNumbers = "numbers#"
	prefixNumber  = "#"
	attrCount     = "count"
)

// Number adds an attribute. A writer whose answer was lost finds its own name there.
func (a accountConnectors) Number(ctx context.Context, set, once string, most int, until time.Time) error {
	own := rand.Text()
	_, err := a.client.UpdateItem(ctx, &awsdynamodb.UpdateItemInput{
		TableName: &a.table, Key: a.key(prefixNumbers + set),
		UpdateExpression: aws.String("SET #number = :own, #expires = :until ADD #count :one"),
		ConditionExpression: aws.String("attribute_not_exists(#number) AND " +
			"(attribute_not_exists(#count) OR #count < :most)"),
		ExpressionAttributeNames: map[string]string{
			"#number": prefixNumber + once, "#count": attrCount, "#expires": manifest.ExpiresAt,
		},
		ExpressionAttributeValues: item{
			":own": str(own), ":one": number(1), ":most": number(int64(most)), ":until": number(until.Unix() + 1),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	stored, failed := refused(err)
	switch {
	case failed && text(stored, prefixNumber+once) == own:
		return nil
	case failed && text(stored, prefixNumber+once) != "":
		return connectors.ErrTaken
	case failed:
		return connectors.ErrFull
	case err != nil:
		return fmt.Errorf("note a number of a connector: %w", ended(ctx, err))
	}
	return nil
}
