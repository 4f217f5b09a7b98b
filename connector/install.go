package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// unit is what systemd starts the connector by. It may reach the network and its own folder, and nothing else.
// PrivateUsers is left out: where user namespaces are switched off, as hardened machines have it, it would not start.
const unit = `[Unit]
Description=Rollcall connector: reads directories for a portal
Documentation=file:%[1]s
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=%[1]s run -state %[2]s
%[3]sRestart=on-failure
RestartSec=5
# The portal does not know this connector any more: trying again is no use.
RestartPreventExitStatus=3
TimeoutStopSec=10
%[4]s
UMask=0077
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
MemoryMax=256M

[Install]
WantedBy=multi-user.target
`

// dynamicUser has systemd make user and folder; ownUser names a user who owns a folder elsewhere.
const (
	dynamicUser = "DynamicUser=yes\nStateDirectory=rollcall-connector\nStateDirectoryMode=0700"
	ownUser     = "User=%s\nReadWritePaths=%s"
)

var credentialFlag = regexp.MustCompile(`^[A-Za-z0-9._-]+=/\S+$`)

func installFlags(flags *flag.FlagSet) func(context.Context, *state, streams) error {
	file := flags.String("unit", "/etc/systemd/system/rollcall-connector.service", "the unit to write; - prints it")
	user := flags.String("user", "",
		"the user who runs it; left out, systemd makes one (DynamicUser), and for another state folder it is the owner")
	proxy := flags.String("proxy", "", "the forward proxy's URL, for HTTPS_PROXY")
	var credentials []string
	flags.Func("credential", "NAME=FILE, a password that systemd hands over (LoadCredential); may come again",
		func(text string) error {
			if !credentialFlag.MatchString(text) {
				return errors.New("it looks like NAME=/path/to/file")
			}
			credentials = append(credentials, strings.Replace(text, "=", ":", 1))
			return nil
		})
	return func(_ context.Context, s *state, std streams) error {
		if runtime.GOOS == "windows" {
			return errors.New("there is no systemd here; the guide says how a service is made")
		}
		if *user == "" && s.dir != defaultState {
			var err error
			if *user, err = ownerOf(s.dir); err != nil {
				return err
			}
		}
		text, err := unitText(s.dir, *user, *proxy, credentials)
		if err != nil || *file == "-" {
			fmt.Fprint(std.out, text)
			return err
		}
		if err := os.MkdirAll(filepath.Dir(*file), 0o755); err != nil { //nolint:gosec // as systemd's own
			return fmt.Errorf("write the unit: %w", err)
		}
		if err := os.WriteFile(*file, []byte(text), 0o644); err != nil { //nolint:gosec // a unit is for all to read
			return fmt.Errorf("write the unit: %w", err)
		}
		fmt.Fprintf(std.out, "Wrote %s. Start it with: systemctl enable --now %s\n", *file, filepath.Base(*file))
		return nil
	}
}

// unitText returns the unit for this program.
func unitText(dir, user, proxy string, credentials []string) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", fmt.Errorf("find the state folder: %w", err)
	}
	for _, word := range []string{program, dir, user, proxy} {
		if strings.ContainsAny(word, " \t\n\"'\\%$") {
			return "", fmt.Errorf("%q cannot stand in a unit", word)
		}
	}
	more := ""
	for _, c := range credentials {
		more += "LoadCredential=" + c + "\n"
	}
	if proxy != "" {
		more += "Environment=HTTPS_PROXY=" + proxy + "\n"
	}
	who := dynamicUser
	if user != "" {
		who = fmt.Sprintf(ownUser, user, dir)
	}
	return fmt.Sprintf(unit, program, dir, more, who), nil
}
