package main

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/batchctl/batchctl/internal/strictyaml"
)

// Load reads the configuration and everything that can be known of it without
// asking anybody: that names are known, URLs are URLs, and that files are
// there and safe. Its error is strictyaml.Problems, all there are. Secrets
// stay in their files: see ReadSecret, Key and StoreURL.
func Load(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, strictyaml.Problems{{
			Place:   strictyaml.Place{File: path, Line: 1, Col: 1},
			Message: "the configuration cannot be read: " + plain(err).Error(),
			Hint:    "name another one with --config, or " + configEnv,
		}}
	}
	c, doc, problems := parseConfig(path, text)
	if len(problems) == 0 {
		v := &verifier{doc: doc}
		v.files(&c)
		problems = v.problems.Sort()
	}
	if len(problems) > 0 {
		return Config{}, problems
	}
	return c, nil
}

// parseConfig reads a configuration without looking at any other file.
func parseConfig(path string, text []byte) (Config, *strictyaml.Document, strictyaml.Problems) {
	var c Config
	doc, problems := strictyaml.Decode(path, text, &c)
	if len(problems) > 0 {
		return c, doc, problems
	}
	c.complete()
	v := &verifier{doc: doc}
	v.config(&c)
	c.resolve(filepath.Dir(path))
	return c, doc, v.problems.Sort()
}

// complete fills in the defaults that depend on other values.
func (c *Config) complete() {
	if c.MachinesURL == "" {
		if host, _, err := net.SplitHostPort(c.Listen); err == nil && loopback(host) {
			c.MachinesURL = "http://" + c.Listen
			if c.TLS != nil {
				c.MachinesURL = "https://" + c.Listen
			}
		}
	}
	for name, j := range c.Controllers {
		if j.AgentURL == "" {
			j.AgentURL = j.URL
			c.Controllers[name] = j
		}
	}
}

// resolve makes paths absolute: a relative one begins at the directory of the
// configuration's file, wherever the provisioner is started.
func (c *Config) resolve(dir string) {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	paths := []*string{&c.StorePasswordFile, &c.KeyFile, &c.Catalog}
	if c.TLS != nil {
		paths = append(paths, &c.TLS.Cert, &c.TLS.Key)
	}
	for i := range c.Tokens {
		paths = append(paths, &c.Tokens[i].File)
	}
	for _, cloud := range c.Clouds {
		switch {
		case cloud.Local != nil:
			paths = append(paths, &cloud.Local.Dir)
		case cloud.EC2 != nil:
			paths = append(paths, &cloud.EC2.PriceFile, &cloud.EC2.CacheDir)
			for i := range cloud.EC2.IdentityCerts {
				paths = append(paths, &cloud.EC2.IdentityCerts[i])
			}
		case cloud.OpenStack != nil:
			paths = append(paths, &cloud.OpenStack.CAFile, &cloud.OpenStack.SecretFile, &cloud.OpenStack.PasswordFile)
		}
	}
	from := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	for _, p := range paths {
		*p = from(*p)
	}
	for name, j := range c.Controllers {
		j.TokenFile = from(j.TokenFile)
		c.Controllers[name] = j
	}
	if path, ok := strings.CutPrefix(c.Store, "sqlite:"); ok {
		c.Store = "sqlite:" + from(path)
	}
}

// StoreURL returns the URL that store.Open takes, with the password of
// store_password_file in it where there is one.
func (c *Config) StoreURL() (Secret, error) {
	u, err := url.Parse(c.Store)
	if err != nil || c.StorePasswordFile == "" || strings.HasPrefix(c.Store, "sqlite:") {
		return NewSecret(c.Store), nil // store.Open says what is wrong with it
	}
	password, err := ReadSecret(c.StorePasswordFile)
	if err != nil {
		return Secret{}, err
	}
	u.User = url.UserPassword(u.User.Username(), password.Reveal())
	return NewSecret(u.String()), nil
}

// loopback reports whether a host is this one, whatever the network.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
