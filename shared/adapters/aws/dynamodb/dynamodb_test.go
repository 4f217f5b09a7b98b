package dynamodb_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rollcall/e2e/servers"
	"rollcall/e2e/servers/dynamolocal"
	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/ports/connectors/connectorstest"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/runs/runstest"
	"rollcall/shared/ports/users"
	"rollcall/shared/ports/users/userstest"
	"rollcall/shared/user"
)

// server is what all tests of this package share: starting it takes seconds.
var server *dynamolocal.Server

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	var err error
	if server, err = dynamolocal.Start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var tables atomic.Int64

// newTables makes tables of a test's own, and returns a client whose calls go through faults, unless that is nil.
func newTables(tb testing.TB, faults *dynamolocal.Faults) (client *awsdynamodb.Client, users, jobs string) {
	tb.Helper()
	servers.Need(tb)
	n := tables.Add(1)
	users, jobs = fmt.Sprintf("users-%d", n), fmt.Sprintf("jobs-%d", n)
	config := server.Config()
	if err := dynamodb.CreateTables(tb.Context(), dynamodb.NewClient(config), users, jobs); err != nil {
		tb.Fatal(err)
	}
	if faults != nil {
		config.HTTPClient = faults
	}
	return dynamodb.NewClient(config), users, jobs
}

func TestUsers(t *testing.T) {
	t.Parallel()
	userstest.Run(t, func(t *testing.T) users.Store {
		client, list, jobs := newTables(t, nil)
		return dynamodb.NewUsers(client, list, jobs)
	})
}

func TestEdits(t *testing.T) {
	t.Parallel()
	userstest.RunEdits(t, func(t *testing.T) (users.Store, runs.Store) {
		client, list, jobs := newTables(t, nil)
		return dynamodb.NewUsers(client, list, jobs), dynamodb.NewJobs(client, jobs, nil)
	})
}

func TestJobs(t *testing.T) {
	t.Parallel()
	runstest.Run(t, func(t *testing.T, now func() time.Time) runs.Store {
		client, _, jobs := newTables(t, nil)
		return dynamodb.NewJobs(client, jobs, now)
	})
}

func TestConnectors(t *testing.T) {
	t.Parallel()
	connectorstest.Run(t, func(t *testing.T, now func() time.Time) connectorstest.Stores {
		client, _, table := newTables(t, nil)
		jobs := dynamodb.NewJobs(client, table, now)
		erase := func(ctx context.Context, account user.Account) error {
			_, err := jobs.Erase(ctx, account, nil)
			return err
		}
		return connectorstest.Stores{
			Connectors: dynamodb.NewConnectors(client, table, now), Jobs: jobs, Erase: erase,
		}
	})
}
