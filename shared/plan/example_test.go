package plan_test

import (
	"fmt"

	"rollcall/shared/address"
	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// The directory has ann@example.com, and the Users List still has bob@example.com from an earlier import.
func ExampleBuild() {
	claims := []address.Claim{{
		Key: "ann@example.com", Address: "Ann@example.com", Kind: user.Primary,
		PrimaryAddress: "Ann@example.com", PrimaryKey: "ann@example.com", Type: user.TypeUser, SourceID: "id-of-ann",
	}}
	stored := []user.User{{
		Key: "bob@example.com", Address: "bob@example.com", Kind: user.Primary, PrimaryAddress: "bob@example.com",
		Type: user.TypeUser, Source: user.FromDirectory,
	}}
	directory := plan.Desired{Entries: 1, Claims: walk(claims), Skipped: walk[address.Skipped](nil)}
	result, err := plan.Build(directory, walk(stored), plan.Policy{DirectoryID: "dc=example,dc=com"},
		func(row *plan.Row) error {
			fmt.Printf("%s %s %q\n", row.Change, row.Address, row.Reason)
			return nil
		})
	fmt.Println(result.Summary.Create, "created,", result.Summary.Delete, "removed", err)
	// Output:
	// create Ann@example.com ""
	// delete bob@example.com "not in the directory"
	// 1 created, 1 removed <nil>
}
