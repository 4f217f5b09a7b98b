package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
)

// certificate looks at the page's own certificate as CloudFront will.
func (p *preflight) certificate(ctx context.Context) (found []finding, err error) {
	arn, domain := p.Values["certificate"], p.Values["domain"]
	if arn == "" {
		return nil, nil
	}
	stop := func(what, why, do string) { found = append(found, finding{"certificate", what, why, do, false}) }
	out, err := p.useast1.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
	var missing *acmtypes.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		stop("There is no certificate "+arn+".", "CloudFront takes certificates of this account in us-east-1 alone.",
			"Ask for one there: aws acm request-certificate --region us-east-1 --domain-name "+domain+
				" --validation-method DNS")
		return found, nil
	case err != nil || out.Certificate == nil:
		return blind("certificate", "The certificate", err), nil
	}
	c := out.Certificate
	if c.Status != acmtypes.CertificateStatusIssued {
		stop(fmt.Sprintf("The certificate is %s.", c.Status), "CloudFront takes issued certificates alone.",
			"If it waits for validation, make the DNS records that aws acm describe-certificate names.")
	}
	names := append([]string{aws.ToString(c.DomainName)}, c.SubjectAlternativeNames...)
	if !slices.ContainsFunc(names, func(name string) bool { return covers(name, domain) }) {
		are := strings.Join(slices.Compact(names), ", ")
		stop(fmt.Sprintf("The certificate is for %s, and the page is %s.", are, domain),
			"CloudFront refuses a domain that its certificate does not name.",
			"Give the certificate of the domain, or correct rollcall:domain.")
	}
	if c.KeyAlgorithm == acmtypes.KeyAlgorithmEcSecp384r1 || c.KeyAlgorithm == acmtypes.KeyAlgorithmEcSecp521r1 {
		stop(fmt.Sprintf("The certificate has a key of the kind %s.", c.KeyAlgorithm),
			"CloudFront takes RSA keys and those of P-256.", "Ask for one with --key-algorithm EC_prime256v1.")
	}
	if c.NotAfter != nil && c.NotAfter.Sub(p.now) < 30*24*time.Hour {
		f := finding{"certificate", "The certificate ends on " + c.NotAfter.Format(time.DateOnly) + ".",
			"ACM renews by itself what it issued and can validate; this one is late.",
			"See aws acm describe-certificate, RenewalSummary; import a new one where it was imported.",
			c.NotAfter.After(p.now)}
		found = append(found, f)
	}
	return found, nil
}

// covers reports whether a name of a certificate is that of a host. A wildcard stands for one label.
func covers(name, host string) bool {
	_, below, _ := strings.Cut(host, ".")
	return strings.EqualFold(name, host) || strings.EqualFold(name, "*."+below)
}

// discovery is what is read of an issuer's discovery document (OpenID Connect Discovery 1.0, section 3).
type discovery struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	KeysURI               string   `json:"jwks_uri"`
	Challenges            []string `json:"code_challenge_methods_supported"`
}

// issuer asks the operator's issuer what API Gateway and the page will ask it.
func (p *preflight) issuer(ctx context.Context) (found []finding, err error) {
	issuer := p.Values["issuer"]
	if issuer == "" {
		return nil, nil
	}
	stop := func(bad bool, what, why, do string) {
		if bad {
			found = append(found, finding{"issuer", what, why, do, false})
		}
	}
	const correct = "Correct rollcall:issuer: it is the text of the claim iss in a token."
	var d discovery
	if err := p.fetch(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &d); err != nil {
		return []finding{{"issuer", fmt.Sprintf("The issuer's discovery document cannot be read: %v.", err),
			"API Gateway reads it, from the internet, to check tokens; so does the page.", correct, false}}, nil
	}
	stop(d.Issuer != issuer, fmt.Sprintf("The issuer calls itself %s, and rollcall:issuer is %s.", d.Issuer, issuer),
		"API Gateway refuses tokens whose iss is another, by a slash at the end even.", correct)
	var keys struct {
		Keys []struct {
			Kty string `json:"kty"`
		} `json:"keys"`
	}
	err = p.fetch(ctx, d.KeysURI, &keys)
	stop(err != nil, fmt.Sprintf("The issuer's keys cannot be read: %v.", err),
		"API Gateway checks the signatures of tokens with them.", "Look at jwks_uri in its discovery document.")
	rsa := false
	for _, key := range keys.Keys {
		rsa = rsa || key.Kty == "RSA"
	}
	stop(err == nil && !rsa, "The issuer has no RSA key.", "API Gateway checks RSA signatures alone.",
		"Have the issuer sign with RS256.")
	stop(d.AuthorizationEndpoint == "" || d.TokenEndpoint == "", "The issuer has no endpoint for the code flow.",
		"The page signs people in with it.", "Look at authorization_endpoint and token_endpoint in the document.")
	stop(d.Challenges != nil && !slices.Contains(d.Challenges, "S256"), "The issuer does not know PKCE with S256.",
		"The page signs in with it and nothing else (RFC 7636).", "Allow it at the issuer.")
	origins := append(strings.Split(p.Values["signInOrigins"], ","), origin(issuer))
	stop(d.TokenEndpoint != "" && !slices.Contains(origins, origin(d.TokenEndpoint)),
		"The issuer's token endpoint has the origin "+origin(d.TokenEndpoint)+".",
		"The page's policy lets it call the issuer's own origin and rollcall:signInOrigins alone.",
		"Add it to rollcall:signInOrigins.")
	return found, nil
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// fetch reads a JSON document by https.
func (p *preflight) fetch(ctx context.Context, address string, into any) error {
	if !strings.HasPrefix(address, "https://") {
		return fmt.Errorf("%q is no https address", address)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := p.web.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address, answer.Status)
	}
	const most = 1 << 20
	if err := json.NewDecoder(io.LimitReader(answer.Body, most)).Decode(into); err != nil {
		return fmt.Errorf("%s is not JSON (%w)", address, err)
	}
	return nil
}

// mail looks at the sender of notifications, where there is one.
func (p *preflight) mail(ctx context.Context) (found []finding, err error) {
	from := p.Values["mailFrom"]
	if from == "" {
		return nil, nil
	}
	parsed, err := mail.ParseAddress(from)
	if err != nil {
		return []finding{{"mail", fmt.Sprintf("rollcall:mailFrom=%s is no address: %v.", from, err),
			"Mails are sent from it.", "Correct it.", false}}, nil
	}
	account, err := p.ses.GetAccount(ctx, &sesv2.GetAccountInput{})
	if err != nil {
		return blind("mail", "Whether SES sends mails", err), nil
	}
	if !account.SendingEnabled {
		found = append(found, finding{"mail", "SES has sending switched off for this account.",
			"No mail would be sent.", "Look at the account dashboard of SES, in this region.", false})
	}
	if !account.ProductionAccessEnabled {
		found = append(found, finding{"mail", "SES is in its sandbox in " + p.region + ".",
			"It delivers to verified addresses alone, 200 mails a day: customers would get none.",
			"Ask for production access: aws sesv2 put-account-details.", false})
	}
	verified, err := p.verified(ctx, parsed.Address)
	if err != nil {
		return append(found, blind("mail", "Whether the sender is verified", err)...), nil
	}
	if !verified {
		found = append(found, finding{"mail", "SES has not verified " + parsed.Address + ", nor its domain.",
			"It sends from verified senders alone.",
			"aws sesv2 create-email-identity --email-identity " + domainOf(parsed.Address) +
				", and make the DNS records.", false})
	}
	return found, nil
}

func domainOf(address string) string { return address[strings.LastIndex(address, "@")+1:] }

// verified reports whether an address, or its domain, may send.
func (p *preflight) verified(ctx context.Context, address string) (bool, error) {
	for _, identity := range []string{address, domainOf(address)} {
		out, err := p.ses.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &identity})
		var missing *sestypes.NotFoundException
		if errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return false, err
		}
		if out.VerifiedForSendingStatus {
			return true, nil
		}
	}
	return false, nil
}
