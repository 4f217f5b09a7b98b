package address_test

import (
	"fmt"

	"rollcall/shared/address"
)

func ExampleParse() {
	for _, text := range []string{"Ann.Miller@Example.COM", "ann@müller.example", `"ann"@example.com`, "ann"} {
		a, err := address.Parse(text)
		if err != nil {
			fmt.Printf("%q %v\n", text, err)
			continue
		}
		fmt.Println(a.Key, "shown as", a.Display)
	}
	// Output:
	// ann.miller@example.com shown as Ann.Miller@Example.COM
	// ann@xn--mller-kva.example shown as ann@müller.example
	// ann@example.com shown as "ann"@example.com
	// "ann" has no @
}

func ExamplePatterns_Match() {
	patterns, err := address.ParsePatterns([]string{"boss@example.com", "*@example.net", "*.example.net"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range []string{"boss@example.com", "ann@example.com", "ann@example.net", "ann@mail.example.net"} {
		fmt.Println(key, patterns.Match(key))
	}
	// Output:
	// boss@example.com true
	// ann@example.com false
	// ann@example.net true
	// ann@mail.example.net true
}
