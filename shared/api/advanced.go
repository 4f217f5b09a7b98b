package api

import "rollcall/shared/settings"

// AdvancedInput is settings.Advanced as a request gives it: what is left out is the server type's default.
type AdvancedInput struct {
	SearchBase           string          `json:"searchBase" maxLength:"4096" doc:"A DN to search below; the server's default where it is empty" example:"OU=Staff,DC=example,DC=com"`
	Filter               string          `json:"filter" maxLength:"16384" doc:"An LDAP filter; the server type's default where it is empty"`
	Attributes           AttributesInput `json:"attributes" doc:"Attributes in place of the server type's"`
	Include              []string        `json:"include" maxItems:"7" doc:"The object types to import; all where it is empty"`
	AcceptedDomains      []string        `json:"acceptedDomains" maxItems:"1000" doc:"The mail domains to import, *.example.com for all below it; all where it is empty"`
	Exclude              []string        `json:"exclude" maxItems:"10000" doc:"Addresses, *@domain, or *.domain, that imports never create, change or remove" example:"*@test.example.com"`
	CollapseAliasDomains bool            `json:"collapseAliasDomains" doc:"Skip an alias whose part before the @ is its own primary's"`
	SkipDisabled         bool            `json:"skipDisabled" doc:"Skip accounts that are disabled in Active Directory"`
}

// AttributesInput is settings.Attributes as a request gives it.
type AttributesInput struct {
	Primary []string `json:"primary" maxItems:"16" doc:"Attributes that hold the primary address, by a name or OID of the server's schema"`
	Aliases []string `json:"aliases" maxItems:"16" doc:"Attributes that hold the aliases, by a name or OID of the server's schema"`
	ID      string   `json:"id" doc:"The attribute that holds an entry's stable id"`
}

// AdvancedOf is settings as a request would give them.
func AdvancedOf(a *settings.Advanced) *AdvancedInput {
	if a == nil {
		return nil
	}
	return &AdvancedInput{
		SearchBase: a.SearchBase, Filter: a.Filter, Attributes: AttributesInput(a.Attributes), Include: a.Include,
		AcceptedDomains: a.AcceptedDomains, Exclude: a.Exclude, CollapseAliasDomains: a.CollapseAliasDomains,
		SkipDisabled: a.SkipDisabled,
	}
}

// Settings returns the settings as the importer takes them, nil for nil.
func (in *AdvancedInput) Settings() *settings.Advanced {
	if in == nil {
		return nil
	}
	return &settings.Advanced{
		SearchBase: in.SearchBase, Filter: in.Filter, Attributes: settings.Attributes(in.Attributes),
		Include: in.Include, AcceptedDomains: in.AcceptedDomains, Exclude: in.Exclude,
		CollapseAliasDomains: in.CollapseAliasDomains, SkipDisabled: in.SkipDisabled,
	}
}
