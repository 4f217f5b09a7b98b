package importer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

const (
	// maxConnectors is how many connectors an account may have, maxInstances how many instances of one, and maxCodes
	// how many codes of one may be open.
	maxConnectors = 20
	maxInstances  = 10
	maxCodes      = 10
	// maxConnectorName bounds a name in bytes.
	maxConnectorName = 100
	// onlineFor is how long an instance counts as online after it was seen: three polls.
	onlineFor = 45 * time.Second
	// holdsFor is how long a run waits for an instance that is away and has the password, rather than ask another one:
	// a machine that was taken out of service does not come back with it.
	holdsFor = 24 * time.Hour
)

// EnrolmentCode lets one instance of a connector enrol until a time.
type EnrolmentCode struct {
	Code      string
	ExpiresAt time.Time
}

// ConnectorState says whether a connector can be asked.
type ConnectorState string

// The states of a connector.
const (
	// ConnectorWaiting: no instance has enrolled.
	ConnectorWaiting ConnectorState = "waiting"
	ConnectorOnline  ConnectorState = "online"
	ConnectorOffline ConnectorState = "offline"
)

// StateOf is a connector's state at a time.
func StateOf(c *connectors.Connector, now time.Time) ConnectorState {
	switch {
	case len(c.Instances) == 0:
		return ConnectorWaiting
	case anyOnline(c.Instances, now):
		return ConnectorOnline
	}
	return ConnectorOffline
}

func anyOnline(instances []connectors.Instance, now time.Time) bool {
	return slices.ContainsFunc(instances, func(i connectors.Instance) bool { return now.Sub(i.LastSeenAt) < onlineFor })
}

// Connectors returns an account's connectors, the oldest first.
func (s *Service) Connectors(ctx context.Context, id run.Identity) ([]connectors.Connector, error) {
	return s.c.Connectors.For(id.Account).List(ctx)
}

// CheckConnectorName says what is wrong with a name whatever the others are called.
func CheckConnectorName(name string) error {
	if name = strings.TrimSpace(name); name == "" || len(name) > maxConnectorName {
		return invalid(settings.FieldError{Field: "name", Message: "enter 1 to 100 bytes, such as HQ"})
	}
	return nil
}

// AddConnector adds a connector, and returns it with the code of its first instance.
func (s *Service) AddConnector(
	ctx context.Context, id run.Identity, name string,
) (c connectors.Connector, code EnrolmentCode, err error) {
	name = strings.TrimSpace(name)
	if err := CheckConnectorName(name); err != nil {
		return c, code, err
	}
	all := s.c.Connectors.For(id.Account)
	stored, err := all.List(ctx)
	if err != nil {
		return c, code, err
	}
	if len(stored) >= maxConnectors {
		return c, code, problem(Conflict, "too_many_connectors",
			"There are %d connectors. Revoke one that is not used any more.", len(stored))
	}
	if slices.ContainsFunc(stored, func(o connectors.Connector) bool { return strings.EqualFold(o.Name, name) }) {
		return c, code, invalid(settings.FieldError{Field: "name", Message: "another connector has this name"})
	}
	c = connectors.Connector{ID: s.c.NewID(), Name: name, CreatedAt: s.c.now()}
	if err := all.Create(ctx, c, s.entry(id, runs.ConnectorAdded, c.ID, map[string]string{"name": name})); err != nil {
		return c, code, err
	}
	c, code, err = s.newCode(ctx, all, c.ID, nil)
	return c, code, err
}

// NewEnrolmentCode lets another instance of a connector enrol.
func (s *Service) NewEnrolmentCode(
	ctx context.Context, id run.Identity, connectorID string,
) (connectors.Connector, EnrolmentCode, error) {
	entry := s.entry(id, runs.ConnectorCode, connectorID, nil)
	return s.newCode(ctx, s.c.Connectors.For(id.Account), connectorID, []runs.AuditEntry{entry})
}

func (s *Service) newCode(
	ctx context.Context, all connectors.Connectors, connectorID string, entries []runs.AuditEntry,
) (c connectors.Connector, code EnrolmentCode, err error) {
	code = EnrolmentCode{Code: rand.Text(), ExpiresAt: s.c.now().Add(connector.CodeLifetime)}
	hash := hashOf(code.Code)
	c, err = all.Update(ctx, connectorID, func(c *connectors.Connector) ([]runs.AuditEntry, error) {
		c.Codes = slices.DeleteFunc(c.Codes, func(o connectors.Code) bool { return !s.c.now().Before(o.ExpiresAt) })
		if len(c.Codes) >= maxCodes {
			return nil, problem(Conflict, "too_many_codes", "There are %d codes that nobody used yet. Use one of "+
				"them, or wait: each ends after %s.", len(c.Codes), connector.CodeLifetime)
		}
		c.Codes = append(c.Codes, connectors.Code{Hash: hash, ExpiresAt: code.ExpiresAt})
		return entries, nil
	})
	if err == nil {
		err = all.Name(ctx, codeName(hash), connectorID, code.ExpiresAt)
	}
	return c, code, noConnector(err, connectorID)
}

// RevokeConnector deletes a connector: none of its instances is taken at its word from then on, and the runs that wait
// for it fail.
func (s *Service) RevokeConnector(ctx context.Context, id run.Identity, connectorID string) error {
	all := s.c.Connectors.For(id.Account)
	c, err := all.Get(ctx, connectorID)
	if err == nil {
		err = all.Delete(ctx, connectorID, s.entry(id, runs.ConnectorRevoked, connectorID,
			map[string]string{"name": c.Name}))
	}
	if err != nil {
		return noConnector(err, connectorID)
	}
	for i := range c.Orders {
		if err := s.c.Queue.Send(ctx, again(&c.Orders[i])); err != nil {
			// The tick finds the run once it waited its time.
			s.c.Log.WarnContext(ctx, "a run is not told yet that its connector was revoked",
				"run", c.Orders[i].Message.RunID, "error", err)
		}
	}
	return nil
}

func noConnector(err error, id string) error {
	if errors.Is(err, connectors.ErrNotFound) {
		return problem(NotFound, "connector_not_found", "There is no connector %s.", id)
	}
	return err
}

// checkConnector refuses a connection through a connector that the account does not have.
func (s *Service) checkConnector(ctx context.Context, account user.Account, id string) error {
	_, err := s.c.Connectors.For(account).Get(ctx, id)
	if errors.Is(err, connectors.ErrNotFound) {
		return invalid(settings.FieldError{Field: "connection.connectorId",
			Message: "there is no such connector; GET /v1/connectors lists yours"})
	}
	return err
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// The names that lead to a connector.
func codeName(hash string) string   { return "code/" + hash }
func instanceName(id string) string { return "instance/" + id }
