package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/e2e/servers/ldapserver"
)

// looked is a directory with what looks at it cost: processor time of the directory and of the program together.
type looked struct {
	directory string
	entries   int
	// preview is that of a whole preview, idle that of a look that finds nothing, and changed that of one that finds
	// changedEntries.
	preview, idle, changed time.Duration
	// goal is the part of a preview that an idle look may take, and bytes is what it moves.
	goal  float64
	bytes int64
}

const (
	// changedEntries is how many entries change before a look that finds something.
	changedEntries = 100
	// idleLooks is how many looks that find nothing are counted: one takes less than the kernel's clock shows.
	idleLooks = 20
	// lookHour makes the five minutes between two looks one second.
	lookHour = "12s"
)

// looking measures looks at OpenLDAP, with the index that makes them cheap and without it.
func (b *bench) looking(ctx context.Context) error {
	const n = 100_000
	for _, index := range []string{"entryCSN eq", ""} {
		name, goal := "OpenLDAP, no index on entryCSN", 1.0/5
		if index != "" {
			name, goal = "OpenLDAP, index "+index, 1.0/50
		}
		dir := filepath.Join(b.cache, fmt.Sprintf("openldap-looks-%d%s", n, strings.ReplaceAll(index, " ", "-")))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		server, err := ldapserver.StartOpenLDAP(ctx, dir, ldapserver.OpenLDAPConfig{Entries: company(n), Index: index})
		if err != nil {
			return err
		}
		err = b.lookAt(ctx, server, "ou=people,"+server.BaseDN, looked{directory: name, entries: n, goal: goal})
		if err = errors.Join(err, server.Stop(), os.RemoveAll(dir)); err != nil {
			return err
		}
	}
	return nil
}

// lookingAtSamba measures looks at Active Directory's numbers, which it has an index of.
func (b *bench) lookingAtSamba(ctx context.Context) error {
	const n = 10_000
	// A short path: Samba makes sockets in it.
	dir, err := os.MkdirTemp("", "ldap-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.say("loading %s entries into Samba", thousands(n))
	server, err := ldapserver.StartSamba(ctx, dir, ldapserver.SambaConfig{Entries: domainUsers(n)})
	if err != nil {
		return err
	}
	one := looked{directory: "Samba", entries: n, goal: 1.0 / 50}
	return errors.Join(b.lookAt(ctx, server, ldapserver.CompanyBase, one), server.Stop())
}

// lookAt measures one directory through a relay that counts bytes.
func (b *bench) lookAt(ctx context.Context, s *ldapserver.Server, unit string, one looked) error {
	line, err := newRelay(net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), s.Host)
	if err != nil {
		return err
	}
	defer line.Close()
	return inFolder(func(data string) error {
		p, err := startProgram(b.binary, data, "-hour", lookHour)
		if err != nil {
			return err
		}
		l := &looker{program: p, server: s, relay: line, one: one, unit: unit}
		err = errors.Join(l.measure(ctx), p.stop())
		if err == nil {
			b.looks = append(b.looks, l.one)
			b.say("%+v", l.one)
		}
		return err
	})
}

// looker measures looks at one directory.
type looker struct {
	*program
	server *ldapserver.Server
	relay  *relay
	one    looked
	unit   string
}

func (l *looker) measure(ctx context.Context) error {
	if err := l.save(ctx, nil); err != nil {
		return err
	}
	if _, err := l.finish(ctx, "looks", "/v1/syncs", map[string]any{}); err != nil {
		return err
	}
	var err error
	l.one.preview, err = l.cost(rounds, func() error {
		_, err := l.finish(ctx, "looks", "/v1/previews", map[string]any{})
		return err
	})
	if err != nil {
		return err
	}
	if err := l.save(ctx, 5); err != nil {
		return err
	}
	if err := l.idle(ctx); err != nil {
		return err
	}
	if err := l.save(ctx, nil); err != nil {
		return err
	}
	if err := l.change(); err != nil {
		return err
	}
	l.one.changed, err = l.cost(1, func() error {
		if err := l.save(ctx, 5); err != nil {
			return err
		}
		return l.quickSync(ctx)
	})
	return err
}

// save has the directory be looked at after so many minutes, or never with nil.
func (l *looker) save(ctx context.Context, minutes any) error {
	connection := map[string]any{
		"serverType": "exchange", "host": l.server.Host, "port": l.relay.port(), "username": l.server.Username,
		"password": l.server.Password, "caCertificate": l.server.CACertificate,
	}
	var saved any
	return l.call(ctx, "looks", http.MethodPut, "/v1/settings", map[string]any{
		"connection": connection, "advanced": map[string]any{"searchBase": l.unit},
		"schedule": map[string]any{"intervalHours": 24, "quickMinutes": minutes},
	}, &saved)
}

// cost returns the processor time that directory and program take for one of several repetitions.
func (l *looker) cost(times int, do func() error) (time.Duration, error) {
	before, err := l.used()
	if err != nil {
		return 0, err
	}
	for range times {
		if err := do(); err != nil {
			return 0, err
		}
	}
	after, err := l.used()
	return (after - before) / time.Duration(times), err
}

func (l *looker) used() (time.Duration, error) {
	ours, err := cpuOf(l.command.Process.Pid)
	return ours + treeTime(l.server.PID()), err
}

// idle measures looks that find nothing, with what the program does between them.
func (l *looker) idle(ctx context.Context) error {
	if err := l.nextLook(ctx); err != nil {
		return err
	}
	moved := l.relay.bytes.Load()
	var err error
	l.one.idle, err = l.cost(idleLooks, func() error { return l.nextLook(ctx) })
	l.one.bytes = (l.relay.bytes.Load() - moved) / idleLooks
	return err
}

// nextLook waits until another look has ended.
func (l *looker) nextLook(ctx context.Context) error {
	before, err := l.lastLook(ctx)
	for now := before; err == nil && now == before; now, err = l.lastLook(ctx) {
		time.Sleep(200 * time.Millisecond)
	}
	return err
}

func (l *looker) lastLook(ctx context.Context) (string, error) {
	var saved struct {
		LastLookAt string
		Quick      struct{ Error string }
	}
	err := l.call(ctx, "looks", http.MethodGet, "/v1/settings", nil, &saved)
	if err == nil && saved.Quick.Error != "" {
		err = errors.New("a look failed: " + saved.Quick.Error) //nolint:err113 // the program's own words
	}
	return saved.LastLookAt, err
}

// change adds people.
func (l *looker) change() error {
	conn, err := ldap.DialURL("ldap://" + net.JoinHostPort(l.server.Host, strconv.Itoa(l.server.Port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	//nolint:gosec // a server of this machine that was just started
	if err := conn.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
		return err
	}
	if err := conn.Bind(l.server.AdminUsername, l.server.AdminPassword); err != nil {
		return err
	}
	classes := []string{"inetOrgPerson", "user"}
	if strings.HasPrefix(l.unit, "OU=") {
		classes = []string{"user"}
	}
	for i := 1; i <= changedEntries; i++ {
		login := fmt.Sprintf("changed%d", i)
		r := ldap.NewAddRequest("CN="+login+","+l.unit, nil)
		r.Attribute("objectClass", classes)
		r.Attribute("sn", []string{login})
		r.Attribute("proxyAddresses", []string{"SMTP:" + login + "@example.com"})
		if len(classes) == 1 {
			r.Attribute("sAMAccountName", []string{login})
		}
		if err := conn.Add(r); err != nil {
			return err
		}
	}
	return nil
}

// quickSync waits for the sync of what changed.
func (l *looker) quickSync(ctx context.Context) error {
	for {
		var list struct {
			Items []struct {
				Trigger, State string
				Applied        *struct{ Create int }
			}
		}
		if err := l.call(ctx, "looks", http.MethodGet, "/v1/syncs?limit=1", nil, &list); err != nil {
			return err
		}
		if newest := list.Items[0]; newest.Trigger == "quick" && newest.State == "done" {
			if newest.Applied.Create != changedEntries {
				//nolint:err113 // nobody asks for it
				return fmt.Errorf("the look created %d users, want %d", newest.Applied.Create, changedEntries)
			}
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
}

const looksHead = `
## Quick looks

Processor time of the directory and the program together, in milliseconds: a whole preview against the users that it
would find (the mean of %d), a look that finds nothing (the mean of %d, with what the program does in the second between
two of them, ticks and requests included), and one that finds %d changed entries, with its sync. Bytes are those of an
idle look, TLS handshake included.

| directory | entries | preview, ms | idle look, ms | part of a preview | goal | bytes | look at %d changes, ms |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
`

func looksTable(all []looked) string {
	var t strings.Builder
	fmt.Fprintf(&t, looksHead, rounds, idleLooks, changedEntries, changedEntries)
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	for _, l := range all {
		fmt.Fprintf(&t, "| %s | %s | %s | %s | 1/%.0f | 1/%.0f | %d | %s |\n", l.directory, thousands(l.entries),
			ms(l.preview), ms(l.idle), float64(l.preview)/float64(l.idle), 1/l.goal, l.bytes, ms(l.changed))
	}
	return t.String() + "\n"
}
