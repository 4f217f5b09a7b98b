package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/e2e/lab/awslab"
	"rollcall/e2e/servers/ldapserver"
	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/run"
	userpkg "rollcall/shared/user"
)

// lookedAt is a directory whose changes are looked for.
type lookedAt struct {
	*ldapserver.Server
	by string
	// unit is where the people are, who have these classes.
	unit, account string
	classes       []string
	connection    func(object)
	conn          *ldap.Conn
}

// TestQuickLooks changes three kinds of real directory between their full syncs. An hour lasts twelve seconds, so that
// five minutes are one. One kind is enough for what stands in for AWS.
func TestQuickLooks(t *testing.T) {
	t.Parallel()
	p := lookingProgram(t)
	people := func(s *ldapserver.Server, by string, change func(object)) lookedAt {
		return lookedAt{Server: s, by: by, unit: "ou=people," + s.BaseDN, classes: []string{"inetOrgPerson", "user"},
			connection: change}
	}
	for name, start := range map[string]func(*testing.T) lookedAt{
		"OpenLDAP": func(t *testing.T) lookedAt {
			s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(200)})
			return people(s, "entryCSN", nil)
		},
		"389 DS": func(t *testing.T) lookedAt {
			s := ldapserver.DS389(t, ldapserver.DS389Config{Entries: ldapserver.People(60)})
			return people(s, "modifyTimestamp", func(c object) { c["allowUnencrypted"] = true })
		},
		"Samba": func(t *testing.T) lookedAt {
			// Others read this domain too. Entries without proxyAddresses are none of theirs.
			s := sambaDomain(t)
			return lookedAt{Server: s, by: "uSNChanged", unit: "OU=Looks," + s.BaseDN, account: "sAMAccountName",
				classes: []string{"user"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "OpenLDAP" {
				localIsEnough(t)
			}
			t.Parallel()
			own := *p
			own.t, own.account = t, "looks at "+name
			d := start(t)
			d.change(t)
			d.look(&own)
		})
	}
}

// lookingProgram is one whose clock ticks often enough.
func lookingProgram(t *testing.T) *program {
	t.Helper()
	args := []string{"-demo=false", "-hour", "12s"}
	switch *platform {
	case onAWS:
		return startBinary(t, binary, t.TempDir(), lab.Variables(), append(args, "-aws")...)
	case onFunctions:
		return account(t)
	}
	return startProgram(t, t.TempDir(), args...)
}

// hurry makes the account's next look due on what stands in for AWS, where five minutes last as long as anywhere.
func hurry(p *program) {
	p.t.Helper()
	if lab == nil {
		return
	}
	jobs := dynamodb.NewJobs(dynamodb.NewClient(lab.Config("DYNAMODB")), awslab.JobsTable, time.Now)
	_, err := jobs.For(userpkg.Account(p.account)).UpdateLooks(p.t.Context(), func(l *run.Looks) error {
		if !l.NextAt.IsZero() {
			l.NextAt = time.Now().Add(-time.Second)
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// signIn connects to a server as somebody who may write, for as long as the test lasts.
func signIn(t *testing.T, s *ldapserver.Server) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL("ldap://" + net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if s.CACertificate != "" {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(s.CACertificate))
		err = conn.StartTLS(&tls.Config{RootCAs: roots, ServerName: s.Host})
	}
	if err == nil {
		err = conn.Bind(s.AdminUsername, s.AdminPassword)
	}
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// change connects as somebody who may write, and prepares the people.
func (d *lookedAt) change(t *testing.T) {
	t.Helper()
	d.conn = signIn(t, d.Server)
	if d.account != "" {
		unit := ldap.NewAddRequest(d.unit, nil)
		unit.Attribute("objectClass", []string{"organizationalUnit"})
		d.done(t, d.conn.Add(unit))
	}
	d.add(t, "stays")
	d.add(t, "goes")
}

func (d *lookedAt) done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (d *lookedAt) dn(name string) string { return "CN=" + name + "," + d.unit }

// add adds a person whose address is in mail alone.
func (d *lookedAt) add(t *testing.T, name string) {
	t.Helper()
	r := ldap.NewAddRequest(d.dn(name), nil)
	r.Attribute("objectClass", d.classes)
	r.Attribute("cn", []string{name})
	r.Attribute("mail", []string{name + "@looks.example"})
	if d.account != "" {
		r.Attribute(d.account, []string{name})
	} else {
		r.Attribute("sn", []string{name})
	}
	d.done(t, d.conn.Add(r))
}

// look syncs, changes the directory, and waits for what looks make of it.
func (d *lookedAt) look(p *program) {
	t := p.t
	body := request(d.Server, d.connection)
	body["advanced"] = object{"searchBase": d.unit, "filter": "(mail=*)"}
	body["options"] = object{"removeAccounts": true, "sendHSR": true}
	body["schedule"] = object{"intervalHours": 24, "quickMinutes": 5}
	if saved := p.must(200, "PUT", "/v1/settings", body); saved.at("quick") != nil || saved.at("lastLookAt") != nil ||
		saved.number("schedule.quickMinutes") != 5 {
		t.Errorf("settings before the first sync: %v", saved)
	}
	wantDone(t, p.sync(object{}))
	d.lookAgain(p)
	if got := p.must(200, "GET", "/v1/settings", nil); got.at("quick.possible") != true ||
		got.text("quick.by") != d.by || got.text("quick.error") != "" {
		t.Errorf("quick %v, want %s", got["quick"], d.by)
	}
	if syncs := p.list("/v1/syncs", nil); len(syncs) != 1 {
		t.Errorf("%d syncs after a look that found nothing, want that of the first", len(syncs))
	}

	d.add(t, "new")
	alias := ldap.NewModifyRequest(d.dn("stays"), nil)
	alias.Add("otherMailbox", []string{"smtp$alias@looks.example"})
	d.done(t, d.conn.Modify(alias))
	d.done(t, d.conn.Del(ldap.NewDelRequest(d.dn("goes"), nil)))
	quick := d.await(p, "alias@looks.example")
	users := make(map[string]object)
	for _, u := range p.list("/v1/users", nil) {
		users[u.text("address")] = u
	}
	if users["new@looks.example"].text("heldSpamReport") != "daily" || users["goes@looks.example"] == nil ||
		users["alias@looks.example"].text("primaryAddress") != "stays@looks.example" {
		t.Errorf("users %v", users)
	}
	syncs := len(p.list("/v1/syncs", nil))
	d.lookAgain(p)
	if after := p.list("/v1/syncs", nil); len(after) != syncs {
		t.Errorf("looks made %d more syncs of the same changes", len(after)-syncs)
	}
	// It takes back what it did, and the full sync finds all of it, with the one who left.
	wantDone(t, p.wait("/v1/syncs/"+p.must(202, "POST", "/v1/syncs/"+quick+"/undo", nil).text("id")))
	if got := p.must(200, "GET", "/v1/settings", nil); got.at("schedule.paused") != true {
		t.Errorf("after the undo the schedule is %v", got["schedule"])
	}
	wantDone(t, p.sync(object{}))
	if changes := fmt.Sprint(p.list("/v1/users", nil)); len(users) != len(p.list("/v1/users", nil))+1 {
		t.Errorf("users after the full sync: %v", changes)
	}
}

// lookAgain waits until two more looks have ended: the first may have begun before now.
func (d *lookedAt) lookAgain(p *program) {
	p.t.Helper()
	for range 2 {
		before := p.must(200, "GET", "/v1/settings", nil).text("lastLookAt")
		p.until("a look", func() bool {
			return p.must(200, "GET", "/v1/settings", nil).text("lastLookAt") != before
		})
	}
}

// await waits until a quick sync has made an address a user, and returns the sync.
func (d *lookedAt) await(p *program, address string) (id string) {
	p.t.Helper()
	p.until("a quick sync", func() bool {
		for _, s := range p.list("/v1/syncs", nil) {
			if s.text("trigger") == "quick" && s.text("state") == "done" {
				for _, c := range p.list("/v1/syncs/"+s.text("id")+"/changes", nil) {
					if c.text("address") == address && c.text("change") == "create" {
						id = s.text("id")
					}
				}
			}
		}
		return id != ""
	})
	return id
}

// until polls for something that a look makes true. On AWS every three seconds a look becomes due.
func (p *program) until(what string, isSo func() bool) {
	p.t.Helper()
	var hurried time.Time
	for deadline := time.Now().Add(2 * time.Minute); !isSo(); time.Sleep(100 * time.Millisecond) {
		if time.Since(hurried) > 3*time.Second {
			hurry(p)
			hurried = time.Now()
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("waited for %s in vain: %v", what, p.must(200, "GET", "/v1/settings", nil))
		}
	}
}
