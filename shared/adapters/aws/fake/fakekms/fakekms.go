// Package fakekms is a KMS service in memory. It encrypts with AES-GCM and authenticates the encryption context, so
// that only what was encrypted with the same key and context decrypts, and refuses what KMS refuses
// (https://docs.aws.amazon.com/kms/latest/APIReference/).
package fakekms

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"rollcall/shared/adapters/aws/fake"
)

// maxPlaintext is how long a plaintext may be, in bytes.
const maxPlaintext = 4096

// Server is the service, an http.Handler.
type Server struct {
	*fake.Service
	mu   sync.Mutex
	keys map[string]*key
	uses []Use
}

type key struct {
	gcm      cipher.AEAD
	disabled bool
}

// Use is one use of a key that succeeded.
type Use struct {
	Operation, KeyID string
	Context          map[string]string
}

// New makes a service with keys, which are named by their ARNs.
func New(arns ...string) (*Server, error) {
	s := &Server{keys: make(map[string]*key)}
	for _, arn := range arns {
		material := make([]byte, 32)
		rand.Read(material)
		block, err := aes.NewCipher(material)
		if err != nil {
			return nil, err
		}
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		s.keys[arn] = &key{gcm: gcm}
	}
	s.Service = &fake.Service{Name: "kms", Target: "TrentService", Version: "1.1",
		Operations: map[string]fake.Operation{
			"Encrypt": fake.Do(s.encrypt), "Decrypt": fake.Do(s.decrypt),
		}}
	return s, nil
}

// Disable makes a key refuse everything.
func (s *Server) Disable(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[arn].disabled = true
}

// Uses returns what keys were used for, in order.
func (s *Server) Uses() []Use {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Use(nil), s.uses...)
}

// key finds a key that works.
func (s *Server) key(arn string) (*key, error) {
	k := s.keys[arn]
	switch {
	case k == nil:
		return nil, fake.Refuse("NotFoundException", "Key '%s' does not exist", arn)
	case k.disabled:
		return nil, fake.Refuse("DisabledException", "%s is disabled.", arn)
	}
	return k, nil
}

// Names are matched without regard to case.
type encryptInput struct {
	KeyID             string
	Plaintext         []byte
	EncryptionContext map[string]string
}

type encryptOutput struct {
	CiphertextBlob      []byte
	KeyID               string `json:"KeyId"`
	EncryptionAlgorithm string
}

func (s *Server) encrypt(_ context.Context, in encryptInput) (out encryptOutput, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.key(in.KeyID)
	if err != nil {
		return out, err
	}
	if len(in.Plaintext) == 0 || len(in.Plaintext) > maxPlaintext {
		return out, fake.Refuse("ValidationException",
			"Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and %d", maxPlaintext)
	}
	bound, err := associated(in.EncryptionContext)
	if err != nil {
		return out, err
	}
	s.use("Encrypt", in.KeyID, in.EncryptionContext)
	// As in KMS, a ciphertext names its key.
	blob := append([]byte(in.KeyID+"\n"), k.gcm.Seal(nil, nil, in.Plaintext, bound)...)
	return encryptOutput{blob, in.KeyID, "SYMMETRIC_DEFAULT"}, nil
}

func (s *Server) use(operation, arn string, bound map[string]string) {
	s.uses = append(s.uses, Use{Operation: operation, KeyID: arn, Context: bound})
}

type decryptInput struct {
	KeyID             string
	CiphertextBlob    []byte
	EncryptionContext map[string]string
}

type decryptOutput struct {
	Plaintext           []byte
	KeyID               string `json:"KeyId"`
	EncryptionAlgorithm string
}

func (s *Server) decrypt(_ context.Context, in decryptInput) (out decryptOutput, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.key(in.KeyID)
	if err != nil {
		return out, err
	}
	arn, sealed, ok := strings.Cut(string(in.CiphertextBlob), "\n")
	_, known := s.keys[arn]
	switch {
	case !ok || !known:
		return out, fake.Refuse("InvalidCiphertextException", "")
	case arn != in.KeyID:
		return out, fake.Refuse("IncorrectKeyException",
			"The key ID in the request does not identify a CMK that can perform this operation.")
	}
	bound, err := associated(in.EncryptionContext)
	if err != nil {
		return out, err
	}
	plain, err := k.gcm.Open(nil, nil, []byte(sealed), bound)
	if err != nil {
		return out, fake.Refuse("InvalidCiphertextException", "")
	}
	s.use("Decrypt", in.KeyID, in.EncryptionContext)
	return decryptOutput{plain, in.KeyID, "SYMMETRIC_DEFAULT"}, nil
}

// associated writes an encryption context in one way. JSON orders its names.
func associated(bound map[string]string) ([]byte, error) {
	text, err := json.Marshal(bound)
	if err == nil && len(text) > 8192 {
		err = fake.Refuse("ValidationException", "The encryption context is longer than 8192 characters")
	}
	for name := range bound {
		if name == "" || strings.HasPrefix(name, "aws:") {
			err = errors.Join(err, fake.Refuse("ValidationException",
				"Context keys may not be empty or begin with aws:"))
		}
	}
	return text, err
}
