package main

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// Nothing in the state folder may be open to group or others; the program says so and does nothing.
func TestAnOpenStateFolderIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enrol()
	for name, mode := range map[string]os.FileMode{
		".": 0o750, settingsFile: 0o604, keyFile: 0o640, changesFolder: 0o701,
	} {
		path := filepath.Join(s.dir, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s was made with mode %v", name, info.Mode())
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"status", "run", "show", "password"} {
			if out, err := s.try("", command); err == nil || !strings.Contains(out, "open to group or others") {
				t.Errorf("%s with %s open: %v\n%s", command, name, err, out)
			}
		}
		if err := os.Chmod(path, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	s.do("", "status")
	// systemd moves the folder to /var/lib/private and leaves a link.
	moved := s.dir + "-private"
	if err := errors.Join(os.Rename(s.dir, moved), os.Symlink(moved, s.dir)); err != nil {
		t.Fatal(err)
	}
	s.do("", "status")
	if err := os.Chmod(moved, 0o750); err != nil {
		t.Fatal(err)
	}
	if out, err := s.try("", "status"); err == nil || !strings.Contains(out, "open to group or others (mode 0750)") {
		t.Errorf("status with the folder behind the link open: %v\n%s", err, out)
	}
}

func TestPortalsURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://portal.example.com":       "https://portal.example.com",
		"https://portal.example.com/":      "https://portal.example.com",
		"https://portal.example.com:8443":  "https://portal.example.com:8443",
		"http://127.0.0.1:8080":            "http://127.0.0.1:8080",
		"http://localhost:8080":            "http://localhost:8080",
		"http://[::1]:8080":                "http://[::1]:8080",
		"http://portal.example.com":        "",
		"http://localhost.example.com":     "",
		"http://10.0.0.1":                  "",
		"https://portal.example.com/v1":    "",
		"https://me:pw@portal.example.com": "",
		"portal.example.com":               "",
		"ftp://portal.example.com":         "",
		"":                                 "",
	} {
		if got, err := checkURL(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestLinksOfBlocks(t *testing.T) {
	t.Parallel()
	c := &client{url: "https://portal.example.com"}
	for link, want := range map[string]string{
		"/blocks/1?X-Amz-Signature=ab":             "https://portal.example.com/blocks/1?X-Amz-Signature=ab",
		"https://portal.example.com/b":             "https://portal.example.com/b",
		"https://blocks.example.com/b":             "",
		"/\\evil.test/b":                           "https://portal.example.com/%5Cevil.test/b",
		"http://portal.example.com/b":              "",
		"https://portal.example.com:444/b":         "",
		"https://portal.example.com.evil.test/b":   "",
		"//evil.test/b":                            "",
		"https://portal.example.com@evil.test/b":   "",
		"file:///etc/passwd":                       "",
		"https://evil.test/https://portal.example": "",
	} {
		if got, err := c.linkOf(link); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", link, got, err, want)
		}
	}
}

// A password is what was typed, without the one newline that ends it; a wrong one is not kept.
func TestPasswords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\n": "a", "a\r\n": "a", "a": "a", "a\n\n": "a\n", " a ": " a ", "\n": "", "": "",
	} {
		if got := withoutNewline(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	s, ca := newSite(t), newAuthority(t, "Site CA")
	d := serveLDAP(t, ca, people(5, 0), "127.0.0.1:0")
	s.enrol()
	flags := []string{"password", "-host", "127.0.0.1", "-port", itoa(d.connection.Port), "-username",
		d.connection.Username, "-ca", caFile(t, ca)}
	for _, wrong := range []string{"another\n", "", "\n", password + "\n\n"} {
		if out, err := s.try(wrong, flags...); err == nil {
			t.Errorf("the password %q was taken:\n%s", wrong, out)
		}
	}
	if set, err := (&state{s.dir}).load(); err != nil || len(set.Targets) > 0 {
		t.Errorf("kept %v, %v", set.Targets, err)
	}
	for _, more := range [][]string{{"-ca", caFile(t, newAuthority(t, "Another CA"))},
		{"-trustedCertificate", "sha256:" + strings.Repeat("0", 64)}, {"-trustedCertificate", "abc"},
		{"-encryption", "some"}, {"-ca", "/no/such/file"}} {
		if out, err := s.try(password+"\n", append(flags[:7:7], more...)...); err == nil {
			t.Errorf("%v was taken:\n%s", more, out)
		}
	}
	s.hold(d, "-ca", caFile(t, ca))
	s.hold(d, "-ca", caFile(t, ca))
	set, err := (&state{s.dir}).load()
	if err != nil || len(set.Targets) != 1 || set.Targets[0].Password != password || set.Targets[0].UseSSL ||
		set.Targets[0].Encryption != settings.Required {
		t.Errorf("kept %+v, %v", set.Targets, err)
	}
}

// Where encryption was left out on site, a job that says nothing of it is read without, and the read says so.
func TestADirectoryWithoutEncryption(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := serveLDAP(t, nil, people(5, 0), "127.0.0.1:0")
	s.enrol()
	if out, err := s.try(password+"\n", "password", "-host", "127.0.0.1", "-port", itoa(d.connection.Port), "-username",
		d.connection.Username); err == nil {
		t.Fatalf("a password went over an open line:\n%s", out)
	}
	s.hold(d, "-encryption", "none")
	s.start()
	got := s.read(mailOf(d.connection))
	if got.err != nil || !strings.Contains(strings.Join(got.info.Notes, " "), "not encrypted") {
		t.Errorf("%v, notes %q", got.err, got.info.Notes)
	}
}

// A password that systemd keeps is in no file of the connector's.
func TestAPasswordOfSystemd(t *testing.T) {
	t.Parallel()
	s, ca := newSite(t), newAuthority(t, "Site CA")
	d := serveLDAP(t, ca, people(5, 0), "127.0.0.1:0")
	s.enrol()
	s.hold(d, "-ca", caFile(t, ca), "-credential", "ldap")
	err := filepath.WalkDir(s.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), password) {
			t.Errorf("%s has the password", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "ldap"), []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := s.start()
	if got := s.read(mailOf(d.connection)); got.code() != connector.CodeNoPassword {
		t.Errorf("without the credential: %v", got.err)
	}
	first.kill()
	s.env = []string{"CREDENTIALS_DIRECTORY=" + folder}
	s.start()
	if got := s.read(mailOf(d.connection)); got.err != nil {
		t.Error(got.err)
	}
}

// show prints what a read would hand over and asks the cloud nothing.
func TestShowSendsNothing(t *testing.T) {
	t.Parallel()
	s, ca := newSite(t), newAuthority(t, "Site CA")
	d := serveLDAP(t, ca, people(30, 0), "127.0.0.1:0")
	s.enrol()
	s.hold(d, "-ca", caFile(t, ca))
	asked := new(counted)
	s.cloud.Intercept = func(http.ResponseWriter, *http.Request) bool {
		asked.mu.Lock()
		defer asked.mu.Unlock()
		asked.n++
		return false
	}
	out := s.do("", "show", "-host", "127.0.0.1", "-port", itoa(d.connection.Port), "-username", d.connection.Username,
		"-base", "dc=example,dc=com", "-filter", "(mail=*)", "-most", "3")
	for _, want := range []string{"Attributes that are handed over: objectClass, mail", "p000002@example.com",
		"and 27 more entries", directory.StepBind} {
		if !strings.Contains(out, want) {
			t.Errorf("show lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "homePhone") || strings.Contains(out, "p000003") || asked.count() > 0 {
		t.Errorf("%d requests\n%s", asked.count(), out)
	}
	out = s.do("", "show", "-host", "127.0.0.1", "-base", "dc=example,dc=com", "-filter", "(mail=*)")
	if !strings.Contains(out, "p000002@example.com") {
		t.Errorf("the one target at the host is not meant:\n%s", out)
	}
	if out, err := s.try("", "status", "now"); err == nil {
		t.Errorf("a word too many:\n%s", out)
	}
	if out, err := s.try("", "show", "-host", "other"); err == nil || !strings.Contains(out, "holds no password") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheUnitIsHardened(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.dir = defaultState
	out := s.do("", "install", "-unit", "-", "-credential", "ldap=/etc/ldap-password", "-proxy", "http://proxy:3128")
	for _, want := range []string{"DynamicUser=yes", "StateDirectory=rollcall-connector", "ProtectSystem=strict",
		"RestrictAddressFamilies=AF_INET AF_INET6\n", "SystemCallErrorNumber=EPERM",
		"CapabilityBoundingSet=\n", "NoNewPrivileges=yes", "LoadCredential=ldap:/etc/ldap-password",
		"Environment=HTTPS_PROXY=http://proxy:3128", "RestartPreventExitStatus=3",
		" run -state " + defaultState + "\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("the unit lacks %q:\n%s", want, out)
		}
	}
	s.dir = "/srv/connector"
	if out, err := s.try("", "install", "-unit", "-"); err == nil {
		t.Errorf("nobody owns what is not there:\n%s", out)
	}
	own := newSite(t)
	own.enrol()
	file := filepath.Join(t.TempDir(), "systemd", "rollcall-connector.service")
	own.do("", "install", "-unit", file)
	if unit, err := os.ReadFile(file); err != nil || !strings.Contains(string(unit), "User=") ||
		!strings.Contains(string(unit), "ReadWritePaths="+own.dir) {
		t.Errorf("%v\n%s", err, unit)
	}
	out = s.do("", "install", "-unit", "-", "-user", "ldap")
	if !strings.Contains(out, "User=ldap\nReadWritePaths=/srv/connector") {
		t.Error(out)
	}
	if out, err := s.try("", "install", "-unit", "-", "-user", "ldap\nExecStart=/bin/sh"); err == nil {
		t.Errorf("a user's name adds lines:\n%s", out)
	}
}

// maxExposure is what systemd may say at most of the unit, in tenths: 0 is a service that can do nothing. What is left
// is the network, and the host's own root folder.
const maxExposure = "13"

// systemd takes every line of the unit, and finds little that is left open.
func TestWhatSystemdSaysOfTheUnit(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze (Debian package systemd), which checks units")
	}
	// Someone who is on every machine, and an own folder.
	for name, flags := range map[string][]string{"a user of systemd's": nil,
		"a user of its own": {"-user", "daemon", "-state", "/srv/connector"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.dir = defaultState
			file := filepath.Join(t.TempDir(), "rollcall-connector.service")
			s.do("", append([]string{"install", "-unit", file, "-credential", "ldap=/etc/ldap-password", "-proxy",
				"http://proxy:3128"}, flags...)...)
			for _, check := range [][]string{{"verify"}, {"security", "--offline=true", "--threshold=" + maxExposure}} {
				out, err := exec.CommandContext(t.Context(), analyze, append(check, file)...).CombinedOutput()
				if err != nil || check[0] == "verify" && len(out) > 0 {
					t.Errorf("systemd-analyze %s: %v\n%s", check[0], err, out)
				}
			}
		})
	}
}

func TestWhatIsNotEnrolledDoesNotRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if out, err := s.try("", "run"); err == nil || !strings.Contains(out, "not enrolled") {
		t.Errorf("%v\n%s", err, out)
	}
	if out := s.do("", "status"); !strings.Contains(out, "not enrolled") {
		t.Error(out)
	}
}

// A clock that is off is told in words, and run goes on: somebody may set it.
func TestAClockThatIsOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enrol()
	s.cloud.Now = func() time.Time { return time.Now().Add(time.Hour) }
	s.start()
	eventually(t, "status tells of the clock", func() bool {
		return strings.Contains(s.do("", "status"), "behind the service's: set it")
	})
}

// An answer without end does not fill the memory.
func TestAnAnswerThatIsTooLong(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enrol()
	s.cloud.Intercept = func(w http.ResponseWriter, _ *http.Request) bool {
		for piece := make([]byte, 64<<10); ; {
			if _, err := w.Write(piece); err != nil {
				return true
			}
		}
	}
	s.start()
	eventually(t, "status tells of the answer", func() bool {
		return strings.Contains(s.do("", "status"), "is longer than")
	})
}

func TestMemoryIsLimitedOnLinux(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("memory is measured in /proc")
	}
	s, ca := newSite(t), newAuthority(t, "Site CA")
	d := serveLDAP(t, ca, people(4000, 6000), "127.0.0.1:0")
	s.enrol()
	s.hold(d, "-ca", caFile(t, ca))
	p := s.start()
	if got := s.read(mailOf(d.connection)); got.err != nil {
		t.Fatal(got.err)
	}
	data, err := os.ReadFile(filepath.Join("/proc", itoa(p.Process.Pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			t.Log("peak of the resident set:", strings.TrimSpace(rest))
			if kB := strings.Fields(rest)[0]; len(kB) > 5 || len(kB) == 5 && kB > "65536" {
				t.Errorf("peak %s kB, want at most 64 MB", kB)
			}
		}
	}
}
