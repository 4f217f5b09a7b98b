package settings_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

func good() settings.Import {
	return settings.Import{
		Connection: settings.Connection{
			ServerType: settings.Exchange, Host: "dc1.example.com", Port: 389, Username: "reader@example.com",
			Password: secret.New("hunter2-secret"),
		},
		Advanced: settings.Advanced{
			SearchBase: "DC=example,DC=com", Include: []string{"user", "group"},
			AcceptedDomains: []string{"a.example", "b.example"},
			Attributes:      settings.Attributes{Primary: []string{"mail", "x"}},
		},
		Options: settings.DefaultOptions(),
	}
}

func TestValidateNamesEachFieldAndWhatToDo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change      func(*settings.Import)
		field, says string
	}{
		"fine":            {func(*settings.Import) {}, "", ""},
		"an IP address":   {func(i *settings.Import) { i.Connection.Host = "192.0.2.1" }, "", ""},
		"an IPv6 address": {func(i *settings.Import) { i.Connection.Host = "2001:db8::1" }, "", ""},
		"a short name":    {func(i *settings.Import) { i.Connection.Host = "dc1" }, "", ""},
		"anonymous": {
			func(i *settings.Import) { i.Connection.Username, i.Connection.Password = "", secret.String{} }, "", "",
		},
		"no server type": {
			func(i *settings.Import) { i.Connection.ServerType = "notes" }, "connection.serverType",
			"exchange, communigate, groupwise",
		},
		"no host": {func(i *settings.Import) { i.Connection.Host = " " }, "connection.host", "dc1.example.com"},
		"a URL": {
			func(i *settings.Import) { i.Connection.Host = "ldaps://dc1.example.com" },
			"connection.host", "without a scheme",
		},
		"a port in the host": {
			func(i *settings.Import) { i.Connection.Host = "dc1.example.com:636" }, "connection.host", "into port",
		},
		"a second host that is wrong": {
			func(i *settings.Import) { i.Connection.Host = "dc1 -example" }, "connection.host", "not a host name",
		},
		"port 0": {func(i *settings.Import) { i.Connection.Port = 0 }, "connection.port", "1 to 65535"},
		"a password of nobody": {
			func(i *settings.Import) { i.Connection.Username = "" }, "connection.username", "anonymously",
		},
		"a long password": {
			func(i *settings.Import) { i.Connection.Password = secret.New(strings.Repeat("x", 2000)) },
			"connection.password", "longer",
		},
		"SSL and yet unencrypted": {
			func(i *settings.Import) { i.Connection.UseSSL, i.Connection.AllowUnencrypted = true, true },
			"connection.encryption", "useSSL",
		},
		"a wrong attribute": {
			func(i *settings.Import) { i.Advanced.Attributes.Aliases = []string{"mail", "a b"} },
			"advanced.attributes.aliases[1]", "a b",
		},
		"a wrong id attribute": {
			func(i *settings.Import) { i.Advanced.Attributes.ID = "(x=y)" }, "advanced.attributes.id", "entryUUID",
		},
		"an unknown remove scope": {
			func(i *settings.Import) { i.Options.RemoveScope = "some" }, "options.removeScope", "all or imported",
		},
		"a percentage above hundred": {
			func(i *settings.Import) { i.Options.RemovalLimit.Percent = 101 }, "options.removalLimit.percent",
			"0 to 100",
		},
		"a negative number of users": {
			func(i *settings.Import) { i.Options.RemovalLimit.Count = -1 }, "options.removalLimit.count", "0 or more",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := good()
			test.change(&i)
			wrong := append(
				append(i.Connection.Validate(), i.Advanced.Attributes.Validate()...),
				i.Options.Validate()...)
			if test.field == "" {
				if len(wrong) > 0 {
					t.Errorf("refused: %+v", wrong)
				}
				return
			}
			if len(wrong) != 1 || wrong[0].Field != test.field || !strings.Contains(wrong[0].Message, test.says) {
				t.Errorf("got %+v, want %s with %q", wrong, test.field, test.says)
			}
			if strings.Contains(fmt.Sprint(wrong), "hunter2") {
				t.Error("a message shows the password")
			}
		})
	}
}

func TestFingerprintAndTarget(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change                        func(*settings.Import)
		sameFingerprint, samePassword bool
	}{
		"nothing":          {func(*settings.Import) {}, true, true},
		"case of the host": {func(i *settings.Import) { i.Connection.Host = "DC1.Example.com." }, true, true},
		"order of lists": {
			func(i *settings.Import) { i.Advanced.AcceptedDomains = []string{"b.example", "A.example"} }, true, true,
		},
		"empty or no list": {func(i *settings.Import) { i.Advanced.Exclude = []string{} }, true, true},
		"options":          {func(i *settings.Import) { i.Options.RemoveAccounts = true }, true, true},
		"password":         {func(i *settings.Import) { i.Connection.Password = secret.New("other") }, true, true},
		"order of primaries": {
			func(i *settings.Import) { i.Advanced.Attributes.Primary = []string{"x", "mail"} }, false, true,
		},
		"server type":    {func(i *settings.Import) { i.Connection.ServerType = settings.GroupWise }, false, true},
		"host":           {func(i *settings.Import) { i.Connection.Host = "dc2.example.com" }, false, false},
		"port":           {func(i *settings.Import) { i.Connection.Port = 636 }, false, false},
		"Use SSL":        {func(i *settings.Import) { i.Connection.UseSSL = true }, false, false},
		"unencrypted":    {func(i *settings.Import) { i.Connection.AllowUnencrypted = true }, false, false},
		"username":       {func(i *settings.Import) { i.Connection.Username = "x" }, false, false},
		"CA certificate": {func(i *settings.Import) { i.Connection.CACertificate = "x" }, false, true},
		"base":           {func(i *settings.Import) { i.Advanced.SearchBase = "" }, false, true},
		"filter":         {func(i *settings.Import) { i.Advanced.Filter = "(a=b)" }, false, true},
		"include":        {func(i *settings.Import) { i.Advanced.Include = []string{"user"} }, false, true},
		"exclude":        {func(i *settings.Import) { i.Advanced.Exclude = []string{"a@b.example"} }, false, true},
		"subdomains": {
			func(i *settings.Import) { i.Advanced.AcceptedDomains = []string{"*.a.example", "b.example"} }, false, true,
		},
		"excluded subdomains": {
			func(i *settings.Import) { i.Advanced.Exclude = []string{"*.b.example"} }, false, true,
		},
		"collapse":      {func(i *settings.Import) { i.Advanced.CollapseAliasDomains = true }, false, true},
		"skip disabled": {func(i *settings.Import) { i.Advanced.SkipDisabled = true }, false, true},
		"id attribute":  {func(i *settings.Import) { i.Advanced.Attributes.ID = "uid" }, false, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := good()
			test.change(&changed)
			if got := changed.Fingerprint() == good().Fingerprint(); got != test.sameFingerprint {
				t.Errorf("the fingerprint is the same: %t, want %t", got, test.sameFingerprint)
			}
			if got := changed.Connection.SamePasswordScope(good().Connection); got != test.samePassword {
				t.Errorf("the password may be used: %t, want %t", got, test.samePassword)
			}
		})
	}
}

func TestTheFingerprintOfSubdomains(t *testing.T) {
	t.Parallel()
	with := func(accepted, exclude []string) string {
		i := good()
		i.Advanced.AcceptedDomains, i.Advanced.Exclude = accepted, exclude
		return i.Fingerprint()
	}
	one := with([]string{"*.example.com", "a.example"}, []string{"*.b.example", "x@c.example"})
	other := with([]string{"A.example", " *.EXAMPLE.com"}, []string{"x@c.example", "*.B.example"})
	if one != other {
		t.Error("case, order and space of patterns change the fingerprint")
	}
	for name, changed := range map[string]string{
		"the domain itself":  with([]string{"example.com", "a.example"}, []string{"*.b.example", "x@c.example"}),
		"*@ in place of *.":  with([]string{"*.example.com", "a.example"}, []string{"*@b.example", "x@c.example"}),
		"one exclusion less": with([]string{"*.example.com", "a.example"}, []string{"x@c.example"}),
	} {
		if changed == one {
			t.Errorf("%s: the fingerprint stays", name)
		}
	}
}

func TestThePasswordIsNeverShown(t *testing.T) {
	t.Parallel()
	i := good()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).
		Info("x", "import", i, "connection", i.Connection, "password", i.Connection.Password)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "import", i, "password", i.Connection.Password)
	data, err := json.Marshal(i)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := json.Marshal(i.Connection.Password)
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf(
		"%v %+v %#v %s %q", i, i, i, i.Connection.Password, i.Connection.Password,
	) + log.String() + string(
		data,
	) + string(direct)
	if strings.Contains(all, "hunter2") {
		t.Errorf("the password is shown: %s", all)
	}
	if i.Connection.Normalised().Password.Reveal() != "hunter2-secret" {
		t.Error("normalising lost the password")
	}
}
