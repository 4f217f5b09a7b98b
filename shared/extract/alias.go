package extract

import (
	"strings"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// maxHops bounds how many alias entries one alias may go through.
const maxHops = 8

// aliasEntry is a CommuniGate Pro alias: an entry of its own, whose aliasedObjectName is the account's DN.
type aliasEntry struct {
	dn, address, target string
}

// leftOutAccount is an account that is not imported, and why: its aliases are not either.
type leftOutAccount struct {
	primary string
	typ     user.Type
	reason  address.Reason
	present bool
}

// leaveOut remembers an account whose aliases may still come, as entries of their own.
func (c *Collector) leaveOut(e *directory.Entry, account leftOutAccount) {
	if c.rules.server == settings.CommuniGate {
		dn := normalDN(shortened(e.DN, maxDN))
		c.leftOut[dn] = account
		c.texts += pendingSize + int64(len(dn)+len(account.primary))
	}
}

func (c *Collector) addAlias(e *directory.Entry) {
	alias := aliasEntry{
		dn:      shown(e.DN),
		address: accountAddress(c.attributes.first(slotUID), e.DN),
		target:  normalDN(shortened(c.attributes.first(slotAliasedObjectName), maxDN)),
	}
	c.pending = append(c.pending, alias)
	// While the aliases are joined, the DN is in a map too, and a row may say where the alias points to.
	c.texts += pendingSize + skippedSize + int64(2*len(alias.dn)+3*len(alias.address)+2*len(alias.target))
}

// accountAddress makes an address of an account's uid and the cn above it, which is its domain.
func accountAddress(uid, dn []byte) string {
	_, rest, ok := strings.Cut(normalDN(shown(dn)), ",")
	if !ok || len(uid) == 0 {
		return ""
	}
	parent, _, _ := strings.Cut(rest, ",")
	domain, ok := strings.CutPrefix(parent, "cn=")
	if !ok {
		return ""
	}
	return shortened(uid, maxValue) + "@" + domain
}

// joinAliases gives each alias entry's address to the account that it points to.
func (c *Collector) joinAliases() {
	targets := make(map[string]string, len(c.pending))
	for _, p := range c.pending {
		targets[normalDN(p.dn)] = p.target
	}
	for _, p := range c.pending {
		e := &directory.Entry{DN: []byte(p.dn)}
		c.dn = p.dn
		target := p.target
		account, ok := c.accounts[target]
		for hop := 0; !ok && hop < maxHops && targets[target] != ""; hop++ {
			target = targets[target]
			account, ok = c.accounts[target]
		}
		if out, left := c.leftOut[target]; !ok && left {
			c.skip(e, value{text: []byte(p.address)}, out.primary, out.typ, out.reason, "", out.present)
			continue
		}
		if !ok {
			c.skip(e, value{text: []byte(p.address)}, "", user.TypeUnknown, address.ReasonDanglingAlias,
				"it points to "+p.target, true)
			continue
		}
		c.joinAlias(e, p, account)
	}
	c.pending = nil
}

func (c *Collector) joinAlias(e *directory.Entry, p aliasEntry, account uint32) {
	owner := c.entries.at(int(account))
	primary := address.Address{Key: c.arena.get(owner.primaryKey), Display: c.arena.get(owner.primary)}
	v := value{text: []byte(p.address)}
	alias, err := address.Parse(p.address)
	switch {
	case err != nil:
		c.skip(e, v, primary.Display, typeCodes[owner.typ], address.ReasonInvalid, err.Error(), true)
	case alias.Key == primary.Key:
	case c.rules.collapse && address.Local(alias.Key) == address.Local(primary.Key):
		c.skip(e, v, primary.Display, typeCodes[owner.typ], address.ReasonCollapsed, "", false)
	default:
		c.claim(e, account, v, alias, primary)
	}
}
