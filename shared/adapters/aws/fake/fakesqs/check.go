package fakesqs

import (
	"regexp"

	"rollcall/shared/adapters/aws/fake"
)

// The limits of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html. A
// body may hold more today, but not where a Lambda function or an older region has a part in it.
const (
	maxBody       = 256 << 10
	maxVisibility = 43200
	maxWait       = 20
	maxMessages   = 10
)

var (
	// token is a group's id or a deduplication id: letters, digits and punctuation.
	token = regexp.MustCompile("^[A-Za-z0-9!\"#$%&'()*+,./:;<=>?@\\[\\\\\\]^_`{|}~-]{1,128}$")
	// text is what a body may hold: the characters of XML 1.0.
	text = regexp.MustCompile(`^[\t\n\r\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]*$`)
)

func (in sendInput) check() error {
	switch {
	case in.MessageGroupID == "":
		return fake.Refuse("MissingParameter", "The request must contain the parameter MessageGroupId.")
	case in.MessageDeduplicationID == "":
		return fake.Refuse("InvalidParameterValue",
			"The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "+
				"provided explicitly")
	case !token.MatchString(in.MessageGroupID):
		return invalid("MessageGroupId", in.MessageGroupID)
	case !token.MatchString(in.MessageDeduplicationID):
		return invalid("MessageDeduplicationId", in.MessageDeduplicationID)
	case in.MessageBody == "":
		return fake.Refuse("MissingParameter", "The request must contain the parameter MessageBody.")
	case len(in.MessageBody) > maxBody:
		return fake.Refuse("InvalidParameterValue",
			"One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", maxBody)
	case !text.MatchString(in.MessageBody):
		return fake.Refuse("com.amazonaws.sqs#InvalidMessageContents",
			"The message contains characters outside the allowed set.")
	}
	return nil
}

func (in receiveInput) check() error {
	if n := in.MaxNumberOfMessages; n != nil && (*n < 1 || *n > maxMessages) {
		return invalid("MaxNumberOfMessages", *n)
	}
	if in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > maxWait {
		return invalid("WaitTimeSeconds", in.WaitTimeSeconds)
	}
	if _, err := chosen((&message{}).attributes([]string{"All"}),
		append(in.MessageSystemAttributeNames, in.AttributeNames...)); err != nil {
		return err
	}
	return checkVisibility(in.VisibilityTimeout, false)
}

func checkVisibility(seconds *int, required bool) error {
	switch {
	case seconds == nil && required:
		return fake.Refuse("MissingParameter", "The request must contain the parameter VisibilityTimeout.")
	case seconds != nil && (*seconds < 0 || *seconds > maxVisibility):
		return invalid("VisibilityTimeout", *seconds)
	}
	return nil
}

func invalid(parameter string, value any) error {
	return fake.Refuse("InvalidParameterValue", "Value %v for parameter %s is invalid.", value, parameter)
}
