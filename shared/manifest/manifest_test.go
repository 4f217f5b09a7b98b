package manifest_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/manifest"
)

func TestEverythingWrongIsReportedTogether(t *testing.T) {
	t.Parallel()
	variables := map[string]string{"ROLLCALL_ALLOW_PRIVATE": "maybe", "ROLLCALL_PORTS": "389,ldaps",
		"ROLLCALL_USERS_TABLE": "users"}
	_, err := manifest.Read(func(name string) string { return variables[name] }, manifest.SyncWorker())
	if err == nil {
		t.Fatal("an environment that lacks nearly everything was taken")
	}
	for _, want := range []string{"sync-worker", "ROLLCALL_JOBS_TABLE", "ROLLCALL_BUCKET", "ROLLCALL_EVENT_BUS",
		"ROLLCALL_ALLOW_PRIVATE", "ROLLCALL_PORTS"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "ROLLCALL_USERS_TABLE") {
		t.Errorf("%q names what is there", err)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	variables := map[string]string{
		"ROLLCALL_ALLOW_PRIVATE": "true", "ROLLCALL_DENY_RANGES": "10.0.0.0/16, 2001:db8::/32",
		"ROLLCALL_PORTS": "389, 10389-10391", "ROLLCALL_ALLOW_RANGES": "100.64.0.0/10", "ROLLCALL_DATA_KEY": "none",
		"ROLLCALL_BUCKET": "b",
	}
	f := manifest.PreviewWorker()
	f.Needs = []manifest.Variable{manifest.Bucket, manifest.DataKey}
	env, err := manifest.Read(func(name string) string { return variables[name] }, f)
	if err != nil {
		t.Fatal(err)
	}
	ranges := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("2001:db8::/32")}
	if diff := cmp.Diff(ranges, env.DenyRanges, cmp.Comparer(func(a,
		b netip.Prefix) bool {
		return a == b
	})); diff != "" || !env.AllowPrivate ||
		!cmp.Equal(env.Ports, []int{389, 10389, 10390, 10391}) {
		t.Errorf("read %+v: %s", env, diff)
	}
	if len(env.AllowRanges) != 1 || env.AllowRanges[0] != netip.MustParsePrefix("100.64.0.0/10") {
		t.Errorf("allowed ranges %v", env.AllowRanges)
	}
	if env.Get(manifest.Bucket) != "b" || env.Optional(manifest.DataKey) != "" ||
		env.Or(manifest.LogLevel, "info") != "info" {
		t.Errorf("read %+v", env)
	}
}

func TestPortsAreChecked(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "65536", "389-", "-389", "636-389", "ldap", "389,,636"} {
		_, err := manifest.Read(func(string) string { return text },
			manifest.Function{Takes: []manifest.Variable{manifest.Ports}})
		if err == nil || !strings.Contains(err.Error(), "port") {
			t.Errorf("%q: error %v, want one about the port", text, err)
		}
	}
}

// Each function has a name of its own, and each route goes to one that there is.
func TestNamesAreConsistent(t *testing.T) {
	t.Parallel()
	names := make(map[string]bool)
	for _, f := range manifest.Functions() {
		if names[f.Name] || f.Name != f.Binary+"-"+f.Handler {
			t.Errorf("function %q is named twice, or not after binary %s and handler %s", f.Name, f.Binary, f.Handler)
		}
		names[f.Name] = true
	}
	for _, r := range manifest.Routes() {
		if !names[r.Function] {
			t.Errorf("route %s goes to %q, which is no function", r.Path, r.Function)
		}
	}
}

func TestParseRange(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"10.0.0.0/8": "", "2001:db8::/32": "", "192.0.2.1/32": "", "0.0.0.0/0": "",
		"10.1.2.3/8":          "write 10.0.0.0/8 for the whole range, or 10.1.2.3/32",
		"2001:db8::1/32":      "write 2001:db8::/32",
		"::ffff:10.0.0.0/104": "range of IPv4 addresses",
		"10.0.0.0":            "no range",
		"":                    "no range",
	} {
		p, err := manifest.ParseRange(text)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) || err == nil &&
			p.String() != text {
			t.Errorf("%q is %s, error %v; want %q", text, p, err, says)
		}
	}
}
