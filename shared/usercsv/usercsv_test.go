package usercsv_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/plan"
	"rollcall/shared/user"
	"rollcall/shared/usercsv"
)

var update = flag.Bool("update", false, "write the golden file again")

const golden = "testdata/preview.csv"

// rows show what a cell may hold: quotes, commas, formulas, scripts, line breaks, broken text.
func rows() []plan.Row {
	const ann, jörg = "Ann@Example.com", "jörg@müller.example"
	return []plan.Row{
		{
			Address: "a.miller@example.com", Kind: user.Alias, PrimaryAddress: ann, Type: user.TypeUser,
			Change: plan.Create,
			DN:     `CN=Miller\, Ann,DC=example,DC=com`,
		},
		{
			Address: ann, Kind: user.Primary, PrimaryAddress: ann, Type: user.TypeUser, Change: plan.Unchanged,
			Reason: plan.ReasonProtected, DN: `CN="Ann" Miller,DC=example,DC=com`,
		},
		{
			Address: "=cmd|'/c calc'!A1", Change: plan.Skipped,
			Reason: "invalid address", Notes: []string{"has no @"}, DN: "+1",
		},
		{Address: " \t@SUM(A1)", Change: plan.Skipped, Reason: "invalid address", DN: "-2+3"},
		{Address: "＝1＋1", Change: plan.Skipped, DN: "line\r\nbreak"},
		{
			Address: jörg, Kind: user.Primary, PrimaryAddress: jörg, Type: user.TypeUser, Change: plan.Create,
			DN: "CN=Jörg 株式会社", Notes: []string{"needs SMTPUTF8"},
		},
		{Address: "trailing space ", DN: "bad\xffutf8", Change: plan.Skipped},
	}
}

func printed(t testing.TB, rows []plan.Row) []byte {
	t.Helper()
	var out bytes.Buffer
	w := usercsv.NewWriter(&out)
	for i := range rows {
		if err := w.Row(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if w.Rows() != len(rows) {
		t.Errorf("Rows() = %d, want %d", w.Rows(), len(rows))
	}
	return out.Bytes()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	got := printed(t, rows())
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("file (-golden +got):\n%s", diff)
	}
}

func TestFormAndColumns(t *testing.T) {
	t.Parallel()
	data := string(printed(t, rows()))
	text, ok := strings.CutPrefix(data, "\ufeff")
	if !ok {
		t.Error("no byte order mark")
	}
	if strings.Count(text, "\r\n") != len(rows())+1 || strings.Count(text, "\n") != len(rows())+1 {
		t.Error("a line does not end in CRLF, or a cell breaks one")
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(records[0], ","); got != usercsv.Header {
		t.Errorf("header %q", got)
	}
	for _, record := range records[1:] {
		for _, cell := range record {
			if trimmed := strings.TrimSpace(cell); trimmed != "" && strings.ContainsAny(trimmed[:1], "=+-@") {
				t.Errorf("a spreadsheet would run the cell %q", cell)
			}
		}
	}
}

func TestUsersList(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := usercsv.NewWriter(&out)
	u := user.User{
		Address: "a@b.example", Kind: user.Alias, PrimaryAddress: "c@b.example", Type: user.TypeShared, DN: "CN=c",
	}
	if err := w.User(u); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := "\ufeff" + usercsv.Header + "\r\na@b.example,alias,c@b.example,shared,,,CN=c\r\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAFullDiskIsNoticed(t *testing.T) {
	t.Parallel()
	w := usercsv.NewWriter(full{})
	row := rows()[0]
	_ = w.Row(&row)
	if err := w.Flush(); !errors.Is(err, errFull) {
		t.Errorf("Flush() = %v, want %v", err, errFull)
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 19, 4, 5, 0, time.FixedZone("", 3600))
	for _, test := range []struct{ account, kind, want string }{
		{"demo", usercsv.Preview, "rollcall-demo-preview-2026-11-23T180405Z.csv"},
		{"acme.example_1@x-y", usercsv.Changes, "rollcall-acme.example_1@x-y-sync-2026-11-23T180405Z.csv"},
		{"../a/b\"\n;Ä", usercsv.Users, "rollcall-.._a_b____-users-2026-11-23T180405Z.csv"},
		{strings.Repeat("a", 120), usercsv.Users,
			"rollcall-" + strings.Repeat("a", 80) + "-users-2026-11-23T180405Z.csv"},
	} {
		if got := usercsv.FileName(user.Account(test.account), test.kind, at); got != test.want {
			t.Errorf("FileName(%q) = %q, want %q", test.account, got, test.want)
		}
	}
}

// TestACellHasNoControlCharacter puts each byte at each place of a short cell: none may break the line or look like a
// cell.
func TestACellHasNoControlCharacter(t *testing.T) {
	t.Parallel()
	for at := range 3 {
		for c := range 256 {
			address := strings.Repeat("a", at) + string([]byte{byte(c)}) + strings.Repeat("a", 2-at)
			text := string(printed(t, []plan.Row{{Address: address}}))
			_, line, _ := strings.Cut(text, "\r\n")
			line = strings.TrimSuffix(line, "\r\n")
			if strings.ContainsFunc(line, unicode.IsControl) || !utf8.ValidString(line) {
				t.Errorf("%q is printed as %q", address, line)
			}
			if got := strings.HasPrefix(line, `"`); got != needsQuotes(c, at) {
				t.Errorf("%q is printed as %q; quoted: %t", address, line, got)
			}
		}
	}
}

// needsQuotes reports whether a cell of letters with one byte in it, at one of three places, is quoted.
func needsQuotes(c, at int) bool {
	switch c {
	case '"', ',':
		return true
	case ' ':
		return at != 1
	}
	return at == 0 && strings.ContainsRune("=+-@", rune(c))
}

// unquoted takes the quotes away that make formulas within a cell harmless.
func unquoted(cell string) string { return strings.NewReplacer(";'", ";", "|'", "|").Replace(cell) }

// TestFormulasWithinACell has cells that another separator than the comma would cut in pieces.
func TestFormulasWithinACell(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"CN=a;=1+1":             "CN=a;'=1+1",
		"CN=a; =1+1":            "CN=a;' =1+1",
		"CN=a|@SUM(A1)":         "CN=a|'@SUM(A1)",
		"a;-1|+1;b;=":           "a;'-1|'+1;b;'=",
		`a;"=1"`:                `a;'"=1"`,
		"a;\u00a0\uff1d1":       "a;'\u00a0\uff1d1",
		"a\t=1":                 "a\ufffd=1",
		"=a;=b":                 "'=a;'=b",
		"CN=a;OU=b|c":           "CN=a;OU=b|c",
		"not in; the directory": "not in; the directory",
		"a;'=1":                 "a;'=1",
		";":                     ";",
	} {
		data := printed(t, []plan.Row{{DN: cell}})
		records, err := csv.NewReader(bytes.NewReader(data[3:])).ReadAll()
		if err != nil || len(records) != 2 || records[1][6] != want {
			t.Errorf("%q is printed as %q, error %v; want %q", cell, data, err, want)
		}
	}
}

// FuzzCell reads what the writer wrote with encoding/csv and expects the same cell, but for the quote before a
// formula and U+FFFD in place of what cannot be shown.
func FuzzCell(f *testing.F) {
	for _, r := range rows() {
		f.Add(r.Address, r.DN)
	}
	f.Fuzz(func(t *testing.T, address, dn string) {
		data := printed(t, []plan.Row{{Address: address, DN: dn}})
		records, err := csv.NewReader(bytes.NewReader(data[3:])).ReadAll()
		if err != nil || len(records) != 2 || len(records[1]) != 7 {
			t.Fatalf("%q gives %d records, error %v", data, len(records), err)
		}
		for i, want := range map[int]string{0: address, 6: dn} {
			got := records[1][i]
			want = strings.Map(func(r rune) rune {
				if unicode.IsControl(r) {
					return '\ufffd'
				}
				return r
			}, want)
			if plain := unquoted(got); plain != unquoted(want) && plain != "'"+unquoted(want) {
				t.Fatalf("cell %q came back as %q", want, got)
			}
			for n, part := range strings.Split(strings.NewReplacer("|", ";", "\t", ";").Replace(got), ";") {
				if n > 0 {
					part = strings.TrimLeft(part, `" `)
				}
				if part = strings.TrimSpace(part); part != "" && strings.ContainsAny(part[:1], "=+-@") {
					t.Fatalf("a spreadsheet would run %q of %q", part, got)
				}
			}
		}
	})
}

// TestARowCostsNoAllocation is the budget of a row; it is exact.
func TestARowCostsNoAllocation(t *testing.T) {
	row := rows()[0]
	w := usercsv.NewWriter(discard{})
	if got := testing.AllocsPerRun(100, func() {
		if err := w.Row(&row); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("a row costs %v allocations, want 0", got)
	}
}

func BenchmarkRow(b *testing.B) {
	row := rows()[0]
	w := usercsv.NewWriter(discard{})
	b.ReportAllocs()
	for range b.N {
		if err := w.Row(&row); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncodingCSV is the peer of BenchmarkRow.
func BenchmarkEncodingCSV(b *testing.B) {
	r := rows()[0]
	w := csv.NewWriter(discard{})
	b.ReportAllocs()
	for range b.N {
		err := w.Write([]string{
			r.Address, string(r.Kind), r.PrimaryAddress, string(r.Type), string(r.Change), string(r.Reason), r.DN,
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
