package ldif_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/local/demo/ldif"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []ldif.Entry
		wantErr  error
	}{
		{name: "empty", in: ""},
		{name: "version and comment", in: "version: 1\n# a comment\n  folded on\n\ndn: o=Example\no: Example\n",
			want: []ldif.Entry{{DN: "o=Example", Attributes: []ldif.Attribute{{Name: "o",
				Values: []string{"Example"}}}}}},
		{name: "folded, base64, several values, CRLF",
			in: "dn: cn=a,\r\n o=Example\r\nmail: x\r\nsn:: w7w=\r\nMAIL: y\r\n",
			want: []ldif.Entry{{DN: "cn=a,o=Example", Attributes: []ldif.Attribute{
				{Name: "mail", Values: []string{"x", "y"}}, {Name: "sn", Values: []string{"ü"}}}}}},
		{name: "no colon", in: "dn: o=x\nnonsense\n", want: []ldif.Entry{{DN: "o=x"}}, wantErr: ldif.ErrSyntax},
		{name: "attribute before dn", in: "cn: x\n", wantErr: ldif.ErrSyntax},
		{name: "URL", in: "dn: o=x\nphoto:< file:///x\n", want: []ldif.Entry{{DN: "o=x"}}, wantErr: ldif.ErrSyntax},
		{name: "bad base64", in: "dn: o=x\ncn:: %%\n", want: []ldif.Entry{{DN: "o=x"}}, wantErr: ldif.ErrSyntax},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ldif.Read(strings.NewReader(c.in))
			if !errors.Is(err, c.wantErr) {
				t.Fatalf("error = %v, want %v", err, c.wantErr)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzWriteRead(f *testing.F) {
	for _, v := range []string{"", " leading", "trailing ", "a: b", "<x", "ü", "\x00\xff", "line\nbreak", "#"} {
		f.Add("cn="+v, v)
	}
	f.Fuzz(func(t *testing.T, dn, value string) {
		want := []ldif.Entry{{DN: dn, Attributes: []ldif.Attribute{{Name: "cn", Values: []string{value, "second"}}}}}
		var buffer bytes.Buffer
		w := ldif.NewWriter(&buffer)
		if err := w.Write(&want[0]); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		got, err := ldif.Read(&buffer)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
