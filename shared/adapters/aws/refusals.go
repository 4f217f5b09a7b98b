package aws

import (
	"context"
	"errors"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// tellRefusals returns what has every client report the calls that AWS refused, once each after the last try. It does
// so here and not where errors are handled: those who handle them try again, and an operator has to hear of the grant
// that is missing before that ends.
func tellRefusals(tell func(ctx context.Context, service, operation, code string)) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("TellRefusals", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			var answer smithy.APIError
			if errors.As(err, &answer) && isRefusal(answer.ErrorCode()) {
				tell(ctx, awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), answer.ErrorCode())
			}
			return out, metadata, err
		}), middleware.After)
	}
}

// isRefusal reports whether a code means that a right is missing, or that the key which a service needs cannot be used.
// S3 and SQS write KMS's codes in ways of their own; Forbidden is S3's to a HEAD, whose answer has no body.
func isRefusal(code string) bool {
	switch code {
	case "AccessDenied", "AccessDeniedException", "Forbidden", "InaccessibleEncryptionCredentialsException",
		"DisabledException", "KMSInvalidStateException", "KeyUnavailableException",
		"KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException", "KMS.KeyUnavailableException",
		"KmsAccessDenied", "KmsDisabled", "KmsInvalidState", "KmsNotFound":
		return true
	}
	return false
}
