//go:build linux

package bootstrap_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/bootstrap"
)

// The whole life of a machine, in each shell and with each way to fetch.
func TestScript(t *testing.T) {
	shells := map[string][]string{"dash": {"dash"}, "bash": {"bash", "--posix"}, "busybox": {"busybox", "sh"}}
	for name, shell := range shells {
		path, err := exec.LookPath(shell[0])
		if err != nil {
			t.Logf("%s is not here", name)
			continue
		}
		shell[0] = path
		for _, with := range []string{"curl", "wget"} {
			t.Run(name+"/"+with, func(t *testing.T) {
				t.Parallel()
				life(t, setup{shell: shell, with: with, name: "i-0abc", watch: true})
			})
		}
	}
}

func life(t *testing.T, s setup) {
	site := newSite(t)
	odd := `-Dodd=it's "$HOME" \ 한`
	m := boot(t, bootstrap.Params{URL: site.URL + "/", JavaOptions: []string{"-Xmx64m", odd}}, s)
	m.awaitAgent()
	calls := site.called()
	if len(calls) != 1 || calls[0].Token != token || calls[0].Machine != "i-0abc" || len(calls[0].Claim) != 64 || calls[0].Address != "127.0.0.1" {
		t.Fatalf("the machine called in as %+v", calls)
	}
	dir := m.home + "/agent"
	want := []string{"-Xmx64m", odd, "-jar", dir + "/agent.jar", "-url", site.URL + "/jenkins", "-name", "lease-1",
		"-secret", "@" + dir + "/secret", "-webSocket", "-workDir", dir, "-noReconnectAfter", "10m"}
	if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(m.read("started")), "\n")); diff != "" {
		t.Errorf("the agent's arguments (-want +got):\n%s", diff)
	}
	if got := m.read("got"); got != secret {
		t.Errorf("the agent read %q", got)
	}
	if got := m.read("mode"); got != "600\n" {
		t.Errorf("the secret's file has mode %s", got)
	}
	env := m.read("env")
	if !strings.Contains(env, "LC_ALL=C.UTF-8\n") {
		t.Errorf("the agent's locale is not set in %s", env)
	}
	for _, word := range []string{token, secret, calls[0].Claim, "exported"} {
		if strings.Contains(env, word) {
			t.Errorf("the agent's environment holds %s", word)
		}
	}
	if !m.has("agent/secret") {
		t.Error("the secret's file is gone while the agent needs it")
	}
	m.write("stop", "", 0o600)
	m.awaitEnd("the agent has ended with exit code 7")
	m.quiet(calls[0].Claim)
	if log := site.log.String(); strings.Contains(log, token) || strings.Contains(log, secret) || strings.Contains(log, calls[0].Claim) {
		t.Errorf("the provisioner's log holds a secret: %s", log)
	}
}

// What is no answer is neither believed nor run, and asked for again.
func TestScriptRetries(t *testing.T) {
	body := func(status int, text string) func(http.ResponseWriter, *site) {
		return func(w http.ResponseWriter, s *site) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.ReplaceAll(text, "URL", s.URL))
		}
	}
	good := "name=lease-1\nsecret=" + secret + "\nurl=URL/jenkins\n"
	answers := map[string]func(http.ResponseWriter, *site){
		"empty":       body(200, ""),
		"html":        body(200, "<html><body>Sign in to the Wi-Fi</body></html>"),
		"more":        body(200, good+"run=touch pwned\n"),
		"twice":       body(200, good+"name=lease-2\n"),
		"less":        body(200, "name=lease-1\nurl=URL/jenkins\n"),
		"command":     body(200, strings.Replace(good, "lease-1", "$(touch $HOME/pwned)", 1)),
		"backquotes":  body(200, strings.Replace(good, "/jenkins", "/`touch $HOME/pwned`", 1)),
		"option":      body(200, strings.Replace(good, "lease-1", "-lease", 1)),
		"secret":      body(200, strings.Replace(good, secret, secret[1:], 1)),
		"file":        body(200, strings.Replace(good, "URL", "file://", 1)),
		"carriage":    body(200, strings.ReplaceAll(good, "\n", "\r\n")),
		"nul":         body(200, "name=lease-1\x00\nsecret=\x00"),
		"garbage":     body(200, string([]byte{0xff, 0xfe, 0, 1, 2, '\n', '='})),
		"503":         body(503, good),
		"401":         body(401, "refused\n"),
		"created":     body(201, good),
		"redirect":    func(w http.ResponseWriter, _ *site) { w.Header().Set("Location", "/"); w.WriteHeader(302) },
		"long":        body(200, strings.Repeat("x", 1<<20)),
		"not yet":     body(202, "nothing yet\n"),
		"broken off":  func(w http.ResponseWriter, s *site) { breakOff(w, good[:20]) },
		"no reply":    func(w http.ResponseWriter, s *site) { breakOff(w, "") },
		"hangs":       nil,
		"not started": func(w http.ResponseWriter, s *site) { w.WriteHeader(500) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.before = func(w http.ResponseWriter, r *http.Request, nth int) bool {
				switch {
				case nth > 2:
					return false
				case name == "hangs":
					_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the caller has gone
					<-r.Context().Done()
				default:
					answer(w, s)
				}
				return true
			}
			m := boot(t, bootstrap.Params{URL: s.URL, CallTimeout: time.Second}, setup{})
			m.awaitAgent()
			if s.asked() < 3 {
				t.Error("the answer was taken for one")
			}
			if m.has("pwned") || m.has("agent/pwned") {
				t.Error("the answer was run")
			}
			m.write("stop", "", 0o600)
			m.awaitEnd("the agent has ended")
		})
	}
}

// breakOff ends the connection in the middle of an answer.
func breakOff(w http.ResponseWriter, text string) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if text != "" {
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n%s", text)
	}
	c.Close()
}

// A machine whose answer was lost calls again with the same claim and gets
// the same; a second caller with the token is refused.
func TestScriptClaim(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	claim := ""
	hand := s.desk
	s.desk = func(c nodes.Call) (nodes.Handover, error) {
		if claim == "" {
			claim = c.Claim
		}
		if c.Claim != claim {
			return nodes.Handover{}, nodes.ErrSpent
		}
		return hand(c)
	}
	s.before = func(w http.ResponseWriter, r *http.Request, nth int) bool {
		if nth > 1 {
			return false
		}
		// The desk has handed over, and the reply is lost.
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		_, _ = s.CallIn(r.Context(), nodes.Call{Token: form.Get("token"), Machine: form.Get("machine"), Claim: form.Get("claim")})
		breakOff(w, "")
		return true
	}
	first := boot(t, bootstrap.Params{URL: s.URL}, setup{})
	first.awaitAgent()
	second := boot(t, bootstrap.Params{URL: s.URL}, setup{})
	second.awaitEnd("another caller has used the token")
	if second.has("started") {
		t.Error("the second caller has an agent")
	}
	first.write("stop", "", 0o600)
	first.awaitEnd("the agent has ended")
	if calls := s.called(); len(calls) != 3 || calls[0].Claim != calls[1].Claim || calls[0].Claim == calls[2].Claim {
		t.Errorf("the calls were %+v", calls)
	}
	if !strings.Contains(s.log.String(), "level=WARN") {
		t.Errorf("the second caller is no alarm in %s", s.log.String())
	}
}

// However the machine ends, it ends whole.
func TestScriptEnds(t *testing.T) {
	for name, test := range map[string]struct {
		params bootstrap.Params
		desk   error
		act    func(m *machine)
		why    string
	}{
		"no longer wanted":      {desk: nodes.ErrOver, why: "no longer wanted"},
		"deadline before agent": {params: bootstrap.Params{Life: 7777 * time.Second}, desk: nodes.ErrNotYet, why: "its time is over"},
		"deadline with agent":   {params: bootstrap.Params{Life: 7777 * time.Second}, why: "its time is over"},
		"agent ends at once":    {params: bootstrap.Params{Java: "/bin/false"}, why: "the agent has ended with exit code 1"},
		"no java":               {params: bootstrap.Params{Java: "/no/such/java"}, why: "the agent has ended with exit code 127"},
		"term with agent": {act: func(m *machine) {
			m.awaitAgent()
			_ = m.cmd.Process.Signal(syscall.SIGTERM)
		}, why: "told to end"},
		"term before agent": {desk: nodes.ErrNotYet, act: func(m *machine) {
			until(m.t, "it has called in", func() bool { return strings.Contains(m.said.String(), "calling in") })
			_ = m.cmd.Process.Signal(syscall.SIGTERM)
		}, why: "told to end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if test.desk != nil {
				s.set(func() {
					s.desk = func(nodes.Call) (nodes.Handover, error) { return nodes.Handover{}, test.desk }
				})
			}
			test.params.URL = s.URL
			m := boot(t, test.params, setup{})
			if test.act != nil {
				test.act(m)
			}
			m.awaitEnd(test.why)
		})
	}
}

// The watchdog ends the machine also where the script itself is dead.
func TestScriptWatchdog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := boot(t, bootstrap.Params{URL: s.URL, Life: 7777 * time.Second}, setup{})
	until(t, "the script runs", func() bool { return strings.Contains(m.said.String(), "calling in") })
	if err := m.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "the machine is powered off", func() bool { return m.has("off") })
}

// The agent of the image is used where it is there, else the controller's,
// and a page that says "sign in" is no agent.
func TestScriptJar(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.jar = func(nth int) string {
		if nth == 1 {
			return "<html>sign in</html>"
		}
		return "PK"
	}
	m := boot(t, bootstrap.Params{URL: s.URL, Jar: "/no/such.jar", Identify: "machine=given"}, setup{})
	m.awaitAgent()
	if s.fetched() != 2 || m.read("agent/agent.jar") != "PK" || s.called()[0].Machine != "given" {
		t.Errorf("%d jars were fetched for %+v", s.fetched(), s.called())
	}
	jar := filepath.Join(t.TempDir(), "it's.jar")
	if err := os.WriteFile(jar, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m = boot(t, bootstrap.Params{URL: s.URL, Jar: jar}, setup{})
	m.awaitAgent()
	if s.fetched() != 2 || !strings.Contains(m.read("started"), "\n"+jar+"\n") {
		t.Errorf("the image's jar was not used: %s", m.read("started"))
	}
}

func TestScriptShellcheck(t *testing.T) {
	shellcheck := testenv.Shellcheck(t)
	script, err := bootstrap.Script(bootstrap.Params{URL: "https://provisioner.example", Token: token, Life: time.Hour,
		CAFile: "/etc/ca.pem", Jar: "/opt/agent.jar", Cache: "/opt/agent-cache", Dir: "/srv/agent", User: "batch", Identify: bootstrap.IdentifyOnEC2, JavaOptions: []string{"-Xmx1g", "it's"}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(shellcheck, "--shell=sh", "--severity=style", "-")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// What would not be a script, or would not be what it says, is refused.
func TestScriptRefuses(t *testing.T) {
	good := bootstrap.Params{URL: "https://provisioner.example:8443/x", Token: token, Life: time.Hour}
	if _, err := bootstrap.Script(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*bootstrap.Params){
		"no token":         func(p *bootstrap.Params) { p.Token = "" },
		"a quote in token": func(p *bootstrap.Params) { p.Token += `"` },
		"no URL":           func(p *bootstrap.Params) { p.URL = "" },
		"a quote in URL":   func(p *bootstrap.Params) { p.URL += "'" },
		"another scheme":   func(p *bootstrap.Params) { p.URL = "file:///etc" },
		"no life":          func(p *bootstrap.Params) { p.Life = 0 },
		"NUL in a path":    func(p *bootstrap.Params) { p.CAFile = "a\x00" },
		"NUL in an option": func(p *bootstrap.Params) { p.JavaOptions = []string{"a\x00"} },
		"a bad user":       func(p *bootstrap.Params) { p.User = "a b" },
		"broken Identify":  func(p *bootstrap.Params) { p.Identify = "machine=$(" },
		"no shell":         func(p *bootstrap.Params) { p.PowerOff = "} ; {" },
	} {
		p := good
		change(&p)
		if _, err := bootstrap.Script(p); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%s: got %v, want an error without the token", name, err)
		}
	}
}
