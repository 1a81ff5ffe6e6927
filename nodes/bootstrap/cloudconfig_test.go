//go:build linux

package bootstrap_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes/bootstrap"
)

// whole is a script with everything that can be set, as it is for a cloud.
func whole(t *testing.T) string {
	t.Helper()
	script, err := bootstrap.Script(bootstrap.Params{URL: "https://provisioner.example", Token: strings.Repeat("t", 100), Life: time.Hour,
		CAFile: "/etc/ssl/certs/company ca.pem", Jar: "/opt/agent.jar", Cache: "/opt/agent-cache", Dir: "/srv/agent", User: "batch",
		Java: "/opt/jdk/25/bin/java", JavaOptions: []string{"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "it's: \"한\" \\ #"},
		Identify: bootstrap.IdentifyOnEC2})
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// The user data is what cloud-init takes, holds the script as it is, and fits
// into what EC2 allows.
func TestCloudConfig(t *testing.T) {
	script := whole(t)
	text, err := bootstrap.CloudConfig(script)
	if err != nil {
		t.Fatal(err)
	}
	const most = 16 << 10 // EC2's limit of user data
	if len(text) > most*3/4 {
		t.Errorf("the user data has %d bytes; little is left of EC2's %d", len(text), most)
	}
	var got struct {
		WriteFiles []struct{ Path, Permissions, Content string } `yaml:"write_files"`
		RunCmd     [][]string                                    `yaml:"runcmd"`
	}
	if err := yaml.Unmarshal([]byte(text), &got); err != nil || !strings.HasPrefix(text, "#cloud-config\n") {
		t.Fatalf("%v in\n%s", err, text)
	}
	if len(got.WriteFiles) != 1 || got.WriteFiles[0].Content != script || got.WriteFiles[0].Permissions != "0700" {
		t.Errorf("the script did not come through: %+v", got.WriteFiles)
	}
	if len(got.RunCmd) != 1 || !strings.Contains(strings.Join(got.RunCmd[0], " "), got.WriteFiles[0].Path) {
		t.Errorf("the script at %s is not run: %q", got.WriteFiles[0].Path, got.RunCmd)
	}
	file := filepath.Join(t.TempDir(), "user-data")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(testenv.CloudInit(t), "schema", "--config-file", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Valid cloud-config") {
		t.Errorf("cloud-init schema: %v\n%s", err, out)
	}
	start := exec.Command(testenv.Shellcheck(t), "--shell=sh", "--severity=style", "-")
	start.Stdin = strings.NewReader(got.RunCmd[0][2])
	if out, err := start.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A script that YAML would have to escape is refused rather than changed.
func TestCloudConfigRefuses(t *testing.T) {
	if text, err := bootstrap.CloudConfig("echo \x01\n"); err == nil {
		t.Errorf("a control character was taken:\n%s", text)
	}
}

// imds is EC2's metadata service as far as the script asks it: version 2 only.
func imds(t *testing.T) *httptest.Server {
	const session = "imds-session+token=="
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" && r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds") != "":
			_, _ = io.WriteString(w, session)
		case r.Header.Get("X-aws-ec2-metadata-token") != session:
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/latest/dynamic/instance-identity/rsa2048":
			_, _ = io.WriteString(w, "MIAGCSqGSIb3+/\nDQEHAqCAMIACAQ==")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// On EC2 a machine brings what AWS has signed, whatever base64 has in it.
func TestScriptProof(t *testing.T) {
	for _, with := range []string{"curl", "wget"} {
		t.Run(with, func(t *testing.T) {
			t.Parallel()
			s, dir := newSite(t), t.TempDir()
			if err := os.WriteFile(dir+"/instance-id", []byte("i-0abc\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			curl, err := exec.LookPath("curl")
			if err != nil {
				testenv.Missing(t, "curl")
			}
			identify := strings.NewReplacer("http://169.254.169.254", imds(t).URL, "/var/lib/cloud/data", dir, "curl ", curl+" ").
				Replace(bootstrap.IdentifyOnEC2)
			m := boot(t, bootstrap.Params{URL: s.URL, Identify: identify}, setup{with: with})
			m.awaitAgent()
			if c := s.called()[0]; c.Machine != "i-0abc" || c.Proof != "MIAGCSqGSIb3+/DQEHAqCAMIACAQ==" {
				t.Errorf("it called in as %+v", c)
			}
		})
	}
}

// The agent and what it runs have another user than the script, so that they
// can neither stop the watchdog nor read the token.
func TestScriptUser(t *testing.T) {
	if os.Getuid() != 0 {
		testenv.Missing(t, "root, to run an agent as another user")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		testenv.Missing(t, "the user nobody")
	}
	t.Parallel()
	s := newSite(t)
	dir, err := os.MkdirTemp("", "machine-") // testing's own directories are closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	java := filepath.Join(dir, "java")
	const text = `#!/bin/sh
for a; do case $a in @*) /usr/bin/cat "${a#@}" >"$HOME/got" ;; esac; done
{ /usr/bin/id -u; /usr/bin/id -g; /usr/bin/grep NoNewPrivs /proc/self/status | /usr/bin/tr -d '\t'; kill -s TERM "$PPID" && echo killed; echo end; } >"$HOME/who" 2>/dev/null
`
	if err := os.WriteFile(java, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	m := boot(t, bootstrap.Params{URL: s.URL, User: "nobody", Java: java, Dir: filepath.Join(dir, "agent")}, setup{})
	m.awaitEnd("the agent has ended with exit code 0")
	who, err := os.ReadFile(filepath.Join(dir, "agent", "who"))
	if want := nobody.Uid + "\n" + nobody.Gid + "\nNoNewPrivs:1\nend\n"; err != nil || string(who) != want {
		t.Errorf("the agent ran as %q, %v; want %q", who, err, want)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "agent", "got")); err != nil || string(got) != secret {
		t.Errorf("the agent read %q, %v", got, err)
	}
}

// A user that the image has not is said, and the machine does not stay.
func TestScriptUnknownUser(t *testing.T) {
	t.Parallel()
	m := boot(t, bootstrap.Params{URL: newSite(t).URL, User: "no-such-user"}, setup{})
	m.awaitEnd("the user no-such-user is not here")
}
