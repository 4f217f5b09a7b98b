// Package manifest holds the names that the functions, infra and local agree on: which functions there are, the
// environment variables that tell them where things are, and the names of keys and indexes. What is named here is
// written nowhere else.
package manifest

// The handlers of a function's binary. The Lambda's handler name picks one.
const (
	HandlerAPI      = "api"
	HandlerWorker   = "worker"
	HandlerSchedule = "schedule"
)

// Function is one Lambda function: a handler of one of the binaries in functions/.
type Function struct {
	// Name is the function's in logs, metrics and the deployment, such as preview-worker.
	Name string
	// Binary is the folder below functions/ that it is built from.
	Binary  string
	Handler string
	// Needs are the variables without which it does not start; Takes are those that it can do without.
	Needs []Variable
	Takes []Variable
}

// Functions lists every function that is deployed.
func Functions() []Function {
	return []Function{
		PreviewAPI(), PreviewWorker(), ExportAPI(), SyncAPI(), SyncWorker(), SyncSchedule(), NotifyWorker(),
		ConnectorAPI(),
	}
}

// PreviewAPI starts previews and explanations, and shows them.
func PreviewAPI() Function {
	return Function{
		Name: "preview-api", Binary: "preview", Handler: HandlerAPI, Takes: identityVariables(),
		Needs: []Variable{JobsTable, Bucket, PreviewsQueue, PasswordKey},
	}
}

// PreviewWorker reads directories, stores plans and explains addresses. It also writes the exports that outlast a
// request.
func PreviewWorker() Function {
	return Function{
		Name: "preview-worker", Binary: "preview", Handler: HandlerWorker, Takes: networkVariables(),
		Needs: []Variable{UsersTable, JobsTable, Bucket, DataKey, PreviewsQueue, PasswordKey},
	}
}

// ExportAPI writes CSVs and signs the links to them.
func ExportAPI() Function {
	return Function{
		Name: "export-api", Binary: "export", Handler: HandlerAPI, Takes: identityVariables(),
		Needs: []Variable{UsersTable, JobsTable, Bucket, DataKey, PreviewsQueue, LinkRole},
	}
}

// SyncAPI takes everything else: settings, syncs, notifications, the Users List and the audit log.
func SyncAPI() Function {
	return Function{
		Name: "sync-api", Binary: "sync", Handler: HandlerAPI,
		Takes: append(identityVariables(), AllowPrivate, AllowRanges, DenyRanges, MailFrom),
		Needs: []Variable{
			UsersTable, JobsTable, Bucket, PreviewsQueue, SyncsQueue, ScheduledQueue, DeliveriesQueue, PasswordKey,
			EventBus,
		},
	}
}

// SyncWorker runs syncs and quick looks.
func SyncWorker() Function {
	return Function{
		Name: "sync-worker", Binary: "sync", Handler: HandlerWorker, Takes: networkVariables(),
		Needs: []Variable{
			UsersTable, JobsTable, Bucket, DataKey, SyncsQueue, ScheduledQueue, DeliveriesQueue, PasswordKey,
			EventBus,
		},
	}
}

// SyncSchedule starts what is due, looks after runs that were lost, and sends on deliveries.
func SyncSchedule() Function {
	return Function{
		Name: "sync-schedule", Binary: "sync", Handler: HandlerSchedule, Takes: []Variable{LogLevel},
		Needs: []Variable{JobsTable, PreviewsQueue, SyncsQueue, ScheduledQueue, DeliveriesQueue},
	}
}

// NotifyWorker tells people and programs what happened, by mail and by webhook. It is a binary of its own: the client
// of SES would make the others slower to start.
func NotifyWorker() Function {
	return Function{
		Name: "notify-worker", Binary: "notify", Handler: HandlerWorker,
		Takes: []Variable{LogLevel, AllowPrivate, AllowRanges, DenyRanges, MailFrom, PageURL},
		Needs: []Variable{JobsTable, DeliveriesQueue, PasswordKey},
	}
}

// ConnectorAPI gives the connectors on customers' sites their work. Who asks is known by a signature and by no token.
func ConnectorAPI() Function {
	return Function{
		Name: "connector-api", Binary: "connector", Handler: HandlerAPI, Takes: []Variable{LogLevel, OriginKeys},
		Needs: []Variable{JobsTable, Bucket, PreviewsQueue, SyncsQueue, ScheduledQueue},
	}
}

func identityVariables() []Variable {
	return []Variable{LogLevel, AccountClaim, ScopePrefix, OriginKeys}
}

func networkVariables() []Variable {
	return []Variable{LogLevel, AllowPrivate, AllowRanges, DenyRanges, Ports}
}

// EventSource is the source of the events on the bus.
const EventSource = "rollcall"

// MetricNamespace is the CloudWatch namespace of the metrics that the functions' logs carry.
const MetricNamespace = "Rollcall"
