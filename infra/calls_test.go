package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"rollcall/shared/manifest"
)

// needs are the actions that an operation needs, where they are not named like it.
func needs(operation string) []string {
	switch operation {
	case "dynamodb:TransactWriteItems":
		// Ours are made of puts and deletes.
		return []string{"dynamodb:PutItem", "dynamodb:DeleteItem"}
	case "dynamodb:BatchWriteItem", "dynamodb:BatchGetItem":
		return []string{operation}
	case "dynamodb:BatchExecuteStatement", "dynamodb:ExecuteStatement":
		return []string{"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"}
	case "s3:HeadObject":
		return []string{"s3:GetObject"}
	case "s3:CreateMultipartUpload", "s3:UploadPart", "s3:CompleteMultipartUpload":
		return []string{"s3:PutObject"}
	case "s3:CopyObject", "s3:UploadPartCopy":
		return []string{"s3:GetObject", "s3:PutObject"}
	case "s3:DeleteObjects":
		return []string{"s3:DeleteObject"}
	case "s3:ListObjectsV2", "s3:HeadBucket":
		return []string{"s3:ListBucket"}
	}
	return []string{operation}
}

// testdata/calls.json lists, by function, the operations that the built functions were seen to call when the end-to-end
// tests ran through them.
func TestWhatEachFunctionCallsIsGranted(t *testing.T) {
	var calls map[string][]string
	if err := readJSON("testdata/calls.json", &calls); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range manifest.Functions() {
		names = append(names, f.Name)
		granted := map[string]bool{}
		for _, statement := range full(t).service.statements(strings.ReplaceAll(f.Name, "-", "") + "role") {
			for _, action := range shown(statement["Action"]) {
				granted[action] = true
			}
		}
		for _, operation := range calls[f.Name] {
			for _, action := range needs(operation) {
				if f.Name == manifest.ConnectorAPI().Name && action == "dynamodb:DeleteItem" {
					// Its transactions store a connector and audit entries.
					continue
				}
				if !granted[action] {
					t.Errorf("%s calls %s, and is not granted %s", f.Name, operation, action)
				}
			}
		}
	}
	slices.Sort(names)
	if seen := slices.Sorted(maps.Keys(calls)); !slices.Equal(seen, names) {
		t.Errorf("the calls are those of %v, the functions are %v", seen, names)
	}
}
