package importer_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// propertyChecks is how many random histories a property is checked with unless -rapid.checks says otherwise. Each
// opens a store of its own and waits for the disk; make soak takes thousands.
const propertyChecks = "12"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", propertyChecks); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
