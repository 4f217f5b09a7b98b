package dynamodb

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"rollcall/shared/ports/users"
)

const (
	// maxAttempts is how often a call is made before it fails. With the delays between them, a table that throttles has
	// about twelve seconds to split a partition or to add capacity before a worker gives up and its message comes
	// again.
	maxAttempts = 20
	// firstDelay and longestDelay bound the wait before another attempt, which is random between nothing and a bound
	// that doubles.
	firstDelay   = 25 * time.Millisecond
	longestDelay = 2 * time.Second
	// answerLimit is how long a call may wait for the head of its answer: a connection whose other end is gone must not
	// hold a worker.
	answerLimit = 10 * time.Second
	// connections is how many idle connections are kept for the next calls; Users has up to writesInFlight calls at a
	// time.
	connections = 2 * writesInFlight
)

// NewClient returns a client that tries again what was throttled or lost, and keeps a connection for each call in
// flight. An HTTP client in c other than the SDK's own is used as it is.
func NewClient(c aws.Config) *awsdynamodb.Client {
	return awsdynamodb.NewFromConfig(c, func(o *awsdynamodb.Options) {
		o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
			s.MaxAttempts = maxAttempts
			s.Backoff = retry.BackoffDelayerFunc(delay)
			// The quota of retries would give up a write for what its neighbours were refused.
			s.RateLimiter = ratelimit.None
			// A write that meets a transaction waits for its end.
			s.Retryables = append(s.Retryables, retry.RetryableErrorCode{
				Codes: map[string]struct{}{"TransactionConflictException": {}},
			})
		})
		if own, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			o.HTTPClient = own.WithTransportOptions(func(t *http.Transport) {
				t.MaxIdleConns, t.MaxIdleConnsPerHost = connections, connections
				t.ResponseHeaderTimeout = answerLimit
			})
		}
	})
}

// delay is how long to wait after a failed attempt, counted from 1.
func delay(attempt int, _ error) (time.Duration, error) {
	most := min(longestDelay, firstDelay<<min(attempt-1, 10))
	return rand.N(most), nil //nolint:gosec // nobody gains from guessing it
}

// noteDoubt sets doubt where an attempt of a call ended without an answer, or with a server's error, so that it may
// have been done; the next attempt then meets its own work.
func noteDoubt(doubt *bool) func(*awsdynamodb.Options) {
	return func(o *awsdynamodb.Options) {
		o.APIOptions = append(slices.Clip(o.APIOptions), func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("rollcall:NoteDoubt",
				func(
					ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
				) (middleware.FinalizeOutput, middleware.Metadata, error) {
					out, metadata, err := next.HandleFinalize(ctx, in)
					if err != nil && !certain(err) {
						*doubt = true
					}
					return out, metadata, err
				}), "Retry", middleware.After)
		})
	}
}

// whileLeased keeps a request from being sent once the fence's lease is over. The deadline of its context alone would
// not do: the timer of a process that was stopped fires after the process has gone on. The check is made a second time
// as the transport reads the body, which may be a while after the first where it has no processor or connection.
func whileLeased(fence users.Fence) func(*awsdynamodb.Options) {
	return func(o *awsdynamodb.Options) {
		if fence.Until == nil {
			return
		}
		o.APIOptions = append(slices.Clip(o.APIOptions), func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("rollcall:WhileLeased",
				func(
					ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
				) (middleware.FinalizeOutput, middleware.Metadata, error) {
					if !time.Now().Before(fence.Until()) {
						return middleware.FinalizeOutput{}, middleware.Metadata{}, users.ErrFenced
					}
					if r, ok := in.Request.(*smithyhttp.Request); ok {
						r, err := r.SetStream(leasedBody{r.GetStream(), fence.Until})
						if err != nil {
							return middleware.FinalizeOutput{}, middleware.Metadata{}, err
						}
						in.Request = r
					}
					return next.HandleFinalize(ctx, in)
				}), middleware.After)
		})
	}
}

// leasedBody is a request's body that ends with ErrFenced once the lease is over. The transport sends a request of up
// to 4 KB when it has read all of it, and never the whole of a longer one before.
type leasedBody struct {
	io.Reader
	until func() time.Time
}

func (b leasedBody) Read(p []byte) (int, error) {
	if !time.Now().Before(b.until()) {
		return 0, users.ErrFenced
	}
	return b.Reader.Read(p)
}

// certain reports whether an attempt's error proves that nothing was done: the server says that the request was at
// fault, or throttled, which DynamoDB answers with 400.
func certain(err error) bool {
	var answer *smithyhttp.ResponseError
	return errors.As(err, &answer) && answer.HTTPStatusCode()/100 == 4
}
