package api

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/address"
	"rollcall/shared/importer"
	"rollcall/shared/plan"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// FilterInput is what every list of addresses takes.
type FilterInput struct {
	Type   []string `query:"type,explode" enum:"user,contact,group,publicFolder,resource,shared,unknown" maxItems:"50" doc:"Repeat it for several"`
	Domain []string `query:"domain,explode" maxItems:"50" doc:"The domain of the address; repeat it for several"`
	Prefix string   `query:"prefix" maxLength:"320" doc:"What the address begins with, without regard to case: found at once, however many there are. Of a domain with letters beyond ASCII whole labels only"`
	PageInput
}

// ReasonInput is what the lists take whose rows have reasons.
type ReasonInput struct {
	Reason []string `query:"reason,explode" maxItems:"50" doc:"The whole reason, as rows have it; repeat it for several"`
}

// Texts is a text, or a list of them.
type Texts []string

// maxTexts is how many a list may have.
const maxTexts = 50

// Schema describes both.
func (Texts) Schema(huma.Registry) *huma.Schema {
	most := maxTexts
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString},
		{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}, MaxItems: &most},
	}}
}

// UnmarshalJSON reads both.
func (t *Texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = Texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// UsersFilter says what an export of the Users List prints.
type UsersFilter struct {
	Type   Texts  `json:"type,omitempty" doc:"One, or a list: user, contact, group, publicFolder, resource, shared, unknown"`
	Domain Texts  `json:"domain,omitempty" doc:"The domain of the address, or a list"`
	Prefix string `json:"prefix,omitempty" maxLength:"320" doc:"What the address begins with, without regard to case" example:"info@"`
	Q      string `json:"q,omitempty" maxLength:"320" doc:"A substring, without regard to case"`
}

// Filter is the filter, or nil where it chooses everything.
func (in *UsersFilter) Filter() (*run.Filter, error) {
	if in == nil {
		return nil, nil
	}
	return exported(Asked{Type: in.Type, Domain: in.Domain, Prefix: in.Prefix, Q: in.Q})
}

// RowsFilter says what an export of a preview prints.
type RowsFilter struct {
	UsersFilter
	Reason  Texts  `json:"reason,omitempty" doc:"The whole reason, as rows have it, or a list"`
	Change  Texts  `json:"change,omitempty" doc:"One, or a list: create, update, delete, unchanged, skipped"`
	Kind    Texts  `json:"kind,omitempty" doc:"One, or a list: primary, alias"`
	Primary string `json:"primary,omitempty" maxLength:"320" doc:"A primary address: its row and its aliases'"`
}

// Filter is the filter, or nil where it chooses everything.
func (in *RowsFilter) Filter() (*run.Filter, error) {
	if in == nil {
		return nil, nil
	}
	return exported(in.asked())
}

func (in *RowsFilter) asked() Asked {
	return Asked{
		Type: in.Type, Domain: in.Domain, Prefix: in.Prefix, Q: in.Q, Reason: in.Reason, Change: in.Change,
		Kind: in.Kind, Primary: in.Primary,
	}
}

// ChangesFilter says what an export of a sync's changes prints. What the plan skipped is printed where Change names it.
type ChangesFilter struct {
	RowsFilter
	Outcome Texts `json:"outcome,omitempty" doc:"One, or a list: applied, already, conflict, pending"`
}

// Filter is the filter, or nil where it chooses everything.
func (in *ChangesFilter) Filter() (*run.Filter, error) {
	if in == nil {
		return nil, nil
	}
	asked := in.asked()
	asked.Outcome = in.Outcome
	return exported(asked)
}

// exported is what an export is to print, nil for everything.
func exported(asked Asked) (*run.Filter, error) {
	f, err := asked.Filter()
	if err != nil || isWhole(f) {
		return nil, err
	}
	return &f, nil
}

// isWhole reports whether a filter chooses everything.
func isWhole(f run.Filter) bool {
	return f.Q == "" && f.Prefix == "" && f.Primary == "" && len(f.Types)+len(f.Domains)+len(f.Reasons)+
		len(f.Changes)+len(f.Kinds)+len(f.Outcomes) == 0
}

// Asked is a filter as a request gives it.
type Asked struct {
	Q, Prefix, Primary                          string
	Type, Domain, Reason, Change, Kind, Outcome []string
}

// Filter returns the filter with canonical addresses and domains, or an Invalid error that names each wrong field.
func (in Asked) Filter() (run.Filter, error) {
	f := run.Filter{
		Q: strings.TrimSpace(in.Q), Types: run.Texts[user.Type](in.Type), Kinds: run.Texts[user.Kind](in.Kind),
		Reasons: in.Reason, Changes: in.Change, Outcomes: in.Outcome,
	}
	var wrong []settings.FieldError
	add := func(field, message string) {
		wrong = append(wrong, settings.FieldError{Field: field, Message: message})
	}
	for _, list := range []struct {
		name         string
		got, allowed []string
	}{
		{"type", in.Type, run.Texts[string](user.Types())}, {"kind", in.Kind, run.Texts[string](user.Kinds())},
		{"change", in.Change, run.Texts[string](plan.Changes())}, {"outcome", in.Outcome, importer.Outcomes()},
	} {
		for _, value := range list.got {
			if !slices.Contains(list.allowed, value) {
				add(list.name, "must be one of "+strings.Join(list.allowed, ", "))
				break
			}
		}
	}
	for _, text := range in.Domain {
		domain, err := address.CanonicalDomain(strings.TrimSpace(text))
		if err != nil {
			add("domain", strings.Replace(err.Error(), "has a domain that", "is a domain that", 1))
			break
		}
		f.Domains = append(f.Domains, domain)
	}
	var err error
	if f.Prefix, err = address.KeyPrefix(in.Prefix); err != nil {
		add("prefix", err.Error())
	}
	if in.Primary != "" {
		if f.Primary, err = address.Canonical(in.Primary); err != nil {
			add("primary", err.Error())
		}
	}
	if len(wrong) > 0 {
		return f, importer.InvalidFields(wrong...)
	}
	return f, nil
}
