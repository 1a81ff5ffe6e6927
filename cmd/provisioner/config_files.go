package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Bounds of secrets: the key is at least what HMAC-SHA-256 gives out, and a
// token is too long to be guessed.
const (
	leastKey   = 32
	leastToken = 16
)

// files checks the files that the configuration names.
func (v *verifier) files(c *Config) {
	if c.StorePasswordFile != "" {
		v.secret("store_password_file", c.StorePasswordFile, 1)
	}
	if _, err := os.Lstat(c.KeyFile); err == nil {
		v.secret("key_file", c.KeyFile, leastKey)
	}
	if c.TLS != nil {
		v.tls(c.TLS)
	}
	v.tokenFiles(c.Tokens)
	for _, name := range slices.Sorted(maps.Keys(c.Clouds)) {
		if o := c.Clouds[name].OpenStack; o != nil {
			v.openStackFiles("clouds."+key(name), o)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Controllers)) {
		v.secret("controllers."+key(name)+".token_file", c.Controllers[name].TokenFile, 1)
	}
	if c.Catalog != "" {
		if _, err := os.ReadFile(c.Catalog); err != nil {
			v.add("catalog", plain(err).Error(), "batchctl render writes it; without this key the catalog is pushed to the API")
		}
	}
}

func (v *verifier) openStackFiles(path string, o *OpenStack) {
	if o.SecretFile != "" {
		v.secret(path+".application_credential_secret_file", o.SecretFile, 1)
	}
	if o.PasswordFile != "" {
		v.secret(path+".password_file", o.PasswordFile, 1)
	}
}

// secret checks a file with a secret and returns what it holds.
func (v *verifier) secret(path, file string, least int) (Secret, bool) {
	secret, err := ReadSecret(file)
	switch {
	case err != nil:
		v.add(path, err.Error(), "")
	case len(secret.Reveal()) < least:
		v.add(path, fmt.Sprintf("%s holds %d characters, and needs %d at least", file, len(secret.Reveal()), least), "openssl rand -hex 32 makes a good one")
	default:
		return secret, true
	}
	return Secret{}, false
}

func (v *verifier) tls(t *TLS) {
	if _, ok := v.secret("tls.key", t.Key, 1); !ok {
		return
	}
	if _, err := os.ReadFile(t.Cert); err != nil {
		v.add("tls.cert", plain(err).Error(), "")
	} else if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
		v.add("tls", "certificate and key are of no use: "+err.Error(), "")
	}
}

// tokenFiles checks the tokens' files. Two names for one token would make the
// log name the wrong caller.
func (v *verifier) tokenFiles(tokens []Token) {
	first := map[string]string{}
	for i, t := range tokens {
		at := fmt.Sprintf("tokens[%d].file", i)
		secret, ok := v.secret(at, t.File, leastToken)
		if !ok {
			continue
		}
		if other, twice := first[secret.Reveal()]; twice {
			v.add(at, fmt.Sprintf("the token is the same as that of %s", other), "give each caller a token of its own")
			continue
		}
		first[secret.Reveal()] = t.Name
	}
}

// Key returns the key from which bootstrap tokens are made. Where its file is
// not there yet one is made, which nobody else can read. Several provisioners
// may do so at once: one of them makes it.
func (c *Config) Key() ([]byte, error) {
	if _, err := os.Lstat(c.KeyFile); errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(c.KeyFile); err != nil {
			return nil, fmt.Errorf("make the key file %s: %w", c.KeyFile, err)
		}
	}
	secret, err := ReadSecret(c.KeyFile)
	if err != nil {
		return nil, err
	}
	if n := len(secret.Reveal()); n < leastKey {
		return nil, fmt.Errorf("the key in %s has %d characters, and needs %d at least", c.KeyFile, n, leastKey)
	}
	return []byte(secret.Reveal()), nil
}

// makeKey writes a new key beside its place and links it there, so that the
// file is never seen half written, and none that is there is replaced.
func makeKey(path string) error {
	key := make([]byte, leastKey)
	_, _ = rand.Read(key) // never fails
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return plain(err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
