package ldapserver

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"unicode/utf16"

	"rollcall/local/demo/ldif"
)

//go:embed samba_attributes.ldif
var sambaAttributes []byte

//go:embed samba_classes.ldif
var sambaClasses []byte

// SambaBase is the base DN of every Samba domain that Samba starts.
const SambaBase = "DC=example,DC=com"

// Ports of Active Directory. Samba has no setting for them, so each server gets a loopback address of its own.
const (
	ldapPort             = 389
	ldapsPort            = 636
	globalCatalogPort    = 3268
	globalCatalogSSLPort = 3269
)

// ErrNoAddress means that no loopback address has Active Directory's ports free, which without root none has.
var ErrNoAddress = errors.New("no loopback address has the ports 389, 636, 3268 and 3269 free for Samba " +
	"(below 1024 they need root)")

// SambaConfig says what a Samba domain holds besides what provisioning makes.
type SambaConfig struct {
	// Entries are added with ldbadd, about 200 a second, and checked against the schema, which has proxyAddresses,
	// msExchRecipientTypeDetails and msExchHideFromAddressLists for users, groups and contacts.
	Entries iter.Seq[*ldif.Entry]
}

// Samba starts a domain controller for a test and stops it at its end. It takes about eight seconds, so tests that
// only read should share one.
func Samba(t testing.TB, c SambaConfig) *Server {
	t.Helper()
	return run(t, StartSamba, c)
}

// sambaPrograms are the paths of what a domain is made and served with.
type sambaPrograms struct{ samba, tool, ldbadd, ldbmodify string }

func findSamba() (p sambaPrograms, err error) {
	for _, wanted := range []struct {
		path              *string
		program, inDebian string
	}{
		{&p.samba, "samba", "samba-ad-dc"}, {&p.tool, "samba-tool", "samba-ad-provision"},
		{&p.ldbadd, "ldbadd", "ldb-tools"}, {&p.ldbmodify, "ldbmodify", "ldb-tools"},
	} {
		if *wanted.path, err = find(wanted.program, wanted.inDebian); err != nil {
			return p, err
		}
	}
	return p, nil
}

// StartSamba provisions a domain in dir, whose path should be short (sockets are made below it), and serves it. The
// caller stops it; it also ends with this process.
func StartSamba(ctx context.Context, dir string, c SambaConfig) (*Server, error) {
	programs, err := findSamba()
	if err != nil {
		return nil, err
	}
	host, err := sambaAddress(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Host: host, Port: ldapPort, SSLPort: ldapsPort, GlobalCatalogPort: globalCatalogPort,
		GlobalCatalogSSLPort: globalCatalogSSLPort,
		BaseDN:               SambaBase, Username: "reader@example.com", Password: "Reader.passw0rd",
		AdminUsername: "Administrator@example.com", AdminPassword: "Admin.passw0rd",
	}
	if s.CACertificate, err = credentials(dir, "dc1.example.com", host); err != nil {
		return nil, err
	}
	if err := programs.provision(ctx, dir, s); err != nil {
		return nil, fmt.Errorf("provision a Samba domain: %w", err)
	}
	if err := programs.fill(ctx, dir, s, c.Entries); err != nil {
		return nil, fmt.Errorf("fill a Samba domain: %w", err)
	}
	config := filepath.Join(dir, "smb.conf")
	if err := os.WriteFile(config, sambaSettings(dir, host), 0o600); err != nil {
		return nil, fmt.Errorf("configure Samba: %w", err)
	}
	if s.process, err = launch(filepath.Join(dir, "samba.log"), programs.samba, "-i", "-M", "single", "-s", config,
		"--debug-stdout"); err != nil {
		return nil, err
	}
	var addresses []string
	for _, port := range []int{ldapPort, ldapsPort, globalCatalogPort, globalCatalogSSLPort} {
		addresses = append(addresses, net.JoinHostPort(host, strconv.Itoa(port)))
	}
	return s, s.process.ready(ctx, addresses...)
}

// sambaAddress returns an address of 127.0.7.0/24 with the ports free. Test processes start to look at different
// places, so that two at once do not choose the same.
func sambaAddress(ctx context.Context) (string, error) {
	const addresses = 254
	var last error
	for i := range addresses {
		host := fmt.Sprintf("127.0.7.%d", 1+(os.Getpid()+i)%addresses)
		if last = portsFree(ctx, host, ldapPort, ldapsPort, globalCatalogPort, globalCatalogSSLPort); last == nil {
			return host, nil
		}
	}
	return "", fmt.Errorf("%w: %w", ErrNoAddress, last)
}

func portsFree(ctx context.Context, host string, ports ...int) error {
	var config net.ListenConfig
	for _, port := range ports {
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return err
		}
		l.Close()
	}
	return nil
}

// provision makes the domain example.com. Without DNS, and with no configuration of this machine's read.
func (p sambaPrograms) provision(ctx context.Context, dir string, s *Server) error {
	return execute(ctx, nil, p.tool, "domain", "provision", "--quiet", "--configfile=/dev/null", "--targetdir="+dir,
		"--realm=EXAMPLE.COM", "--domain=EXAMPLE", "--host-name=dc1", "--host-ip="+s.Host,
		"--adminpass="+s.AdminPassword,
		"--dns-backend=NONE", "--server-role=dc")
}

// fill extends the schema and adds the reader and the entries, into the database of a server that does not run yet.
func (p sambaPrograms) fill(ctx context.Context, dir string, s *Server, entries iter.Seq[*ldif.Entry]) error {
	database := filepath.Join(dir, "private", "sam.ldb")
	for _, change := range [][]byte{sambaAttributes, sambaClasses} {
		err := execute(ctx, bytes.NewReader(change), p.ldbmodify, "-H", database,
			"--option=dsdb:schema update allowed=true")
		if err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(slices.Collect(with(entries, sambaReader(s))), sambaBatch) {
		var in bytes.Buffer
		if err := writeAll(&in, slices.Values(batch)); err != nil {
			return err
		}
		if err := execute(ctx, &in, p.ldbadd, "-H", database); err != nil {
			return err
		}
	}
	return nil
}

// sambaBatch is how many entries ldbadd gets at a time. It adds them in one transaction, whose time grows with the
// square of their number.
const sambaBatch = 500

// sambaReader is an ordinary account. unicodePwd takes the password in quotes, as UTF-16LE ([MS-ADTS] 3.1.1.3.1.5.1).
func sambaReader(s *Server) *ldif.Entry {
	var password []byte
	for _, unit := range utf16.Encode([]rune(`"` + s.Password + `"`)) {
		password = append(password, byte(unit), byte(unit>>8))
	}
	e := &ldif.Entry{DN: "CN=Reader,CN=Users," + SambaBase}
	e.Add("objectClass", "user")
	e.Add("sAMAccountName", "reader")
	e.Add("userPrincipalName", s.Username)
	e.Add("userAccountControl", "512")
	e.Add("unicodePwd", string(password))
	return e
}

// sambaSettings serves LDAP alone, on one address, with everything below dir; a simple bind without TLS is refused.
func sambaSettings(dir, host string) []byte {
	return fmt.Appendf(nil, `[global]
	netbios name = DC1
	realm = EXAMPLE.COM
	workgroup = EXAMPLE
	server role = active directory domain controller
	server services = ldap
	interfaces = %[2]s/8
	bind interfaces only = yes
	private dir = %[1]s/private
	lock directory = %[1]s
	state directory = %[1]s/state
	cache directory = %[1]s/cache
	pid directory = %[1]s
	ncalrpc dir = %[1]s/ncalrpc
	binddns dir = %[1]s/bind-dns
	log level = 0
	tls cafile = %[1]s/ca.pem
	tls certfile = %[1]s/server.pem
	tls keyfile = %[1]s/server-key.pem
	ldap server require strong auth = yes
`, dir, host)
}
