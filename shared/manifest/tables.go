package manifest

// The attributes that are keys of the tables, and the Jobs table's indexes. Package dynamodb writes them and says what
// they hold; infra makes the tables with them.
const (
	// UsersPartition is account#shard, UsersSort the canonical address.
	UsersPartition = "accountShard"
	UsersSort      = "address"

	// JobsPartition is the account, JobsSort is "settings", "looks", "lease", "counts", "notifications",
	// "run#ULID", "import#ULID#random", "audit#ULID", "delivery#id" or "once#route#key".
	JobsPartition = "account"
	JobsSort      = "record"
	// ExpiresAt is the time to live of the Jobs table, in seconds since 1970.
	ExpiresAt = "expiresAt"

	// RunsIndex is local: an account's runs of one kind, by JobsPartition and KindRun (kind#ULID), keys only.
	RunsIndex = "runs"
	KindRun   = "kindRun"
	// DueIndex is global and sparse: schedules, quick looks and runs that are due, by DueShard and DueAt (milliseconds
	// since 1970), keys only.
	DueIndex = "due"
	DueShard = "dueShard"
	DueAt    = "dueAt"
)
