package extract

import (
	"fmt"
	"strings"

	"rollcall/shared/address"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// Rules say how the entries of one directory become addresses.
type Rules struct {
	server   settings.ServerType
	primary  []slot
	aliases  []slot
	id       []slot
	override settings.Attributes
	filter   string
	include  map[user.Type]bool
	accepted address.Domains
	collapse bool
	disabled bool
	// slots finds an attribute by its lower-case name, and names is its inverse.
	slots map[string]slot
	names []string
}

// NewRules returns the rules for a server type and the advanced settings; Check names what is wrong with those.
func NewRules(server settings.ServerType, a settings.Advanced) (*Rules, error) {
	if wrong, _ := address.Check(a); len(wrong) > 0 {
		return nil, fmt.Errorf("%s: %s", wrong[0].Field, wrong[0].Message)
	}
	r := &Rules{
		server: server, override: a.Attributes, filter: a.Filter,
		collapse: a.CollapseAliasDomains, disabled: a.SkipDisabled,
		include: make(map[user.Type]bool), slots: make(map[string]slot),
	}
	r.slotsOf(slotNames[:])
	r.primary, r.aliases = r.slotsOf(a.Attributes.Primary), r.slotsOf(a.Attributes.Aliases)
	r.id = []slot{slotObjectGUID, slotEntryUUID, slotGUID}
	if a.Attributes.ID != "" {
		r.id = r.slotsOf([]string{a.Attributes.ID})
	}
	if len(r.aliases) == 0 && server == settings.Exchange {
		r.aliases = []slot{slotProxyAddresses, slotOtherMailbox}
	}
	for _, t := range a.Include {
		r.include[user.Type(t)] = true
	}
	accepted, err := address.ParseDomains(a.AcceptedDomains)
	if err != nil {
		return nil, fmt.Errorf("advanced.acceptedDomains: %w", err)
	}
	r.accepted = accepted
	return r, nil
}

// slotsOf returns the slots of attributes, making those that are missing.
func (r *Rules) slotsOf(names []string) []slot {
	out := make([]slot, len(names))
	for i, n := range names {
		n = strings.ToLower(n)
		s, known := r.slots[n]
		if !known {
			s = slot(len(r.names))
			r.slots[n], r.names = s, append(r.names, n)
		}
		out[i] = s
	}
	return out
}

// Attributes lists the attributes that a search must ask for.
func (r *Rules) Attributes() []string {
	names := []string{"objectClass"}
	switch r.server {
	case settings.Exchange:
		names = append(names, "mail", "proxyAddresses", "rfc822Mailbox", "otherMailbox", "objectGUID",
			"msExchRecipientTypeDetails", "msExchHideFromAddressLists", "userAccountControl")
	case settings.CommuniGate:
		names = append(names, "mail", "uid", "aliasedObjectName")
	case settings.GroupWise:
		names = append(names, "mail", "GUID")
	}
	names = append(names, "entryUUID")
	names = append(names, r.Named()...)
	seen := make(map[string]bool)
	distinct := names[:0]
	for _, n := range names {
		if key := strings.ToLower(n); !seen[key] {
			seen[key] = true
			distinct = append(distinct, n)
		}
	}
	return distinct
}

// Named lists the attributes that the settings name. They may be OIDs or further names of an attribute.
func (r *Rules) Named() []string {
	names := r.overrides()
	if r.override.ID != "" {
		names = append(names, r.override.ID)
	}
	return names
}
