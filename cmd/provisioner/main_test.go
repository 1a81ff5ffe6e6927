package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
)

// Wrong use costs one line, with the fix; what was asked for goes to stdout.
func TestCommandLine(t *testing.T) {
	dir := writeFiles(t, map[string]string{"bad.yaml": "owner: Me\nstroe: x\n"})
	bad := filepath.Join(dir, "bad.yaml")
	for _, test := range []struct {
		args     string
		code     int
		out, err string // what is said at first; empty: nothing
	}{
		{"", 0, "Provisioner gives every run of a Jenkins job its own freshly made machine", ""},
		{"version", 0, "provisioner development", ""},
		{"--version", 0, "provisioner development\n", ""},
		{"schema", 0, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\"", ""},
		{"chekc", 2, "", "provisioner: there is no verb \"chekc\"; did you mean check?\n"},
		{"xyzzy", 2, "", "provisioner: there is no verb \"xyzzy\" (see provisioner --help)\n"},
		{"check --conf x", 2, "", "provisioner: unknown flag: --conf (see provisioner check --help)\n"},
		{"check it", 2, "", "provisioner: check takes no arguments, and got \"it\"\n"},
		{"version --config x", 2, "", "provisioner: unknown flag: --config (see provisioner version --help)\n"},
		{"check --config " + bad, 1, "FAIL  configuration: ", ""},
		{"check", 1, "FAIL  configuration: 1 problem\n      /none/env.yaml:1:1: the configuration cannot be read: /none/env.yaml is not there\n", ""},
	} {
		var out, err bytes.Buffer
		io := &streams{in: strings.NewReader(""), out: &out, err: &err, getenv: func(name string) string {
			return map[string]string{configEnv: "/none/env.yaml"}[name]
		}}
		code := run(t.Context(), strings.Fields(test.args), io)
		if code != test.code || !begins(out.String(), test.out) || !begins(err.String(), test.err) {
			t.Errorf("provisioner %s: %d\n%s---\n%s", test.args, code, out.String(), err.String())
		}
	}
}

func begins(text, with string) bool {
	return strings.HasPrefix(text, with) && (with != "" || text == "")
}

// The reference in docs is the one that the program has.
func TestReferenceIsCurrent(t *testing.T) {
	want, err := os.ReadFile(filepath.Join(testenv.Root(), "docs", "provisioner-reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if run(t.Context(), []string{"schema", "--reference"}, &streams{out: &out, err: &out, getenv: os.Getenv}) != 0 || out.String() != string(want) {
		t.Error("docs/provisioner-reference.md is not what the program has; run go generate ./cmd/provisioner")
	}
}
