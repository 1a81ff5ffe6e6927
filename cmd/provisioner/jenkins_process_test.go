package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes/local"
)

// Deadlines for what has no other: they end a test that would wait for ever.
const (
	seedLimit = 5 * time.Minute
	runLimit  = 6 * time.Minute // a few runs, on a machine that is busy with other things
	stopLimit = 15 * time.Second
)

// A provisioner is the real program, as a process that can be stopped and
// started again.
type provisioner struct {
	testing.TB
	j       *controller
	bin     string
	dir     string
	url     string
	cmd     *exec.Cmd
	exited  chan error
	api     *api.Client // may hold and release
	publish string      // token of the seed job
}

// newProvisioner writes the configuration of a provisioner with local
// machines, three controllers that are one, and the pools of the example.
func newProvisioner(j *controller, bin string) *provisioner {
	j.Helper()
	p := &provisioner{TB: j, j: j, bin: bin, dir: j.TempDir()}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		j.Fatal(err)
	}
	listen := listener.Addr().String() // free again in a moment, and the same after a restart
	if err := listener.Close(); err != nil {
		j.Fatal(err)
	}
	user, token := j.provisionerUser()
	p.write("jenkins-token", token)
	operate := p.token("operate-token")
	p.publish = p.token("publish-token")
	controller := fmt.Sprintf("{url: %q, user: %q, token_file: jenkins-token}", j.URL, user)
	var env strings.Builder
	for _, v := range testenv.JVMs {
		fmt.Fprintf(&env, "JAVA_HOME_%d: %q, ", v, filepath.Dir(filepath.Dir(testenv.JVM(j, v))))
	}
	p.write("provisioner.yaml", fmt.Sprintf(`owner: %s
store: sqlite:state.db
key_file: key
listen: %q
tokens:
  - {name: seed-job, role: publish, file: publish-token}
  - {name: on-call, role: operate, file: operate-token}
log: {level: debug, format: text}
controllers: {live: %[3]s, dr: %[3]s, test: %[3]s}
clouds:
  here: {driver: local, limit: 6, every: 1s, dir: machines, env: {%s}, path: "%s:/usr/local/bin:/usr/bin:/bin"}
pools:
  standard: {places: [{name: here-1, cloud: here}], lead: 25s}
  pci: {places: [{name: here-2, cloud: here}]}
  arm: {places: [{name: here-3, cloud: here}]}
`, j.root, listen, controller, env.String(), filepath.Dir(testenv.JVM(j, 21))))
	p.url = "http://" + listen
	if p.api, err = api.New(p.url, operate); err != nil {
		j.Fatal(err)
	}
	j.Cleanup(p.clear)
	return p
}

func (p *provisioner) write(name, text string) {
	p.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
}

// token makes a token of the API.
func (p *provisioner) token(file string) string {
	p.Helper()
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	token := hex.EncodeToString(random[:])
	p.write(file, token+"\n")
	return token
}

// start starts the service and waits until it answers.
func (p *provisioner) start() {
	p.Helper()
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		p.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(p.bin, "provisioner"), "serve", "--config", filepath.Join(p.dir, "provisioner.yaml"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		p.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	p.cmd, p.exited = cmd, exited
	until(p, "the provisioner answers", stopLimit, func() bool {
		_, _, err := p.api.Ready(p.Context())
		return err == nil
	})
}

// stop stops the service by a signal, and returns how it has ended.
func (p *provisioner) stop(s syscall.Signal) error {
	p.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.Fatal(err)
	}
	select {
	case err := <-p.exited:
		p.cmd = nil
		return err
	case <-time.After(stopLimit):
		p.Fatalf("the provisioner does not end within %v of %v", stopLimit, s)
		return nil
	}
}

// batchctl runs the real batchctl with a token file, as a person does.
func (p *provisioner) batchctl(tokenFile string, args ...string) string {
	p.Helper()
	env := append(os.Environ(), api.EnvURL+"="+p.url, api.EnvTokenFile+"="+filepath.Join(p.dir, tokenFile), api.EnvToken+"=")
	return command(p, p.dir, env, filepath.Join(p.bin, "batchctl"), args...)
}

// clear takes away what a test that failed has left behind.
func (p *provisioner) clear() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	if p.Failed() {
		text, _ := os.ReadFile(filepath.Join(p.dir, "log"))
		p.Logf("the provisioner says, at last:\n%s", text[max(0, len(text)-20_000):])
	}
	ctx := context.Background() // the test's own has ended
	driver, err := local.New(local.Config{Dir: filepath.Join(p.dir, "machines"), Owner: p.j.root})
	if err != nil {
		p.Error(err)
		return
	}
	vms, err := driver.List(ctx)
	if err != nil {
		p.Error(err)
	}
	for _, vm := range vms {
		if err := driver.Destroy(ctx, vm.ID); err != nil {
			p.Error(err)
		}
	}
	for _, node := range p.nodes(ctx) {
		if err := p.j.client.DeleteNode(ctx, node); err != nil {
			p.Error(err)
		}
	}
}

// nodes returns the nodes in Jenkins that the provisioner has made.
func (p *provisioner) nodes(ctx context.Context) (names []string) {
	look, err := p.j.client.Look(ctx)
	if err != nil {
		p.Error(err)
	}
	for _, node := range look.Nodes {
		if strings.HasPrefix(node.Description, "made by provisioner "+p.j.root+" ") {
			names = append(names, node.Name)
		}
	}
	return names
}

// processes returns the processes of a machine, or of all machines where it
// is "".
func (p *provisioner) processes(machine string) (pids []string) {
	owner := []byte("PROVISIONER_OWNER=" + p.j.root + "\x00")
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		env, err := os.ReadFile(file)
		if err != nil { // it has ended
			continue
		}
		if env = append(env, 0); bytes.Contains(env, owner) && (machine == "" || bytes.Contains(env, []byte("PROVISIONER_MACHINE="+machine+"\x00"))) {
			pids = append(pids, filepath.Base(filepath.Dir(file)))
		}
	}
	return pids
}

// attempts returns the machines that a run had, oldest first; none where the
// provisioner does not know the run yet.
func (p *provisioner) attempts(job string, number int) []api.LeaseDetail {
	run, err := p.api.Run(p.Context(), job, number)
	if err != nil || len(run.Lives) == 0 {
		return nil
	}
	return run.Lives[0].Attempts
}

// busy waits until a run is on its machine, and returns the lease.
func (p *provisioner) busy(job string, number, attempt int) api.Lease {
	p.Helper()
	var l api.Lease
	until(p, fmt.Sprintf("%s#%d is on its machine %d", job, number, attempt), 2*runLimit, func() bool {
		all := p.attempts(job, number)
		if len(all) >= attempt {
			l = all[attempt-1].Lease
		}
		return l.State == "busy" && l.Attempt == attempt
	})
	return l
}
