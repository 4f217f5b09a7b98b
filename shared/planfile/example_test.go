package planfile_test

import (
	"bytes"
	"context"
	"fmt"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/user"
)

// A stored plan gives any page of its rows, and here those that are created.
func ExampleReader_Page() {
	var file bytes.Buffer
	w := planfile.NewWriter(&file)
	for _, row := range []plan.Row{
		{Key: "ann@example.com", Address: "ann@example.com", Kind: user.Primary, Change: plan.Create},
		{Key: "bob@example.com", Address: "bob@example.com", Kind: user.Primary, Change: plan.Unchanged},
	} {
		if err := w.Add(&row); err != nil {
			fmt.Println(err)
		}
	}
	if err := w.Close(planfile.Meta{}); err != nil {
		fmt.Println(err)
	}
	r, err := planfile.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := r.Page(context.Background(), planfile.Filter{Changes: []plan.Change{plan.Create}}, "", 100)
	for _, row := range page.Rows {
		fmt.Println(row.Change, row.Address)
	}
	fmt.Println(err)
	// Output:
	// create ann@example.com
	// <nil>
}
