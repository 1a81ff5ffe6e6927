package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"
)

// However a secret is printed, it is not shown.
func TestSecret(t *testing.T) {
	text := rand.Text()
	secret := NewSecret(text)
	type inside struct {
		Public  Secret
		private Secret
		Pointer *Secret
	}
	for _, v := range []any{secret, &secret, inside{secret, secret, &secret}, &inside{secret, secret, &secret}, []Secret{secret}, map[string]Secret{"a": secret}, errors.Join(fmt.Errorf("%v", secret))} {
		var out strings.Builder
		for _, verb := range "vsqxXdtTcobeEfgGpU" {
			fmt.Fprintf(&out, "%"+string(verb)+"%+"+string(verb)+"%#"+string(verb), v, v, v)
		}
		jsonText, _ := json.Marshal(v)
		yamlText, _ := yaml.Marshal(v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		all := out.String() + string(jsonText) + string(yamlText)
		if strings.Contains(all, text) || strings.Contains(strings.ToLower(all), hex.EncodeToString([]byte(text))) {
			t.Errorf("%T shows it", v)
		}
	}
	if secret.Reveal() != text || fmt.Sprint(secret) != "…" || (Secret{}).Reveal() != "" {
		t.Error("it does not reveal what it hides")
	}
}

// Several provisioners may start at once: they end up with one key.
func TestKey(t *testing.T) {
	c := Config{KeyFile: filepath.Join(t.TempDir(), "key")}
	var all sync.WaitGroup
	keys := make([]string, 8)
	for i := range keys {
		all.Go(func() {
			key, err := c.Key()
			if err != nil {
				t.Error(err)
			}
			keys[i] = string(key)
		})
	}
	all.Wait()
	for _, k := range keys {
		if len(k) < leastKey || k != keys[0] {
			t.Errorf("keys differ, or are short: %d bytes", len(k))
		}
	}
	info, err := os.Stat(c.KeyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(c.KeyFile)); len(left) != 1 {
		t.Errorf("more than the key is left: %v", left)
	}
	if err := os.Chmod(c.KeyFile, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Key(); err == nil {
		t.Error("a key that a group can read is taken")
	}
}

func TestStoreURL(t *testing.T) {
	dir := writeFiles(t, map[string]string{"pw": "p@ss/word\n"})
	c := Config{Store: "postgres://me@db/x?sslmode=require", StorePasswordFile: filepath.Join(dir, "pw")}
	got, err := c.StoreURL()
	if err != nil || got.Reveal() != "postgres://me:p%40ss%2Fword@db/x?sslmode=require" {
		t.Error(got.Reveal(), err)
	}
}
