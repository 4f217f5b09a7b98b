package extract

import (
	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// aliasEntry is a CommuniGate Pro alias: an entry of its own, whose aliasedObjectName is the account's DN.
type aliasEntry struct {
	dn, address, target string
}

func (r *Rules) isAlias(a *attributes) bool {
	return r.server == settings.CommuniGate && a.hasClass("alias")
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

// accountAddress makes an address of an account's uid and the cn above it, which is its domain, in the case in which
// the directory shows them.
func accountAddress(uid, dn []byte) string {
	_, parent := splitDN(shown(dn))
	domain := commonName(parent)
	if domain == "" || len(uid) == 0 {
		return ""
	}
	return shortened(uid, maxValue) + "@" + domain
}

// joinAliases gives each alias entry's address to the account that it points to.
func (c *Collector) joinAliases() {
	chains := aliasChains{next: make(map[string]string, len(c.pending)), isEnd: c.isAccount}
	for _, p := range c.pending {
		chains.next[normalDN(p.dn)] = p.target
	}
	for _, p := range c.pending {
		e := &directory.Entry{DN: []byte(p.dn)}
		c.dn = p.dn
		v := value{text: []byte(p.address)}
		target := chains.end(p.target)
		if account, ok := c.accounts[target]; ok {
			c.joinAlias(e, p, account)
		} else if out, left := c.leftOut[target]; left {
			c.skip(e, v, out.primary, out.typ, out.reason, "", out.present)
		} else if target == circle {
			c.skip(e, v, "", user.TypeUnknown, address.ReasonAliasCircle, "it points to "+p.target, true)
		} else {
			c.skip(e, v, "", user.TypeUnknown, address.ReasonDanglingAlias, "it points to "+target, true)
		}
	}
	c.pending = nil
}

// isAccount reports whether a normalised DN is that of an account, imported or left out.
func (c *Collector) isAccount(dn string) bool {
	_, account := c.accounts[dn]
	_, left := c.leftOut[dn]
	return account || left
}

// aliasChains follows alias entries that point to each other, by their normalised DNs.
type aliasChains struct {
	// next is where each alias points to. Once an alias was followed it is the end of its chain: each is passed once,
	// however long the chains of a hostile directory are.
	next  map[string]string
	isEnd func(dn string) bool
	path  []string
}

// circle stands for the end of a chain that leads back into itself. No DN is like it.
const circle = "\x00"

// end returns the DN at the end of a chain that begins at dn, or circle.
func (c *aliasChains) end(dn string) string {
	c.path = c.path[:0]
	for !c.isEnd(dn) {
		next, ok := c.next[dn]
		if !ok {
			break
		}
		// Whoever comes here again on the way goes in a circle.
		c.path, c.next[dn] = append(c.path, dn), circle
		dn = next
	}
	for _, passed := range c.path {
		c.next[passed] = dn
	}
	return dn
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
