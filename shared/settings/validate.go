package settings

import (
	"fmt"
	"regexp"
	"slices"
)

// The longest values that the fields take, in bytes.
const (
	maxUsername   = 1024
	maxPassword   = 1024
	maxAttributes = 16
)

// The limits of options and schedules.
const (
	MinInterval = 1
	MaxInterval = 24
	MinQuick    = 5
	MaxQuick    = 60
)

// ValidInterval reports whether a schedule may have an interval of so many hours.
func ValidInterval(hours int) bool { return MinInterval <= hours && hours <= MaxInterval }

// ValidQuick reports whether a schedule may look every so many minutes, 0 for never.
func ValidQuick(minutes int) bool { return minutes == 0 || MinQuick <= minutes && minutes <= MaxQuick }

// checker collects the wrong fields below one JSON path.
type checker struct {
	path   string
	errors []FieldError
}

func (k *checker) add(field, format string, args ...any) {
	k.errors = append(k.errors, FieldError{Field: k.path + field, Message: fmt.Sprintf(format, args...)})
}

// Validate lists every wrong field of a connection, by its JSON path below "connection". Package directory checks the
// certificate and labels outside ASCII.
func (c Connection) Validate() []FieldError {
	k := &checker{path: "connection."}
	if !slices.Contains(ServerTypes(), c.ServerType) {
		k.add("serverType", "must be one of exchange, communigate, groupwise")
	}
	k.hosts(c)
	if c.Port < 1 || c.Port > 65535 {
		k.add("port", "must be 1 to 65535; LDAP uses 389, or 636 with SSL")
	}
	if len(c.Username) > maxUsername {
		k.add("username", "is longer than %d bytes", maxUsername)
	}
	switch {
	case len(c.Password.Reveal()) > maxPassword:
		k.add("password", "is longer than %d bytes", maxPassword)
	case c.ConnectorID != "" && !c.Password.Empty():
		k.add("password", "leave it out: the password stays with the connector. Enter it there")
	case c.Username == "" && !c.Password.Empty():
		k.add("username", "is missing: enter whose password this is, or leave the password empty to read anonymously")
	}
	k.encryption(c)
	return k.errors
}

// descriptor is an attribute description's name (RFC 4512, 1.4): a short name or a dotted OID.
var descriptor = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)$`)

// Validate lists the advanced settings' wrong attribute names by their JSON path below "advanced". Package address
// checks the addresses and domains in them, package directory the search base and the filter.
func (a Attributes) Validate() []FieldError {
	k := &checker{path: "advanced.attributes."}
	for _, list := range []struct {
		field string
		names []string
	}{{"primary", a.Primary}, {"aliases", a.Aliases}} {
		if len(list.names) > maxAttributes {
			k.add(list.field, "has more than %d names", maxAttributes)
		}
		for i, name := range list.names[:min(len(list.names), maxAttributes)] {
			k.attribute(fmt.Sprintf("%s[%d]", list.field, i), name, "mail or 1.2.840.113556.1.2.210")
		}
	}
	if a.ID != "" {
		k.attribute("id", a.ID, "entryUUID")
	}
	return k.errors
}

// attribute checks the name of an attribute; example is one that would be right.
func (k *checker) attribute(field, name, example string) {
	switch {
	case !descriptor.MatchString(name):
		k.add(field, "%q is no attribute name; it looks like %s", name, example)
	case IsSecretAttribute(name):
		k.add(field, "%q holds passwords or keys, which are never read", name)
	}
}

// Validate lists every wrong field of the options, by its JSON path below "options".
func (o Options) Validate() []FieldError {
	k := &checker{path: "options."}
	if o.RemoveScope != RemoveAll && o.RemoveScope != RemoveImported {
		k.add("removeScope", "must be all or imported")
	}
	if o.RemovalLimit.Percent < 0 || o.RemovalLimit.Percent > 100 {
		k.add("removalLimit.percent", "must be 0 to 100")
	}
	if o.RemovalLimit.Count < 0 {
		k.add("removalLimit.count", "must be 0 or more")
	}
	return k.errors
}
