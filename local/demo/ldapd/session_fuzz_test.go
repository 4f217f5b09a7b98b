package ldapd

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"testing"

	"rollcall/local/demo/ldif"
)

// FuzzSession sends any bytes as requests to a bound session: nothing a client sends may panic or hang the server.
func FuzzSession(f *testing.F) {
	search := []byte{0x30, 0x25, 2, 1, 2, 0x63, 0x20, 4, 0, 0x0a, 1, 2, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0,
		0x87, 11, 'o', 'b', 'j', 'e', 'c', 't', 'C', 'l', 'a', 's', 's', 0x30, 0}
	f.Add(search)
	f.Add([]byte{0x30, 0x0c, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0})
	f.Add([]byte{0x30, 0x84, 0, 0, 0, 5, 2, 1, 2, 0x42, 0})
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff})
	server, err := New(Config{
		Entries: []ldif.Entry{{DN: "o=Example", Attributes: []ldif.Attribute{{Name: "o",
			Values: []string{"Example", "\xff"}}}}},
		Behaviour: Behaviour{SearchFromRoot: true}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, request []byte) {
		in := bufio.NewReader(bytes.NewReader(request))
		n := &session{server: server, in: in, out: bufio.NewWriter(io.Discard), secure: true, boundDN: "o=Example"}
		for {
			frame, err := readFrame(n.in)
			if err != nil {
				return
			}
			m, err := decode(frame)
			if err != nil {
				return
			}
			if err := n.answer(m); err != nil {
				return
			}
		}
	})
}

// FuzzDN checks that a subordinate's key ends in its superior's.
func FuzzDN(f *testing.F) {
	for _, dn := range []string{"cn=a,dc=b", `cn=a\,b+sn=c,dc=d`, `cn=\2c,dc=x`, "", "cn", `cn=\`} {
		f.Add(dn)
	}
	f.Fuzz(func(t *testing.T, dn string) {
		key, err := dnKey(dn)
		if err != nil || key == "" {
			return
		}
		below, err := dnKey("cn=x," + dn)
		if err != nil {
			t.Fatalf("%q below is refused: %v", dn, err)
		}
		if superior(below) != key {
			t.Errorf("superior(%q) = %q, want %q", below, superior(below), key)
		}
	})
}
