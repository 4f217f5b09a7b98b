package directory

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// explainChain lists all that is wrong with a certificate, each with what to do about it: whoever hears of one thing at
// a time is sent in circles.
func (s *session) explainChain(err *tls.CertificateVerificationError, h *handshake) error {
	leaf, now := h.chain[0], time.Now()
	out := &Error{Step: StepTLS, Err: err}
	var sentences []string
	add := func(code, sentence string) {
		if out.Code == "" {
			out.Code = code
		}
		sentences = append(sentences, sentence)
	}
	during := now
	if !isCurrent(leaf, now) {
		add(CodeTLSExpired, dates("The certificate", leaf, now)+" Renew it on the server, or set the server's clock.")
		during = leaf.NotAfter
	}
	if leaf.VerifyHostname(s.tlsName()) != nil {
		add(CodeTLSName, s.wrongName(leaf))
	}
	intermediates := x509.NewCertPool()
	for _, c := range h.chain[1:] {
		intermediates.AddCert(c)
	}
	_, wrong := leaf.Verify(x509.VerifyOptions{Roots: h.roots, Intermediates: intermediates, CurrentTime: during})
	// A CA that was renewed after the server's certificate expired was not valid then, and is now.
	if ca := outsideDates(wrong); wrong != nil && (ca == nil || !isCurrent(ca, now)) {
		add(h.wrongChain(wrong))
	}
	if out.Code == "" {
		add(CodeTLSFailed, fmt.Sprintf("The certificate is not accepted: %v.", err))
	}
	sentences = append(sentences, "If you are sure that this certificate is the server's own, you can trust exactly "+
		"it (Trust this certificate, trustedCertificate). The server showed: "+describeChain(h.chain))
	out.Message = strings.Join(sentences, " ")
	return out
}

// isCurrent reports whether a time is within a certificate's dates.
func isCurrent(c *x509.Certificate, at time.Time) bool {
	return !at.Before(c.NotBefore) && !at.After(c.NotAfter)
}

// outsideDates returns the certificate whose dates are why a chain does not hold, nil where that is not why.
func outsideDates(err error) *x509.Certificate {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return invalid.Cert
	}
	return nil
}

// dates says that a certificate is outside its dates.
func dates(what string, c *x509.Certificate, now time.Time) string {
	return fmt.Sprintf("%s of %s %s.", what, certificateName(c), validity(c, now))
}

// validity says on which side of its dates a certificate is.
func validity(c *x509.Certificate, now time.Time) string {
	if now.Before(c.NotBefore) {
		return "is not valid before " + c.NotBefore.UTC().Format(time.DateOnly)
	}
	return "expired on " + c.NotAfter.UTC().Format(time.DateOnly)
}

// wrongName says for which names a certificate is. A name in CN alone no longer counts (RFC 9525, 2).
func (s *session) wrongName(c *x509.Certificate) string {
	host, cn := s.tlsName(), c.Subject.CommonName
	names := namesOf(c)
	switch {
	case len(names) > 0:
		return fmt.Sprintf("The certificate is not for %s, but for %s. Enter one of these names as the LDAP server, "+
			"or give the server a certificate with the name %s.", host, strings.Join(names, ", "), host)
	case strings.EqualFold(cn, host):
		return fmt.Sprintf("The certificate has the name %s only in its subject (CN), where names no longer count: no "+
			"other entry as the LDAP server helps. Give the server a certificate with this name in subjectAltName.", cn)
	}
	return fmt.Sprintf("The certificate is for no name at all: its subject is %q, and names only count in "+
		"subjectAltName. Give the server a certificate with the name %s there.", c.Subject, host)
}

// wrongChain says why no chain leads from the server's certificate to an authority that is trusted.
func (h *handshake) wrongChain(err error) (code, sentence string) {
	path := h.path()
	if i := slices.IndexFunc(path, func(c *x509.Certificate) bool { return weakHash(c) != "" }); i >= 0 {
		return CodeTLSAuthority, fmt.Sprintf("The certificate of %s is signed with %s (%s), which can be forged and "+
			"is not accepted, whatever CA certificate you enter. Give the server a certificate that is signed with "+
			"SHA-256, or trust exactly the one that it has (trustedCertificate).",
			certificateName(path[i]), weakHash(path[i]), path[i].SignatureAlgorithm)
	}
	if ca := h.unfit(path); ca != nil {
		return CodeTLSAuthority, fmt.Sprintf("The CA certificate of %q does not say that it may sign certificates "+
			"(%s), so nothing that is signed by it is accepted. Make a CA certificate that says so (basicConstraints "+
			"CA:TRUE, keyUsage keyCertSign), and enter it as CA Certificate (caCertificate).", ca.Subject, lacks(ca))
	}
	var invalid x509.CertificateInvalidError
	switch {
	case !errors.As(err, &invalid):
		return CodeTLSAuthority, h.unknownIssuer(path[len(path)-1])
	case invalid.Reason == x509.Expired:
		return CodeTLSExpired, dates("The CA certificate", invalid.Cert, time.Now()) + " Renew it, and where it " +
			"stands in the settings (caCertificate) and on the server, put the new one."
	case invalid.Reason == x509.IncompatibleUsage:
		return CodeTLSFailed, "The certificate is not for servers (its extendedKeyUsage has no serverAuth). Give the " +
			"server one that is."
	}
	return CodeTLSFailed, fmt.Sprintf("The certificate is not accepted: %v.", err)
}

// unknownIssuer says which certificate is missing above the last one that the server sent.
func (h *handshake) unknownIssuer(top *x509.Certificate) string {
	sameName := func(ca *x509.Certificate) bool { return issued(ca, top) }
	switch {
	case isSelfSigned(top) && len(h.chain) == 1:
		return fmt.Sprintf("The certificate of %s is signed by itself, so no authority vouches for it. If it is "+
			"yours, paste it as its own CA certificate (PEM) into the settings (caCertificate).", certificateName(top))
	case isSelfSigned(top):
		return fmt.Sprintf("The certificate comes from an authority that is not known here: %q. If it is yours, paste "+
			"the CA certificate (PEM) into the settings (caCertificate).", top.Issuer)
	case slices.ContainsFunc(h.cas, sameName):
		return fmt.Sprintf("The CA certificate in the settings has the name %q, and another key than the one that "+
			"signed the server's certificate: paste the CA certificate that is in use now (PEM) into the settings "+
			"(caCertificate).", top.Issuer)
	}
	return fmt.Sprintf("The certificate of the authority that issued the one of %s is missing: it is called %q, is "+
		"not known here, and the server does not send it. If it is an intermediate certificate, install it on the "+
		"server beside the server's own; otherwise paste the CA certificate (PEM) into the settings (caCertificate).%s",
		certificateName(top), top.Issuer, foundAt(top))
}

// foundAt says where a certificate tells that its issuer's can be found (RFC 5280, 4.2.2.1).
func foundAt(c *x509.Certificate) string {
	if len(c.IssuingCertificateURL) == 0 {
		return ""
	}
	return " It can be found at " + c.IssuingCertificateURL[0] + "."
}

// path follows the chain from the server's certificate as far as what the server sent goes.
func (h *handshake) path() []*x509.Certificate {
	path := h.chain[:1:1]
	for range h.chain {
		top := path[len(path)-1]
		next := slices.IndexFunc(h.chain, func(c *x509.Certificate) bool { return issued(c, top) })
		if isSelfSigned(top) || next < 0 {
			break
		}
		path = append(path, h.chain[next])
	}
	return path
}

// unfit finds a CA above a certificate of the path that may not be one.
func (h *handshake) unfit(path []*x509.Certificate) *x509.Certificate {
	for _, c := range path {
		for _, ca := range slices.Concat(h.chain, h.cas) {
			if issued(ca, c) && !isSelfSigned(c) && lacks(ca) != "" {
				return ca
			}
		}
	}
	return nil
}

// lacks names what a certificate lacks to be a CA's; nothing where it is one. Version 1 knows no extensions.
func lacks(c *x509.Certificate) string {
	switch {
	case c.Version == 3 && !c.BasicConstraintsValid:
		return "basicConstraints is missing"
	case c.BasicConstraintsValid && !c.IsCA:
		return "basicConstraints is CA:FALSE"
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return "keyUsage has no keyCertSign"
	}
	return ""
}

// issued reports whether a certificate names another as its issuer.
func issued(issuer, c *x509.Certificate) bool { return bytes.Equal(issuer.RawSubject, c.RawIssuer) }

func isSelfSigned(c *x509.Certificate) bool { return issued(c, c) }

// weakHash names the hash of a certificate's signature where crypto/x509 does not accept it; nothing where it does.
// What is signed by itself is compared, and its signature not checked.
func weakHash(c *x509.Certificate) string {
	if isSelfSigned(c) {
		return ""
	}
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA:
		return "MD2"
	case x509.MD5WithRSA:
		return "MD5"
	case x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return "SHA-1"
	}
	return ""
}

// describeChain shows a chain as the server sent it, from its own certificate up.
func describeChain(chain []*x509.Certificate) string {
	var parts []string
	for _, c := range chain {
		parts = append(parts, fmt.Sprintf("%q issued by %q, valid until %s", c.Subject, c.Issuer,
			c.NotAfter.UTC().Format(time.DateOnly)))
	}
	return strings.Join(parts, "; ") + "."
}
