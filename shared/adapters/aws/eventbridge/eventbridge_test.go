package eventbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/adapters/aws/eventbridge"
	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakeeventbridge"
	"rollcall/shared/ports/events"
)

const name = "rollcall-events"

func start(t *testing.T) (*fakeeventbridge.Server, eventbridge.Publisher) {
	t.Helper()
	service := fakeeventbridge.New(name)
	return service, eventbridge.New(eventbridge.NewClient(fake.Serve(t, service)), name)
}

func imported() events.Event {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return events.Event{Name: events.UsersImported, Account: "acme", At: at, Detail: events.Sync{
		ID: "01J/done", Account: "acme", RunID: "01J", At: at, Trigger: "schedule",
		Created: 2, SendHSR: true, NewUsers: "/v1/syncs/01J/changes",
	}}
}

func TestAnEventIsPublished(t *testing.T) {
	t.Parallel()
	fake, p := start(t)
	if err := p.Publish(t.Context(), imported()); err != nil {
		t.Fatal(err)
	}
	want := []fakeeventbridge.Event{{
		Bus: name, Source: "rollcall", DetailType: "Users Imported", Time: 1772366400,
		Detail: json.RawMessage(`{"id":"01J/done","account":"acme","runId":"01J","at":"2026-03-01T12:00:00Z",` +
			`"trigger":"schedule","created":2,"updated":0,"deleted":0,` +
			`"sendHSR":true,"newUsers":"/v1/syncs/01J/changes"}`),
	}}
	if diff := cmp.Diff(want, fake.Events()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheBusRefuses(t *testing.T) {
	t.Parallel()
	for label, test := range map[string]struct {
		codes []string
		bus   string
		calls int
		err   error
	}{
		"throttled, then taken": {[]string{"ThrottlingException", "InternalFailure"}, name, 3, nil},
		"throttled for too long": {strings.Fields(strings.Repeat("ThrottlingException ", 5)), name, 5,
			eventbridge.ErrRefused},
		"a reason that stays": {[]string{"NotAuthorizedForSourceException"}, name, 1, eventbridge.ErrRefused},
		"another bus":         {nil, "default", 1, eventbridge.ErrRefused},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			service := fakeeventbridge.New(name)
			service.Refuse(test.codes...)
			err := eventbridge.New(eventbridge.NewClient(fake.Serve(t, service)), test.bus).Publish(t.Context(),
				imported())
			if !errors.Is(err, test.err) || test.err == nil && err != nil {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if got := len(service.Calls()); got != test.calls {
				t.Errorf("%d calls, want %d", got, test.calls)
			}
			if got := len(service.Events()); (got == 1) != (test.err == nil) {
				t.Errorf("%d events were taken", got)
			}
		})
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	fake, p := start(t)
	fake.Refuse(strings.Fields(strings.Repeat("ThrottlingException ", 4))...)
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		for len(fake.Calls()) == 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel(stopped)
	}()
	if err := p.Publish(ctx, imported()); !errors.Is(err, stopped) {
		t.Errorf("error %v, want %v", err, stopped)
	}
}

func TestLengthsOfEvents(t *testing.T) {
	t.Parallel()
	fake, p := start(t)
	e := imported()
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		t.Fatal(err)
	}
	room := 256<<10 - 14 - len("rollcall") - len("Users Imported") - len(detail) - len(`,"message":""`)
	for message, want := range map[string]error{strings.Repeat("x", room): nil,
		strings.Repeat("x", room+1): eventbridge.ErrTooLarge} {
		detail := e.Detail.(events.Sync)
		detail.Message = message
		e.Detail = detail
		if err := p.Publish(t.Context(), e); !errors.Is(err, want) {
			t.Errorf("%d bytes: error %v, want %v", len(message), err, want)
		}
	}
	if got := len(fake.Calls()); got != 1 {
		t.Errorf("%d calls, want one: what is too long is not sent", got)
	}
}

//nolint:paralleltest // it sets the environment
func TestTheEndpointComesFromTheEnvironment(t *testing.T) {
	service := fakeeventbridge.New(name)
	p := eventbridge.New(eventbridge.NewClient(fake.FromEnvironment(t, "AWS_ENDPOINT_URL_EVENTBRIDGE", service)), name)
	if err := p.Publish(t.Context(), imported()); err != nil {
		t.Error(err)
	}
}
