// Package kms seals directory passwords on AWS, with a key of KMS that no function can read. The encryption context
// ties a sealed password to its account and target: KMS opens it for no other, and CloudTrail says for whom it was
// opened.
package kms

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"rollcall/shared/manifest"
	"rollcall/shared/settings/secret"
)

// version is the first byte of what is sealed: what follows is KMS's ciphertext of the password itself.
const version = 1

// NewClient returns a client that slows down where KMS throttles it. Its endpoint may come from AWS_ENDPOINT_URL_KMS.
func NewClient(c aws.Config) *awskms.Client {
	c.RetryMode = aws.RetryModeAdaptive
	return awskms.NewFromConfig(c)
}

// Key is a secret.Sealer and secret.Opener. Whoever seals needs kms:Encrypt on the key, whoever opens kms:Decrypt.
type Key struct {
	client *awskms.Client
	id     string
}

// New returns the key with an ARN, key id or alias.
func New(client *awskms.Client, id string) Key { return Key{client, id} }

// Seal encrypts a password, of at most 4096 bytes, for one binding. Settings allow no longer one than 1024.
func (k Key) Seal(ctx context.Context, plain secret.String, to secret.Binding) ([]byte, error) {
	out, err := k.client.Encrypt(ctx, &awskms.EncryptInput{KeyId: &k.id, Plaintext: []byte(plain.Reveal()),
		EncryptionContext: encryptionContext(to)})
	if err != nil {
		return nil, fmt.Errorf("seal a password: %w", err)
	}
	return append([]byte{version}, out.CiphertextBlob...), nil
}

// Open decrypts what Seal made for the same binding. What KMS cannot open with this key and binding, or was sealed with
// another key, is secret.ErrUnsealable: it has to be entered again. A key that is disabled, out of reach or not granted
// is another error: the password is good, and opens when that is fixed.
func (k Key) Open(ctx context.Context, sealed []byte, to secret.Binding) (secret.String, error) {
	if len(sealed) < 2 || sealed[0] != version {
		return secret.String{}, secret.ErrUnsealable
	}
	out, err := k.client.Decrypt(ctx, &awskms.DecryptInput{KeyId: &k.id, CiphertextBlob: sealed[1:],
		EncryptionContext: encryptionContext(to)})
	var changed *types.InvalidCiphertextException
	var otherKey *types.IncorrectKeyException
	switch {
	case errors.As(err, &changed), errors.As(err, &otherKey):
		return secret.String{}, fmt.Errorf("%w: %w", secret.ErrUnsealable, err)
	case err != nil:
		return secret.String{}, fmt.Errorf("open a password: %w", err)
	}
	return secret.New(string(out.Plaintext)), nil
}

// encryptionContext names the binding. Accounts are escaped, since JSON would make one of all that are no UTF-8.
func encryptionContext(to secret.Binding) map[string]string {
	return map[string]string{manifest.SealedAccount: url.QueryEscape(to.Account), manifest.SealedTarget: to.Target}
}
