// Package ses sends mails on AWS: SES, API version 2.
package ses

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"rollcall/shared/ports/mail"
)

// NewClient returns a client that slows down where SES throttles it. Its endpoint may come from AWS_ENDPOINT_URL_SESV2.
func NewClient(c aws.Config) *sesv2.Client {
	c.RetryMode = aws.RetryModeAdaptive
	return sesv2.NewFromConfig(c)
}

// Sender is a mail.Sender on SES.
type Sender struct {
	client *sesv2.Client
	from   string
}

// New returns a sender of mails from an address, which must be an identity of SES, or in the domain of one.
func New(client *sesv2.Client, from string) *Sender { return &Sender{client, from} }

// Send hands a mail to SES, which writes it: with its own Message-ID and Date, and signed for the sender's domain. A
// mail that is handed over as it goes over the wire would need another permission.
func (s *Sender) Send(ctx context.Context, m mail.Message) error {
	text := func(data string) *types.Content { return &types.Content{Data: &data, Charset: aws.String("UTF-8")} }
	simple := &types.Message{Subject: text(m.Subject), Body: &types.Body{Text: text(m.Text)}}
	for _, h := range m.Headers() {
		simple.Headers = append(simple.Headers, types.MessageHeader{Name: &h[0], Value: &h[1]})
	}
	_, err := s.client.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress: aws.String(mail.From(s.from)),
		Destination:      &types.Destination{ToAddresses: []string{m.To}},
		Content:          &types.EmailContent{Simple: simple},
	})
	var rejected *types.MessageRejected
	var bad *types.BadRequestException
	if errors.As(err, &rejected) || errors.As(err, &bad) {
		return fmt.Errorf("%w by SES: %w", mail.ErrRefused, err)
	}
	if err != nil {
		return fmt.Errorf("send a mail with SES: %w", err)
	}
	return nil
}
