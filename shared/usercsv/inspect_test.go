package usercsv

import (
	"strings"
	"testing"
)

// TestInspectLooksAtEveryByte puts each byte at each place of cells around a word's length, where the last word overlaps the one before.
func TestInspectLooksAtEveryByte(t *testing.T) {
	t.Parallel()
	for length := 1; length <= 25; length++ {
		for at := range length {
			for c := range 256 {
				text := strings.Repeat("a", at) + string([]byte{byte(c)}) + strings.Repeat("a", length-at-1)
				quote, formula, clean := inspect(text)
				if wantQuote, wantFormula, wantClean := inspectRunes(text); quote != wantQuote || formula != wantFormula || clean != wantClean {
					t.Fatalf("%q: quote %t, formula %t, clean %t; by characters %t, %t, %t", text, quote, formula, clean, wantQuote, wantFormula, wantClean)
				}
			}
		}
	}
}

// FuzzInspect holds the look at bytes against the look at characters.
func FuzzInspect(f *testing.F) {
	for _, seed := range []string{"", "a", "=1", " =1", "a,b", `"`, "a b", " a", "a ", "ü", "＝1", "a\x00b", "\xff", "a+b@c.example", "CN=a,DC=b", "a=", "\u00a0=1", "\x7f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quote, formula, clean := inspect(text)
		wantQuote, wantFormula, wantClean := inspectRunes(text)
		if quote != wantQuote || formula != wantFormula || clean != wantClean {
			t.Errorf("%q: quote %t, formula %t, clean %t; by characters %t, %t, %t", text, quote, formula, clean, wantQuote, wantFormula, wantClean)
		}
	})
}
