package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
)

// TestKill kills the provisioner at each state of a run's lease, and starts
// it again: every run is served, by one machine.
func TestKill(t *testing.T) {
	s := newSite(t, nil)
	s.jobs("a", "b", "c", "d", "e")
	s.start()
	for i, state := range []string{"wanted", "launching", "booting", "ready", "busy"} {
		s.jenkins.Trigger("live-1/pay/" + string("abcde"[i]))
		s.says(`"lease ` + state + `"`)
		s.kill(syscall.SIGKILL)
		s.start()
	}
	s.eventually("all runs are on their machines", func() bool {
		on := 0
		for _, run := range s.jenkins.Runs() {
			on += len(run.Attempts)
		}
		return on == 5
	})
	s.letGo()
	s.says(`"lease releasing"`)
	s.kill(syscall.SIGKILL)
	s.start()
	s.served(5)
	s.kill(syscall.SIGTERM)
}

// TestGracefulEnd stops the provisioner while a run is on its machine: the
// run goes on, ends, and its machine is taken away by the next start.
func TestGracefulEnd(t *testing.T) {
	s := newSite(t, nil)
	s.jobs("a")
	s.start()
	s.jenkins.Trigger("live-1/pay/a")
	s.says(`"lease busy"`)
	s.kill(syscall.SIGTERM)
	s.letGo()
	s.eventually("the run has ended", func() bool { return !s.jenkins.Runs()[0].Building })
	s.start()
	s.served(1)
	s.kill(syscall.SIGTERM)
}

// TestTrouble takes away what the provisioner needs, one thing after the
// other, and gives it back: it says clearly what is wrong, does nothing
// wrong, and goes on by itself.
func TestTrouble(t *testing.T) {
	t.Run("wrong Jenkins token", func(t *testing.T) {
		s := newSite(t, nil)
		s.jobs("a")
		s.write("jenkins-token", "wrong")
		s.start()
		s.jenkins.Trigger("live-1/pay/a")
		s.says("wrong user or token")
		if ok, body := s.ready(); ok || !strings.Contains(body, "controller main") {
			t.Errorf("ready %v: %s", ok, body)
		}
		s.kill(syscall.SIGTERM)
		s.write("jenkins-token", jenkinstest.Token("provisioner"))
		s.letGo()
		s.start()
		s.served(1)
	})
	t.Run("Jenkins is down", func(t *testing.T) {
		s := newSite(t, nil)
		s.jobs("a", "b")
		s.start()
		s.jenkins.Trigger("live-1/pay/a")
		s.says(`"lease busy"`)
		s.jenkins.Down(503)
		s.says("a controller cannot be asked; its leases stay as they are")
		s.jenkins.Trigger("live-1/pay/b")
		s.letGo()
		for _, l := range s.leases() {
			if l.State != nodes.Busy {
				t.Errorf("lease %+v", l)
			}
		}
		s.jenkins.Up()
		s.says("the controller answers again")
		s.served(2)
	})
	t.Run("PostgreSQL is gone", func(t *testing.T) {
		server := testenv.NewPostgresServer(t)
		s := newSite(t, func(s *site) {
			s.store = server.URL
			at, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			password, _ := at.User.Password()
			s.write("password", password)
			at.User = url.User(at.User.Username())
			s.config = "store: " + at.String() + "\nstore_password_file: " + filepath.Join(s.dir, "password")
		})
		s.jobs("a", "b")
		s.start()
		s.jenkins.Trigger("live-1/pay/a")
		s.says(`"lease busy"`)
		server.Stop(t, "immediate")
		s.says("the store cannot be read; nothing is decided until it can")
		s.jenkins.Trigger("live-1/pay/b")
		if strings.Contains(s.log.text(), strings.TrimSpace(s.read("password"))) {
			t.Error("the password is in the log")
		}
		server.Start(t)
		s.letGo()
		s.served(2)
	})
	t.Run("disk full", func(t *testing.T) {
		disk := t.TempDir()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
			testenv.Missing(t, "the right to mount a small disk (root)")
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
		s := newSite(t, func(s *site) {
			s.store = "sqlite:" + filepath.Join(disk, "state.db")
			s.config = "store: " + s.store
		})
		s.jobs("a", "b")
		s.start()
		s.jenkins.Trigger("live-1/pay/a")
		s.says(`"lease busy"`)
		ballast, err := os.Create(filepath.Join(disk, "ballast"))
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = ballast.Write(make([]byte, 4096))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		s.jenkins.Trigger("live-1/pay/b")
		s.says("make room on its disk")
		if err := errors.Join(ballast.Close(), os.Remove(ballast.Name())); err != nil {
			t.Fatal(err)
		}
		s.letGo()
		s.served(2)
	})
	t.Run("machine dies", func(t *testing.T) {
		s := newSite(t, nil)
		s.jobs("a")
		s.write("java-real", "")
		java, err := os.ReadFile(filepath.Join(s.dir, "java"))
		if err != nil {
			t.Fatal(err)
		}
		s.writeMode("java", "#!/bin/sh\nexit 1\n", 0o755)
		s.start()
		s.jenkins.Trigger("live-1/pay/a")
		s.says("the machine ended before its run came")
		s.writeMode("java", string(java), 0o755)
		s.letGo()
		s.served(1)
	})
}

// TestReadiness reads the service's own account of itself.
func TestReadiness(t *testing.T) {
	s := newSite(t, nil)
	s.jobs("a")
	s.start()
	s.eventually("it is ready", func() bool { ok, _ := s.ready(); return ok })
	res, err := http.Get(s.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	for _, name := range []string{"provisioner_pass_seconds_count", "provisioner_look_seconds_count", "provisioner_last_look_timestamp_seconds"} {
		if !strings.Contains(string(text), "\n"+name) {
			t.Errorf("/metrics has no %s", name)
		}
	}
	for _, line := range strings.Split(s.log.text(), "\n") {
		if line != "" && !json.Valid([]byte(line)) {
			t.Errorf("the log has a line that is no JSON: %s", line)
		}
	}
}

// TestMain is the provisioner itself where a test has started it as that, or
// a machine of dev as its agent.
func TestMain(m *testing.M) {
	if os.Getenv(asProvisioner) != "" || len(os.Args) > 1 && os.Args[1] == "dev-agent" {
		os.Unsetenv(asProvisioner)
		main()
	}
	os.Exit(m.Run())
}
