package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/local/demo/ldif"
)

// filter is what Rollcall searches an Exchange directory with where the server is no Active Directory. Every program
// that is measured gets it, so that the server does the same for all of them.
const filter = "(|(proxyAddresses=smtp:*)(mail=*)(rfc822Mailbox=*))"

// The security of a connection.
const (
	plain    = "plain"
	startTLS = "STARTTLS"
)

// recipients are the kinds of mailbox of a large company, as msExchRecipientTypeDetails: every so many entries one.
var recipients = []struct {
	every   int
	details string
}{{1000, "4"}, {200, "16"}, {50, "256"}, {20, "64"}}

// company yields n entries with 2.2 addresses each, of all types.
func company(n int) iter.Seq[*ldif.Entry] {
	return func(yield func(*ldif.Entry) bool) {
		i := 0
		for e := range ldapserver.People(n) {
			if details := e.Get("msExchRecipientTypeDetails"); len(details) > 0 {
				i++
				for _, r := range recipients {
					if i%r.every == 0 {
						details[0] = r.details
						break
					}
				}
			}
			if !yield(e) {
				return
			}
		}
	}
}

// domainUsers yields n mailboxes of an Active Directory domain.
func domainUsers(n int) iter.Seq[*ldif.Entry] {
	return func(yield func(*ldif.Entry) bool) {
		unit := &ldif.Entry{DN: ldapserver.CompanyBase}
		unit.Add("objectClass", "organizationalUnit")
		if !yield(unit) {
			return
		}
		for i := 1; i <= n; i++ {
			login := fmt.Sprintf("user%06d", i)
			e := &ldif.Entry{DN: "CN=" + login + "," + ldapserver.CompanyBase}
			e.Add("objectClass", "user")
			e.Add("sAMAccountName", login)
			e.Add("mail", login+"@example.com")
			e.Add("proxyAddresses", "SMTP:"+login+"@example.com", "smtp:alias."+login+"@example.com")
			e.Add("msExchRecipientTypeDetails", "1")
			if !yield(e) {
				return
			}
		}
	}
}

// slapd is a running server.
type slapd struct {
	*ldapserver.Server
	entries  int
	security string
	ca       string
}

// withDirectory starts slapd with n entries, which it loads once and keeps in the cache folder, and stops it after use.
func (b *bench) withDirectory(ctx context.Context, n int, security string, use func(*slapd) error) error {
	dir := filepath.Join(b.cache, "openldap-"+strconv.Itoa(n))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	b.say("starting slapd with %s entries, %s; the first time it loads them into %s", thousands(n), security, dir)
	server, err := ldapserver.StartOpenLDAP(ctx, dir, ldapserver.OpenLDAPConfig{
		Entries: company(n), Kept: fmt.Sprintf("company %d, version 1", n), WithoutTLS: security == plain,
	})
	if err != nil {
		return err
	}
	d := &slapd{Server: server, entries: n, security: security, ca: filepath.Join(dir, "ca.pem")}
	err = use(d)
	if stopErr := server.Stop(); err == nil {
		err = stopErr
	}
	return err
}

// reader is Rollcall's reader in a process of its own.
func (b *bench) reader(d *slapd) work { return b.readerTo(nil, d, "mail", "proxyAddresses") }

// readerTo is reader for any attributes, and out gets what it prints.
func (b *bench) readerTo(out io.Writer, d *slapd, attributes ...string) work {
	args := []string{
		"-host", d.Host, "-port", strconv.Itoa(d.Port), "-user", d.Username,
		"-base", d.BaseDN, "-filter", filter, "-tls", "none",
	}
	if d.security == startTLS {
		args = append(args, "-tls", "start", "-ca", d.ca)
	}
	return commandTo(out, []string{"READER_PASSWORD=" + d.Password}, b.readerBinary,
		append(args, attributes...)...)
}

// ldapsearch is OpenLDAP's client, for the same search.
func (d *slapd) ldapsearch() work {
	args := []string{
		"-x", "-LLL", "-H", fmt.Sprintf("ldap://%s:%d", d.Host, d.Port), "-D", d.Username, "-w", d.Password,
		"-b", d.BaseDN, "-E", "pr=1000/noprompt",
	}
	if d.security == startTLS {
		args = append(args, "-ZZ")
	}
	args = append(args, filter, "mail", "proxyAddresses")
	return command([]string{"LDAPTLS_CACERT=" + d.ca}, "ldapsearch", args...)
}

// connection is the directory as the API wants it.
func (d *slapd) connection() (map[string]any, error) {
	c := map[string]any{
		"serverType": "exchange", "host": d.Host, "port": d.Port, "username": d.Username, "password": d.Password,
	}
	if d.security == plain {
		c["allowUnencrypted"] = true
		return c, nil
	}
	pem, err := os.ReadFile(d.ca)
	if err != nil {
		return nil, err
	}
	c["caCertificate"] = string(pem)
	return c, nil
}
