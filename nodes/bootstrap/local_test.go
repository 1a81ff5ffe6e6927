//go:build linux

package bootstrap_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/bootstrap"
	"github.com/batchctl/batchctl/nodes/local"
)

// A real local machine runs the script, becomes a node, and is gone when its
// agent ends, with all that the agent has left behind.
func TestLocalMachine(t *testing.T) {
	dir, bin, site := t.TempDir(), t.TempDir(), newSite(t)
	t.Setenv("SECRET_OF_THE_PROVISIONER", "x")
	d, err := local.New(local.Config{Dir: dir, Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	java := filepath.Join(bin, "java")
	leftBehind := "#!/bin/sh\nsetsid /bin/sh -c 'echo $$ >\"$HOME/left\"; sleep 1000' &\n"
	if err := os.WriteFile(java, []byte(strings.Replace(fakeJava, "#!/bin/sh\n", leftBehind, 1)), 0o755); err != nil {
		t.Fatal(err)
	}
	script, err := bootstrap.Script(bootstrap.Params{URL: site.URL, Token: token, Life: time.Hour, Java: java, PowerOff: "kill -s KILL 0"})
	if err != nil {
		t.Fatal(err)
	}
	vms, err := d.Launch(t.Context(), nodes.Order{ID: "order-1", Count: 2, UserData: script})
	if err != nil || len(vms) != 2 {
		t.Fatalf("got %v, %v", vms, err)
	}
	watch := watchArgvs(t)
	home := func(i int) string { return filepath.Join(dir, "test/machines", vms[i].ID, "home") }
	has := func(i int, name string) bool {
		_, err := os.Stat(filepath.Join(home(i), name))
		return err == nil
	}
	for i := range vms {
		until(t, "the agent runs and has left a process behind", func() bool { return has(i, "started") && has(i, "left") })
		env, err := os.ReadFile(filepath.Join(home(i), "env"))
		if err != nil || strings.Contains(string(env), "SECRET_OF_THE_PROVISIONER") {
			t.Errorf("the agent's environment is %s, %v", env, err)
		}
	}
	listed := func() map[string]bool {
		vms, err := d.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, vm := range vms {
			ids[vm.ID] = true
		}
		return ids
	}

	// The first agent ends by itself; what it left still makes a machine.
	if err := os.WriteFile(filepath.Join(home(0), "stop"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "the script has ended", func() bool { return !has(0, "agent/secret") })
	if ids := listed(); !ids[vms[0].ID] || !ids[vms[1].ID] {
		t.Errorf("List has %v", ids)
	}
	if err := d.Destroy(t.Context(), vms[0].ID, vms[1].ID); err != nil {
		t.Fatal(err)
	}
	if ids := listed(); len(ids) != 0 {
		t.Errorf("List has %v after Destroy", ids)
	}
	machines := map[string]bool{}
	for _, c := range site.called() {
		machines[c.Machine] = true
		for _, word := range []string{token, secret, c.Claim} {
			if argv := watch.with(word); argv != "" {
				t.Errorf("the arguments of a process hold %s: %q", word, argv)
			}
		}
	}
	if !machines[vms[0].ID] || !machines[vms[1].ID] || len(machines) != 2 {
		t.Errorf("the machines that called in are %v", machines)
	}
}
