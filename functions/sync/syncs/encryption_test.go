package syncs_test

import (
	"encoding/json"
	"fmt"
	"testing"
)

// TestPatchingEncryption patches each way of encryption, in both spellings.
func TestPatchingEncryption(t *testing.T) {
	t.Parallel()
	const trusted = `"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"`
	for name, test := range map[string]struct {
		stored, patch string
		// want is the encryption after it, or the field that is refused.
		want, wrong string
	}{
		"required to preferred":           {`"required"`, `"encryption": "preferred"`, "preferred", ""},
		"required by the older name":      {`"required"`, `"allowUnencrypted": true`, "preferred", ""},
		"required stays":                  {`"required"`, `"allowUnencrypted": false`, "required", ""},
		"preferred to required":           {`"preferred"`, `"encryption": "required"`, "required", ""},
		"preferred to none":               {`"preferred"`, `"encryption": "none"`, "none", ""},
		"preferred to the default":        {`"preferred"`, `"encryption": null`, "required", ""},
		"preferred ended by the old name": {`"preferred"`, `"allowUnencrypted": false`, "required", ""},
		"preferred to its default":        {`"preferred"`, `"allowUnencrypted": null`, "required", ""},
		"preferred stays":                 {`"preferred"`, `"serverType": "groupwise"`, "preferred", ""},
		"none by the older name":          {`"none"`, `"allowUnencrypted": true`, "preferred", ""},
		"none stays":                      {`"none"`, `"allowUnencrypted": false`, "none", ""},
		"both names": {
			`"none"`, `"allowUnencrypted": true, "encryption": "preferred"`, "preferred", "",
		},
		"both names against each other": {
			`"none"`, `"allowUnencrypted": true, "encryption": "none"`, "", "connection.allowUnencrypted",
		},
		"preferred and SSL": {`"preferred"`, `"useSSL": true`, "", "connection.encryption"},
		"preferred to SSL":  {`"preferred"`, `"useSSL": true, "encryption": "required"`, "required", ""},
		"a certificate without encryption": {
			`"none"`, `"trustedCertificate": ` + trusted, "", "connection.trustedCertificate",
		},
		"a certificate with it": {
			`"none"`, `"encryption": "required", "trustedCertificate": ` + trusted, "required", "",
		},
		"old TLS": {`"preferred"`, `"oldTLS": true`, "preferred", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			c.want(200, "PUT", "", fmt.Sprintf(`{"connection": {"serverType": "exchange", "host": "dc1.example.com",
				"username": "reader", "password": "secret", "encryption": %s}}`, test.stored))
			body := fmt.Sprintf(`{"connection": {"password": "again", %s}}`, test.patch)
			if test.wrong != "" {
				got := c.want(422, "PATCH", "", body)
				if text, _ := json.Marshal(got.body["errors"]); !contains(got, test.wrong) {
					t.Errorf("refused with %s, want %s", text, test.wrong)
				}
				return
			}
			got := c.want(200, "PATCH", "", body)
			if got.at("connection.encryption") != test.want ||
				got.at("connection.allowUnencrypted") != (test.want == "preferred") {
				t.Errorf("the connection is %v, want encryption %s", got.body["connection"], test.want)
			}
			again, _ := json.Marshal(map[string]any{"connection": got.body["connection"]})
			if sent := c.want(200, "PUT", "", string(again)); sent.at("connection.encryption") != test.want {
				t.Errorf("sent back, it is %v", sent.body["connection"])
			}
		})
	}
}

// contains reports whether an answer refuses a field.
func contains(a answer, field string) bool {
	errors, _ := a.body["errors"].([]any)
	for _, e := range errors {
		if member, _ := e.(map[string]any); member["field"] == field {
			return true
		}
	}
	return false
}
