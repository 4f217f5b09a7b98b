package directory_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"rollcall/local/demo/ldapd"
	"rollcall/local/demo/ldif"
	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// office is a directory of two contexts, with people in and outside of ou=staff.
const office = `dn: dc=example,dc=com
objectClass: domain

dn: ou=staff,dc=example,dc=com
objectClass: organizationalUnit

dn: ou=archive,dc=example,dc=com
objectClass: organizationalUnit

dn: cn=Ann,ou=staff,dc=example,dc=com
objectClass: person
mail: ann@example.com
department: Sales

dn: cn=B\, ob,ou=staff,dc=example,dc=com
objectClass: person
mail: bob*@example.com
department: Support

dn: cn=Ann,ou=archive,dc=example,dc=com
objectClass: person
mail: ANN@example.com

dn: o=Partner
objectClass: organization

dn: cn=Ann,o=Partner
objectClass: person
mail: ann@example.com

dn: cn=config
objectClass: organization
mail: ann@example.com

dn: cn=example.com,o=Partner
objectClass: organizationalUnit

dn: uid=ann,cn=example.com,o=Partner
objectClass: person

dn: uid=x,cn=other.com,o=Partner
objectClass: alias
uid: x
aliasedObjectName: uid=y,cn=other.com,o=Partner

dn: uid=y,cn=other.com,o=Partner
objectClass: alias
uid: y
aliasedObjectName: uid=x,cn=other.com,o=Partner
`

func serveOffice(t *testing.T) settings.Connection {
	t.Helper()
	entries, err := ldif.Read(strings.NewReader(office))
	if err != nil {
		t.Fatal(err)
	}
	root := ldif.Entry{Attributes: []ldif.Attribute{
		{Name: "objectClass", Values: []string{"top"}},
		{Name: "namingContexts", Values: []string{"dc=example,dc=com", "o=Partner", "cn=config"}},
		{Name: "supportedControl", Values: []string{ldap.ControlTypePaging}},
	}}
	for i := range entries {
		if strings.HasPrefix(entries[i].DN, "uid=ann,") {
			entries[i].Add("uid", "ann")
		}
	}
	server, err := ldapd.New(ldapd.Config{Entries: entries, RootDSE: root, Log: slog.New(slog.DiscardHandler),
		Accounts: []ldapd.Account{{DN: "cn=reader", Password: "pw"}}})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return settings.Connection{ServerType: settings.GroupWise, Host: "127.0.0.1", AllowUnencrypted: true,
		Port: listener.Addr().(*net.TCPAddr).Port, Username: "cn=reader", Password: secret.New("pw")}
}

// TestFindAsksTheServerWhatMatches looks for entries in and outside of the base. The server says what the filter makes
// of each, and which clause fails.
func TestFindAsksTheServerWhatMatches(t *testing.T) {
	t.Parallel()
	to := serveOffice(t)
	mail := func(value string) directory.Question {
		return directory.Question{SearchBase: "OU=Staff,DC=example,DC=com", Filter: "(mail=*)",
			Attributes: []string{"mail"}, Any: []directory.Comparison{{Attribute: "mail", Value: value}}}
	}
	filtered := func(filter string) directory.Question {
		q := mail("ann@example.com")
		q.Filter = filter
		return q
	}
	annFails := func(clause string) []string {
		return []string{"cn=Ann,ou=staff,dc=example,dc=com in " + clause, "cn=Ann,ou=archive,dc=example,dc=com out *",
			"cn=Ann,o=Partner out *"}
	}
	for name, test := range map[string]struct {
		question directory.Question
		want     []string
	}{
		"everywhere but in the server's own context": {mail("ann@example.com"), annFails("matches")},
		"a star stands for itself":                   {mail("*@example.com"), nil},
		"a star and a DN with an escaped comma": {mail("bob*@example.com"),
			[]string{`cn=B\, ob,ou=staff,dc=example,dc=com in matches`}},
		"parentheses": {mail("(ann)@example.com"), nil},
		"the failing leaf of an and": {filtered("(&(objectClass=person)(&(mail=*)(department=Support))(cn=A*))"),
			annFails("(department=Support)")},
		"a whole negation": {filtered("(&(mail=*)(!(&(mail=*)(department=Sales))))"),
			annFails("(!(&(mail=*)(department=Sales)))")},
		"a whole or":         {filtered("(&(mail=*)(|(cn=X)(cn=Y)))"), annFails("(|(cn=X)(cn=Y))")},
		"the first of two":   {filtered("(&(mail=*)(cn=X)(department=Support)(mail=y))"), annFails("(cn=X)")},
		"the last of many":   {filtered("(&(mail=*)(objectClass=*)(mail=a*)(mail=*n*)(cn=Y))"), annFails("(cn=Y)")},
		"an escaped value":   {filtered(`(&(mail=*)(cn=a\28b\29))`), annFails(`(cn=a\28b\29)`)},
		"a filter of a leaf": {filtered("cn=X"), annFails("(cn=X)")},
		"a filter that is longer once it is tidied": {filtered("(|" + strings.Repeat("(!mail=*)", 1800) + ")"),
			annFails("(|" + strings.Repeat("(!(mail=*))", 1800) + ")")},
		"no comparison": {directory.Question{SearchBase: "o=Partner", Attributes: []string{"mail"}}, nil},
		"a DN": {directory.Question{DN: "CN=Ann, OU=Archive,DC=example,DC=com",
			SearchBase: "ou=staff,dc=example,dc=com", Filter: "(mail=*)", Attributes: []string{"mail"}},
			[]string{"cn=Ann,ou=archive,dc=example,dc=com out matches"}},
		"a DN that is not there": {
			directory.Question{DN: "cn=Nobody,dc=example,dc=com", Attributes: []string{"mail"}}, nil},
		"a name below a parent": {directory.Question{SearchBase: "o=Partner", Filter: "(uid=*)",
			Attributes: []string{"uid"},
			Any:        []directory.Comparison{{Attribute: "uid", Value: "ann", Parent: "cn=Example.com"}}},
			[]string{"uid=ann,cn=example.com,o=Partner in matches"}},
		"a name below another parent": {directory.Question{SearchBase: "o=Partner", Attributes: []string{"uid"},
			Any: []directory.Comparison{{Attribute: "uid", Value: "ann", Parent: "cn=other.com"}}}, nil},
		"aliases in a circle": {directory.Question{SearchBase: "o=Partner", Filter: "(uid=*)",
			Follow:     "aliasedObjectName",
			Attributes: []string{"uid", "aliasedObjectName"},
			Any:        []directory.Comparison{{Attribute: "uid", Value: "x", Parent: "cn=other.com"}}},
			[]string{"uid=x,cn=other.com,o=Partner in matches", "uid=y,cn=other.com,o=Partner in matches"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, err := directory.New(directory.Config{}).Find(t.Context(), to, test.question, func(run.Step) {})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, f := range answer.Found {
				place, clause := "out", f.FailedClause
				if f.InBase {
					place = "in"
				}
				if f.Matches {
					clause = "matches"
				}
				if i < len(test.want) && strings.HasSuffix(test.want[i], " *") {
					clause = "*"
				}
				got = append(got, fmt.Sprintf("%s %s %s", f.DN, place, clause))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFindIsNoWayAroundARead holds Find to what a Read refuses.
func TestFindIsNoWayAroundARead(t *testing.T) {
	t.Parallel()
	to := serveOffice(t)
	for name, test := range map[string]struct {
		question directory.Question
		code     string
	}{
		"a secret attribute": {
			directory.Question{Attributes: []string{"userPassword"}}, directory.CodeSecretAttribute},
		"a filter on one":             {directory.Question{Filter: "(userPassword=x)"}, directory.CodeInvalidFilter},
		"a base that is not there":    {directory.Question{SearchBase: "dc=nowhere"}, directory.CodeBaseNotFound},
		"a base that cannot be read":  {directory.Question{SearchBase: "nowhere"}, directory.CodeInvalidBase},
		"a filter that is not closed": {directory.Question{Filter: "(mail=*"}, directory.CodeInvalidFilter},
		"a comparison with one": {directory.Question{Attributes: []string{"mail"}, Any: []directory.Comparison{
			{Attribute: "userPassword", Value: "x"}}}, directory.CodeSecretAttribute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var steps []run.Step
			_, err := directory.New(directory.Config{}).Find(t.Context(), to, test.question,
				func(s run.Step) { steps = append(steps, s) })
			var e *directory.Error
			if !errors.As(err, &e) || e.Code != test.code || len(steps) > 0 && steps[len(steps)-1].OK {
				t.Errorf("error %v after %v, want code %s and a failed step", err, steps, test.code)
			}
		})
	}
}

// TestFindStopsAtTwenty has more entries than anybody reads through.
func TestFindStopsAtTwenty(t *testing.T) {
	t.Parallel()
	s := &script{root: offersPaging, search: func(c *session, n int, _ search) bool {
		if n == 1 {
			for i := range 21 {
				c.person(fmt.Sprint("p", i))
			}
			c.page("more")
			return true
		}
		c.person("matches")
		c.done(0)
		return true
	}}
	answer, err := findMail(t, s)
	if err != nil || len(answer.Found) != 20 || !answer.More {
		t.Errorf("%d entries, more %t, error %v; want 20 and more", len(answer.Found), answer.More, err)
	}
}

// findMail asks a script's directory for one address.
func findMail(t *testing.T, s *script) (directory.Answer, error) {
	t.Helper()
	host, port := s.serve(t)
	to := settings.Connection{ServerType: settings.GroupWise, Host: host, Port: port, AllowUnencrypted: true}
	return directory.New(directory.Config{}).Find(t.Context(), to, directory.Question{
		Attributes: []string{"mail"}, Any: []directory.Comparison{{Attribute: "mail", Value: "x@example.com"}},
	}, func(run.Step) {})
}

// TestFindTakesNoPartForTheWhole has a server lose count after its first page: nobody knows what it left out.
func TestFindTakesNoPartForTheWhole(t *testing.T) {
	t.Parallel()
	s := &script{root: offersPaging, search: func(c *session, n int, _ search) bool {
		c.person(fmt.Sprint("p", n))
		if n == 1 {
			c.page("more")
		} else {
			c.done(0)
		}
		return true
	}}
	answer, err := findMail(t, s)
	var e *directory.Error
	if !errors.As(err, &e) || e.Code != directory.CodeIncompleteRead {
		t.Errorf("found %d, error %v; want %s", len(answer.Found), err, directory.CodeIncompleteRead)
	}
}

// TestAnAnswerBehindAnother has more entries together than are shown.
func TestAnAnswerBehindAnother(t *testing.T) {
	t.Parallel()
	of := func(from, to int) (a directory.Answer) {
		for i := from; i < to; i++ {
			a.Found = append(a.Found, directory.Found{Entry: directory.Entry{DN: fmt.Appendf(nil, "cn=%d", i)}})
		}
		return a
	}
	if a := of(1, 20).Behind(of(0, 2)); len(a.Found) != 20 || a.More {
		t.Errorf("%d entries, more %t; want 20 and no more", len(a.Found), a.More)
	}
	if a := of(1, 21).Behind(of(0, 2)); len(a.Found) != 20 || !a.More {
		t.Errorf("%d entries, more %t; want 20 and more", len(a.Found), a.More)
	}
}
