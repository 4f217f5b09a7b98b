package ldapserver

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"rollcall/local/demo/ldif"
	"rollcall/shared/adapters/aws/fake/freeport"
)

// dsTemplate is the configuration that Debian's package brings for dscreate, which itself writes to /etc alone.
const dsTemplate = "/usr/share/dirsrv/data/template-dse.ldif"

// DS389Config says what a 389 Directory Server holds. It speaks no TLS.
type DS389Config struct {
	// Entries are added one by one, without a check against the schema; the first is PeopleBase.
	Entries iter.Seq[*ldif.Entry]
}

// LimitedUsername is an account of a 389 Directory Server for which it looks at LookThroughLimit entries and then gives
// up, with the reader's password.
const (
	LimitedUsername  = "cn=limited," + PeopleBase
	LookThroughLimit = 100
)

// DS389 starts a server for a test and stops it at its end.
func DS389(t testing.TB, c DS389Config) *Server {
	t.Helper()
	return run(t, StartDS389, c)
}

// StartDS389 starts ns-slapd with its files in dir. The caller stops it.
func StartDS389(ctx context.Context, dir string, c DS389Config) (*Server, error) {
	program, err := find("ns-slapd", "389-ds-base")
	if err != nil {
		return nil, err
	}
	free, err := freeport.Free(ctx, "127.0.0.1", 1)
	if err != nil {
		return nil, err
	}
	s := &Server{Host: "127.0.0.1", Port: free[0], BaseDN: PeopleBase, Username: "cn=reader," + PeopleBase,
		Password:      "reader password",
		AdminUsername: "cn=admin," + PeopleBase, AdminPassword: "admin password"}
	if err := prepareDS(dir, s); err != nil {
		return nil, fmt.Errorf("prepare 389 Directory Server: %w", err)
	}
	s.process, err = launch(filepath.Join(dir, "out.log"), program, "-D", filepath.Join(dir, "config"), "-i",
		filepath.Join(dir, "run", "pid"), "-d", "0")
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	if err := s.process.ready(ctx, address); err != nil {
		return nil, err
	}
	if err := fillDS("ldap://"+address, dir, s, c.Entries); err != nil {
		_ = s.Stop() // the error at hand says more
		return nil, fmt.Errorf("fill 389 Directory Server: %w", err)
	}
	return s, nil
}

// prepareDS writes the configuration and makes the folders that it names.
func prepareDS(dir string, s *Server) error {
	template, err := os.ReadFile(dsTemplate)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrMissingPackage, err)
	}
	me, err := user.Current()
	if err != nil {
		return err
	}
	values := []string{"%fqdn%", "localhost", "%ds_port%", strconv.Itoa(s.Port), "%ds_user%", me.Username, "%rootdn%",
		s.AdminUsername,
		"%ds_passwd%", hashed(s.AdminPassword), "%ldapi_enabled%", "off", "%ldapi_autobind%", "off", "%ldapi%",
		filepath.Join(dir, "run", "ldapi"),
		"%db_lib%", "bdb", "%ds_suffix%", s.BaseDN, "%inst_dir%", dir, "%cert_dir%", filepath.Join(dir, "config"),
		"%db_home_dir%", filepath.Join(dir, "db")}
	for _, name := range []string{"lock", "tmp", "ldif", "bak", "run", "log", "db", "config"} {
		values = append(values, "%"+name+"_dir%", filepath.Join(dir, name))
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return err
		}
	}
	// It ends without a word where its schema lies elsewhere.
	schema := filepath.Join(dir, "config", "schema")
	values = append(values, "%schema_dir%", schema)
	if err := os.MkdirAll(schema, 0o700); err != nil {
		return err
	}
	for from, to := range map[string]string{"/etc/dirsrv/schema/99user.ldif": "config/schema/99user.ldif",
		"/etc/dirsrv/config/slapd-collations.conf": "config/slapd-collations.conf"} {
		data, err := os.ReadFile(from)
		if err != nil {
			return fmt.Errorf("%w (%w)", ErrMissingPackage, err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), data, 0o600); err != nil {
			return err
		}
	}
	// The entries are not of its schema.
	config := strings.Replace(string(template), "dn: cn=config\n",
		"dn: cn=config\nnsslapd-schemacheck: off\nnsslapd-syntaxcheck: off\n", 1)
	return os.WriteFile(filepath.Join(dir, "config", "dse.ldif"),
		[]byte(strings.NewReplacer(values...).Replace(config)), 0o600)
}

// hashed is a password as the configuration wants it: {SSHA512}, the hash of password and salt, then the salt.
func hashed(password string) string {
	salt := make([]byte, 8)
	rand.Read(salt)
	sum := sha512.Sum512(append([]byte(password), salt...))
	return "{SSHA512}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))
}

// fillDS makes a database for the suffix, with the entries and the reader's account in it.
func fillDS(address, dir string, s *Server, entries iter.Seq[*ldif.Entry]) error {
	conn, err := ldap.DialURL(address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Bind(s.AdminUsername, s.AdminPassword); err != nil {
		return err
	}
	database := &ldif.Entry{DN: "cn=userRoot,cn=ldbm database,cn=plugins,cn=config"}
	database.Add("objectClass", "top", "extensibleObject", "nsBackendInstance")
	database.Add("nsslapd-suffix", s.BaseDN)
	database.Add("nsslapd-directory", filepath.Join(dir, "db", "userRoot"))
	database.Add("cn", "userRoot")
	mapping := &ldif.Entry{DN: fmt.Sprintf("cn=%q,cn=mapping tree,cn=config", s.BaseDN)}
	mapping.Add("objectClass", "top", "extensibleObject", "nsMappingTree")
	mapping.Add("cn", s.BaseDN)
	mapping.Add("nsslapd-state", "backend")
	mapping.Add("nsslapd-backend", "userRoot")
	for _, e := range []*ldif.Entry{database, mapping} {
		if err := addEntry(conn, e); err != nil {
			return err
		}
	}
	for e := range entries {
		if e.DN == s.BaseDN {
			e.Add("aci", `(targetattr="*")(version 3.0; acl "readers"; `+
				`allow (read,search,compare) userdn="ldap:///all";)`)
		}
		if err := addEntry(conn, e); err != nil {
			return err
		}
	}
	limited := account(LimitedUsername, s.Password)
	for _, name := range []string{"nsLookThroughLimit", "nsPagedLookThroughLimit"} {
		limited.Add(name, strconv.Itoa(LookThroughLimit))
	}
	return errors.Join(addEntry(conn, account(s.Username, s.Password)), addEntry(conn, limited))
}

// account is an entry that can sign in.
func account(dn, password string) *ldif.Entry {
	e := &ldif.Entry{DN: dn}
	e.Add("objectClass", "organizationalRole", "simpleSecurityObject")
	name, _, _ := strings.Cut(dn, ",")
	e.Add("cn", strings.TrimPrefix(name, "cn="))
	e.Add("userPassword", password)
	return e
}

func addEntry(conn *ldap.Conn, e *ldif.Entry) error {
	request := ldap.NewAddRequest(e.DN, nil)
	for _, a := range e.Attributes {
		request.Attribute(a.Name, a.Values)
	}
	if err := conn.Add(request); err != nil {
		return fmt.Errorf("add %s: %w", e.DN, err)
	}
	return nil
}
