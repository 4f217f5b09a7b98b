package directory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/settings"
)

// server is one server to try, by the name that was entered or that an SRV record has.
type server struct {
	host string
	port int
}

// open goes through the steps up to the bind, with one server after another until one takes the sign-in. At most
// settings.MaxHosts servers are tried.
func (s *session) open(ctx context.Context) error {
	port, left := s.to.Port, settings.MaxHosts
	var failed failures
	for _, name := range s.to.Hosts() {
		if left == 0 {
			break
		}
		s.to.Host, s.to.Port = name, port
		servers := []server{{name, port}}
		if domain, srv := settings.SRVDomain(name); srv {
			var err error
			if servers, err = s.lookUp(ctx, domain); !failed.add(ctx, name, err) {
				return err
			}
		}
		for _, server := range servers[:min(len(servers), left)] {
			left--
			s.to.Host, s.to.Port = server.host, server.port
			err := s.try(ctx)
			if err == nil {
				return nil
			}
			s.abandon()
			if !failed.add(ctx, server.host, err) {
				return err
			}
		}
	}
	return failed.explain()
}

// try takes one server through the steps.
func (s *session) try(ctx context.Context) error {
	addresses, err := s.resolve(ctx)
	if err != nil {
		return err
	}
	if err := s.secure(ctx, addresses); err != nil {
		return err
	}
	if err := s.step(ctx, StepBind, s.bind); err != nil {
		return err
	}
	s.noteSecurity()
	return nil
}

// abandon leaves a server that failed. What was found about its encryption does not hold for the next.
func (s *session) abandon() {
	s.close()
	s.conn, s.socket = nil, nil
	s.seen, s.unencrypted, s.tlsNotes = nil, "", nil
}

// lookUp finds the servers that the SRV records of a name lead to, as a step of its own. Records that lead out of the
// domain or to a forbidden port are left out: whoever writes them must not choose who gets the password.
func (s *session) lookUp(ctx context.Context, domain string) (servers []server, err error) {
	err = s.step(ctx, StepResolve, func(ctx context.Context) (string, error) {
		var leftOut []string
		records, err := s.records(ctx)
		if err != nil {
			return "", err
		}
		for _, r := range records {
			host := strings.ToLower(strings.TrimSuffix(r.Target, "."))
			switch reason := s.mayNot(host, int(r.Port), domain); {
			case reason != "":
				leftOut = append(leftOut, fmt.Sprintf("%s:%d (%s)", host, r.Port, reason))
			default:
				servers = append(servers, server{host, int(r.Port)})
			}
		}
		if len(servers) == 0 {
			return "", &Error{Code: CodeAddressForbidden, Step: StepResolve,
				Message: fmt.Sprintf("No server that the SRV record %s names may be tried: %s. Enter the LDAP "+
					"servers by their names.", s.to.Host, some(leftOut))}
		}
		servers = servers[:min(len(servers), settings.MaxHosts)]
		names := make([]string, len(servers))
		for i, to := range servers {
			names[i] = fmt.Sprintf("%s:%d", to.host, to.port)
		}
		detail := s.to.Host + " leads to " + strings.Join(names, ", ")
		if len(leftOut) > 0 {
			detail += "; left out: " + some(leftOut)
		}
		return detail, nil
	})
	return servers, err
}

// records returns the SRV records of the name at hand, in the order in which they are to be tried.
func (s *session) records(ctx context.Context) ([]*net.SRV, error) {
	name, err := asciiHost(s.to.Host)
	if err != nil {
		return nil, s.unknownName(err)
	}
	// The final dot keeps the resolver's search list out: it could find the records of another domain. Records that
	// come with an error are those whose names are right.
	_, records, err := s.c.LookupSRV(ctx, "", "", name+".")
	records = slices.DeleteFunc(records, func(r *net.SRV) bool { return r.Target == "." })
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(records) == 0 {
		return nil, &Error{Code: CodeHostNotFound, Step: StepResolve, Err: err,
			Message: fmt.Sprintf("No LDAP server is named by an SRV record at %s. Check the spelling, and whether "+
				"the record is known outside your own network; or enter the LDAP servers by their names.", s.to.Host)}
	}
	return records, nil
}

// mayNot says why a server that a record names is not tried, or nothing.
func (s *session) mayNot(host string, port int, domain string) string {
	domain, err := asciiHost(domain)
	if err != nil || host != domain && !strings.HasSuffix(host, "."+domain) {
		return "not in " + domain
	}
	if s.c.AllowPort != nil && s.c.AllowPort(port) != nil {
		return fmt.Sprintf("port %d must not be reached from here", port)
	}
	return ""
}

// some names the first of a list.
func some(list []string) string {
	const most = 5
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

// failure is why a server could not be used.
type failure struct {
	host string
	err  *Error
}

type failures []failure

// add takes the error of a server, if any, and reports whether the next one may be tried. A server that is broken, busy
// or out of reach says nothing about the next; one that refuses username and password does, and a second try could lock
// the account.
func (f *failures) add(ctx context.Context, host string, err error) bool {
	if err == nil {
		return true
	}
	var e *Error
	if ctx.Err() != nil || !errors.As(err, &e) || e.Step == StepBind && !isServers(e.Err) {
		return false
	}
	*f = append(*f, failure{host, e})
	return true
}

// isServers reports whether a sign-in failed because of the server: it is busy, unavailable or unwilling, or gave no
// answer.
func isServers(err error) bool {
	var answer *ldap.Error
	if !errors.As(err, &answer) || answer.ResultCode >= ldap.ErrorNetwork {
		return err != nil
	}
	switch answer.ResultCode {
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultUnwillingToPerform:
		return true
	}
	return false
}

// explain returns one error that says why no server could be used. Its code and step are those of the server that came
// furthest, since that is where a change is most likely to help.
func (f failures) explain() error {
	switch len(f) {
	case 0:
		return &Error{Code: CodeHostNotFound, Step: StepResolve, Message: "The name of the LDAP server is missing."}
	case 1:
		return f[0].err
	}
	order := []string{StepResolve, StepConnect, StepTLS, StepBind}
	furthest := slices.MaxFunc(f, func(a, b failure) int {
		return slices.Index(order, a.err.Step) - slices.Index(order, b.err.Step)
	})
	reasons, causes := make([]string, len(f)), make([]error, len(f))
	for i, one := range f {
		reasons[i] = one.host + ": " + shorten(one.err.Message, maxDetail/len(f)-2*settings.MaxHosts-len(one.host))
		causes[i] = one.err
	}
	return &Error{Code: furthest.err.Code, Step: furthest.err.Step, Err: errors.Join(causes...),
		Message: shorten("No LDAP server can be used. "+strings.Join(reasons, " "), maxDetail)}
}
