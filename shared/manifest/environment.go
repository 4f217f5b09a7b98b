package manifest

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Variable is the name of an environment variable.
type Variable string

// The variables. A function's Needs and Takes say which of them it reads.
const (
	// UsersTable and JobsTable are names of DynamoDB tables, Bucket is the name of the S3 bucket.
	UsersTable Variable = "ROLLCALL_USERS_TABLE"
	JobsTable  Variable = "ROLLCALL_JOBS_TABLE"
	Bucket     Variable = "ROLLCALL_BUCKET"
	// DataKey is the ARN of the KMS key that encrypts the bucket's objects; "none" leaves it to the bucket.
	DataKey Variable = "ROLLCALL_DATA_KEY"
	// PreviewsQueue, SyncsQueue, ScheduledQueue and DeliveriesQueue are URLs of SQS FIFO queues.
	PreviewsQueue   Variable = "ROLLCALL_PREVIEWS_QUEUE"
	SyncsQueue      Variable = "ROLLCALL_SYNCS_QUEUE"
	ScheduledQueue  Variable = "ROLLCALL_SCHEDULED_QUEUE"
	DeliveriesQueue Variable = "ROLLCALL_DELIVERIES_QUEUE"
	// PasswordKey is the ARN of the KMS key that seals directory passwords.
	PasswordKey Variable = "ROLLCALL_PASSWORD_KEY"
	// MailFrom is the address that mails come from, such as rollcall@example.com; without one none are sent. PageURL is
	// where the LDAP Import page is, for the links in mails.
	MailFrom Variable = "ROLLCALL_MAIL_FROM"
	PageURL  Variable = "ROLLCALL_PAGE_URL"
	// EventBus is the name of the EventBridge bus.
	EventBus Variable = "ROLLCALL_EVENT_BUS"
	// LinkRole is the ARN of the role whose credentials sign download links; "none" signs with the function's own.
	LinkRole Variable = "ROLLCALL_LINK_ROLE"
	// LogLevel is debug, info, warn or error; info by default.
	LogLevel Variable = "ROLLCALL_LOG_LEVEL"
	// AccountClaim is the token's claim that names the account, "account" by default. ScopePrefix stands before the
	// scopes read and admin in the token's scope claim, "rollcall/" by default.
	AccountClaim Variable = "ROLLCALL_ACCOUNT_CLAIM"
	ScopePrefix  Variable = "ROLLCALL_SCOPE_PREFIX"
	// OriginKeys are what OriginHeader may say, separated by commas. Without any, requests need no such header.
	OriginKeys Variable = "ROLLCALL_ORIGIN_KEYS"
	// AllowPrivate, true or false (the default), lets directories be on private addresses. AllowRanges are CIDR
	// prefixes that one may be in although they are set aside for other uses, DenyRanges those that none may be in,
	// Ports the TCP ports that one may be on, such as 389,636,10000-10999 (389, 636, 3268 and 3269 by default). Lists
	// are separated by commas.
	AllowPrivate Variable = "ROLLCALL_ALLOW_PRIVATE"
	AllowRanges  Variable = "ROLLCALL_ALLOW_RANGES"
	DenyRanges   Variable = "ROLLCALL_DENY_RANGES"
	Ports        Variable = "ROLLCALL_PORTS"
	// LogDays is how many days the deployment keeps logs, DefaultLogDays by default. Only erasing reads it.
	LogDays Variable = "ROLLCALL_LOG_DAYS"
	// LeaseTime, such as 6s, is how long a worker keeps an account without a sign of life. Only tests set it, to wait
	// less than a minute for a worker that they stopped.
	LeaseTime Variable = "ROLLCALL_LEASE_TIME"
)

// None stands for a key or role that is not to be used, where no value at all would be a mistake.
const None = "none"

// Environment is what the variables say, read once by each main.
type Environment struct {
	values       map[Variable]string
	AllowPrivate bool
	AllowRanges  []netip.Prefix
	DenyRanges   []netip.Prefix
	Ports        []int
	LeaseTime    time.Duration
	LogDays      int
}

// Read reads the variables of a function. Its error names everything that is missing or wrong.
func Read(getenv func(string) string, f Function) (Environment, error) {
	e := Environment{values: make(map[Variable]string)}
	var wrong []error
	for _, v := range f.Needs {
		if e.values[v] = getenv(string(v)); e.values[v] == "" {
			wrong = append(wrong, fmt.Errorf("%s is not set", v))
		}
	}
	for _, v := range f.Takes {
		e.values[v] = getenv(string(v))
		if err := e.parse(v, e.values[v]); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", v, err))
		}
	}
	if len(wrong) > 0 {
		return Environment{}, fmt.Errorf("the environment of %s: %w", f.Name, errors.Join(wrong...))
	}
	return e, nil
}

// Get returns a variable's text, and "" for one that the function does not read.
func (e Environment) Get(v Variable) string { return e.values[v] }

// Or returns a variable's text, or what it defaults to.
func (e Environment) Or(v Variable, otherwise string) string {
	if text := e.values[v]; text != "" {
		return text
	}
	return otherwise
}

// Optional returns a variable's text, and "" where it says None.
func (e Environment) Optional(v Variable) string {
	if text := e.values[v]; text != None {
		return text
	}
	return ""
}

// parse reads the variables that are more than text.
func (e *Environment) parse(v Variable, text string) (err error) {
	if text == "" {
		return nil
	}
	switch v {
	case AllowPrivate:
		e.AllowPrivate, err = strconv.ParseBool(text)
	case AllowRanges:
		e.AllowRanges, err = list(text, prefix)
	case DenyRanges:
		e.DenyRanges, err = list(text, prefix)
	case Ports:
		e.Ports, err = list(text, ports)
	case LogDays:
		e.LogDays, err = strconv.Atoi(text)
	case LeaseTime:
		e.LeaseTime, err = time.ParseDuration(text)
	}
	return err
}

// list reads texts that commas separate, of which each may stand for several values.
func list[T any](text string, parse func(string) ([]T, error)) ([]T, error) {
	var all []T
	for part := range strings.SplitSeq(text, ",") {
		values, err := parse(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		all = append(all, values...)
	}
	return all, nil
}

func prefix(text string) ([]netip.Prefix, error) {
	p, err := ParseRange(text)
	return []netip.Prefix{p}, err
}

// ParseRange reads a range in its canonical form. A range with more address than its length covers is refused, since
// nobody knows which of the two was meant.
func ParseRange(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q is no range; it looks like 10.0.0.0/8", text)
	case p.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q is a range of IPv4 addresses; write it as one, such as 10.0.0.0/8", text)
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("%q has bits after its first %d; write %s for the whole range, or %s/%d for "+
			"the one address", text, p.Bits(), p.Masked(), p.Addr(), p.Addr().BitLen())
	}
	return p, nil
}

// ports reads a port, or a range such as 10000-10999.
func ports(text string) ([]int, error) {
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	first, firstErr := strconv.ParseUint(from, 10, 16)
	last, lastErr := strconv.ParseUint(to, 10, 16)
	if firstErr != nil || lastErr != nil || first == 0 || first > last {
		return nil, fmt.Errorf("%q is no port from 1 to 65535, nor a range of them", text)
	}
	var all []int
	for p := first; p <= last; p++ {
		all = append(all, int(p))
	}
	return all, nil
}
