package explain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/directory"
	"rollcall/shared/importer/explain"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

const directoryID = "dc=example,dc=com"

// found is an entry as a directory gives it, in the base and matched.
func found(dn string, attributes ...string) directory.Found {
	f := directory.Found{InBase: true, Matches: true, Entry: directory.Entry{DN: []byte(dn)}}
	for _, text := range append(attributes, "objectClass: user") {
		name, value, _ := strings.Cut(text, ": ")
		i := slices.IndexFunc(f.Attributes, func(a directory.Attribute) bool { return a.Name == name })
		if i < 0 {
			i = len(f.Attributes)
			f.Attributes = append(f.Attributes, directory.Attribute{Name: name})
		}
		f.Attributes[i].Values = append(f.Attributes[i].Values, []byte(value))
	}
	return f
}

func unmatched(f directory.Found, clause string) directory.Found {
	f.Matches, f.FailedClause = false, clause
	return f
}

func outside(f directory.Found) directory.Found {
	f.InBase = false
	return f
}

// stored is a user whom an import brought from an entry.
func stored(email, dn string, change func(*user.User)) user.User {
	u := user.User{Key: email, Address: email, Kind: user.Primary, PrimaryAddress: email, Type: user.TypeUser,
		Source: user.FromDirectory, DirectoryID: directoryID, SourceID: strings.ToLower(dn), DN: dn,
		HeldSpamReport: user.ReportOff, Version: 1}
	if change != nil {
		change(&u)
	}
	return u
}

func protected(u *user.User) { u.Protected = true }

const (
	ann     = "cn=Ann,ou=Staff,dc=example,dc=com"
	annMail = "ann@example.com"
	primary = "proxyAddresses: SMTP:" + annMail
)

// cases name each verdict, with the words that a person needs to find in the sentence.
var cases = map[string]struct {
	server   settings.ServerType
	asked    run.Asked
	advanced settings.Advanced
	found    []directory.Found
	stored   []user.User
	verdict  run.Verdict
	says     string
	// rule is the first rule that fails, row the first row of the first entry.
	rule, row string
}{
	"a new address": {
		found: []directory.Found{found(ann, primary)}, verdict: run.Imported,
		says: "a primary address in " + ann + ": the next sync adds it", row: "create ann@example.com",
	},
	"an alias of a new address": {
		asked: run.Asked{Address: "A@example.com"},
		found: []directory.Found{found(ann, primary, "proxyAddresses: smtp:a@example.com")}, verdict: run.Imported,
		says: "an alias of ann@example.com", row: "create a@example.com",
	},
	"a stored address": {
		found: []directory.Found{found(ann, primary)}, stored: []user.User{stored(annMail, ann, nil)},
		verdict: run.Imported, says: "leaves it as it is", row: "unchanged ann@example.com",
	},
	"a user who changes": {
		found:   []directory.Found{found(ann, primary)},
		stored:  []user.User{stored(annMail, ann, func(u *user.User) { u.Type = user.TypeGroup })},
		verdict: run.Imported, says: "changes its user", row: "update ann@example.com",
	},
	"a protected user": {
		found:   []directory.Found{found(ann, primary)},
		stored:  []user.User{stored(annMail, ann, protected)},
		verdict: run.Imported, says: "protected", row: "unchanged ann@example.com",
	},
	"an entry whose primary is malformed": {
		asked: run.Asked{DN: ann}, found: []directory.Found{found(ann, "proxyAddresses: SMTP:a nn@@example.com")},
		verdict: run.Skipped, says: "a nn@@example.com is in " + ann + ", and is no address", rule: "invalid",
		row: "skipped a nn@@example.com",
	},
	"a protected user whose entry the filter leaves out": {
		found:   []directory.Found{unmatched(found(ann, primary), "(cn=Bob)")},
		stored:  []user.User{stored(annMail, ann, protected)},
		verdict: run.NotMatched, says: "stays there: it is protected",
	},
	"a protected user whose entry is outside the base": {
		found:   []directory.Found{outside(found(ann, primary))},
		stored:  []user.User{stored(annMail, ann, protected)},
		verdict: run.OutsideBase, says: "stays there: it is protected",
	},
	"a protected user who is excluded": {
		advanced: settings.Advanced{Exclude: []string{annMail}}, found: []directory.Found{found(ann, primary)},
		stored:  []user.User{stored(annMail, ann, protected)},
		verdict: run.LeftOut, says: "stays there: it is protected", rule: "exclude",
		row: "unchanged ann@example.com",
	},
	"a protected user of a type that is not included": {
		advanced: settings.Advanced{Include: []string{string(user.TypeGroup)}},
		found:    []directory.Found{found(ann, primary)}, stored: []user.User{stored(annMail, ann, protected)},
		verdict: run.LeftOut, says: "stays there: it is protected", rule: "include",
		row: "unchanged ann@example.com",
	},
	"two entries": {
		found: []directory.Found{found("cn=Zoe,dc=example,dc=com", "proxyAddresses: SMTP:zoe@example.com",
			"proxyAddresses: smtp:"+annMail), found(ann, primary)},
		verdict: run.Imported, says: "also in cn=Zoe,dc=example,dc=com, which does not get it",
		row: "create ann@example.com",
	},
	"the entry that loses": {
		asked: run.Asked{DN: "cn=Zoe,dc=example,dc=com"},
		found: []directory.Found{found("cn=Zoe,dc=example,dc=com", primary),
			found("cn=Bob,dc=example,dc=com", primary)},
		verdict: run.Skipped, says: "also claimed by cn=Bob,dc=example,dc=com", rule: "duplicate",
		row: "skipped ann@example.com",
	},
	"a system mailbox": {
		found: []directory.Found{found(ann, primary, "msExchRecipientTypeDetails: 536870912")}, verdict: run.Skipped,
		says: "system mailbox", rule: "systemMailbox", row: "skipped ann@example.com",
	},
	"no primary": {
		found:   []directory.Found{found(ann, "proxyAddresses: smtp:"+annMail)},
		verdict: run.Skipped, says: "no primary address", rule: "noPrimary", row: "skipped ann@example.com",
	},
	"an invisible character": {
		asked: run.Asked{Address: "an\u00adn@example.com"},
		found: []directory.Found{found(ann, "proxyAddresses: SMTP:an\u00adn@example.com")}, verdict: run.Skipped,
		says: "invisible", rule: "invalid", row: "skipped an\u00adn@example.com",
	},
	"an exclusion": {
		advanced: settings.Advanced{Exclude: []string{"x@example.com", "*@example.com"}},
		found:    []directory.Found{found(ann, primary)}, verdict: run.LeftOut,
		says: "the exclusion *@example.com", rule: "exclude", row: "skipped ann@example.com",
	},
	"an exclusion of a stored user": {
		advanced: settings.Advanced{Exclude: []string{annMail}}, found: []directory.Found{found(ann, primary)},
		stored: []user.User{stored(annMail, ann, nil)}, verdict: run.LeftOut,
		says: "It is on the Users List, and stays",
		rule: "exclude", row: "unchanged ann@example.com",
	},
	"a type": {
		advanced: settings.Advanced{Include: []string{"group", "contact"}},
		found:    []directory.Found{found(ann, primary)}, verdict: run.LeftOut, says: "a user, and Object types",
		rule: "include", row: "skipped ann@example.com",
	},
	"a domain": {
		advanced: settings.Advanced{AcceptedDomains: []string{"example.org"}},
		found:    []directory.Found{found(ann, primary)}, verdict: run.LeftOut,
		says: "Add example.com to Accepted Domains",
		rule: "acceptedDomains", row: "skipped ann@example.com",
	},
	"a disabled account": {
		advanced: settings.Advanced{SkipDisabled: true},
		found:    []directory.Found{found(ann, primary, "userAccountControl: 514")}, verdict: run.LeftOut,
		says: "whose account is disabled", rule: "skipDisabled", row: "skipped ann@example.com",
	},
	"an alias that only differs in the domain": {
		asked: run.Asked{Address: "ann@example.org"}, advanced: settings.Advanced{CollapseAliasDomains: true},
		found:   []directory.Found{found(ann, primary, "proxyAddresses: smtp:ann@example.org")},
		verdict: run.LeftOut, says: "in another domain", rule: "collapseAliasDomains", row: "skipped ann@example.org",
	},
	"left out of the filter": {
		advanced: settings.Advanced{Filter: "(department=Sales)"},
		found:    []directory.Found{unmatched(found(ann, primary), "(department=Sales)")}, verdict: run.NotMatched,
		says: "(department=Sales) does not match. Change Filter String",
	},
	"left out of the default filter": {
		found:   []directory.Found{unmatched(found(ann, primary), "(proxyAddresses=smtp:*)")},
		verdict: run.NotMatched, says: "the server type’s own filter",
	},
	"outside the base": {
		found: []directory.Found{outside(found(ann, primary))}, verdict: run.OutsideBase,
		says: "outside the search base ou=Searched,dc=example,dc=com. Change Search Base",
	},
	"one outside, one not matched": {
		found: []directory.Found{outside(found("cn=Out,dc=example,dc=com", primary)),
			unmatched(found(ann, primary), "(a=b)")},
		verdict: run.NotMatched, says: ann,
	},
	"nobody": {verdict: run.NotFound, says: "No entry of the directory"},
	"nobody, and stored": {
		stored: []user.User{stored(annMail, ann, nil)}, verdict: run.NotFound,
		says: "a sync with Remove Accounts removes it",
	},
	"nobody, and stored as an alias": {
		stored: []user.User{stored(annMail, ann, func(u *user.User) {
			u.Kind, u.PrimaryAddress = user.Alias, "boss@example.com"
		})},
		verdict: run.NotFound, says: "as an alias of boss@example.com",
	},
	"an entry that is not there": {asked: run.Asked{DN: "cn=x"}, verdict: run.NotFound, says: "no entry cn=x"},
	"an entry without an address": {
		asked: run.Asked{DN: ann}, found: []directory.Found{found(ann)}, verdict: run.Skipped,
		says: "no primary address",
		rule: "noPrimary",
	},
	"an entry": {
		asked: run.Asked{DN: ann}, found: []directory.Found{found(ann, primary)}, verdict: run.Imported,
		says: "adds it",
		row:  "create ann@example.com",
	},
	"an entry that the filter leaves out": {
		asked: run.Asked{DN: ann}, found: []directory.Found{unmatched(found(ann, primary), "(a=b)"),
			found("cn=Other,dc=example,dc=com", primary)},
		verdict: run.NotMatched, says: "leaves out the entry " + ann,
	},
	"an attribute that another one hides": {
		found:   []directory.Found{found(ann, "mail: "+annMail, "proxyAddresses: SMTP:other@example.com")},
		verdict: run.Skipped, says: "It is in mail, which is not read here", rule: "attribute",
		row: "create other@example.com",
	},
	"a private address": {
		asked: run.Asked{Address: "a@home.example"},
		found: []directory.Found{found(ann, primary, "otherMailbox: a@home.example")}, verdict: run.Skipped,
		says: "private addresses are kept there", rule: "otherMailbox", row: "skipped a@home.example",
	},
	"aliases in a circle": {
		server: settings.CommuniGate, asked: run.Asked{Address: "a@example.com"},
		found: []directory.Found{
			found("uid=a,cn=example.com", "uid: a", "objectClass: alias", "aliasedObjectName: uid=b,cn=example.com"),
			found("uid=b,cn=example.com", "uid: b", "objectClass: alias", "aliasedObjectName: uid=a,cn=example.com"),
		},
		verdict: run.Skipped, says: "Correct its aliasedObjectName", rule: "aliasedObjectName",
		row: "skipped a@example.com",
	},
	"a CommuniGate account": {
		server: settings.CommuniGate, found: []directory.Found{found("uid=ann,cn=example.com", "uid: ann")},
		verdict: run.Imported, says: "a primary address", row: "create ann@example.com",
	},
	"a CommuniGate alias": {
		server: settings.CommuniGate, asked: run.Asked{Address: "a@example.com"},
		found: []directory.Found{
			found("uid=a,cn=example.com", "uid: a", "objectClass: alias", "aliasedObjectName: uid=ann,cn=example.com"),
			found("uid=ann,cn=example.com", "uid: ann"),
		},
		verdict: run.Imported, says: "an alias of ann@example.com", row: "create a@example.com",
	},
	"a CommuniGate alias whose account is left out": {
		server: settings.CommuniGate, asked: run.Asked{Address: "a@example.com"},
		found: []directory.Found{
			found("uid=a,cn=example.com", "uid: a", "objectClass: alias", "aliasedObjectName: uid=ann,cn=example.com"),
			unmatched(found("uid=ann,cn=example.com", "uid: ann"), "(x=y)"),
		},
		verdict: run.Skipped, says: "The filter leaves its account uid=ann,cn=example.com out: (x=y)",
		row: "skipped a@example.com",
	},
	"a CommuniGate alias that names no account": {
		server: settings.CommuniGate, asked: run.Asked{Address: "a@example.com"},
		found:   []directory.Found{found("uid=a,cn=example.com", "uid: a", "objectClass: alias")},
		verdict: run.Skipped, says: "Correct its aliasedObjectName", rule: "aliasedObjectName",
		row: "skipped a@example.com",
	},
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := explain.Case{
				Server: test.server, Advanced: test.advanced, Asked: test.asked,
				Answer: directory.Answer{Found: test.found, Info: directory.Info{
					DirectoryID: directoryID, Base: "ou=Searched,dc=example,dc=com"}},
				Stored: func(key string) (*user.User, error) {
					for _, u := range test.stored {
						if u.Key == key {
							return &u, nil
						}
					}
					return nil, nil
				},
			}
			if c.Server == "" {
				c.Server = settings.Exchange
			}
			if c.Asked == (run.Asked{}) {
				c.Asked.Address = annMail
			}
			got, err := explain.Explain(c)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != test.verdict || !strings.Contains(got.Sentence, test.says) {
				t.Errorf("%s: %s\nwant %s, with %q", got.Verdict, got.Sentence, test.verdict, test.says)
			}
			if (got.Stored != nil) != (len(test.stored) > 0) || len(got.Entries) != len(test.found) {
				t.Errorf("stored %v, %d entries", got.Stored, len(got.Entries))
			}
			if len(got.Entries) == 0 {
				return
			}
			rule, row := "", ""
			for _, r := range got.Entries[0].Rules {
				if !r.OK && rule == "" {
					rule = r.Rule
				}
				if r.Detail == "" {
					t.Errorf("the rule %s says nothing", r.Rule)
				}
			}
			if rows := got.Entries[0].Rows; len(rows) > 0 {
				row = rows[0].Change + " " + rows[0].Address
			}
			if strings.ToLower(row) != test.row || rule != test.rule {
				t.Errorf("the first entry's row is %q, and its rule %q; want %q and %q", row, rule, test.row, test.rule)
			}
		})
	}
}

// TestAUserOfALookIsDecidedAnew has an address that a look gave to the entry that it saw: the next full sync takes all
// who claim it for equal.
func TestAUserOfALookIsDecidedAnew(t *testing.T) {
	t.Parallel()
	const bob, zoe = "cn=Bob,dc=example,dc=com", "cn=Zoe,dc=example,dc=com"
	for want, newSince := range map[string]int64{zoe: 0, bob: 1000} {
		got, err := explain.Explain(explain.Case{
			Server: settings.Exchange, Asked: run.Asked{Address: annMail}, NewSince: newSince,
			Answer: directory.Answer{Info: directory.Info{DirectoryID: directoryID},
				Found: []directory.Found{found(bob, primary), found(zoe, primary)}},
			Stored: func(string) (*user.User, error) {
				u := stored(annMail, zoe, func(u *user.User) { u.LastRunID = "look" })
				u.CreatedAt = time.UnixMilli(2000)
				return &u, nil
			},
		})
		if err != nil || !strings.Contains(got.Sentence, "a primary address in "+want) {
			t.Errorf("new since %d: %s, error %v; want %s", newSince, got.Sentence, err, want)
		}
	}
}

// TestEachRuleIsJudgedByItself has an entry that three rules leave out: they show all at once.
func TestEachRuleIsJudgedByItself(t *testing.T) {
	t.Parallel()
	got, err := explain.Explain(explain.Case{
		Server: settings.Exchange, Asked: run.Asked{Address: annMail},
		Advanced: settings.Advanced{
			Exclude: []string{annMail}, AcceptedDomains: []string{"example.org"}, SkipDisabled: true,
		},
		Answer: directory.Answer{Found: []directory.Found{
			outside(found(ann, primary, "userAccountControl: 514"))}},
		Stored: func(string) (*user.User, error) { return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	var failing []string
	for _, r := range got.Entries[0].Rules {
		if !r.OK {
			failing = append(failing, r.Rule)
		}
	}
	if diff := cmp.Diff([]string{"skipDisabled", "acceptedDomains", "exclude"}, failing); diff != "" {
		t.Errorf("rules that fail (-want +got):\n%s", diff)
	}
}
