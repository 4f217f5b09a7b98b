package settings_test

import (
	"encoding/pem"
	"strings"
	"testing"

	"rollcall/shared/settings"
)

// pemText is a block of three lines; settings do not look into it.
func pemText(first byte) string {
	content := make([]byte, 100)
	content[0] = first
	return strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: content})))
}

func TestRepairedPEM(t *testing.T) {
	t.Parallel()
	one, two := pemText(1), pemText(2)
	inJSON := func(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }
	for name, test := range map[string]struct{ text, want string }{
		"none":            {" \n", ""},
		"as it should be": {one, one},
		"two of them":     {one + "\n" + two + "\n", one + "\n" + two},
		"with words between": {
			"# ours\n" + one + "\n# theirs\n" + two, "# ours\n" + one + "\n# theirs\n" + two,
		},
		"line ends of Windows":       {strings.ReplaceAll(one, "\n", "\r\n"), strings.ReplaceAll(one, "\n", "\r\n")},
		"a byte order mark":          {"\ufeff" + one, one},
		"indented":                   {"    " + strings.ReplaceAll(one, "\n", "\n    "), one},
		"indented by a tab":          {strings.ReplaceAll(one, "\n", "\r\n\t"), one},
		"the second one is indented": {one + "\n  " + strings.ReplaceAll(two, "\n", "\n  "), one + "\n" + two},
		"escapes on one line":        {inJSON(one + "\n"), one},
		"escapes of two":             {inJSON(one + "\n" + two + "\n"), one + "\n" + two},
		"escapes of Windows":         {strings.ReplaceAll(one, "\n", `\r\n`), one},
		"quoted":                     {`"` + inJSON(one) + `"`, one},
		"spaces on one line":         {strings.ReplaceAll(one, "\n", " "), one},
		"no PEM":                     {" MIIB ", "MIIB"},
		"cut off":                    {inJSON(one[:90]), inJSON(one[:90])},
		"one of two cut off":         {one + "\n" + two[:90], one + "\n" + two[:90]},
	} {
		got := settings.RepairedPEM(test.text)
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if again := settings.RepairedPEM(got); again != got {
			t.Errorf("%s, repaired twice: %q, want %q", name, again, got)
		}
	}
}

// A certificate that is pasted again is the same, however its lines end: the password is not asked for.
func TestACertificateIsTheSameHoweverItsLinesEnd(t *testing.T) {
	t.Parallel()
	stored, entered := good(), good()
	stored.Connection.CACertificate = strings.ReplaceAll(pemText(1), "\n", "\r\n")
	entered.Connection.CACertificate = "  " + strings.ReplaceAll(pemText(1), "\n", "\n  ")
	entered.Connection = entered.Connection.Entered()
	if !entered.SamePasswordUse(stored) {
		t.Error("the same certificate is another")
	}
	entered.Connection.CACertificate = pemText(2)
	if entered.SamePasswordUse(stored) {
		t.Error("another certificate is the same")
	}
}

func FuzzRepairedPEM(f *testing.F) {
	for _, seed := range []string{pemText(1), `-----BEGIN A-----\n-----END A-----`, "-----BEGIN -----", "\ufeff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := settings.RepairedPEM(text)
		if again := settings.RepairedPEM(once); again != once {
			t.Fatalf("%q is repaired to %q and then to %q", text, once, again)
		}
	})
}
