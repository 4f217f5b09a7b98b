// Package servers says which tests need real servers. Its folders start them: directory servers and DynamoDB Local.
package servers

import "testing"

// Need skips a test that starts servers where go test -short runs, which is what make check does. Without -short, as in
// make test, a server that is missing is a failure: a test that skips proves nothing.
func Need(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("starts a server, which -short leaves out")
	}
}
