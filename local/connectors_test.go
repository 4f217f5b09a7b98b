package main

import (
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"rollcall/shared/connector"
)

// enrolled is a connector's instance that a test speaks for.
type enrolled struct {
	*caller
	key ed25519.PrivateKey
}

// enrol makes an instance known by a code.
func (c *caller) enrol(code string) enrolled {
	c.t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	e := enrolled{c, key}
	e.post(http.StatusCreated, connector.PathEnrol, connector.Enrol{Code: code, PublicKey: public, Name: "srv"}, nil)
	return e
}

// post sends a signed request.
func (e enrolled) post(want int, path string, in, out any) {
	e.t.Helper()
	r, err := connector.NewRequest(e.t.Context(), e.base+path, in, e.key, time.Now())
	if err != nil {
		e.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		e.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != want {
		e.t.Fatalf("%s: status %d, want %d", path, answer.StatusCode, want)
	}
	if out != nil {
		if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
			e.t.Fatal(err)
		}
	}
}

// connector walks the routes of connectors, and what refers to one. body is a request with a connection.
func (c *caller) connector(body map[string]any) (id string) {
	c.t.Helper()
	c.call(422, "POST /v1/connectors", "", map[string]any{"name": " "})
	first := c.call(201, "POST /v1/connectors", "", map[string]any{"name": "HQ"})
	c.call(422, "POST /v1/connectors", "", map[string]any{"name": "hq"})
	id, _ = first["id"].(string)
	second := c.call(201, "POST /v1/connectors/{id}/code", id, nil)
	if second["enrolmentCode"] == first["enrolmentCode"] {
		c.t.Error("two instances get one code")
	}
	c.state(id, "waiting")
	code, _ := first["enrolmentCode"].(string)
	target := connector.Target{Host: "dc1.example.com", Port: 389, Username: "reader"}
	var answer connector.Polled
	instance := c.enrol(code)
	instance.post(http.StatusOK, connector.PathPoll, connector.Poll{Version: "1", Targets: []connector.Target{target}},
		&answer)
	if answer.WaitSeconds != 15 {
		c.t.Errorf("an idle connector is to wait %d s", answer.WaitSeconds)
	}
	c.state(id, "online")

	connection, _ := body["connection"].(map[string]any)
	through := map[string]any{"serverType": connection["serverType"], "host": target.Host, "port": target.Port,
		"username": target.Username, "connectorId": id}
	c.wrong(through, "password", "secret")
	c.wrong(through, "connectorId", "01M8NOSUCHCONNECTOR0000000")
	other := *c
	other.account = "stranger"
	other.wrong(through, "connectorId", id)
	saved := c.send(200, "PUT", "/v1/settings", map[string]any{"connection": through})
	if shown, _ := saved["connection"].(map[string]any); shown["connectorId"] != id || shown["passwordSet"] != false {
		c.t.Errorf("saved %v", saved["connection"])
	}
	for field, value := range map[string]string{"password": "secret", "connectorId": "01M8NOSUCHCONNECTOR0000000"} {
		patch := map[string]any{"connection": map[string]any{field: value}}
		c.refused("PATCH", "/v1/settings", patch, "connection."+field)
	}
	preview, _ := c.send(202, "POST", "/v1/previews", map[string]any{"connection": through})["id"].(string)
	for deadline := time.Now().Add(10 * time.Second); answer.Order == nil && time.Now().Before(deadline); {
		instance.post(http.StatusOK, connector.PathPoll, connector.Poll{Targets: []connector.Target{target}}, &answer)
	}
	if answer.Order == nil || answer.Order.Request.Connection.Host != target.Host {
		c.t.Fatalf("the connector was asked for %+v", answer.Order)
	}
	c.send(200, "POST", "/v1/previews/"+preview+"/cancel", nil)
	c.wait("/v1/previews/" + preview)
	instance.post(http.StatusConflict, connector.PathFinish, connector.Finish{Order: answer.Order.ID, Attempt: 1,
		Sealed: connector.Sealed{Blocks: 1, Bytes: 1, SHA256: make([]byte, 32)}}, nil)
	return id
}

// wrong sends a connection with one field changed to each route that takes one, which has to name the field.
func (c *caller) wrong(through map[string]any, field string, value any) {
	c.t.Helper()
	connection := map[string]any{field: value}
	for name, v := range through {
		if name != field {
			connection[name] = v
		}
	}
	for _, route := range [][2]string{
		{"POST", "/v1/previews"}, {"PUT", "/v1/settings"}, {"POST", "/v1/explanations"},
	} {
		request := map[string]any{"connection": connection}
		if route[1] == "/v1/explanations" {
			request["address"] = "a@example.com"
		}
		c.refused(route[0], route[1], request, "connection."+field)
	}
}

// refused sends a request that has to be refused for one field.
func (c *caller) refused(method, path string, request any, field string) {
	c.t.Helper()
	answer := c.send(422, method, path, request)
	if errors, _ := answer["errors"].([]any); len(errors) != 1 || errors[0].(map[string]any)["field"] != field {
		c.t.Errorf("%s %s with %v answers %v, want an error of %s", method, path, request, answer, field)
	}
}

func (c *caller) state(id, want string) {
	c.t.Helper()
	list := c.send(200, "GET", "/v1/connectors", nil)
	if want == "online" {
		list = c.call(200, "GET /v1/connectors", "", nil)
	}
	items, _ := list["items"].([]any)
	if len(items) != 1 || items[0].(map[string]any)["id"] != id || items[0].(map[string]any)["state"] != want {
		c.t.Errorf("the connectors are %v, want %s as %s", items, id, want)
	}
}

// revoke revokes a connector, also where a stranger tried before.
func (c *caller) revoke(id string) {
	c.t.Helper()
	c.call(204, "DELETE /v1/connectors/{id}", id, nil)
	c.send(404, "DELETE", "/v1/connectors/"+id, nil)
	if items, _ := c.send(200, "GET", "/v1/connectors", nil)["items"].([]any); len(items) != 0 {
		c.t.Errorf("after it was revoked there is %v", items)
	}
}

// TestConnectorsRequestsNeedASignature sends what is no connector's.
func TestConnectorsRequestsNeedASignature(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir())
	if answer := c.send(401, "POST", connector.PathPoll, map[string]any{}); answer["code"] != "unauthenticated" {
		t.Errorf("without a signature: %v", answer)
	}
}
