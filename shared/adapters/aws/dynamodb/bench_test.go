package dynamodb_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

// benchUsers is how many users the benchmarks write. inFlight is how many calls they have under way, as Users does.
const (
	benchUsers = 5_000
	inFlight   = 64
)

// newUsers returns the changes of a first sync, in the order of their keys.
func newUsers(n int) []users.Change {
	at := time.Date(2026, 11, 23, 20, 42, 25, 702_043_816, time.UTC)
	changes := make([]users.Change, n)
	for i := range changes {
		address := fmt.Sprintf("user%07d@example.com", i)
		changes[i] = users.Change{Key: address, After: &user.User{
			Key: address, Address: address, Kind: user.Primary, PrimaryAddress: address, Type: user.TypeUser,
			Source:      user.FromDirectory,
			DirectoryID: "dc=example,dc=com", SourceID: fmt.Sprintf("%032x", i),
			DN:             fmt.Sprintf("CN=User %d,OU=Staff,OU=Offices,DC=example,DC=com", i),
			HeldSpamReport: user.ReportDaily, Version: at.UnixMilli(), LastRunID: "01J0000000000000000000RUN1",
			CreatedAt: at, UpdatedAt: at,
		}}
	}
	return changes
}

// BenchmarkFirstSync writes new users into DynamoDB Local: as Apply does, by a plain loop of conditional PutItems, and
// by the statements that docs/adr/0008 decided against, 25 in a call. The ways take turns, since a machine is not the
// same for long; the time of Apply over that of the loop is what is promised.
func BenchmarkFirstSync(b *testing.B) {
	ways := []struct {
		name  string
		write func(*testing.B, *awsdynamodb.Client, string, []users.Change)
		took  time.Duration
	}{{name: "apply", write: writeByApply}, {name: "put", write: writeByPut},
		{name: "statements", write: writeByStatements}}
	changes := newUsers(benchUsers)
	for round := 0; b.Loop(); round++ {
		for turn := range ways {
			way := &ways[(turn+round)%len(ways)]
			client, table, _ := newTables(b, nil)
			way.write(b, client, table, changes[:benchUsers/10]) // opens connections, and warms Java up
			began := time.Now()
			way.write(b, client, table, changes[benchUsers/10:])
			way.took += time.Since(began)
		}
	}
	for _, way := range ways {
		b.ReportMetric(float64(benchUsers*9/10*b.N)/way.took.Seconds(), way.name+"-users/s")
	}
	b.ReportMetric(ways[0].took.Seconds()/ways[1].took.Seconds(), "apply/put")
}

// importUsers is how many users the two benchmarks below write, which bench lets take turns (make bench).
const importUsers = 100_000

// BenchmarkImport writes 100,000 new users as a first sync does.
func BenchmarkImport(b *testing.B) { benchmarkWay(b, writeByApply) }

// BenchmarkConditionalPuts writes them by a plain loop of conditional PutItems, as many at a time.
func BenchmarkConditionalPuts(b *testing.B) { benchmarkWay(b, writeByPut) }

func benchmarkWay(b *testing.B, write func(*testing.B, *awsdynamodb.Client, string, []users.Change)) {
	changes := newUsers(importUsers + benchUsers)
	client, table, _ := newTables(b, nil)
	write(b, client, table, changes[importUsers:]) // opens connections, and warms Java up
	for b.Loop() {
		write(b, client, table, changes[:importUsers])
	}
}

func writeByApply(b *testing.B, client *awsdynamodb.Client, table string, changes []users.Change) {
	list := dynamodb.NewUsers(client, table, "").For("acme")
	for part := range slices.Chunk(changes, 1024) {
		if _, err := list.Apply(b.Context(), users.Fence{}, part); err != nil {
			b.Fatal(err)
		}
	}
}

func writeByPut(b *testing.B, client *awsdynamodb.Client, table string, changes []users.Change) {
	concurrently(len(changes), func(i int) {
		_, err := client.PutItem(b.Context(), &awsdynamodb.PutItemInput{
			TableName: &table, Item: dynamodb.EncodeUser("acme", changes[i].After),
			ConditionExpression: aws.String("attribute_not_exists(address)"),
		})
		if err != nil {
			b.Error(err)
		}
	})
}

func writeByStatements(b *testing.B, client *awsdynamodb.Client, table string, changes []users.Change) {
	names := slices.Sorted(maps.Keys(dynamodb.EncodeUser("acme", changes[0].After)))
	statement := fmt.Sprintf("INSERT INTO %q VALUE {'%s':?}", table, strings.Join(names, "':?,'"))
	batches := slices.Collect(slices.Chunk(changes, 25))
	concurrently(len(batches), func(i int) {
		input := new(awsdynamodb.BatchExecuteStatementInput)
		for _, c := range batches[i] {
			item := dynamodb.EncodeUser("acme", c.After)
			var values []types.AttributeValue
			for _, name := range names {
				values = append(values, item[name])
			}
			input.Statements = append(input.Statements,
				types.BatchStatementRequest{Statement: &statement, Parameters: values})
		}
		out, err := client.BatchExecuteStatement(b.Context(), input)
		if err != nil {
			b.Error(err)
			return
		}
		for _, r := range out.Responses {
			// A call that was tried again finds its own rows and cannot tell: an INSERT's refusal comes without the old
			// item.
			if r.Error != nil && r.Error.Code != types.BatchStatementErrorCodeEnumDuplicateItem {
				b.Error(*r.Error.Message)
			}
		}
	})
}

// concurrently does n things, inFlight at a time.
func concurrently(n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range inFlight {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

// busyTable answers every write after 5 ms, and refuses what is more than perSecond, saved up for half a second.
type busyTable struct {
	perSecond float64
	mu        sync.Mutex
	tokens    float64
	refilled  time.Time
	refused   int
}

func (t *busyTable) Do(r *http.Request) (*http.Response, error) {
	time.Sleep(5 * time.Millisecond)
	status, body := http.StatusOK, "{}"
	if !t.take() {
		status, body = http.StatusBadRequest,
			`{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"busy"}`
	}
	return &http.Response{
		StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (t *busyTable) take() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.tokens = min(t.perSecond/2, t.tokens+t.perSecond*now.Sub(t.refilled).Seconds())
	t.refilled = now
	if t.tokens < 1 {
		t.refused++
		return false
	}
	t.tokens--
	return true
}

// BenchmarkBusyTable writes new users to a table that takes fewer writes than are sent, with NewClient's retries and
// with those that docs/adr/0009 decided against. Nothing runs here but the SDK.
func BenchmarkBusyTable(b *testing.B) {
	adaptive := func(o *awsdynamodb.Options) {
		o.Retryer = retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
			o.StandardOptions = append(o.StandardOptions, func(s *retry.StandardOptions) { s.MaxAttempts = 20 })
		})
	}
	for _, way := range []struct {
		name    string
		options []func(*awsdynamodb.Options)
	}{{"NewClient", nil}, {"adaptive", []func(*awsdynamodb.Options){adaptive}}} {
		for _, perSecond := range []float64{500, 1000, 2000} {
			b.Run(fmt.Sprintf("%s/%.0f", way.name, perSecond), func(b *testing.B) {
				changes := newUsers(int(10 * perSecond))
				refused := 0
				for b.Loop() {
					table := &busyTable{perSecond: perSecond}
					config := server.Config()
					config.HTTPClient = table
					client := awsdynamodb.New(dynamodb.NewClient(config).Options(), way.options...)
					list := dynamodb.NewUsers(client, "busy", "jobs")
					for part := range slices.Chunk(changes, 1024) {
						if _, err := list.For("acme").Apply(context.Background(), users.Fence{}, part); err != nil {
							b.Fatal(err)
						}
					}
					refused += table.refused
				}
				b.ReportMetric(float64(len(changes)*b.N)/b.Elapsed().Seconds()/perSecond*100, "%-of-capacity")
				b.ReportMetric(float64(refused)/float64(len(changes)*b.N), "refused/user")
			})
		}
	}
}
