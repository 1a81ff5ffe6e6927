package testenv

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// PostgreSQL returns the URL of an empty database for one test. It is on the
// server that TEST_POSTGRES_URL names, or else on one that this process
// starts with scripts/postgres.sh, once, and that ends with the process.
func PostgreSQL(t testing.TB) string {
	t.Helper()
	base := os.Getenv("TEST_POSTGRES_URL")
	if base == "" {
		s, err := shared()
		if missing(err) {
			Missing(t, "PostgreSQL (scripts/postgres.sh installs it)")
		}
		if err != nil {
			t.Fatal(err)
		}
		base = s.URL
	}
	return database(t, base)
}

// database makes an empty database on a server, for one test.
func database(t testing.TB, base string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("TEST_POSTGRES_URL is no URL")
	}
	version, _, _ := strings.Cut(psql(t, base, "SHOW server_version"), " ")
	record(t, "ran", "PostgreSQL "+version)
	name := "test_" + strings.ToLower(rand.Text())
	psql(t, base, "CREATE DATABASE "+name)
	t.Cleanup(func() { psql(t, base, "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}

// psql runs one statement and returns what it says.
func psql(t testing.TB, url, statement string) string {
	t.Helper()
	out, err := script("psql", url, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command="+statement)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// PostgresServer is a PostgreSQL server that a test may stop and start.
type PostgresServer struct {
	URL string // of a database on it; stays the same when the server is started again
	dir string
	end *os.File // the server is removed when this is closed, also by a crash of this process
}

// NewPostgresServer starts a server for one test alone.
func NewPostgresServer(t testing.TB) *PostgresServer {
	t.Helper()
	s, err := startServer()
	if missing(err) {
		Missing(t, "PostgreSQL (scripts/postgres.sh installs it)")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end.Close() })
	version, _, _ := strings.Cut(psql(t, s.URL, "SHOW server_version"), " ")
	record(t, "ran", "PostgreSQL "+version)
	return s
}

// Start starts the server again.
func (s *PostgresServer) Start(t testing.TB) {
	t.Helper()
	if _, err := script("start", s.dir); err != nil {
		t.Fatal(err)
	}
}

// Stop stops the server: fast, which ends its connections, or immediate,
// which is like a power cut.
func (s *PostgresServer) Stop(t testing.TB, mode string) {
	t.Helper()
	if _, err := script("stop", s.dir, mode); err != nil {
		t.Fatal(err)
	}
}

// shared starts the server of this process.
var shared = sync.OnceValues(startServer)

// startServer starts a server that ends with this process, however that ends:
// a watcher removes it when the other end of its pipe is closed.
func startServer() (s *PostgresServer, err error) {
	dir, err := os.MkdirTemp("", "postgres-") // testing's own directories are closed to other users
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	watcher := exec.Command("sh", "-c", `cat; exec "$0" remove "$1"`, scriptPath(), dir)
	watcher.Stdin = read
	watcher.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is not for it
	if err := watcher.Start(); err != nil {
		return nil, err
	}
	go watcher.Wait() // it ends after end is closed, and often after this process
	out, err := script("start", dir)
	if err != nil {
		write.Close()
		return nil, err
	}
	return &PostgresServer{URL: out, dir: dir, end: write}, nil
}

func scriptPath() string { return filepath.Join(Root(), "scripts", "postgres.sh") }

// script runs scripts/postgres.sh and returns what it prints.
func script(args ...string) (string, error) {
	var stderr strings.Builder
	cmd := exec.Command(scriptPath(), args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("scripts/postgres.sh %s: %w: %s", args[0], err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// missing reports whether the machine lacks PostgreSQL.
func missing(err error) bool {
	e, ok := errors.AsType[*exec.ExitError](err)
	return ok && e.ExitCode() == 3
}
