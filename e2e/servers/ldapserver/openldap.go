package ldapserver

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"rollcall/local/demo/ldif"
	"rollcall/shared/adapters/aws/fake/freeport"
)

//go:embed openldap.schema
var openLDAPSchema []byte

// OpenLDAPConfig says what an OpenLDAP server holds. The zero value is an empty dc=example,dc=com.
type OpenLDAPConfig struct {
	// BaseDN is the suffix; PeopleBase where it is empty.
	BaseDN string
	// Entries are loaded with slapadd, without a check against the schema (their attributes must be in it). The first
	// is the base entry. Without any, People(0) makes the base, which must then be PeopleBase.
	Entries iter.Seq[*ldif.Entry]
	// SizeLimit is a sizelimit directive's value, see slapd.conf(5); empty means no limit. Active Directory's manner
	// is "size.soft=1000 size.hard=1000 size.pr=10000 size.prtotal=unlimited".
	SizeLimit string
	// CertificateNames are the names in the server's certificate; localhost and the host's address where it is empty.
	CertificateNames []string
	// Host is the loopback address to listen on, 127.0.0.1 where it is empty, and Port the port, a free one where it is
	// 0.
	Host string
	Port int
	// RefuseBinds makes a server that answers each sign-in with "unwilling to perform".
	RefuseBinds bool
	// Directives are more lines of slapd.conf(5), such as one with TLSCipherSuite.
	Directives string
	// Credentials are a certificate, with those of its issuers behind it, and its key in PEM; made again where they are
	// empty.
	Credentials [2][]byte
	// WithoutTLS makes a server that refuses STARTTLS and has no SSL port.
	WithoutTLS bool
	// Index is a further index directive's value, such as "entryCSN eq"; empty for none.
	Index string
	// Kept names what Entries are, and keeps the database: a later start in the same folder with the same name loads
	// nothing. Empty loads again each time.
	Kept string
}

// OpenLDAP starts a server for a test and stops it at its end.
func OpenLDAP(t testing.TB, c OpenLDAPConfig) *Server {
	t.Helper()
	return run(t, StartOpenLDAP, c)
}

// StartOpenLDAP starts slapd with its files in dir. The caller stops it.
func StartOpenLDAP(ctx context.Context, dir string, c OpenLDAPConfig) (*Server, error) {
	slapd, err := find("slapd", "slapd")
	if err != nil {
		return nil, err
	}
	slapadd, err := find("slapadd", "slapd")
	if err != nil {
		return nil, err
	}
	s := &Server{Host: c.Host, Port: c.Port, BaseDN: c.BaseDN}
	if s.Host == "" {
		s.Host = "127.0.0.1"
	}
	if s.BaseDN == "" {
		s.BaseDN = PeopleBase
	}
	s.Username, s.Password = "cn=reader,"+s.BaseDN, "reader password"
	s.AdminUsername, s.AdminPassword = "cn=admin,"+s.BaseDN, "admin password"
	if err := c.prepare(dir, s); err != nil {
		return nil, fmt.Errorf("prepare OpenLDAP: %w", err)
	}
	config := filepath.Join(dir, "slapd.conf")
	if err := c.loadOrKeep(ctx, dir, slapadd, config, s); err != nil {
		return nil, fmt.Errorf("load OpenLDAP: %w", err)
	}
	free, err := freeport.Free(ctx, s.Host, 2)
	if err != nil {
		return nil, err
	}
	if s.Port == 0 {
		s.Port = free[0]
	}
	addresses := []string{net.JoinHostPort(s.Host, strconv.Itoa(s.Port))}
	urls := "ldap://" + addresses[0]
	if !c.WithoutTLS {
		s.SSLPort = free[1]
		addresses = append(addresses, net.JoinHostPort(s.Host, strconv.Itoa(s.SSLPort)))
		urls += " ldaps://" + addresses[1]
	}
	// A debug level, even 0, keeps slapd in the foreground.
	if s.process, err = launch(filepath.Join(dir, "slapd.log"), slapd, "-d", "0", "-f", config, "-h",
		urls); err != nil {
		return nil, err
	}
	return s, s.process.ready(ctx, addresses...)
}

// prepare writes the configuration, the schema, the certificates and the database's folder.
func (c OpenLDAPConfig) prepare(dir string, s *Server) error {
	if err := os.MkdirAll(filepath.Join(dir, "db"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "rollcall.schema"), openLDAPSchema, 0o600); err != nil {
		return err
	}
	var tls string
	if !c.WithoutTLS {
		names := c.CertificateNames
		if len(names) == 0 {
			names = []string{"localhost", s.Host}
		}
		var err error
		if s.CACertificate, err = credentials(dir, names...); err != nil {
			return err
		}
		for i, name := range []string{"server.pem", "server-key.pem"} {
			if content := c.Credentials[i]; content != nil {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					return err
				}
			}
		}
		tls = fmt.Sprintf("TLSCACertificateFile %[1]s/ca.pem\nTLSCertificateFile %[1]s/server.pem\n"+
			"TLSCertificateKeyFile %[1]s/server-key.pem\n", dir)
	}
	limit := c.SizeLimit
	if limit == "" {
		limit = "unlimited"
	}
	if c.RefuseBinds {
		tls += "restrict bind\n"
	}
	index := ""
	if c.Index != "" {
		index = "index " + c.Index + "\n"
	}
	// dbnosync: a crash may lose this database, and nobody would miss it.
	config := fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/misc.schema
include %[1]s/rollcall.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/slapd.pid
argsfile %[1]s/slapd.args
loglevel none
sizelimit %[2]s
%[3]s%[8]s
access to dn.base="" by * read
access to * by dn.exact="%[5]s" read by anonymous auth by * none
database mdb
suffix "%[4]s"
rootdn "%[6]s"
rootpw "%[7]s"
directory %[1]s/db
maxsize 8589934592
dbnosync
index objectClass eq
index mail,proxyAddresses pres
`+index, dir, limit, tls, s.BaseDN, s.Username, s.AdminUsername, s.AdminPassword, c.Directives)
	return os.WriteFile(filepath.Join(dir, "slapd.conf"), []byte(config), 0o600)
}

// loadOrKeep loads the database, unless the folder holds it from an earlier start.
func (c OpenLDAPConfig) loadOrKeep(ctx context.Context, dir, slapadd, config string, s *Server) error {
	if c.Kept == "" {
		return c.load(ctx, slapadd, config, s)
	}
	// Written last, so that a load that was cut off leaves none.
	note := filepath.Join(dir, "loaded")
	if name, err := os.ReadFile(note); err == nil && string(name) == c.Kept {
		return nil
	}
	db := filepath.Join(dir, "db")
	if err := errors.Join(os.RemoveAll(note), os.RemoveAll(db), os.MkdirAll(db, 0o700)); err != nil {
		return err
	}
	if err := c.load(ctx, slapadd, config, s); err != nil {
		return err
	}
	return os.WriteFile(note, []byte(c.Kept), 0o600)
}

// load streams the entries and the reader's account into slapadd: a hundred thousand entries need no file.
func (c OpenLDAPConfig) load(ctx context.Context, slapadd, config string, s *Server) error {
	entries := c.Entries
	if entries == nil {
		entries = People(0)
	}
	in, out := io.Pipe()
	go func() {
		w := ldif.NewWriter(out)
		out.CloseWithError(writeAll(w, entries, account(s.Username, s.Password)))
	}()
	defer in.Close()
	// -q and -s: quick, and without a check against the schema, which would refuse the faults that tests are about.
	return execute(ctx, in, slapadd, "-q", "-s", "-f", config)
}

// EntriesOf yields the entries of a tree that is in memory, such as a demo directory's.
func EntriesOf(entries []ldif.Entry) iter.Seq[*ldif.Entry] {
	return func(yield func(*ldif.Entry) bool) {
		for i := range entries {
			if !yield(&entries[i]) {
				return
			}
		}
	}
}
