package address

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/settings"
)

func TestParse(t *testing.T) {
	t.Parallel()
	local64, local65 := strings.Repeat("a", 64), strings.Repeat("a", 65)
	domain := strings.Repeat(strings.Repeat("d", 49)+".", 3) + strings.Repeat("e", 35) + ".example"
	// With 64 bytes and an @ before it, it fills an address's 254 bytes.
	domain189 := strings.Repeat("b", 62) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 58) + ".com"
	tests := map[string]struct {
		in, key string
		err     error
	}{
		"plain":                     {"ann@example.com", "ann@example.com", nil},
		"case":                      {"Ann.Miller@EXAMPLE.Com", "ann.miller@example.com", nil},
		"surrounding space":         {"  ann@example.com\t", "ann@example.com", nil},
		"plus and hyphen":           {"ann+list-x_y@ex-ample.com", "ann+list-x_y@ex-ample.com", nil},
		"all that atoms may hold":   {"a!#$%&'*/=?^`{|}~b@example.com", "a!#$%&'*/=?^`{|}~b@example.com", nil},
		"needless quotes":           {`"ann.miller"@example.com`, "ann.miller@example.com", nil},
		"needless escapes":          {`"\a\n\n"@example.com`, "ann@example.com", nil},
		"quotes that are needed":    {`"Ann Miller"@example.com`, `"ann miller"@example.com`, nil},
		"quotes within":             {`"a\"b"@example.com`, `"a\"b"@example.com`, nil},
		"at sign within quotes":     {`"a@b"@example.com`, `"a@b"@example.com`, nil},
		"final dot":                 {"ann@example.com.", "ann@example.com", nil},
		"U-label":                   {"ann@MÜLLER.example", "ann@xn--mller-kva.example", nil},
		"A-label":                   {"ann@XN--mller-kva.example", "ann@xn--mller-kva.example", nil},
		"sharp s is no ss":          {"ann@straße.example", "ann@xn--strae-oqa.example", nil},
		"ideographic full stop":     {"ann@例え。テスト", "ann@xn--r8jz45g.xn--zckzah", nil},
		"local part in NFD":         {"jo\u0308rg@example.com", "jörg@example.com", nil},
		"local part in upper case":  {"JÖRG@example.com", "jörg@example.com", nil},
		"longest local part":        {local64 + "@example.com", local64 + "@example.com", nil},
		"local part too long":       {local65 + "@example.com", "", ErrTooLong},
		"longest address":           {local64[:60] + "@" + domain, local64[:60] + "@" + domain, nil},
		"address too long":          {local64 + "@" + domain, "", ErrTooLong},
		"no at sign":                {"ann.example.com", "", ErrNoAt},
		"two at signs":              {"ann@@example.com", "", ErrLocalPart},
		"nothing before":            {"@example.com", "", ErrLocalPart},
		"nothing behind":            {"ann@", "", ErrDomain},
		"empty":                     {"", "", ErrNoAt},
		"dot at the end":            {"ann.@example.com", "", ErrLocalPart},
		"two dots":                  {"a..b@example.com", "", ErrLocalPart},
		"space":                     {"ann miller@example.com", "", ErrLocalPart},
		"control character":         {"a\x01b@example.com", "", ErrLocalPart},
		"quote left open":           {`"ann@example.com`, "", ErrLocalPart},
		"address literal":           {"ann@[192.0.2.1]", "", ErrLiteral},
		"underscore in the domain":  {"ann@a_b.example", "", ErrDomain},
		"hyphen at a label's start": {"ann@-a.example", "", ErrDomain},
		"label too long":            {"ann@" + strings.Repeat("a", 64) + ".example", "", ErrDomain},
		"empty label":               {"ann@a..example", "", ErrDomain},
		"single label":              {"ann@localhost", "", ErrDomain},
		"numeric top level":         {"ann@192.0.2.1", "", ErrDomain},
		"broken UTF-8":              {"ann\xff@example.com", "", ErrEncoding},
		"broken UTF-8 in a domain":  {"ann@ex\xc3mple.com", "", ErrEncoding},
		"NFC local part":            {"JOS\u00c9@example.com", "jos\u00e9@example.com", nil},
		"U-label in NFD":            {"ann@mu\u0308ller.example", "ann@xn--mller-kva.example", nil},
		"double s":                  {"ann@STRASSE.example", "ann@strasse.example", nil},
		"bad A-label":               {"ann@xn--a.example", "", ErrDomain},
		"64 in needless quotes":     {`"` + local64 + `"@example.com`, local64 + "@example.com", nil},
		"33 letters of two bytes":   {strings.Repeat("é", 33) + "@example.com", "", ErrTooLong},
		"254 bytes":                 {local64 + "@" + domain189, local64 + "@" + domain189, nil},
		"255 bytes":                 {local64 + "@a" + domain189, "", ErrTooLong},
		"escaped closing quote":     {`"ann\"@example.com`, "", ErrLocalPart},
		"text behind the quotes":    {`"a".b@example.com`, "", ErrLocalPart},
		"empty quotes":              {`""@example.com`, `""@example.com`, nil},
		"two final dots":            {"ann@example.com..", "", ErrDomain},
		"digits below the top":      {"ann@1.2.3com", "ann@1.2.3com", nil},
		"line break in quotes":      {"\"a\r\nBcc: x\"@example.com", "", ErrLocalPart},
		"C1 control":                {"a\u0085b@example.com", "", ErrLocalPart},
		"C1 control in quotes":      {"\"a\u0085b\"@example.com", "", ErrLocalPart},
		"control in a domain":       {"ann@exam\x01ple.com", "", ErrDomain},
		// NFC makes a semicolon of the Greek question mark, and that must not stand unquoted.
		"turns into a special character": {"a\u037eb@example.com", `"a;b"@example.com`, nil},
		// Without its quotes it would be lost as surrounding space, and the key would be no address.
		"no-break space in quotes":  {"\"\u00a0\"@example.com", "\"\u00a0\"@example.com", nil},
		"no-break space":            {"a\u00a0b@example.com", "", ErrLocalPart},
		"final sigma":               {"νικος@example.com", "νικος@example.com", nil},
		"sigma that is not final":   {"νικοσ@example.com", "νικοσ@example.com", nil},
		"capital sigma":             {"ΝΙΚΟΣ@example.com", "νικοσ@example.com", nil},
		"final sigma in a domain":   {"ann@βόλος.com", "ann@xn--nxasmm1c.com", nil},
		"I with a dot":              {"İlker@example.com", "i\u0307lker@example.com", nil},
		"capital sigma in a domain": {"ann@ΒΌΛΟΣ.com", "ann@xn--nxasmq6b.com", nil},
		"I with a combining dot":    {"I\u0307lker@example.com", "i\u0307lker@example.com", nil},
		"i with a combining dot":    {"i\u0307lker@example.com", "i\u0307lker@example.com", nil},
		"i without a dot":           {"ılker@example.com", "ılker@example.com", nil},
		"I of English":              {"Ilker@example.com", "ilker@example.com", nil},
		"I with a dot in a domain":  {"ann@İLKER.com", "ann@xn--ilker-7fd.com", nil},
		// Names of content networks have such labels. Only xn-- makes an A-label of one.
		"hyphens in places 3 and 4":  {"ann@R3---sn-apo3q.example.com", "ann@r3---sn-apo3q.example.com", nil},
		"hyphens beside a U-label":   {"ann@ab--c.müller.example", "ann@ab--c.xn--mller-kva.example", nil},
		"hyphens beside an A-label":  {"ann@ab--c.xn--mller-kva.example", "ann@ab--c.xn--mller-kva.example", nil},
		"hyphens beside a bad one":   {"ann@ab--c.xn--a.example", "", ErrDomain},
		"hyphens in a U-label":       {"ann@ab--ü.example", "", ErrDomain},
		"hyphens at a label's end":   {"ann@ab--.example.com", "", ErrDomain},
		"hyphens at a label's start": {"ann@--ab.example.com", "", ErrDomain},
		"hyphens in the top level":   {"ann@example.co--m", "ann@example.co--m", nil},
		// The symbol stands for a Hebrew letter, which no label may mix with Latin ones.
		"symbol of a right-to-left letter": {"ann@x\u2135y.com", "", ErrDomain},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(test.in)
			if !errors.Is(err, test.err) || got.Key != test.key {
				t.Errorf("Parse(%q) = %q, %v; want %q, %v", test.in, got.Key, err, test.key, test.err)
			}
			if err == nil && got.Display != strings.TrimSpace(test.in) {
				t.Errorf("shown as %q, want it as it was written", got.Display)
			}
		})
	}
}

// FuzzCanonical checks the canonical form: it is its own canonical form, and the fast path for plain
// addresses agrees with the rest.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{"Ann@Example.com", `"a b"@x.example`, "jörg@müller.example", "a@b", "ann@1.2.3.4",
		"a.b-c+d@x-y.example.", `"\""@a.b`, "ａ@ｂ.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		key, err := Canonical(raw)
		if trimmed := strings.TrimSpace(raw); IsPlain(trimmed) {
			local, _, localErr := canonicalLocal(trimmed[:strings.IndexByte(trimmed, '@')])
			domain, domainErr := CanonicalDomain(trimmed[strings.IndexByte(trimmed, '@')+1:])
			if slow := local + "@" + domain; err != nil || localErr != nil || domainErr != nil || slow != key {
				t.Fatalf("%q: the fast path gives %q (%v), the other %q (%v, %v)", raw, key, err, slow, localErr,
					domainErr)
			}
		}
		if err != nil {
			return
		}
		again, err := Canonical(key)
		if err != nil || again != key {
			t.Fatalf("%q is canonically %q, and that is %q, %v", raw, key, again, err)
		}
	})
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	p, err := ParsePatterns([]string{"Boss@Example.com", " *@Müller.example ", " *.Example.NET. "})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{
		"boss@example.com": true, "ann@example.com": false, "any@xn--mller-kva.example": true,
		"any@sub.xn--mller-kva.example": false, "no-at-sign": false,
		"a@b.example.net": true, "a@b.c.example.net": true, "a@example.net": false, "a@badexample.net": false,
		"a@example.net.org": false, `"x.example.net@"@example.com`: false,
	} {
		if got := p.Match(key); got != want {
			t.Errorf("Match(%q) = %t, want %t", key, got, want)
		}
	}
	if (Patterns{}).Match("a@b.example") {
		t.Error("no pattern matches something")
	}
	for _, wrong := range []string{"*@", "example.com", "*", "*@a b", "@example.com", "*.", "*.com", "*.*.example.com",
		"*@*.example.com", "a.*.example.com", "*example.com", "**.example.com"} {
		if _, err := ParsePatterns([]string{wrong}); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: error %v, want one that shows it", wrong, err)
		}
	}
}

func TestDomains(t *testing.T) {
	t.Parallel()
	d, err := ParseDomains([]string{" Example.com ", "*.MÜLLER.example"})
	if err != nil {
		t.Fatal(err)
	}
	for domain, want := range map[string]bool{
		"example.com": true, "a.example.com": false, "xn--mller-kva.example": false, "a.xn--mller-kva.example": true,
		"a.b.xn--mller-kva.example": true, "axn--mller-kva.example": false, "example": false,
	} {
		if got := d.Match(domain); got != want {
			t.Errorf("Match(%q) = %t, want %t", domain, got, want)
		}
	}
	if !(Domains{}).Empty() || (Domains{}).Match("example.com") || d.Empty() {
		t.Error("no domains match something, or these are taken for none")
	}
	for _, wrong := range []string{"*", "*.", "*.com", "*@example.com", "a.*.com"} {
		if _, err := ParseDomains([]string{wrong}); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: error %v, want one that shows it", wrong, err)
		}
	}
}

func TestCheckListsEveryWrongField(t *testing.T) {
	t.Parallel()
	var fields []string
	wrong, more := Check(settings.Advanced{
		Include: []string{"user", "users"}, AcceptedDomains: []string{"*.example.com", "a b"},
		Exclude: []string{"*.example.com", "x", "a@b.example", "*.com"},
	})
	for _, e := range wrong {
		fields = append(fields, e.Field)
	}
	if more != 0 {
		t.Errorf("%d more", more)
	}
	if diff := cmp.Diff([]string{"advanced.include[1]", "advanced.acceptedDomains[1]", "advanced.exclude[1]",
		"advanced.exclude[3]"}, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestCheckDescribesFiftyWrongFieldsAndCountsTheOthers(t *testing.T) {
	t.Parallel()
	wrong, more := Check(settings.Advanced{
		Include: []string{"users"}, AcceptedDomains: slices.Repeat([]string{"-"}, 30),
		Exclude: slices.Repeat([]string{"x", "a@b.example"}, 30),
	})
	first, last := wrong[0], wrong[len(wrong)-1]
	if len(wrong) != settings.MaxErrors || more != 11 || first.Field != "advanced.include[0]" ||
		last.Field != "advanced.exclude[36]" {
		t.Errorf("%d errors from %+v to %+v, and %d more", len(wrong), first, last, more)
	}
}

// TestWhatNobodySeesMakesNoAddress puts characters into an address that change nothing of what people read, and so
// would make a second user who looks like the first.
func TestWhatNobodySeesMakesNoAddress(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]rune{
		"soft hyphen": '\u00ad', "combining grapheme joiner": '\u034f', "Arabic letter mark": '\u061c',
		"Hangul filler": '\u3164', "Khmer vowel": '\u17b4', "Mongolian separator": '\u180e',
		"zero width space":      '\u200b',
		"zero width non-joiner": '\u200c', "zero width joiner": '\u200d', "left-to-right mark": '\u200e',
		"embedding": '\u202a', "override": '\u202e', "word joiner": '\u2060', "invisible times": '\u2062',
		"isolate": '\u2066', "end of isolate": '\u2069', "blank Braille pattern": '\u2800',
		"variation selector": '\ufe0f',
		"byte order mark":    '\ufeff', "interlinear anchor": '\ufff9', "tag": '\U000e0061',
		"variation selector 17": '\U000e0100',
	} {
		for _, text := range []string{"an" + string(r) + "n@example.com", string(r) + "ann@example.com",
			`"an` + string(r) + `n"@example.com`, "ann" + string(r) + "@example.com"} {
			if _, err := Parse(text); !errors.Is(err, ErrInvisible) {
				t.Errorf("%s: %q gives %v, want %v", name, text, err, ErrInvisible)
			}
		}
		domain := "ann@exam" + string(r) + "ple.com"
		if a, err := Parse(domain); err == nil {
			t.Errorf("%s: %q is %q, want an error", name, domain, a.Key)
		}
	}
	// The joiner makes another word of this name, and IDNA lets it stand there.
	if a, err := Parse("ann@نامه\u200cای.com"); err != nil || a.Key != "ann@xn--mgba3gch31f060k.com" {
		t.Errorf("a Persian domain is %q, %v", a.Key, err)
	}
	// Earlier builds took such addresses: their users must still be found.
	if key, _ := Canonical("An\u200bn@Example.com"); key != "an\u200bn@example.com" {
		t.Errorf("the key of an earlier build's user is %q", key)
	}
}

func TestKeyPrefix(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "  Ann ": "ann", "ANN@Example.C": "ann@example.c", "jÖ": "jö", "Jo\u0308": "jö", "İ": "i\u0307",
		"ann@Müller.ex": "ann@xn--mller-kva.ex", "ann@müller": "ann@xn--mller-kva", "ann@": "ann@", "@x": "@x",
		"no address": "no address", "ann@müller..": "ann@xn--mller-kva..",
	} {
		got, err := KeyPrefix(text)
		if err != nil || got != want {
			t.Errorf("%q gives %q, error %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]error{
		"a\xff": ErrEncoding, "a\x01": ErrControl, "a\u200b": ErrInvisible,
		"a@ü_.example": ErrDomain,
	} {
		if got, err := KeyPrefix(text); !errors.Is(err, want) {
			t.Errorf("%q gives %q, error %v; want %v", text, got, err, want)
		}
	}
}

// TestAKeyBeginsWithThePrefixesOfItsAddress cuts addresses anywhere in their local part, and behind whole labels.
func TestAKeyBeginsWithThePrefixesOfItsAddress(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"Ann.Smith@Example.com", "JÖRG@Müller.Example", "zoë@example.com"} {
		key, err := Canonical(text)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range text {
			if i > strings.Index(text, "@") && r != '.' {
				continue
			}
			if prefix, err := KeyPrefix(text[:i]); err != nil || !strings.HasPrefix(key, prefix) {
				t.Errorf("%q begins with %q, and its key %q not with %q (error %v)", text, text[:i], key, prefix, err)
			}
		}
	}
}
