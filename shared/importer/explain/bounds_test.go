package explain_test

import (
	"encoding/json"
	"strings"
	"testing"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/importer/explain"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// TestManyAddressesAreCut has entries with thousands of addresses: the one that was asked for shows, and few users are
// looked up.
func TestManyAddressesAreCut(t *testing.T) {
	t.Parallel()
	values := []string{"proxyAddresses: SMTP:boss@example.com"}
	for i := range 3000 {
		local := "z" + strings.Repeat("y", i%40) + string(rune('a'+i%26))
		values = append(values, "proxyAddresses: smtp:"+local+"@example.com")
	}
	values = append(values, "proxyAddresses: smtp:zz@example.com")
	looked := 0
	got, err := explain.Explain(explain.Case{
		Server: settings.Exchange, Asked: run.Asked{Address: "zz@example.com"},
		Answer: directory.Answer{Found: []directory.Found{found(ann, values...)}},
		Stored: func(key string) (*user.User, error) {
			looked++
			if _, err := address.Canonical(key); err != nil {
				t.Errorf("%q is looked up", key)
			}
			return nil, nil
		},
	})
	if err != nil || got.Verdict != run.Imported || len(got.Entries[0].Rows) > 25 || looked > 100 ||
		got.Entries[0].Rows[0].Address != "zz@example.com" {
		t.Errorf("error %v, %d rows, %d looked up, verdict %s", err, len(got.Entries[0].Rows), looked, got.Verdict)
	}
}

// TestLongAnswersAreShortened has more entries with longer names than a record takes.
func TestLongAnswersAreShortened(t *testing.T) {
	t.Parallel()
	var all []directory.Found
	for i := range 20 {
		dn := strings.Repeat("x", 4000) + string(rune('a'+i))
		f := found("cn="+dn, primary, "proxyAddresses: smtp:a@example.com")
		f = unmatched(f, "(a="+strings.Repeat("y", 9000)+")")
		f.Matches = i%2 == 0
		all = append(all, f)
	}
	got, err := explain.Explain(explain.Case{
		Server: settings.Exchange, Asked: run.Asked{Address: annMail}, Answer: directory.Answer{Found: all},
		Stored: func(string) (*user.User, error) { return nil, nil },
	})
	text, jsonErr := json.Marshal(got)
	if err != nil || jsonErr != nil || len(text) > 129<<10 || got.Verdict != run.Imported || len(got.Entries) == 0 ||
		!strings.HasSuffix(got.Sentence, "too long to be shown.") {
		t.Errorf("errors %v, %v; %d bytes, %d entries, verdict %s", err, jsonErr, len(text), len(got.Entries),
			got.Verdict)
	}
}
