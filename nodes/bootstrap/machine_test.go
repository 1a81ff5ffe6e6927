//go:build linux

package bootstrap_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/bootstrap"
)

const (
	token  = "T0ken-that-must-not-be-seen"
	secret = "5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e7beef"
)

var given = nodes.Handover{Name: "lease-1", Secret: secret}

// tools are all programs that the script may use, beside a shell and one of
// curl and wget; docs/node-image.md promises them.
var tools = []string{"cat", "cp", "date", "dd", "grep", "chown", "id", "mkdir", "setpriv", "od", "rm", "sed", "sha256sum", "tail", "tr"}

// fakeSleep makes back-offs short. 7777 is the life of a machine that is to
// end in the test, and 60 what a watchdog leaves to its script then; longer
// lives are real.
const fakeSleep = `#!/bin/sh
case $1 in 7777) exec /bin/sleep 0.5 ;; 60) exec /bin/sleep 3 ;; ????*) exec /bin/sleep "$1" ;; esac
exec /bin/sleep 0.01
`

// fakeJava writes down what it was started with, and runs until it is told to
// end. What it tells with comes last, and whole.
const fakeJava = `#!/bin/sh
printf '%s\n' "$@" >"$HOME/argv"
/usr/bin/env >"$HOME/env"
for a; do case $a in @*) /usr/bin/stat -c %a "${a#@}" >"$HOME/mode"; cat "${a#@}" >"$HOME/got" ;; esac; done
/bin/mv "$HOME/argv" "$HOME/started"
while [ ! -e "$HOME/stop" ]; do /bin/sleep 0.02; done
exit 7
`

// recorder stands for a tool, and writes down its arguments.
const recorder = `#!/bin/sh
printf '%%s\n' "$@" >>"$HOME/argvs"
exec %s "$@"
`

// machine is one run of the script by a real shell.
type machine struct {
	t      *testing.T
	home   string
	cmd    *exec.Cmd
	said   *buffer
	argvs  *argvs
	waited chan struct{}
}

type setup struct {
	shell []string // default: sh
	with  string   // curl or wget; default: curl
	name  string   // default: m-1
	watch bool     // look at the arguments of all processes, which takes its time
}

// boot runs the script of p, with a home, a path and a java of its own.
func boot(t *testing.T, p bootstrap.Params, s setup) *machine {
	t.Helper()
	m := &machine{t: t, home: t.TempDir(), said: &buffer{}, waited: make(chan struct{})}
	bin := filepath.Join(m.home, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if s.with == "" {
		s.with = "curl"
	}
	for _, tool := range append([]string{s.with}, tools...) {
		path, err := exec.LookPath(tool)
		if err != nil {
			testenv.Missing(t, tool)
		}
		m.write("bin/"+tool, fmt.Sprintf(recorder, path), 0o755)
	}
	m.write("bin/sleep", fakeSleep, 0o755)
	m.write("bin/java", fakeJava, 0o755)
	p.Token = token
	if p.Life == 0 {
		p.Life = 100000 * time.Second
	}
	p.PowerOff = `echo off >>"$HOME/off"`
	script, err := bootstrap.Script(p)
	if err != nil {
		t.Fatal(err)
	}
	m.write("user-data", script, 0o600)
	if s.shell == nil {
		s.shell = []string{"/bin/sh"}
	}
	if s.name == "" {
		s.name = "m-1"
	}
	m.cmd = exec.Command(s.shell[0], append(s.shell[1:], filepath.Join(m.home, "user-data"))...)
	m.cmd.Env = []string{"PATH=" + bin, "HOME=" + m.home, "PROVISIONER_MACHINE=" + s.name, "token=exported", "secret=exported"}
	m.cmd.Stderr = m.said
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	m.cmd.WaitDelay = 10 * time.Second
	m.argvs = &argvs{}
	if s.watch {
		m.argvs = watchArgvs(t)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = m.cmd.Wait(); close(m.waited) }()
	t.Cleanup(func() {
		_ = syscall.Kill(-m.cmd.Process.Pid, syscall.SIGKILL)
		<-m.waited
		if t.Failed() {
			t.Logf("the script said:\n%s", m.said)
		}
	})
	return m
}

func (m *machine) write(name, text string, mode os.FileMode) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.home, name), []byte(text), mode); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(name string) string {
	m.t.Helper()
	data, err := os.ReadFile(filepath.Join(m.home, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(data)
}

func (m *machine) has(name string) bool {
	_, err := os.Stat(filepath.Join(m.home, name))
	return err == nil
}

// awaitAgent waits until the agent runs.
func (m *machine) awaitAgent() {
	m.t.Helper()
	until(m.t, "the agent runs", func() bool { return m.has("started") })
}

// awaitEnd waits until the script has ended, and checks what has to hold
// then, however it ended.
func (m *machine) awaitEnd(why string) {
	m.t.Helper()
	select {
	case <-m.waited:
	case <-time.After(time.Minute):
		m.t.Fatal("the script does not end")
	}
	if got := m.read("off"); got != "off\n" {
		m.t.Errorf("the machine was powered off so: %q, want once", got)
	}
	for _, file := range []string{"secret", "answer", "call"} {
		if m.has("agent/" + file) {
			m.t.Errorf("%s was left behind", file)
		}
	}
	if !strings.Contains(m.said.String(), why) {
		m.t.Errorf("the script does not say %q", why)
	}
	for _, line := range strings.Split(strings.TrimSpace(m.said.String()), "\n") {
		if strings.Contains(line, "/no/such/java") {
			continue
		}
		if strings.Contains(line, "error") || strings.Contains(line, "not found") || strings.Contains(line, "usage") {
			m.t.Errorf("the script stumbled: %s", line)
		}
	}
	until(m.t, "no process of the machine is left", func() bool { return syscall.Kill(-m.cmd.Process.Pid, 0) != nil })
	m.quiet("")
}

// quiet checks that no secret was seen where others can look.
func (m *machine) quiet(claim string) {
	m.t.Helper()
	for _, word := range []string{token, secret, claim} {
		if word == "" {
			continue
		}
		if strings.Contains(m.said.String(), word) {
			m.t.Errorf("the script says %s", word)
		}
		if argv := m.argvs.with(word); argv != "" {
			m.t.Errorf("the arguments of a process hold %s: %q", word, argv)
		}
		if strings.Contains(m.read("argvs"), word) {
			m.t.Errorf("the arguments of a tool hold %s", word)
		}
	}
}

// argvs collects the arguments of all processes of the host, over and over.
type argvs struct {
	mu   sync.Mutex
	seen map[string]bool
}

func watchArgvs(t *testing.T) *argvs {
	a := &argvs{seen: map[string]bool{}}
	done, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				a.look()
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
	return a
}

func (a *argvs) look() {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil {
			a.mu.Lock()
			a.seen[string(data)] = true
			a.mu.Unlock()
		}
	}
}

// with returns an argument list that was seen with word in it.
func (a *argvs) with(word string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for argv := range a.seen {
		if strings.Contains(argv, word) {
			return argv
		}
	}
	return ""
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 6000 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("it still does not hold that %s", what)
}
