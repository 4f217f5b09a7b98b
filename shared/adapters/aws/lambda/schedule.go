package lambda

import (
	"context"

	awslambda "github.com/aws/aws-lambda-go/lambda"
)

// Schedule calls tick for each event of EventBridge's schedule, whatever the event says. A tick is delivered at least
// once, so tick must bear a doubled one.
func Schedule(tick func(context.Context) error) Invoker { return awslambda.NewHandler(tick) }
