package ses_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakeses"
	"rollcall/shared/adapters/aws/ses"
	"rollcall/shared/ports/mail"
)

func TestAMailIsHandedToSES(t *testing.T) {
	server := fakeses.New("example.com")
	client := ses.NewClient(fake.FromEnvironment(t, "AWS_ENDPOINT_URL_SESV2", server))
	m := mail.Message{
		ID: "1", To: "ann@example.org", Subject: "Grüße", Text: "Zeile\n", Date: time.Now(), Page: "https://page/#/n",
	}
	if err := ses.New(client, "rollcall@example.com").Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := []fakeses.Mail{{
		From: `"Rollcall" <rollcall@example.com>`, To: "ann@example.org", Subject: "Grüße", Text: "Zeile\n",
		Headers: map[string]string{
			"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
			"List-Unsubscribe": "<https://page/#/n>",
		},
	}}
	if diff := cmp.Diff(want, server.Mails()); diff != "" {
		t.Error(diff)
	}
	if err := ses.New(client, "rollcall@elsewhere.test").Send(t.Context(), m); !errors.Is(err, mail.ErrRefused) {
		t.Errorf("from an address that is no identity: error %v", err)
	}
}
