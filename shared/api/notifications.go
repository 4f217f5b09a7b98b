package api

import (
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/notify"
)

// Notifications are who is told of what.
type Notifications struct {
	Email      []string       `json:"email" doc:"Addresses, each of which gets a mail of its own" example:"[\"admin@example.com\"]"`
	Webhook    *Webhook       `json:"webhook" doc:"The receiver of events; null for none"`
	Events     []notify.Kind  `json:"events" enum:"failed,blocked,recovered,missed,changed" doc:"What is told"`
	Mail       Mail           `json:"mail" doc:"Whether this deployment can send mails"`
	Deliveries []LastDelivery `json:"deliveries" doc:"What came of the newest delivery to each receiver"`
	UpdatedAt  *time.Time     `json:"updatedAt" doc:"When they were saved; null for never" example:"2026-11-26T08:00:00Z"`
	UpdatedBy  string         `json:"updatedBy" doc:"Who saved them last" example:"ann"`
}

// Webhook is a receiver of events by HTTP, without its secret.
type Webhook struct {
	URL       string     `json:"url" doc:"Where events are posted" example:"https://hooks.example.com/rollcall"`
	SecretSet bool       `json:"secretSet" doc:"A secret is stored"`
	EndedAt   *time.Time `json:"endedAt" doc:"When the receiver answered 410 Gone, after which it is told nothing until the notifications are saved again; null before"`
}

// Mail says whether mails can be sent.
type Mail struct {
	Available bool   `json:"available" doc:"Mails are sent"`
	From      string `json:"from" doc:"The address that mails come from; empty where none can be sent"`
	Note      string `json:"note" doc:"Why no mails can be sent, and what to do; empty where they can"`
}

// LastDelivery is what came of the newest delivery to a receiver.
type LastDelivery struct {
	To        string      `json:"to" doc:"An address, or webhook"`
	EventID   string      `json:"eventId" doc:"The event's id: the header webhook-id"`
	Type      notify.Type `json:"type" doc:"The event's type" example:"rollcall.test"`
	At        time.Time   `json:"at" doc:"When it was tried last"`
	Attempts  int         `json:"attempts" doc:"How often it was tried"`
	Delivered bool        `json:"delivered" doc:"The receiver took it"`
	Status    *int        `json:"status" nullable:"true" doc:"The receiver's HTTP status; null for a mail and where none came" example:"200"`
	Message   string      `json:"message" doc:"What the receiver said, or why it was not reached"`
	NextAt    *time.Time  `json:"nextAt" doc:"When it is tried again; null where that is over"`
}

const noMail = "This deployment has no mail server configured: addresses are kept, and no mail is sent to them. " +
	"Whoever runs it can set one up."

// NotificationsView shows who is told of what.
func NotificationsView(n importer.Notifications) Notifications {
	view := Notifications{
		Email: list(n.Email), Events: list(n.Events), Deliveries: []LastDelivery{},
		Mail: Mail{Available: n.MailFrom != "", From: n.MailFrom}, UpdatedAt: moment(n.UpdatedAt),
		UpdatedBy: n.UpdatedBy,
	}
	if n.MailFrom == "" {
		view.Mail.Note = noMail
	}
	if n.Version == 0 {
		view.Events = notify.Kinds()
	}
	if w := n.Webhook; w != nil {
		view.Webhook = &Webhook{URL: w.URL, SecretSet: w.SealedSecret != nil, EndedAt: moment(w.EndedAt)}
	}
	for _, o := range n.Last {
		to := o.To
		if to == "" {
			to = "webhook"
		}
		view.Deliveries = append(view.Deliveries, LastDelivery{
			To: to, EventID: o.EventID, Type: o.Type, At: o.At, Attempts: o.Attempts, Delivered: o.Delivered,
			Message: o.Message, NextAt: moment(o.NextAt),
		})
		if status := o.Status; status != 0 {
			view.Deliveries[len(view.Deliveries)-1].Status = &status
		}
	}
	return view
}
