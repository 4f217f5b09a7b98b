package main

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"rollcall/shared/manifest"
)

// check finds keys that do not go together.
func (s Settings) check() []error {
	var wrong []error
	refuse := func(bad bool, says string) {
		if bad {
			wrong = append(wrong, errors.New("context "+says))
		}
	}
	own := s.Issuer == ""
	refuse(own != (len(s.Audience) == 0),
		"rollcall:issuer and rollcall:audience go together: give both, or none to have a user pool made")
	refuse(own && (s.ClientID != "" || len(s.SignInHosts) > 0),
		"rollcall:clientId and rollcall:signInOrigins need rollcall:issuer")
	refuse(own && (s.AccountClaim != manifest.DefaultAccountClaim || s.ScopePrefix != manifest.DefaultScopePrefix),
		"rollcall:accountClaim and rollcall:scopePrefix need rollcall:issuer: the user pool's tokens have their own")
	refuse(!own && len(s.MachineClients) > 0,
		"rollcall:machineClients are the user pool's: with rollcall:issuer, register programs there")
	refuse(!own && s.ClientID == "", "rollcall:clientId is needed with rollcall:issuer: the page signs in with it")
	refuse(!own && len(s.MachineClients) > 0,
		"rollcall:machineClients are the user pool's: with rollcall:issuer, register programs there")
	refuse((s.Domain == "") != (s.Certificate == ""),
		"rollcall:domain and rollcall:certificate go together: give both or none")
	refuse(s.AllowPrivate && !s.VPC,
		"rollcall:allowPrivate needs rollcall:vpc=true: without a VPC no private address can be reached")
	refuse(!s.VPC && (s.VPCZones != defaultZones || s.VPCCIDR.String() != defaultCIDR),
		"rollcall:vpcCidr and rollcall:vpcZones need rollcall:vpc=true: set it, or remove them")
	refuse(s.WorkerReserved > 0 && s.WorkerReserved < s.WorkerConcurrency, fmt.Sprintf(
		"rollcall:workerReserved=%d is below rollcall:workerConcurrency=%d: messages would be refused and count as "+
			"delivered; raise the first, or lower the second", s.WorkerReserved, s.WorkerConcurrency))
	refuse(s.UsersTable != "" && s.UsersTable == s.JobsTable,
		"rollcall:usersTable and rollcall:jobsTable are one table: give two")
	for key, arn := range map[string]string{"certificate": s.Certificate, "webAcl": s.WebACL} {
		refuse(s.Account != "" && arn != "" && !strings.Contains(arn, ":"+s.Account+":"),
			"rollcall:"+key+" is not of rollcall:account="+s.Account+": give one of that account")
	}
	refuse(s.Region == "" && (s.RateLimit > 0 || s.Distribution != ""),
		"rollcall:rateLimit and rollcall:distribution need rollcall:region: what they make is in us-east-1, where "+
			"deployments of several regions meet, and is named after it")
	return append(wrong, s.checkName()...)
}

// What the keys are otherwise that checks compare with.
const (
	defaultName  = "rollcall"
	defaultCIDR  = "10.71.0.0/16"
	defaultZones = 2
)

// checkName refuses names that AWS refuses in what is named after a deployment, minutes into its first deployment.
func (s Settings) checkName() (wrong []error) {
	refuse := func(bad bool, why string) {
		if bad {
			wrong = append(wrong, fmt.Errorf("context rollcall:name=%s: give another name (%s)", s.Name, why))
		}
	}
	refuse(s.Name == "default", "EventBridge has an event bus of this name in every account")
	for _, ending := range []string{"-data", "-edge"} {
		refuse(strings.HasSuffix(s.Name, ending), "a stack of another deployment may be called so")
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		refuse(strings.HasPrefix(s.Name, prefix), "S3 refuses buckets that begin with "+prefix)
	}
	for _, word := range []string{"aws", "amazon", "cognito"} {
		refuse(s.Issuer == "" && strings.Contains(s.Name, word),
			"Cognito refuses "+word+" in the address at which people sign in")
	}
	return wrong
}

// unusable are the networks that EC2 makes no VPC in.
var unusable = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("224.0.0.0/3"),
}

func checkCIDR(p netip.Prefix) error {
	if !p.Addr().Is4() || p.Masked() != p || p.Bits() < 16 || p.Bits() > 24 {
		return errors.New("not such a prefix")
	}
	if slices.ContainsFunc(unusable, p.Overlaps) {
		return errors.New("EC2 makes no VPC there")
	}
	return nil
}

// tagText is what the tags of all services may consist of.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// stageTag tells the stages of one account apart: preflight reads it.
const stageTag = "rollcall:stage"

// readTags reads tags. CloudFormation takes 50 of them, and adds some of its own.
func readTags(s *Settings, value string) error {
	const most = 40
	s.Tags = make(map[string]string)
	for part := range strings.SplitSeq(value, ",") {
		key, value, ok := strings.Cut(part, "=")
		switch {
		case !ok || key == "":
			return fmt.Errorf("%q is not KEY=VALUE", part)
		case len(key) > 128 || len(value) > 256:
			return fmt.Errorf("%q is too long: a key has 128 bytes at most, a value 256", key)
		case !tagText.MatchString(part):
			return fmt.Errorf("%q has a character that no tag may have", part)
		case strings.HasPrefix(strings.ToLower(key), "aws:") || strings.HasPrefix(key, contextPrefix):
			return fmt.Errorf("%q is reserved", key)
		}
		s.Tags[key] = value
	}
	if len(s.Tags) > most {
		return fmt.Errorf("there are %d, at most %d fit", len(s.Tags), most)
	}
	return nil
}

// tags are those of a stack, from which CloudFormation passes them on to all that it holds.
func (s Settings) tags() *map[string]*string {
	all := make(map[string]*string)
	for key, value := range s.Tags {
		all[key] = &value
	}
	if s.Stage != "" {
		all[stageTag] = &s.Stage
	}
	return &all
}
