package e2e

import (
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"

	"rollcall/local/demo/ldapd"
	"rollcall/local/demo/ldif"
)

const chaosReader, chaosPassword = "CN=reader,DC=example,DC=com", "chaos"

// hire adds somebody to the directory.
func (c *chaos) hire() {
	c.people[c.nextID] = fmt.Sprintf("person%d@example.com", c.nextID)
	c.nextID++
}

// serve starts the directory as it is now, in place of the one before.
func (c *chaos) serve() {
	c.t.Helper()
	if c.server != nil {
		c.server.Close()
	}
	c.server, c.target = c.directory()
}

// directory starts a directory that has the people of now.
func (c *chaos) directory() (server *ldapd.Server, address string) {
	c.t.Helper()
	var entries []ldif.Entry
	for _, id := range slices.Sorted(maps.Keys(c.people)) {
		e := ldif.Entry{DN: fmt.Sprintf("CN=person %d,DC=example,DC=com", id)}
		e.Add("objectClass", "top", "person", "organizationalPerson", "user")
		e.Add("objectGUID", fmt.Sprintf("%016d", id))
		e.Add("proxyAddresses", "SMTP:"+c.people[id], fmt.Sprintf("smtp:alias%d@example.com", id))
		entries = append(entries, e)
	}
	root := ldif.Entry{DN: "DC=example,DC=com"}
	root.Add("objectClass", "top", "domain")
	secure, err := c.trust.ServerTLS("127.0.0.1")
	if err != nil {
		c.t.Fatal(err)
	}
	server, err = ldapd.New(ldapd.Config{
		TLS:      secure,
		Entries:  append(entries, root),
		Accounts: []ldapd.Account{{DN: chaosReader, Password: chaosPassword}},
		Log:      slog.New(slog.DiscardHandler),
		RootDSE: ldif.Entry{Attributes: []ldif.Attribute{
			{Name: "objectClass", Values: []string{"top"}},
			{Name: "defaultNamingContext", Values: []string{"DC=example,DC=com"}},
			{Name: "supportedControl", Values: []string{"1.2.840.113556.1.4.319"}},
		}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	server.Serve(listener)
	return server, listener.Addr().String()
}

// The ways in which a connection is protected.
var protections = []object{
	{"allowUnencrypted": true}, {"useSSL": true}, {}, // the last is STARTTLS
}

// connection leads to a directory on a port.
func (c *chaos) connection(port any, protection object) object {
	own := object{
		"serverType": "exchange", "host": "127.0.0.1", "port": port, "caCertificate": c.trust.PEM(),
		"username": chaosReader, "password": chaosPassword,
	}
	maps.Copy(own, protection)
	return own
}

// unharmed holds the addresses of a preview to those of the directory.
func (c *chaos) unharmed(preview string) {
	c.t.Helper()
	there := make(map[string]bool)
	for id, primary := range c.people {
		there[primary], there[fmt.Sprintf("alias%d@example.com", id)] = true, true
	}
	for _, row := range c.p.list("/v1/previews/"+preview+"/addresses", nil) {
		if row.text("change") == "create" && !there[strings.ToLower(row.text("address"))] {
			c.t.Errorf("a bit turned under TLS made the address %s", row.text("address"))
		}
	}
}
