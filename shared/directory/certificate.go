package directory

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// certificatesIn returns the certificates of a PEM text that can be read.
func certificatesIn(text string) []*x509.Certificate {
	var out []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return out
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			out = append(out, c)
		}
	}
}

// maxCertificate is the longest text of CA certificates, in bytes.
const maxCertificate = 64 << 10

// CheckCertificate says what is wrong with the CA certificates of a connection, in words for an administrator.
func CheckCertificate(text string) error {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil
	case len(text) > maxCertificate:
		return fmt.Errorf("is longer than %d bytes", maxCertificate)
	}
	found := 0
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("holds a %s; paste only the CA's certificate (BEGIN CERTIFICATE), never a key",
				block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("holds a certificate that cannot be read: %w", err)
		}
		found++
	}
	if found == 0 {
		return errors.New("is no PEM certificate: it starts with -----BEGIN CERTIFICATE-----")
	}
	if strings.Count(text, "-----BEGIN ") > found {
		return errors.New("holds a certificate that is cut off or damaged: paste each one up to its -----END " +
			"CERTIFICATE-----")
	}
	return nil
}
