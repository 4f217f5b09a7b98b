package settings_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

func TestValidateHost(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 50)
	longest := strings.Repeat(label+".", 4) + strings.Repeat("b", 49)
	for name, c := range map[string]struct{ host, says string }{
		"final dot":                 {"dc1.example.com.", ""},
		"surrounding space":         {" dc1.example.com ", ""},
		"underscore":                {"dc_1.example.com", ""},
		"not ASCII":                 {"dc1.müller.example", ""},
		"IPv6 in brackets":          {"[2001:db8::1]", ""},
		"253 bytes":                 {longest, ""},
		"254 bytes":                 {longest + "b", "longer than 253"},
		"scheme and path":           {"ldap://dc1.example.com/dc=x", `leave out "ldap://"`},
		"port":                      {"dc1.example.com:3269", `put "3269" into port`},
		"IPv4 and port":             {"192.0.2.1:636", `put "636" into port`},
		"IPv6 and port":             {"[2001:db8::1]:636", `put "636" into port`},
		"IPv6 with a wrong letter":  {"2001:db8::xyz", "not a host name"},
		"colon without a port":      {"dc1.example.com:", "not a host name"},
		"path":                      {"dc1.example.com/x", "not a host name"},
		"empty label":               {"dc1..example.com", "not a host name"},
		"hyphen first":              {"-dc1.example.com", "not a host name"},
		"only a dot":                {".", "not a host name"},
		"two, by a line break":      {"dc1\nexample.com", ""},
		"five":                      {"dc1, dc2,dc3\tdc4\u00a0dc5,", ""},
		"SRV name":                  {"_ldap._tcp.dc._msdcs.example.com", ""},
		"SRV name without a domain": {"dc1, _ldap._tcp", "names no domain: \"_ldap._tcp\""},
		"six":                       {"dc1 dc2 dc3 dc4 dc5 dc6", `leave out "dc6"`},
		"the second is wrong":       {"dc1.example.com, dc2_;", `not a host name or IP address: "dc2_;"`},
		"a mark in a letter":        {"हिन्दी.example", ""},
		"1301 bytes":                {"dc1" + strings.Repeat(" ", 1297) + "d", "longer than 1300"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := good()
			i.Connection.Host = c.host
			wrong := i.Connection.Validate()
			if c.says == "" {
				if len(wrong) > 0 {
					t.Errorf("refused: %+v", wrong)
				}
				return
			}
			if len(wrong) != 1 || wrong[0].Field != "connection.host" || !strings.Contains(wrong[0].Message, c.says) {
				t.Errorf("got %+v, want connection.host with %q", wrong, c.says)
			}
		})
	}
}

func TestValidateLimits(t *testing.T) {
	t.Parallel()
	text := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		change      func(*settings.Import)
		field, says string
	}{
		"port 65535": {func(i *settings.Import) { i.Connection.Port = 65535 }, "", ""},
		"port 65536": {func(i *settings.Import) { i.Connection.Port = 65536 }, "connection.port",
			"636 with SSL"},
		"negative port": {func(i *settings.Import) { i.Connection.Port = -1 }, "connection.port",
			"1 to 65535"},
		"longest username": {func(i *settings.Import) { i.Connection.Username = text(1024) }, "", ""},
		"username too long": {func(i *settings.Import) { i.Connection.Username = text(1025) },
			"connection.username", "longer than 1024"},
		"longest password": {func(i *settings.Import) { i.Connection.Password = secret.New(text(1024)) }, "", ""},
		"password too long": {func(i *settings.Import) { i.Connection.Password = secret.New(text(1025)) },
			"connection.password", "longer than 1024"},
		"16 names": {func(i *settings.Import) {
			i.Advanced.Attributes.Aliases = strings.Fields(strings.Repeat("mail ",
				16))
		}, "", ""},
		"17 names": {func(i *settings.Import) {
			i.Advanced.Attributes.Primary = strings.Fields(strings.Repeat("mail ",
				17))
		}, "advanced.attributes.primary", "more than 16"},
		"OID": {func(i *settings.Import) { i.Advanced.Attributes.ID = "1.2.840.113556.1.2.210" },
			"", ""},
		"number that is no OID": {func(i *settings.Import) { i.Advanced.Attributes.ID = "12" },
			"advanced.attributes.id", "no attribute name"},
		"attribute option": {func(i *settings.Import) { i.Advanced.Attributes.Primary = []string{"mail;binary"} },
			"advanced.attributes.primary[0]", "mail;binary"},
		"empty name": {func(i *settings.Import) { i.Advanced.Attributes.Primary = []string{"mail", ""} },
			"advanced.attributes.primary[1]", "no attribute name"},
		"only what was imported": {func(i *settings.Import) { i.Options.RemoveScope = settings.RemoveImported },
			"", ""},
		"no remove scope": {func(i *settings.Import) { i.Options.RemoveScope = "" }, "options.removeScope",
			"all or imported"},
		"limits of nothing": {func(i *settings.Import) { i.Options.RemovalLimit = settings.RemovalLimit{} },
			"", ""},
		"100 percent": {func(i *settings.Import) { i.Options.RemovalLimit.Percent = 100 }, "", ""},
		"negative percentage": {func(i *settings.Import) { i.Options.RemovalLimit.Percent = -1 },
			"options.removalLimit.percent", "0 to 100"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := good()
			c.change(&i)
			wrong := append(append(i.Connection.Validate(), i.Advanced.Attributes.Validate()...),
				i.Options.Validate()...)
			if c.field == "" {
				if len(wrong) > 0 {
					t.Errorf("refused: %+v", wrong)
				}
				return
			}
			if len(wrong) != 1 || wrong[0].Field != c.field || !strings.Contains(wrong[0].Message, c.says) {
				t.Errorf("got %+v, want %s with %q", wrong, c.field, c.says)
			}
		})
	}
}

// A form shows all that is wrong at once.
func TestValidateListsEveryWrongField(t *testing.T) {
	t.Parallel()
	var fields []string
	c := settings.Connection{UseSSL: true, AllowUnencrypted: true, Password: secret.New("x")}
	for _, e := range c.Validate() {
		fields = append(fields, e.Field)
	}
	for _, e := range (settings.Options{RemovalLimit: settings.RemovalLimit{Percent: -1, Count: -1}}).Validate() {
		fields = append(fields, e.Field)
	}
	want := []string{"connection.serverType", "connection.host", "connection.port", "connection.username",
		"connection.encryption",
		"options.removeScope", "options.removalLimit.percent", "options.removalLimit.count"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// leaves calls each with a setter for every field of a struct, also of those that somebody adds later.
func leaves(v reflect.Value, path string, each func(path string, change func())) {
	for i := range v.NumField() {
		field, name := v.Field(i), path+v.Type().Field(i).Name
		switch field.Interface().(type) {
		case secret.String:
			continue
		}
		switch field.Kind() {
		case reflect.Struct:
			leaves(field, name+".", each)
		case reflect.String:
			each(name, func() { field.SetString(field.String() + "x") })
		case reflect.Int:
			each(name, func() { field.SetInt(field.Int() + 1) })
		case reflect.Bool:
			each(name, func() { field.SetBool(!field.Bool()) })
		case reflect.Slice:
			each(name, func() { field.Set(reflect.Append(field, reflect.ValueOf("x.example"))) })
		default:
			panic("no change is known for " + name)
		}
	}
}

// A field that decides what is found and that the fingerprint forgets would remove users without a question.
func TestEveryFieldOfConnectionAndAdvancedIsInTheFingerprint(t *testing.T) {
	t.Parallel()
	before := good().Fingerprint()
	changed := good()
	seen := map[string]string{before: "nothing"}
	count := 0
	check := func(path string, change func()) {
		saved := changed
		change()
		got := changed.Fingerprint()
		if other, ok := seen[got]; ok {
			t.Errorf("a change of %s gives the same fingerprint as one of %s", path, other)
		}
		seen[got] = path
		changed = saved
		count++
	}
	leaves(reflect.ValueOf(&changed.Connection).Elem(), "", check)
	leaves(reflect.ValueOf(&changed.Advanced).Elem(), "", check)
	if count < 17 {
		t.Errorf("only %d fields were tried", count)
	}
}

// The parts of a hash must not run into each other: a host that ends in digits is no other port.
func TestTargetKeepsItsPartsApart(t *testing.T) {
	t.Parallel()
	a, b := settings.Connection{Host: "dc1", Port: 389}, settings.Connection{Host: "dc", Port: 1389}
	if a.Target() == b.Target() {
		t.Error("two targets have the same hash")
	}
	if spaced := (settings.Connection{Host: " DC1. ", Port: 389}); !a.SamePasswordScope(spaced) {
		t.Error("space, case and a final dot make another target")
	}
	// DNs, and user@domain, may differ in case by server: when in doubt the password is asked for again.
	a, b = settings.Connection{Username: "cn=a"}, settings.Connection{Username: "CN=a"}
	if a.SamePasswordScope(b) {
		t.Error("usernames of different case are the same target")
	}
}

// Passwords are sealed for the target, so it must stay what earlier builds made of one host.
func TestTargetOfHosts(t *testing.T) {
	t.Parallel()
	target := func(host string) string {
		return settings.Connection{Host: host, Port: 389, Username: "reader@example.com"}.Target()
	}
	const one = "223f81474e5a92e905629537c46b3855a04d4eeedd145edb806951a534d55220"
	if got := target(" DC1.example.com."); got != one {
		t.Errorf("the target of one host is %s, want %s", got, one)
	}
	list := target("dc1.example.com, dc2.example.com")
	for _, same := range []string{"DC1.example.com.,dc2.example.com.", "\ndc1.example.com\tdc2.example.com ,"} {
		if target(same) != list {
			t.Errorf("%q is another target than the same hosts with a comma and a space", same)
		}
	}
	for _, other := range []string{"dc2.example.com, dc1.example.com", "dc1.example.comdc2.example.com"} {
		if target(other) == list {
			t.Errorf("%q is the same target as other hosts", other)
		}
	}
}

func TestFingerprintLeavesItsImportAlone(t *testing.T) {
	t.Parallel()
	i := good()
	i.Advanced.AcceptedDomains = []string{"B.example", "a.example", "a.example"}
	i.Advanced.Attributes.Aliases = []string{"x", "Mail"}
	_ = i.Fingerprint()
	if diff := cmp.Diff([][]string{{"B.example", "a.example", "a.example"}, {"x", "Mail"}},
		[][]string{i.Advanced.AcceptedDomains, i.Advanced.Attributes.Aliases}); diff != "" {
		t.Errorf("the lists were changed (-want +got):\n%s", diff)
	}
	j := i
	j.Advanced.AcceptedDomains = []string{"a.example", " b.EXAMPLE"}
	j.Advanced.Attributes.Aliases = []string{"MAIL", "x"}
	if i.Fingerprint() != j.Fingerprint() {
		t.Error("order, case or repetition in a list changes the fingerprint")
	}
}

func TestNormalised(t *testing.T) {
	t.Parallel()
	c := settings.Connection{ServerType: settings.Exchange, Host: " DC1.Example.COM. ", Port: 636, UseSSL: true,
		Username: " Reader@Example.com\n", CACertificate: "\n pem \n"}
	want := settings.Connection{ServerType: settings.Exchange, Host: "dc1.example.com", Port: 636, UseSSL: true,
		Username: "Reader@Example.com", CACertificate: "pem"}
	exact := cmp.Comparer(func(a, b secret.String) bool { return a.Reveal() == b.Reveal() })
	if diff := cmp.Diff(want, c.Normalised(), exact); diff != "" {
		t.Errorf("normalised (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, want.Normalised(), exact); diff != "" {
		t.Errorf("normalised twice (-want +got):\n%s", diff)
	}
	// Passwords may begin and end with spaces.
	c.Password = secret.New(" x ")
	if got := c.Normalised().Password.Reveal(); got != " x " {
		t.Errorf("the password became %q", got)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	want := settings.Options{RemoveScope: settings.RemoveAll,
		RemovalLimit: settings.RemovalLimit{Percent: 10, Count: 500}}
	if diff := cmp.Diff(want, settings.DefaultOptions()); diff != "" {
		t.Errorf("default options (-want +got):\n%s", diff)
	}
	if wrong := settings.DefaultOptions().Validate(); len(wrong) > 0 {
		t.Errorf("the default options are refused: %+v", wrong)
	}
	empty := settings.Advanced{Attributes: settings.Attributes{Primary: []string{}, Aliases: []string{}},
		Include: []string{}, AcceptedDomains: []string{}, Exclude: []string{}}
	if diff := cmp.Diff(empty, settings.Advanced{}.Shown()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestSecretAttributesAreNeverRead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"userPassword", "USERPASSWORD", "2.5.4.35", "2.05.4.035", "unicodePwd",
		"1.2.840.113556.1.4.90", "ms-Mcs-AdmPwd", "msLAPS-Password", "msLAPS-EncryptedPasswordHistory",
		"1.2.840.113556.1.6.44.1.2", "supplementalCredentials", "dBCSPwd", "ntPwdHistory", "lmPwdHistory",
		"krbPrincipalKey",
		"sambaNTPassword", "sambaLMPassword", "sambaPasswordHistory", "nspmDistributionPassword", "sASLoginSecret",
		"nsds5ReplicaCredentials", "authPassword", "1.3.6.1.4.1.4203.1.3.4", "msDS-ManagedPassword", "privateKey"} {
		for field, a := range map[string]settings.Attributes{
			"advanced.attributes.primary[1]": {Primary: []string{"mail", name}},
			"advanced.attributes.aliases[0]": {Aliases: []string{name}},
			"advanced.attributes.id":         {ID: name},
		} {
			wrong := a.Validate()
			if len(wrong) != 1 || wrong[0].Field != field ||
				!strings.Contains(wrong[0].Message, "holds passwords or keys") {
				t.Errorf("%s as %s: %v, want an error there", name, field, wrong)
			}
		}
	}
	for _, name := range []string{"userPassword;binary", "oid.2.5.4.35", "UserPassword;lang-de;x-y"} {
		if !settings.IsSecretAttribute(name) {
			t.Errorf("%s is no secret", name)
		}
	}
	ordinary := settings.Attributes{Primary: []string{"mail", "userPrincipalName", "2.5.4.3"},
		Aliases: []string{"proxyAddresses", "mailAlternateAddress", "pwdLastSet"}, ID: "objectGUID"}
	if wrong := ordinary.Validate(); len(wrong) > 0 {
		t.Errorf("ordinary attributes are refused: %v", wrong)
	}
}
