package usercsv_test

import (
	"bytes"
	"fmt"
	"strings"

	"rollcall/shared/user"
	"rollcall/shared/usercsv"
)

func ExampleWriter() {
	var file bytes.Buffer
	w := usercsv.NewWriter(&file)
	err := w.User(user.User{Address: "ann@example.com", Kind: user.Primary, PrimaryAddress: "ann@example.com",
		Type: user.TypeUser, DN: "CN=Miller,DC=example,DC=com"})
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	// Spreadsheets need the byte order mark and CRLF; go test compares neither.
	fmt.Print(strings.NewReplacer("\ufeff", "", "\r", "").Replace(file.String()))
	// Output:
	// Address,Address Type,Primary Address,Object Type,Change,Reason,Distinguished Name
	// ann@example.com,primary,ann@example.com,user,,,"CN=Miller,DC=example,DC=com"
}
