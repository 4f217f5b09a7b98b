package manifest

// The metrics that the functions' logs carry, in embedded metric format. Each has the dimension Function, so that two
// deployments in one AWS account keep theirs apart. Runs and accounts are no dimensions: they are fields of the log
// line.
const (
	// RunsEnded counts runs that ended, with DimensionKind and DimensionState, and by DimensionKind alone; its unit is
	// Count.
	RunsEnded = "RunsEnded"
	// RunDuration is from the run's start to its end, over all its workers, with DimensionKind; its unit is
	// Milliseconds.
	RunDuration = "RunDuration"
	// EntriesRead counts the entries that a run read from its directory, with DimensionKind; its unit is Count.
	EntriesRead = "EntriesRead"
	// RowsApplied counts the rows that a sync wrote, with DimensionKind; its unit is Count.
	RowsApplied = "RowsApplied"
	// ConnectorsOffline counts the runs of a schedule that failed since no instance of their connector was there, with
	// DimensionFunction alone; its unit is Count.
	ConnectorsOffline = "ConnectorsOffline"
	// CallsRefused counts the calls that AWS refused a function, for want of a right or of a key that can be used, with
	// DimensionFunction alone; its unit is Count.
	CallsRefused = "CallsRefused"
)

// The dimensions of the metrics.
const (
	// DimensionFunction is the name of the Lambda function, as AWS_LAMBDA_FUNCTION_NAME says it.
	DimensionFunction = "Function"
	// DimensionKind is the run's kind: preview, sync or export. DimensionState is the state that it ended in.
	DimensionKind  = "Kind"
	DimensionState = "State"
)
