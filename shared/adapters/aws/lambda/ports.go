package lambda

import (
	"net/http"
	"runtime/debug"
	"time"

	"rollcall/shared/api"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/manifest"
)

// tick is how often a worker stores its progress and looks whether it was cancelled: each time costs a read and a
// write.
const tick = 2 * time.Second

// Work completes the ports of a worker, which reaches directories within the deployment's policy and reports metrics.
func (s Setup) Work(work importer.Config) importer.Config {
	policy := s.Policy()
	// Main set the limit by the function's memory. The other half is for the stored users, the plan and the garbage.
	memory := debug.SetMemoryLimit(-1) / 2
	work.Directory = directory.New(directory.Config{Allow: policy.Allow, AllowPort: policy.AllowPort,
		MaxMemory: memory})
	work.Ended = Metrics(s.Out, s.LambdaName, s.Log)
	work.Tick = tick
	return work
}

// Policy says which addresses may be reached: of directories, and of webhooks.
func (s Setup) Policy() directory.Policy {
	return directory.Policy{AllowPrivate: s.AllowPrivate, AllowRanges: s.AllowRanges, Deny: s.DenyRanges,
		Ports: s.Ports}
}

// API returns an API without routes, whose callers the authorizer has let in.
func (s Setup) API() *api.API {
	return api.New(api.Config{Identify: Identify(s.Environment), Log: s.Log, Part: true})
}

// Serve answers the requests that come through the deployment's own origin with the handler that build makes.
func (s Setup) Serve(build func() http.Handler) Invoker {
	return API(func() http.Handler { return throughOrigin(s.Get(manifest.OriginKeys), build()) }, s.Log)
}
