package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Secret is a text that is never shown: printed, logged or encoded it is "…".
type Secret struct{ text *string } // a pointer, as what prints a struct by reflection follows none

const hidden = "…"

// NewSecret hides a text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Format implements fmt.Formatter, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// String implements fmt.Stringer.
func (Secret) String() string { return hidden }

// MarshalText is how JSON, YAML and slog write it.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// ReadSecret reads a file that holds one secret, without the white space
// around it. A file that others can read holds no secret.
func ReadSecret(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return Secret{}, plain(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return Secret{}, plain(err)
	case !info.Mode().IsRegular():
		return Secret{}, fmt.Errorf("%s is not a plain file", path)
	case info.Mode().Perm()&0o077 != 0:
		return Secret{}, fmt.Errorf("%s can be read or changed by others (mode %04o); run chmod 600 %s", path, info.Mode().Perm(), path)
	}
	const most = 64 << 10
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return Secret{}, plain(err)
	}
	secret := strings.TrimSpace(string(text))
	switch {
	case len(text) > most:
		return Secret{}, fmt.Errorf("%s is too long for a secret", path)
	case secret == "":
		return Secret{}, fmt.Errorf("%s is empty", path)
	}
	return NewSecret(secret), nil
}

// plain says what stands against a file without the name of a system call.
func plain(err error) error {
	var e *fs.PathError
	switch {
	case !errors.As(err, &e):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is not there", e.Path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be read by this user", e.Path)
	}
	return fmt.Errorf("%s: %w", e.Path, e.Err)
}
