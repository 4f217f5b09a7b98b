// Command generate writes the demo directories' LDIF files into the folder that its argument names.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"rollcall/local/demo/company"
	"rollcall/shared/settings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate FOLDER")
		os.Exit(2)
	}
	for _, t := range settings.ServerTypes() {
		path := filepath.Join(os.Args[1], string(t)+".ldif")
		if err := os.WriteFile(path, company.LDIF(t), 0o644); err != nil { //nolint:gosec // a source file
			fmt.Fprintln(os.Stderr, "write a demo directory:", err)
			os.Exit(1)
		}
	}
}
