package dynamolocal_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rollcall/e2e/servers"
	"rollcall/e2e/servers/dynamolocal"
)

func TestAServerAnswersAndStops(t *testing.T) {
	servers.Need(t)
	s, err := dynamolocal.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dynamodb.NewFromConfig(s.Config()).ListTables(t.Context(), new(dynamodb.ListTablesInput)); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := http.DefaultClient.Do(request); err == nil {
		answer.Body.Close()
		t.Errorf("it still answers on %s", s.URL)
	}
}

// TestTheLockNamesNoHost keeps the name of whoever's registry it was made with out of the lock file.
func TestTheLockNamesNoHost(t *testing.T) {
	lock, err := os.ReadFile("../../install/dynamodb/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(lock), `"integrity"`) || strings.Contains(string(lock), "resolved") {
		t.Error("the lock file has no checksums, or names hosts: " +
			"write it with npm install --package-lock-only --omit-lockfile-registry-resolved")
	}
}
