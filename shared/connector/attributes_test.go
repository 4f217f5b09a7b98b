package connector_test

import (
	"errors"
	"slices"
	"testing"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/settings"
)

// Without a word on site every server type's read is handed over, and nothing besides.
func TestDefaultAttributesAreWhatImportsRead(t *testing.T) {
	t.Parallel()
	allowed := connector.Allowed(connector.DefaultAttributes())
	var read []string
	for _, server := range settings.ServerTypes() {
		rules, err := extract.NewRules(server, settings.Advanced{})
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, rules.Attributes()...)
		q := directory.Query{Attributes: rules.Attributes(), Named: rules.Named()}
		if err := allowed.Check(connector.Request{Query: &q}); err != nil {
			t.Errorf("%s: %v", server, err)
		}
	}
	for _, name := range connector.DefaultAttributes() {
		if !slices.Contains(read, name) {
			t.Errorf("%s is handed over and never read", name)
		}
	}
}

func TestOnlyAllowedAttributesAreHandedOver(t *testing.T) {
	t.Parallel()
	allowed := connector.Allowed(append(connector.DefaultAttributes(), "employeeMail", "userPassword"))
	for name, c := range map[string]struct {
		request connector.Request
		ok      bool
	}{
		"a default one":      {query("mail"), true},
		"in another case":    {query("MAIL"), true},
		"one that was added": {query("employeemail"), true},
		"another":            {query("mail", "homePhone"), false},
		"all":                {query("*"), false},
		"all operational":    {query("+"), false},
		"by its OID":         {query("0.9.2342.19200300.100.1.3"), false},
		"one of a secret":    {query("userPassword"), false},
		"one with an option": {query("userPassword;binary"), false},
		"one that is named": {connector.Request{Query: &directory.Query{Attributes: []string{"mail"},
			Named: []string{"homePhone"}}}, false},
		"one that is compared": {connector.Request{Question: &directory.Question{Attributes: []string{"mail"},
			Any: []directory.Comparison{{Attribute: "homePhone", Value: "1"}}}}, false},
		"one that is followed": {connector.Request{Question: &directory.Question{Attributes: []string{"mail"},
			Follow: "manager"}}, false},
		"a question": {connector.Request{Question: &directory.Question{Attributes: []string{"mail", "uid"},
			Any: []directory.Comparison{{Attribute: "mail", Value: "a@example.com"}}}}, true},
	} {
		var e *directory.Error
		err := allowed.Check(c.request)
		if c.ok != (err == nil) || !c.ok && (!errors.As(err, &e) || e.Code != connector.CodeRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e := directory.Entry{Attributes: []directory.Attribute{{Name: "mail"}, {Name: "homePhone"}, {Name: "mail;lang-de"},
		{Name: "userPassword"}}}
	allowed.Keep(&e)
	if len(e.Attributes) != 2 || e.Attributes[0].Name != "mail" || e.Attributes[1].Name != "mail;lang-de" {
		t.Errorf("kept %v", e.Attributes)
	}
}

func query(names ...string) connector.Request {
	return connector.Request{Query: &directory.Query{Attributes: names}}
}
