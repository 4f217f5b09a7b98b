package address

import (
	"fmt"
	"strings"

	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// Rules say how the entries of one directory become addresses.
type Rules struct {
	server   settings.ServerType
	primary  []string
	aliases  []string
	id       []string
	override settings.Attributes
	include  map[user.Type]bool
	accepted map[string]bool
	collapse bool
	disabled bool
}

// NewRules returns the rules for a server type and the advanced settings; Check names what is wrong with those.
func NewRules(server settings.ServerType, a settings.Advanced) (*Rules, error) {
	if wrong := Check(a); len(wrong) > 0 {
		return nil, fmt.Errorf("%s: %s", wrong[0].Field, wrong[0].Message)
	}
	r := &Rules{
		server: server, override: a.Attributes, collapse: a.CollapseAliasDomains, disabled: a.SkipDisabled,
		include: make(map[user.Type]bool), accepted: make(map[string]bool),
	}
	r.primary, r.aliases = lower(a.Attributes.Primary), lower(a.Attributes.Aliases)
	r.id = []string{"objectguid", "entryuuid", "guid"}
	if a.Attributes.ID != "" {
		r.id = []string{strings.ToLower(a.Attributes.ID)}
	}
	for _, t := range a.Include {
		r.include[user.Type(t)] = true
	}
	for _, d := range a.AcceptedDomains {
		key, err := canonicalDomain(strings.TrimSpace(d))
		if err != nil {
			return nil, err
		}
		r.accepted[key] = true
	}
	return r, nil
}

func lower(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.ToLower(n)
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
	names = append(names, r.override.Primary...)
	names = append(names, r.override.Aliases...)
	if r.override.ID != "" {
		names = append(names, r.override.ID)
	}
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
