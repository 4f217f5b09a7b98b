package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Normalised returns the connection as it is stored: without stray spaces, the hosts in lower case, without final dots
// and with ", " between them.
func (c Connection) Normalised() Connection {
	c.Host = strings.Join(c.Hosts(), ", ")
	c.Username = strings.TrimSpace(c.Username)
	c.CACertificate = strings.TrimSpace(c.CACertificate)
	c.TrustedCertificate = strings.ToLower(strings.TrimSpace(c.TrustedCertificate))
	switch {
	case c.Encryption == Preferred:
		c.AllowUnencrypted = true
	case c.Encryption == Required && !c.AllowUnencrypted:
		c.Encryption = ""
	}
	return c
}

// Shown returns the advanced settings with [] for every empty list.
func (a Advanced) Shown() Advanced {
	lists := []*[]string{
		&a.Attributes.Primary, &a.Attributes.Aliases, &a.Include, &a.AcceptedDomains, &a.Exclude,
	}
	for _, list := range lists {
		if *list == nil {
			*list = []string{}
		}
	}
	return a
}

// SamePasswordScope reports whether a password that was entered for o may be used for c.
func (c Connection) SamePasswordScope(o Connection) bool { return c.Target() == o.Target() }

// SamePasswordUse reports whether a password that was entered for o may be used for i: it goes to the same server,
// which proves itself by the same CA, and the same attributes are read with it. CA and attributes are compared here and
// are no part of Target, so that what is sealed stays readable.
func (i Import) SamePasswordUse(o Import) bool {
	a, b := i.Advanced.Attributes, o.Advanced.Attributes
	return i.Connection.SamePasswordScope(o.Connection) &&
		CanonicalPEM(i.Connection.CACertificate) == CanonicalPEM(o.Connection.CACertificate) &&
		slices.Equal(a.Primary, b.Primary) && slices.Equal(a.Aliases, b.Aliases) && a.ID == b.ID
}

// Target is a hash (SHA-256, hexadecimal) of where a password may be sent: hosts, port, security and username. What was
// stored before Encryption, OldTLS and TrustedCertificate came has to keep its hash, so they are in it only where they
// are set, and Preferred is what AllowUnencrypted was.
func (c Connection) Target() string {
	c = c.Normalised()
	parts := []string{
		c.Host, strconv.Itoa(c.Port), strconv.FormatBool(c.UseSSL), strconv.FormatBool(c.AllowUnencrypted), c.Username,
	}
	if c.Encryption != "" && c.Encryption != Preferred {
		parts = append(parts, "encryption="+string(c.Encryption))
	}
	if c.OldTLS {
		parts = append(parts, "oldTLS")
	}
	if c.TrustedCertificate != "" {
		parts = append(parts, c.TrustedCertificate)
	}
	if c.ConnectorID != "" {
		parts = append(parts, "connector="+c.ConnectorID)
	}
	return hash(parts...)
}

// Fingerprint is a hash (SHA-256, hexadecimal) of all that decides what a read finds: server type, hosts, port,
// security, username, CA certificate and the advanced settings, whatever the order of their lists.
func (i Import) Fingerprint() string {
	c, a := i.Connection.Normalised(), i.Advanced
	a.Include, a.AcceptedDomains, a.Exclude = sorted(a.Include), sorted(a.AcceptedDomains), sorted(a.Exclude)
	a.Attributes.Primary, a.Attributes.Aliases = slices.Clone(a.Attributes.Primary), sorted(a.Attributes.Aliases)
	if len(a.Attributes.Primary) == 0 {
		a.Attributes.Primary = nil
	}
	// The struct has no type that json cannot marshal.
	advanced, _ := json.Marshal(a)
	return hash(string(c.ServerType), c.Target(), c.CACertificate, string(advanced))
}

// sorted returns a list in lower case and order, nil where it is empty.
func sorted(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(strings.TrimSpace(s))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hash joins the parts with their lengths, so that no two lists of parts give the same text.
func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return hex.EncodeToString(h.Sum(nil))
}
