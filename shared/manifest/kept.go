package manifest

// How many days a deployment keeps what erasing an account cannot delete. infra sets them, and local -aws -erase says
// them.
const (
	// BackupDays is how far back both tables can be restored: DynamoDB's most.
	BackupDays = 35
	// EventDays is how long the bus's archive keeps events.
	EventDays = 30
	// MessageDays is how long messages that were given up are kept: SQS's most.
	MessageDays = 14
	// AccessLogDays is how long S3's log of who read the bucket is kept.
	AccessLogDays = 90
	// DefaultLogDays is how long logs are kept where nothing else is said.
	DefaultLogDays = 90
)
