package address

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// Every character with case or composition by itself: the Unicode tables hold odd ones, such as İ, ẞ, the Kelvin sign,
// final sigma, and spaces that are not the space.
func TestCanonicalFormOfEveryCharacter(t *testing.T) {
	t.Parallel()
	for r := rune(0); r < 0x1f000; r++ {
		if r >= 0x3400 && r < 0xa000 || r >= 0xac00 && r < 0xf900 || r >= 0x12000 && r < 0x1d000 {
			// Many thousands of signs without either.
			continue
		}
		for _, in := range []string{"a" + string(r) + "b@example.com", `"` + string(r) + `"@example.com`,
			"a@x" + string(r) + "y.com"} {
			first, err := Parse(in)
			if err != nil {
				continue
			}
			if again, err := Canonical(first.Key); err != nil || again != first.Key {
				t.Errorf("%q is canonically %q, and that is %q, %v", in, first.Key, again, err)
			}
			// What is shown leads back to the same user: people look users up by what they see.
			if shown, err := Canonical(first.Display); err != nil || shown != first.Key {
				t.Errorf("%q is canonically %q, but shown as %q, which is %q, %v", in, first.Key, first.Display,
					shown, err)
			}
		}
	}
}

// TestOneCharacterHasAnotherKeyThanInVersion04 holds that users stay under the keys that earlier builds stored them
// under: they lower-cased each character by itself, which differs for İ alone.
func TestOneCharacterHasAnotherKeyThanInVersion04(t *testing.T) {
	t.Parallel()
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			continue
		}
		text := "a" + string(r)
		got, before := Lower(text), norm.NFC.String(strings.ToLower(norm.NFC.String(text)))
		if (got != before) != (r == 'İ') {
			t.Errorf("%U is %+q in lower case and was %+q", r, got, before)
		}
		if again := Lower(got); again != got {
			t.Errorf("%U is %+q in lower case, and that is %+q", r, got, again)
		}
	}
}

func TestFormerKey(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"İlker.İ@example.com": "ilker.i@example.com", "I\u0307lker@example.com": "ilker@example.com",
		`"İ a"@example.com`: `"i a"@example.com`, "i\u0307lker@example.com": "", "ilker@example.com": "",
		"νικος@example.com": "", "ann@İLKER.com": "", "İ@İLKER.com": "i@xn--ilker-7fd.com",
	} {
		a, err := Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = a.Key
		}
		if key, differs := FormerKey(a); key != want || differs != (want != a.Key) {
			t.Errorf("%q had the key %+q (another one: %t), want %+q", in, key, differs, want)
		}
	}
}

// The fast path that nearly all addresses take must agree with the full one. A fuzzer seldom meets a plain address by
// chance.
func TestPlainAgreesWithTheSlowWay(t *testing.T) {
	t.Parallel()
	plainOnes := 0
	check := func(t interface{ Errorf(string, ...any) }, s string) {
		if !IsPlain(s) {
			return
		}
		plainOnes++
		slow, slowErr := parse(s)
		fast, fastErr := Parse(s)
		if diff := cmp.Diff(slow, fast); diff != "" || slowErr != nil || fastErr != nil {
			t.Errorf("%q: slow %v, fast %v:\n%s", s, slowErr, fastErr, diff)
		}
	}
	piece := rapid.SampledFrom([]string{"a", "Z", "0", "x1", ".", "-", "_", "+", "xn--", strings.Repeat("b", 31),
		strings.Repeat("7", 32)})
	rapid.Check(t, func(t *rapid.T) {
		local := strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "local"), "")
		domain := strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "domain"), "")
		check(t, local+"@"+domain)
		check(t, "a"+local+"@a"+domain+".com")
	})
	// And every short text of the characters whose place matters.
	var all func(prefix string)
	all = func(prefix string) {
		check(t, prefix)
		for i := 0; len(prefix) < 7 && i < 5; i++ {
			all(prefix + "a1.-@"[i:i+1])
		}
	}
	all("")
	if plainOnes < 100 {
		t.Errorf("only %d texts were plain, so that little was compared", plainOnes)
	}
}

func TestNeedsSMTPUTF8(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"ann@example.com": false, "ann@müller.example": false, `"a b"@example.com`: false, "jörg@example.com": true,
		`"é a"@example.com`: true,
	} {
		if got, err := Parse(in); err != nil || got.NeedsSMTPUTF8 != want {
			t.Errorf("%q needs SMTPUTF8: %t, %v; want %t", in, got.NeedsSMTPUTF8, err, want)
		}
	}
}
