package dynamodb_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// countingClient counts the bytes of the records that are read and written.
type countingClient struct {
	dynamodb.Client
	read, written int
}

func (c *countingClient) Query(
	ctx context.Context, in *awsdynamodb.QueryInput, options ...func(*awsdynamodb.Options),
) (*awsdynamodb.QueryOutput, error) {
	out, err := c.Client.Query(ctx, in, options...)
	if err == nil {
		for _, i := range out.Items {
			c.read += sizeOf(i)
		}
	}
	return out, err
}

func (c *countingClient) PutItem(
	ctx context.Context, in *awsdynamodb.PutItemInput, options ...func(*awsdynamodb.Options),
) (*awsdynamodb.PutItemOutput, error) {
	c.written += sizeOf(in.Item)
	return c.Client.PutItem(ctx, in, options...)
}

func sizeOf(i map[string]types.AttributeValue) (n int) {
	for _, value := range i {
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			n += len(v.Value)
		case *types.AttributeValueMemberB:
			n += len(v.Value)
		}
	}
	return n
}

// TestALongListOfExclusionsIsWrittenOnceAndNotListed stores runs whose settings are as long as they may be.
func TestALongListOfExclusionsIsWrittenOnceAndNotListed(t *testing.T) {
	t.Parallel()
	plain, _, table := newTables(t, nil)
	client := &countingClient{Client: plain}
	j := dynamodb.NewJobs(client, table, nil).For("acme")
	r := run.Run{Kind: run.KindSync, State: run.Queued, CreatedAt: time.Now()}
	for range 10_000 {
		r.Import.Advanced.Exclude = append(r.Import.Advanced.Exclude, rand.Text()+"@example.com")
	}
	const n = 10
	for i := range n {
		r.ID = fmt.Sprintf("01J%d", i)
		if _, err := j.CreateRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if client.written < n*100_000 {
		t.Fatalf("%d runs are %d bytes: too few to show anything", n, client.written)
	}
	t.Logf("%d runs are %d KB with their settings", n, client.written>>10)
	client.written = 0
	if _, err := j.UpdateRun(
		t.Context(), r.ID, func(r *run.Run) error { r.State = run.Running; return nil },
	); err != nil {
		t.Fatal(err)
	}
	page, err := j.Runs(t.Context(), runs.Query{Kind: run.KindSync, Limit: n})
	t.Logf("%d KB are read to list them, %d bytes written at a checkpoint", client.read>>10, client.written)
	if err != nil || len(page.Runs) != n || client.read > n*2000 || client.written > 2000 {
		t.Errorf("%d runs, %d bytes read to list them and %d written at a checkpoint, error %v; want %d and at "+
			"most 2 KB a run",
			len(page.Runs), client.read, client.written, err, n)
	}
	if whole, err := j.Run(t.Context(), r.ID); err != nil || len(whole.Import.Advanced.Exclude) != 10_000 {
		t.Errorf("read %d exclusions, error %v", len(whole.Import.Advanced.Exclude), err)
	}
}
