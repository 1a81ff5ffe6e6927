// Command provisioner measures the provisioner with 1,000 live leases: how
// soon a run that is seen in the queue has its order sent, and what the
// service needs of processor and memory.
//
// It starts itself a second time as the service: the reconciler with SQLite
// and the HTTP client as they are in earnest, and a simulated cloud. The
// Jenkins, in process here, is that of the tests, behind a real socket.
package main

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

const (
	live  = 1000             // leases
	jobs  = 200              // that have them
	every = time.Second / 4  // a run ends and another one is started
	span  = 60 * time.Second // that is measured
)

func main() {
	var err error
	if len(os.Args) == 3 {
		err = serve(os.Args[1], os.Args[2])
	} else {
		err = measure()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// theCatalog is the same in both processes.
func theCatalog() catalog.Catalog {
	var c catalog.Catalog
	for i := range jobs {
		path := fmt.Sprintf("live-1/group-%d/job-%d", i%10, i)
		c.Jobs = append(c.Jobs, catalog.Job{
			Path: path, Cluster: "live-1", Controller: "main", Folder: path[:strings.LastIndexByte(path, '/')], Token: catalog.Token(path),
			Timeout: 36000, Concurrency: "allow", Retry: catalog.Retry{Attempts: 1}, Owner: "team",
			Node: catalog.Node{Pool: "standard", CPU: 2, Memory: 4 << 30, Disk: 20 << 30, Arch: "amd64"},
		})
	}
	return c
}

func measure() error {
	server := jenkinstest.New(time.Now)
	server.AddUser("provisioner", jenkinstest.ProvisionerPermissions...)
	c := theCatalog()
	for i := range c.Jobs {
		j := &c.Jobs[i]
		server.PutJob(j.FullName(), jenkinstest.JobSpec{
			Label:    func(n int) string { return catalog.Label(j.Token, n) },
			Duration: func(int, int) time.Duration { return 24 * time.Hour },
		})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/agent", func(w http.ResponseWriter, r *http.Request) {
		if err := server.Connect(r.FormValue("name"), r.FormValue("secret")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	mux.Handle("/", server)
	go func() { _ = http.Serve(listener, mux) }() // until the process ends

	dir, err := os.MkdirTemp("", "bench-provisioner-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "http://"+listener.Addr().String(), filepath.Join(dir, "state.db"))
	cmd.Stderr = os.Stderr
	lines, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	return watch(server, c, cmd.Process.Pid, lines)
}

// watch fills the queue until there are 1,000 live leases, and then measures
// while runs come and go.
func watch(server *jenkinstest.Server, c catalog.Catalog, pid int, lines interface{ Read([]byte) (int, error) }) error {
	delays := make(chan time.Duration, 10_000)
	go func() {
		text := bufio.NewScanner(lines)
		for text.Scan() {
			if ns, err := strconv.ParseInt(text.Text(), 10, 64); err == nil {
				delays <- time.Duration(ns)
			}
		}
	}()
	began := time.Now()
	for i := range live {
		server.Trigger(c.Jobs[i%jobs].FullName())
	}
	for range live {
		select {
		case <-delays:
		case <-time.After(2 * time.Minute):
			return fmt.Errorf("only some of %d runs were ordered within two minutes", live)
		}
	}
	burst := time.Since(began)
	if err := until(func() bool { return busy(server) == live }); err != nil {
		return err
	}
	cpu, err := processor(pid)
	if err != nil {
		return err
	}
	began = time.Now()
	started := 0
	for time.Since(began) < span {
		for _, run := range server.Runs() {
			if run.Building && !run.Waiting {
				server.Abort(run.Ref)
				break
			}
		}
		server.Trigger(c.Jobs[started%jobs].FullName())
		started++
		time.Sleep(every)
	}
	var took []time.Duration
	for range started {
		select {
		case d := <-delays:
			took = append(took, d)
		case <-time.After(time.Minute):
			return fmt.Errorf("%d of %d runs were ordered", len(took), started)
		}
	}
	after, err := processor(pid)
	if err != nil {
		return err
	}
	memory, err := peak(pid)
	if err != nil {
		return err
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(math.Ceil(q*float64(len(took))))-1] }
	fmt.Printf("provisioner, %d live leases, %d runs started and ended in %s:\n", live, started, span)
	fmt.Printf("  seen in the queue -> order sent   p50 %.2f s   p99 %.2f s   most %.2f s   (figure: p99 <= 1 s)\n", at(.5).Seconds(), at(.99).Seconds(), at(1).Seconds())
	fmt.Printf("  processor                         %.2f of a core                        (figure: 0.3)\n", (after-cpu).Seconds()/time.Since(began).Seconds())
	fmt.Printf("  memory, at most                   %d MB                                (figure: 100)\n", memory>>20)
	fmt.Printf("  %d runs queued at once            all ordered after %.1f s\n", live, burst.Seconds())
	return nil
}

// busy counts the runs that are on their node.
func busy(server *jenkinstest.Server) int {
	n := 0
	for _, node := range server.Nodes() {
		if node.Running.Number > 0 {
			n++
		}
	}
	return n
}

func until(f func() bool) error {
	for range 3000 {
		if f() {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return context.DeadlineExceeded
}

// processor returns the time that a process has had of processors.
func processor(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, err // USER_HZ is 100 on Linux
}

// peak returns the most memory that a process has had, in bytes.
func peak(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("no VmHWM")
}
