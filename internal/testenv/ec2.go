package testenv

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// EC2 returns the URL of a moto server, an EC2 API on this machine. It is one
// for the process, starts with the first call and ends with the process; what
// is in it stays from test to test unless one empties it.
func EC2(t testing.TB) string {
	t.Helper()
	url, err := moto()
	if missing(err) {
		Missing(t, "moto, an EC2 API server (scripts/moto.sh installs it)")
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(motoPath(), "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	record(t, "ran", "moto "+strings.TrimSpace(string(out))+" (EC2)")
	return url
}

func motoPath() string { return filepath.Join(Root(), "scripts", "moto.sh") }

// moto starts the server of this process. It ends when the pipe to its
// standard input is closed, and so also when this process is killed.
var moto = sync.OnceValues(func() (string, error) {
	cmd := exec.Command(motoPath(), "serve")
	if _, err := cmd.StdinPipe(); err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	// moto reads AWS_… itself, and what a test sets there is for its client.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	cmd.Env = append(cmd.Env, "BATCHCTL_CACHE="+Cache())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is not for it
	if err := cmd.Start(); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		if !errors.Is(err, io.EOF) {
			return "", err
		}
		return "", fmt.Errorf("scripts/moto.sh serve: %w: %s", cmd.Wait(), stderr.String())
	}
	go func() { _ = cmd.Wait() }() // it ends with this process
	return strings.TrimSpace(line), nil
})
