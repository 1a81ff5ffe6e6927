//go:build linux

package bootstrap_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/nodes/bootstrap"
)

// What the image has learnt is taken over: the jars as a copy, and the
// archive only where it belongs to the controller's agent.jar.
func TestScriptCache(t *testing.T) {
	for name, test := range map[string]struct {
		files       map[string]string // of the cache
		copied, hot bool
	}{
		"whole":         {files: map[string]string{"jarCache/AB/CD.jar": "jar", "agent.jar": "PK\x03\x04", "java.options": "-Xshare:auto"}, copied: true, hot: true},
		"another agent": {files: map[string]string{"jarCache/AB/CD.jar": "jar", "agent.jar": "PK\x03\x05", "java.options": "-Xshare:auto"}, copied: true},
		"jars alone":    {files: map[string]string{"jarCache/AB/CD.jar": "jar"}, copied: true},
		"empty":         {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, cache := newSite(t), filepath.Join(t.TempDir(), "it's a cache")
			for name, text := range test.files {
				file := filepath.Join(cache, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			m := boot(t, bootstrap.Params{URL: s.URL, Cache: cache, JavaOptions: []string{"-Xmx64m"}}, setup{})
			m.awaitAgent()
			want := "-Xmx64m\n-jar\n" + m.home + "/agent/agent.jar\n"
			if test.hot {
				want = "-Xmx64m\n@" + cache + "/java.options\n-jar\n" + cache + "/agent.jar\n"
			}
			if got := m.read("started"); !strings.HasPrefix(got, want) {
				t.Errorf("the agent was started with\n%s\nwant\n%s", got, want)
			}
			if m.has("agent/remoting/jarCache/AB/CD.jar") != test.copied {
				t.Errorf("copied: %v, want %v", !test.copied, test.copied)
			}
			m.write("stop", "", 0o600)
			m.awaitEnd("the agent has ended")
		})
	}
}
