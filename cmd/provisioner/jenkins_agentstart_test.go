package main

import (
	"context"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/bootstrap"
)

// How long it takes from the trigger of a run to the first line of its first
// sh, on a machine that was made ahead, in ways to start the agent.
// docs/agent-start.md says how to run it and what came of it.
func BenchmarkJenkinsAgentStart(b *testing.B) {
	a := newAgentStart(b)
	whole := a.warm(b)
	jars := filepath.Join(b.TempDir(), "jars")
	if err := os.CopyFS(filepath.Join(jars, "jarCache"), os.DirFS(filepath.Join(whole, "jarCache"))); err != nil {
		b.Fatal(err)
	}
	plain, best := []string{"-Xmx256m"}, []string{"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
	ways := []struct {
		name    string
		options []string
		cache   string
		took    []agentTook
	}{{"-Xmx256m", plain, "", nil}, {"and its jars", plain, jars, nil}, {"java_options", best, "", nil}, {"and its jars", best, jars, nil}, {"and the archive", best, whole, nil}}
	for b.Loop() { // side by side, as the load of the host changes
		for i := range ways {
			ways[i].took = append(ways[i].took, a.measure(b, ways[i].options, ways[i].cache))
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	var table strings.Builder
	fmt.Fprintf(&table, "\n%-18s %28s %28s %22s %22s\n", "", "start to online, least/median", "first line, least/median", "agent's CPU, least", "used agent, least")
	for _, w := range ways {
		fmt.Fprintf(&table, "%-18s %18.2f s /%5.2f s %18.2f s /%5.2f s %20.2f s %20.2f s\n", w.name, fastest(w.took, online), median(w.took, online),
			fastest(w.took, first), median(w.took, first), fastest(w.took, cpu), fastest(w.took, used))
	}
	b.Logf("%d rounds, %s, load %.14s%s", b.N, a.java, load, table.String())
}

// agentTook is what one machine took, in seconds.
type agentTook struct{ online, first, cpu, used float64 }

func online(a agentTook) float64 { return a.online }
func first(a agentTook) float64  { return a.first }
func cpu(a agentTook) float64    { return a.cpu }
func used(a agentTook) float64   { return a.used }

func fastest(all []agentTook, of func(agentTook) float64) float64 { return sorted(all, of)[0] }

func median(all []agentTook, of func(agentTook) float64) float64 {
	return sorted(all, of)[len(all)/2]
}

func sorted(all []agentTook, of func(agentTook) float64) []float64 {
	var values []float64
	for _, a := range all {
		values = append(values, of(a))
	}
	slices.Sort(values)
	return values
}

// agentStart is a job whose runs write down when they began, and a desk where
// its machines call in.
type agentStart struct {
	j      *controller
	java   string
	stamps string
	site   *httptest.Server
	given  chan nodes.Handover
	nth    int
}

func newAgentStart(t testing.TB) *agentStart {
	a := &agentStart{j: newController(t), java: os.Getenv("AGENT_JAVA"), stamps: t.TempDir(), given: make(chan nodes.Handover, 1)}
	if a.java == "" {
		a.java = testenv.JVM(t, 25)
	}
	a.site = httptest.NewServer(bootstrap.Handler(a, slog.New(slog.DiscardHandler), bootstrap.Options{}))
	t.Cleanup(a.site.Close)
	script := fmt.Sprintf(`node('%s-' + currentBuild.number) { sh('#!/bin/sh\ndate +%%s%%N >%s/' + currentBuild.number); sh('[ -z "$WARM_DONE" ] || touch "$WARM_DONE"') }`, a.j.root, a.stamps)
	a.j.create(a.j.root, "job", `<flow-definition><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"><script>`+
		html.EscapeString(script)+`</script><sandbox>true</sandbox></definition></flow-definition>`)
	return a
}

// CallIn implements bootstrap.Desk.
func (a *agentStart) CallIn(context.Context, nodes.Call) (nodes.Handover, error) {
	select {
	case h := <-a.given:
		return h, nil
	default:
		return nodes.Handover{}, nodes.ErrNotYet
	}
}

// node makes a node for the job's next two runs.
func (a *agentStart) node() (name, secret string) {
	a.nth++
	name = fmt.Sprintf("%s-%d", a.j.root, a.nth)
	return name, a.j.node(name, fmt.Sprintf("%s-%d %s-%d", a.j.root, a.next(), a.j.root, a.next()+1))
}

func (a *agentStart) next() int {
	var job struct{ NextBuildNumber int }
	a.j.json(jobPath(a.j.root+"/job")+"/api/json?tree=nextBuildNumber", &job)
	return job.NextBuildNumber
}

// run runs the job and returns how long it took to its first line, in
// seconds. It has ended then.
func (a *agentStart) run(t testing.TB) float64 {
	number := a.next()
	began := time.Now()
	a.j.form(jobPath(a.j.root+"/job")+"/build?delay=0sec", nil)
	var b build
	until(t, "the run has ended", runLimit, func() bool {
		status, _, err := a.j.do("GET", fmt.Sprintf("%s/%d/api/json", jobPath(a.j.root+"/job"), number), "", "")
		if err != nil || status != http.StatusOK {
			return false
		}
		a.j.json(fmt.Sprintf("%s/%d/api/json?tree=building,result", jobPath(a.j.root+"/job"), number), &b)
		return !b.Building
	})
	stamp, err := os.ReadFile(filepath.Join(a.stamps, strconv.Itoa(number)))
	if err != nil {
		t.Fatalf("%s: %v\n%s", b.Result, err, a.j.log(a.j.root+"/job", number))
	}
	at, err := strconv.ParseInt(strings.TrimSpace(string(stamp)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(0, at).Sub(began).Seconds()
}

// warm makes a cache as docs/agent-start.md says.
func (a *agentStart) warm(t testing.TB) string {
	name, secret := a.node()
	file, cache := filepath.Join(t.TempDir(), "secret"), filepath.Join(t.TempDir(), "cache")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(testenv.Root(), "scripts", "warm-agent.sh"), cache, a.j.URL, name, file, a.java)
	var said strings.Builder
	cmd.Dir, cmd.Stderr = t.TempDir(), &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a.run(t)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	return cache
}

// measure makes one machine with the provisioner's own script, and runs two
// builds on it.
func (a *agentStart) measure(t testing.TB, options []string, cache string) agentTook {
	script, err := bootstrap.Script(bootstrap.Params{URL: a.site.URL, Token: "a-token-for-a-measurement", Life: time.Hour,
		Java: a.java, JavaOptions: options, Cache: cache, PowerOff: "kill -s KILL 0"})
	if err != nil {
		t.Fatal(err)
	}
	name, secret := a.node()
	a.given <- nodes.Handover{Name: name, Secret: secret, URL: a.j.URL}
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=/usr/local/bin:/usr/bin:/bin", "PROVISIONER_MACHINE=measured"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); <-exited }()
	a.j.online(name, exited)
	took := agentTook{online: time.Since(began).Seconds()}
	before := cpuOf(cmd.Process.Pid)
	until(t, "the agent is at rest, as one that was made ahead when its run comes", time.Minute, func() bool {
		was := before
		before = cpuOf(cmd.Process.Pid)
		return before == was
	})
	took.first = a.run(t)
	took.cpu = cpuOf(cmd.Process.Pid) - before
	took.used = a.run(t)
	return took
}

// cpuOf returns the seconds of CPU that a session's processes have had.
func cpuOf(session int) float64 {
	ticks := 0
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil { // it has ended
			continue
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if fields[3] != strconv.Itoa(session) {
			continue
		}
		for _, field := range fields[11:13] { // its own time, in and out of the kernel
			n, _ := strconv.Atoi(field)
			ticks += n
		}
	}
	return float64(ticks) / 100
}
