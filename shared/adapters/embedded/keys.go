package embedded

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"

	"rollcall/shared/settings/secret"
)

// keySize is the length of each key in bytes: AES-256, and HMAC-SHA256's own block of output.
const keySize = 32

// keys are the folder's two keys: one seals passwords, one signs links.
type keys struct{ seal, link []byte }

// openKeys reads the key file. One that others can read is refused.
func openKeys(path string) (keys, error) {
	info, err := os.Stat(path)
	if err != nil {
		return keys{}, fmt.Errorf("open the key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return keys{}, fmt.Errorf("the key file %s has mode %04o, so others can read it: run chmod 600 %s",
			path, mode, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return keys{}, fmt.Errorf("read the key file: %w", err)
	}
	if len(data) != 2*keySize {
		return keys{}, fmt.Errorf("the key file %s has %d bytes, want %d: restore it from a backup; without it, "+
			"stored passwords must be entered again", path, len(data), 2*keySize)
	}
	return keys{seal: data[:keySize], link: data[keySize:]}, nil
}

// makeKeys writes a new key file.
func makeKeys(path string) (keys, error) {
	data := make([]byte, 2*keySize)
	rand.Read(data)
	err := replace(path, func(file *os.File) error {
		_, err := file.Write(data)
		return err
	})
	if err != nil {
		return keys{}, fmt.Errorf("make the key file: %w", err)
	}
	return keys{seal: data[:keySize], link: data[keySize:]}, nil
}

// Sealer seals passwords with AES-256-GCM; the binding is authenticated with them.
type Sealer struct{ key []byte }

// Seal encrypts a password for one binding.
func (s Sealer) Seal(_ context.Context, plain secret.String, to secret.Binding) ([]byte, error) {
	gcm, err := s.gcm()
	if err != nil {
		return nil, err
	}
	return gcm.Seal(nil, nil, []byte(plain.Reveal()), bindingBytes(to)), nil
}

// Open decrypts what Seal made for the same binding; anything else is secret.ErrUnsealable.
func (s Sealer) Open(_ context.Context, sealed []byte, to secret.Binding) (secret.String, error) {
	gcm, err := s.gcm()
	if err != nil {
		return secret.String{}, err
	}
	plain, err := gcm.Open(nil, nil, sealed, bindingBytes(to))
	if err != nil {
		return secret.String{}, secret.ErrUnsealable
	}
	return secret.New(string(plain)), nil
}

func (s Sealer) gcm() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// bindingBytes writes both parts with their lengths, so that no two bindings give the same bytes.
func bindingBytes(to secret.Binding) []byte {
	var b []byte
	for _, part := range []string{to.Account, to.Target} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return b
}
