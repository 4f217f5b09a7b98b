package main

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rollcall/portal"
	"rollcall/shared/manifest"
)

// contextPrefix stands before every context key of ours.
const contextPrefix = "rollcall:"

// Settings are what the context keys say; docs/operations.md describes each.
type Settings struct {
	Name string

	// Stage names the file of keys, Tags are on everything, Account and Region are where it may be deployed.
	Stage   string
	Tags    map[string]string
	Account string
	Region  string

	// Issuer and Audience are an existing issuer of tokens and who its tokens are for. Without them a user pool is
	// made.
	Issuer       string
	Audience     []string
	ClientID     string
	SignInHosts  []string
	AccountClaim string
	ScopePrefix  string
	// MachineClients are the programs that get tokens of the user pool: a name each, with :read where it may only see.
	MachineClients []string

	// UsersTable and JobsTable name restored tables that take the place of the stack's own.
	UsersTable string
	JobsTable  string

	// FrameAncestors are the origins of portals that may show the page in a frame, and CORSOrigins those whose pages
	// may call the API.
	FrameAncestors []string
	CORSOrigins    []string

	// Domain, Certificate and WebACL are the page's own name, its certificate and its firewall.
	Domain      string
	Certificate string
	WebACL      string
	// OriginKey is the number of the secret by which the API knows CloudFront; 0 leaves the API's own address open.
	OriginKey int
	// RateLimit is how many requests one address may send in five minutes; 0 makes no firewall. Distribution is the id
	// of the distribution whose requests are logged; without it they are not.
	RateLimit    int
	Distribution string

	VPC          bool
	VPCCIDR      netip.Prefix
	VPCZones     int
	AllowPrivate bool
	DenyRanges   []string
	Ports        []string

	APIMemory         int
	WorkerMemory      int
	WorkerConcurrency int
	APIReserved       int
	WorkerReserved    int
	ScheduleReserved  int
	ThrottleRate      int
	ThrottleBurst     int
	ConnectorRate     int

	LogDays  int
	LogLevel string
	Tracing  bool
	// MailFrom is the address that notifications come from, an identity of SES or in the domain of one.
	MailFrom         string
	AlarmEmail       string
	AlarmFailedSyncs int
	AlarmFailedShare int

	// values are the texts that the others were read from, by key.
	values map[string]string
}

// contextKey is one context key: what it is when it is not given, what it may be, and where it goes.
type contextKey struct {
	name     string
	fallback string
	may      string
	set      func(*Settings, string) error
}

// contextKeys lists every key. docs/operations.md holds the same list; a test compares the two.
func contextKeys() []contextKey {
	return slices.Concat(placeKeys(), signInKeys(), pageKeys(), networkKeys(), sizeKeys(), watchKeys(), restoreKeys())
}

func placeKeys() []contextKey {
	return []contextKey{
		{"stage", "", "1 to 11 lower-case letters, digits and hyphens, a letter first",
			text(stageName.String(), func(s *Settings) *string { return &s.Stage })},
		{"name", defaultName, "2 to 20 lower-case letters, digits and hyphens, a letter first",
			text(`^[a-z][a-z0-9-]{1,19}$`, func(s *Settings) *string { return &s.Name })},
		{"account", "", "the 12 digits of an AWS account",
			text(`^\d{12}$`, func(s *Settings) *string { return &s.Account })},
		{"region", "", "the name of an AWS region, such as eu-central-1",
			text(`^[a-z]{2}(-[a-z]+)+-\d$`, func(s *Settings) *string { return &s.Region })},
		{"tags", "", "tags such as Team=mail,CostCentre=42", readTags},
	}
}

func signInKeys() []contextKey {
	return []contextKey{
		{"issuer", "", "the https URL of an OpenID Connect issuer",
			text(`^https://[^\s/?#]+(/[^\s?#]*)?$`, func(s *Settings) *string { return &s.Issuer })},
		{"audience", "", "audiences or client ids, separated by commas",
			texts(`^\S+$`, func(s *Settings) *[]string { return &s.Audience })},
		{"clientId", "", "the page's client id at the issuer",
			text(`^\S+$`, func(s *Settings) *string { return &s.ClientID })},
		{"signInOrigins", "", "https origins, separated by commas",
			texts(`^https://[^\s/?#]+$`, func(s *Settings) *[]string { return &s.SignInHosts })},
		{"accountClaim", manifest.DefaultAccountClaim, "the name of a claim",
			text(`^\S+$`, func(s *Settings) *string { return &s.AccountClaim })},
		{"scopePrefix", manifest.DefaultScopePrefix, "text without spaces",
			text(`^\S+$`, func(s *Settings) *string { return &s.ScopePrefix })},
		{"machineClients", "", "names of lower-case letters, digits and hyphens, separated by commas, with :read " +
			"behind those that only see",
			texts(`^[a-z][a-z0-9-]{0,30}(:read)?$`, func(s *Settings) *[]string { return &s.MachineClients })},
	}
}

func pageKeys() []contextKey {
	return []contextKey{
		{"domain", "", "a host name", text(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$`,
			func(s *Settings) *string { return &s.Domain })},
		{"certificate", "", "the ARN of an ACM certificate in us-east-1",
			text(`^arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/.+$`,
				func(s *Settings) *string { return &s.Certificate })},
		{"webAcl", "", "the ARN of a WAF web ACL with scope CLOUDFRONT",
			text(`^arn:aws[a-z-]*:wafv2:us-east-1:\d{12}:global/webacl/.+$`,
				func(s *Settings) *string { return &s.WebACL })},
		{"frameAncestors", "", originsMay, origins(func(s *Settings) *[]string { return &s.FrameAncestors })},
		{"corsOrigins", "", originsMay, origins(func(s *Settings) *[]string { return &s.CORSOrigins })},
		{"rateLimit", "0", "0 (none), or 10 to 2000000000, in requests of one address in five minutes",
			func(s *Settings, v string) (err error) {
				if s.RateLimit, err = strconv.Atoi(v); err == nil && s.RateLimit != 0 &&
					(s.RateLimit < 10 || s.RateLimit > 2000000000) {
					err = errors.New("AWS WAF has no such limit")
				}
				return err
			}},
		{"distribution", "", "the id of the page's distribution, the output Distribution",
			text(`^E[A-Z0-9]{10,20}$`, func(s *Settings) *string { return &s.Distribution })},
		{"originKey", "1", "0 (none) to 100000", number(0, 100000, func(s *Settings) *int { return &s.OriginKey })},
	}
}

const originsMay = "origins such as https://portal.example.com, separated by commas"

func origins(field func(*Settings) *[]string) func(*Settings, string) error {
	return func(s *Settings, value string) (err error) {
		*field(s), err = portal.ParseOrigins(value)
		return err
	}
}

func networkKeys() []contextKey {
	return []contextKey{
		{"vpc", "false", "true or false", boolean(func(s *Settings) *bool { return &s.VPC })},
		{"vpcCidr", defaultCIDR, "an IPv4 prefix of length 16 to 24", func(s *Settings, v string) (err error) {
			s.VPCCIDR, err = netip.ParsePrefix(v)
			if err != nil {
				return err
			}
			return checkCIDR(s.VPCCIDR)
		}},
		{"vpcZones", strconv.Itoa(defaultZones), "2 or 3", number(2, 3, func(s *Settings) *int { return &s.VPCZones })},
		{"allowPrivate", "false", "true or false", boolean(func(s *Settings) *bool { return &s.AllowPrivate })},
		{"denyRanges", "", "prefixes such as 198.51.100.0/24, separated by commas", func(s *Settings, v string) error {
			s.DenyRanges = strings.Split(v, ",")
			for _, part := range s.DenyRanges {
				if _, err := manifest.ParseRange(part); err != nil {
					return err
				}
			}
			return nil
		}},
		{"ports", "389,636,3268,3269", "TCP ports, separated by commas", func(s *Settings, v string) error {
			s.Ports = strings.Split(v, ",")
			for i, part := range s.Ports {
				if n, err := strconv.Atoi(part); err != nil || n < 1 || n > 65535 {
					return fmt.Errorf("%q is not a port", part)
				} else if slices.Contains(s.Ports[:i], part) {
					return fmt.Errorf("%s is there twice", part)
				}
			}
			return nil
		}},
	}
}

func sizeKeys() []contextKey {
	return []contextKey{
		{"apiMemory", "512", "128 to 10240, in MB", number(128, 10240, func(s *Settings) *int { return &s.APIMemory })},
		{"workerMemory", "1769", "256 to 10240, in MB",
			number(256, 10240, func(s *Settings) *int { return &s.WorkerMemory })},
		{"workerConcurrency", "20", "2 to 1000", number(2, 1000,
			func(s *Settings) *int { return &s.WorkerConcurrency })},
		{"apiReserved", "0", "0 (none) to 1000", number(0, 1000, func(s *Settings) *int { return &s.APIReserved })},
		{"workerReserved", "0", "0 (none) to 1000",
			number(0, 1000, func(s *Settings) *int { return &s.WorkerReserved })},
		{"scheduleReserved", "1", "0 (none) to 100",
			number(0, 100, func(s *Settings) *int { return &s.ScheduleReserved })},
		{"throttleRate", "50", "1 to 10000, in requests a second",
			number(1, 10000, func(s *Settings) *int { return &s.ThrottleRate })},
		{"throttleBurst", "100", "1 to 5000, in requests",
			number(1, 5000, func(s *Settings) *int { return &s.ThrottleBurst })},
		{"connectorRate", "100", "1 to 10000, in requests a second",
			number(1, 10000, func(s *Settings) *int { return &s.ConnectorRate })},
	}
}

func watchKeys() []contextKey {
	days := strings.Trim(fmt.Sprint(slices.Sorted(maps.Keys(retentions()))), "[]")
	return []contextKey{
		{"logDays", strconv.Itoa(manifest.DefaultLogDays), "one of " + days, func(s *Settings, v string) (err error) {
			if s.LogDays, err = strconv.Atoi(v); err == nil && retentions()[s.LogDays] == "" {
				err = errors.New("CloudWatch Logs has no such retention")
			}
			return err
		}},
		{"logLevel", "info", "debug, info, warn or error",
			text(`^(debug|info|warn|error)$`, func(s *Settings) *string { return &s.LogLevel })},
		{"tracing", "false", "true or false", boolean(func(s *Settings) *bool { return &s.Tracing })},
		{"mailFrom", "", "an e-mail address",
			text(`^[^@\s]+@[a-z0-9-]+(\.[a-z0-9-]+)+$`, func(s *Settings) *string { return &s.MailFrom })},
		{"alarmEmail", "", "an e-mail address", text(`^[^@\s]+@[^@\s]+$`,
			func(s *Settings) *string { return &s.AlarmEmail })},
		{"alarmFailedSyncs", "1", "1 to 100000, in an hour",
			number(1, 100000, func(s *Settings) *int { return &s.AlarmFailedSyncs })},
		{"alarmFailedShare", "20", "1 to 99, in percent of the syncs of an hour",
			number(1, 99, func(s *Settings) *int { return &s.AlarmFailedShare })},
	}
}

func restoreKeys() []contextKey {
	const names = `^[A-Za-z0-9_.-]{3,255}$`
	return []contextKey{
		{"usersTable", "", "the name of a DynamoDB table",
			text(names, func(s *Settings) *string { return &s.UsersTable })},
		{"jobsTable", "", "the name of a DynamoDB table",
			text(names, func(s *Settings) *string { return &s.JobsTable })},
	}
}

// ReadSettings reads the context. Its error names every key that is unknown or wrong, and what it may be.
func ReadSettings(context map[string]any) (Settings, error) {
	s := Settings{values: make(map[string]string)}
	var wrong []error
	known := make(map[string]bool)
	for _, key := range contextKeys() {
		known[key.name] = true
		value := key.fallback
		if given, ok := context[contextPrefix+key.name]; ok {
			value = plainText(given)
		} else if key.name == "name" && s.Stage != "" {
			value += "-" + s.Stage // Two stages in one account are two deployments.
		}
		if value == "" {
			continue
		}
		s.values[key.name] = value
		if err := key.set(&s, value); err != nil {
			wrong = append(wrong, fmt.Errorf("context %s%s=%s: give %s (%w)", contextPrefix, key.name, value, key.may,
				err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(context)) {
		if own, ours := strings.CutPrefix(name, contextPrefix); ours && !known[own] {
			wrong = append(wrong, fmt.Errorf("context %s is unknown; the keys are %s", name, keyNames()))
		}
	}
	return s, errors.Join(append(wrong, s.check()...)...)
}

// signInOrigins are what the page calls to sign somebody in at an issuer of the operator's own.
func (s Settings) signInOrigins() []string {
	issuer, err := url.Parse(s.Issuer)
	if err != nil {
		return s.SignInHosts
	}
	return append([]string{issuer.Scheme + "://" + issuer.Host}, s.SignInHosts...)
}

func keyNames() string {
	var names []string
	for _, key := range contextKeys() {
		names = append(names, contextPrefix+key.name)
	}
	return strings.Join(names, ", ")
}
