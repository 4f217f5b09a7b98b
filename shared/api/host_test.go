package api_test

import (
	"strings"
	"testing"

	"rollcall/shared/api"
)

func TestHostsAreCheckedOneByOne(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("a", 61)
	for name, c := range map[string]struct {
		host string
		// says is in the one error, which is about connection.host; none is wanted where it is empty.
		says string
	}{
		"five of the longest":        {strings.Repeat(longest+". , ", 5), ""},
		"an SRV name":                {"_ldap._tcp.bücher.example", ""},
		"six":                        {"a b c d e six.example", `"six.example"`},
		"a label that is no A-label": {"dc1.example.com, xn--0.example.com", `"xn--0.example.com"`},
		"a label that is too long":   {strings.Repeat("a", 64) + ".example.com", `aaa.example.com"`},
		"a name with a space":        {"dc1.example.com:389 dc2.example.com", `"dc1.example.com:389"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong := api.CheckImport(&api.ConnectionInput{ServerType: "exchange", Host: c.host}, nil, nil)
			switch {
			case c.says == "" && len(wrong) == 0:
			case c.says != "" && len(wrong) == 1 && strings.Contains(wrong[0].Error(), "connection.host") &&
				strings.Contains(wrong[0].Error(), c.says):
			default:
				t.Errorf("errors %v, want one of connection.host with %q", wrong, c.says)
			}
		})
	}
}
