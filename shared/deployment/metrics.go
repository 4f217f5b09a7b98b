package deployment

// The metrics of a run's end, in MetricNamespace, and their dimensions: what the run was (preview, sync, export) and how it ended
// (done, failed, blocked, cancelled).
const (
	DimensionKind  = "Kind"
	DimensionState = "State"

	MetricRunsEnded = "RunsEnded"
	// MetricRunDuration is in milliseconds.
	MetricRunDuration = "RunDuration"
	MetricRowsApplied = "RowsApplied"
	MetricConflicts   = "Conflicts"
)
