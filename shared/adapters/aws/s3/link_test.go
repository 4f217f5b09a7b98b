package s3_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakests"
	"rollcall/shared/adapters/aws/s3"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/objects/objectstest"
)

const linkRole = "arn:aws-cn:iam::111122223333:role/links"

// signed opens a store whose links are signed by a role, at a time of day. The gateway knows no sessions, so they have
// no token.
func signed(t *testing.T, now func() time.Time, change func(*s3.Config)) (*s3.Store, *wire, s3.Config,
	*fakests.Server) {
	t.Helper()
	service := fakests.New(fakests.Role{ARN: linkRole, AccessKey: server.accessKey, SecretKey: server.secretKey}, now)
	s, w, config := open(t, func(c *s3.Config) {
		c.LinkRole, c.Roles, c.Now = linkRole, s3.NewRoleClient(fake.Serve(t, service)), now
		if change != nil {
			change(c)
		}
	})
	return s, w, config, service
}

func TestConformanceWithARoleForLinks(t *testing.T) {
	t.Parallel()
	objectstest.Run(t, func(t *testing.T) (objects.Store, http.Handler) {
		s, _, _, _ := signed(t, nil, nil)
		return s, uploads(t, s)
	})
}

func TestARoleSignsForOneObject(t *testing.T) {
	t.Parallel()
	service := fakests.New(fakests.Role{ARN: linkRole, AccessKey: "ASIAEXAMPLE", SecretKey: "s", Token: "a/token="},
		nil)
	s, _, config := open(t, func(c *s3.Config) {
		c.KeyID, c.LinkRole, c.Roles = dataKey, linkRole, s3.NewRoleClient(fake.Serve(t, service))
	})
	o := s.For("a*/b")
	put(t, o, "csv/a.csv", text("x"))
	link, _, err := o.Link(t.Context(), "csv/a.csv", "a.csv", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	asked := query(t, link)
	if token := asked.Get("X-Amz-Security-Token"); token != "a/token=" ||
		!strings.HasPrefix(asked.Get("X-Amz-Credential"), "ASIAEXAMPLE/") {
		t.Errorf("the link is signed by %q with the token %q", asked.Get("X-Amz-Credential"), token)
	}
	want := []fakests.Session{{
		Role: linkRole, Name: "rollcall-download", Duration: time.Hour,
		Policy: `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::` + config.Bucket +
			`/csv/a_2a_2fb/a.csv"},` +
			`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + dataKey + `"}],"Version":"2012-10-17"}`,
	}}
	if diff := cmp.Diff(want, service.Sessions()); diff != "" {
		t.Error(diff)
	}
}

func query(t *testing.T, link string) url.Values {
	t.Helper()
	parsed, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Query()
}

func TestLinksEndWithTheirCredentials(t *testing.T) {
	t.Parallel()
	now := time.Now()
	short := func(left time.Duration) func(*s3.Config) {
		return func(c *s3.Config) {
			own := fake.Config(server.endpoint)
			own.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: server.accessKey, SecretAccessKey: server.secretKey,
					CanExpire: true, Expires: now.Add(left)}, nil
			})
			c.Client, c.LinkRole = s3.NewClient(own), ""
		}
	}
	for name, test := range map[string]struct {
		change       func(*s3.Config)
		ttl          time.Duration
		works        time.Duration
		session      time.Duration
		sessionCount int
	}{
		"a role, shorter than its sessions can be": {nil, time.Minute, time.Minute, 15 * time.Minute, 1},
		"a role, for half an hour": {nil, 30 * time.Minute, 30 * time.Minute, 30*time.Minute +
			time.Second, 1},
		"a role, for an hour":                     {nil, time.Hour, time.Hour, time.Hour, 1},
		"a role, longer than its sessions can be": {nil, 5 * time.Hour, time.Hour, time.Hour, 1},
		"own credentials that last": {func(c *s3.Config) { c.LinkRole = "" }, 5 * time.Hour,
			5 * time.Hour, 0, 0},
		"own credentials that expire": {short(10 * time.Minute), time.Hour, 10 * time.Minute, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, _, service := signed(t, func() time.Time { return now }, test.change)
			o := s.For("acme")
			put(t, o, "csv/a.csv", text("x"))
			link, expires, err := o.Link(t.Context(), "csv/a.csv", "a.csv", test.ttl)
			if err != nil {
				t.Fatal(err)
			}
			// Both are cut to seconds.
			if off := now.Add(test.works).Sub(expires); off < 0 || off > 2*time.Second {
				t.Errorf("the link works for %s, want %s", expires.Sub(now), test.works)
			}
			seconds, err := time.ParseDuration(query(t, link).Get("X-Amz-Expires") + "s")
			if off := test.works - seconds; err != nil || off < 0 || off > 2*time.Second {
				t.Errorf("S3 lets it work for %s, error %v; want %s", seconds, err, test.works)
			}
			sessions := service.Sessions()
			if len(sessions) != test.sessionCount || len(sessions) == 1 && sessions[0].Duration != test.session {
				t.Errorf("sessions %+v, want %d of %s", sessions, test.sessionCount, test.session)
			}
		})
	}
	t.Run("credentials that have expired", func(t *testing.T) {
		t.Parallel()
		s, _, _, _ := signed(t, func() time.Time { return now }, short(500*time.Millisecond))
		put(t, s.For("acme"), "csv/a.csv", text("x"))
		if link, _, err := s.For("acme").Link(t.Context(), "csv/a.csv", "a.csv", time.Hour); err == nil {
			t.Errorf("the link %s was signed", link)
		}
	})
}

func TestALinkSaysWhatItIs(t *testing.T) {
	t.Parallel()
	s, _, _, _ := signed(t, nil, nil)
	o := s.For("acme")
	put(t, o, "csv/a.csv", text("x"))
	for name, want := range map[string]string{
		"users.csv":       `attachment; filename=users.csv`,
		`a "b"; c.csv`:    `attachment; filename="a \"b\"; c.csv"`,
		"Übersicht 1.csv": `attachment; filename*=utf-8''%C3%9Cbersicht%201.csv`,
		"a\r\nX-Evil: 1":  `attachment; filename*=utf-8''a%0D%0AX-Evil%3A%201`,
	} {
		link, _, err := o.Link(t.Context(), "csv/a.csv", name, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(body) != "x" {
			t.Errorf("%q: body %q, error %v", name, body, err)
		}
		got := []string{response.Header.Get("Content-Disposition"), response.Header.Get("Content-Type"),
			response.Header.Get("Cache-Control")}
		if diff := cmp.Diff([]string{want, "text/csv; charset=utf-8", "private, no-store"}, got); diff != "" {
			t.Errorf("%q: %s", name, diff)
		}
	}
}

func TestARoleThatCannotBeAssumed(t *testing.T) {
	t.Parallel()
	s, _, _, _ := signed(t, nil, func(c *s3.Config) { c.LinkRole += "x" })
	put(t, s.For("acme"), "csv/a.csv", text("x"))
	_, _, err := s.For("acme").Link(t.Context(), "csv/a.csv", "a.csv", time.Hour)
	if err == nil || errors.Is(err, objects.ErrNotFound) || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("error %v, want what STS said", err)
	}
}
