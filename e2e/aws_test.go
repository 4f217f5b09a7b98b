package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"rollcall/e2e/lab/awslab"
	"rollcall/e2e/servers/ldapserver"
	"rollcall/shared/manifest"
)

// TestErasingAnAccountOnAWS runs what the operator's guide says, and leaves another account alone.
func TestErasingAnAccountOnAWS(t *testing.T) {
	if lab == nil {
		t.Skip("local's own test of this is importer.TestErasingAnAccountLeavesNothingOfIt")
	}
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(30)})
	kept, gone := account(t), account(t)
	kept.account, gone.account = "kept", "to erase/é"
	for _, p := range []*program{kept, gone} {
		body := request(s, nil)
		body["schedule"] = object{"intervalHours": 24}
		p.must(200, "PUT", "/v1/settings", body)
		wantDone(t, p.sync(object{}))
		p.csv("/v1/users/export")
	}
	erase := exec.CommandContext(t.Context(), binary, "-aws", "-erase", gone.account)
	erase.Env = os.Environ()
	for name, text := range lab.Shared {
		erase.Env = append(erase.Env, name+"="+text)
	}
	for name, text := range map[manifest.Variable]string{manifest.UsersTable: awslab.UsersTable,
		manifest.JobsTable: awslab.JobsTable, manifest.Bucket: awslab.Bucket} {
		erase.Env = append(erase.Env, string(name)+"="+text)
	}
	output, err := erase.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "erased account") {
		t.Fatalf("error %v:\n%s", err, output)
	}
	if users := gone.list("/v1/users", nil); len(users) != 0 {
		t.Errorf("%d users are left", len(users))
	}
	if runs := gone.list("/v1/syncs", nil); len(runs) != 0 {
		t.Errorf("%d syncs are left", len(runs))
	}
	gone.must(404, "GET", "/v1/settings", nil)
	if users := kept.list("/v1/users", nil); len(users) != ldapserver.PeopleAddresses(30) {
		t.Errorf("the other account has %d users, want %d", len(users), ldapserver.PeopleAddresses(30))
	}
	kept.must(200, "GET", "/v1/settings", nil)
}
