package directory

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"rollcall/shared/settings"
)

// certificatesIn returns the certificates of a PEM text that can be read.
func certificatesIn(text string) []*x509.Certificate {
	var out []*x509.Certificate
	for _, block := range settings.PEMBlocks(text) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			out = append(out, c)
		}
	}
	return out
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
	blocks := settings.PEMBlocks(text)
	for _, block := range blocks {
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("holds a %s; paste only the CA's certificate (BEGIN CERTIFICATE), never a key",
				block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("holds a certificate that cannot be read: %w", err)
		}
	}
	if len(blocks) == 0 {
		return errors.New("is no PEM certificate: it starts with -----BEGIN CERTIFICATE-----")
	}
	if strings.Count(text, "-----BEGIN ") > len(blocks) {
		return errors.New("holds a certificate that is cut off or damaged: paste each one up to its -----END " +
			"CERTIFICATE-----")
	}
	return nil
}
