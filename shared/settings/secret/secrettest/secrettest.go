// Package secrettest holds what every sealer of passwords must do.
package secrettest

import (
	"bytes"
	"errors"
	"testing"

	"rollcall/shared/settings/secret"
)

// Run holds a sealer and its opener to the contract of secret.
func Run(t *testing.T, s secret.Sealer, o secret.Opener) {
	ctx := t.Context()
	here := secret.Binding{Account: "acme", Target: "t"}
	sealed, err := s.Seal(ctx, secret.New("pässword"), here)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("ssword")) {
		t.Error("the sealed password can be read")
	}
	if opened, err := o.Open(ctx, sealed, here); err != nil || opened.Reveal() != "pässword" {
		t.Errorf("opened %q, error %v", opened.Reveal(), err)
	}
	if again, err := s.Seal(ctx, secret.New("pässword"), here); err != nil || bytes.Equal(again, sealed) {
		t.Errorf("sealing twice gives the same bytes (error %v)", err)
	}
	for name, other := range map[string]secret.Binding{
		"another account": {Account: "acme2", Target: "t"}, "another target": {Account: "acme", Target: "u"},
		"shifted": {Account: "acmet"}, "empty": {},
	} {
		if _, err := o.Open(ctx, sealed, other); !errors.Is(err, secret.ErrUnsealable) {
			t.Errorf("%s: error %v, want %v", name, err, secret.ErrUnsealable)
		}
	}
	for name, damaged := range map[string][]byte{"changed": append(bytes.Clone(sealed[:len(sealed)-1]),
		sealed[len(sealed)-1]^1), "cut short": sealed[:5], "empty": nil} {
		if _, err := o.Open(ctx, damaged, here); !errors.Is(err, secret.ErrUnsealable) {
			t.Errorf("%s: error %v, want %v", name, err, secret.ErrUnsealable)
		}
	}
}
