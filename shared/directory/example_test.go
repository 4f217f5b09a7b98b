package directory_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// The policy of a deployment refuses the name before anything is dialled, and the error says at which step.
func ExampleReader_Read() {
	policy := directory.Policy{}
	reader := directory.New(directory.Config{
		Allow: policy.Allow, AllowPort: policy.AllowPort,
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("10.1.2.3")}, nil
		},
	})
	connection := settings.Connection{ServerType: settings.Exchange, Host: "dc1.example.com", Port: 389}
	query := directory.Query{Attributes: []string{"mail", "proxyAddresses"}}
	onStep := func(s run.Step) { fmt.Println("step", s.Step, "ok", s.OK) }
	onEntry := func(e *directory.Entry) error {
		fmt.Printf("%s\n", e.DN)
		return nil
	}
	_, err := reader.Read(context.Background(), connection, query, onStep, onEntry)
	var failed *directory.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Code)
	}
	// Output:
	// step resolve ok false
	// address_forbidden
}

func ExampleCheckFilter() {
	for _, text := range []string{"(&\n  (mail=*)\n  (!mail=*@old.example)\n)", "(mail=*"} {
		filter, err := directory.CheckFilter(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(filter)
	}
	// Output:
	// (&(mail=*)(!(mail=*@old.example)))
	// the filter goes wrong at character 8: it lacks 1 ) at its end
}
