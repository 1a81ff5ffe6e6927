package testenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each test has a database of its own, on one server.
func TestPostgreSQL(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report")
	t.Setenv("BATCHCTL_TEST_REPORT", report)
	a, b := PostgreSQL(t), PostgreSQL(t)
	if a == b {
		t.Errorf("two tests have the database %s", a)
	}
	psql(t, a, "CREATE TABLE x (y TEXT)")
	if got := psql(t, b, "SELECT count(*) FROM pg_tables WHERE tablename = 'x'"); got != "0" {
		t.Errorf("a table of one test is in the database of another")
	}
	text, err := os.ReadFile(report)
	if err != nil || !strings.HasPrefix(string(text), "ran\tPostgreSQL 1") {
		t.Errorf("the report is %q, %v", text, err)
	}
}

// A server that is stopped like by a power cut comes back with its data, at
// the same URL.
func TestPostgresServer(t *testing.T) {
	s := NewPostgresServer(t)
	psql(t, s.URL, "CREATE TABLE x (y TEXT)")
	s.Stop(t, "immediate")
	if _, err := script("psql", s.URL, "--command=SELECT 1"); err == nil {
		t.Error("the server still answers")
	}
	s.Start(t)
	psql(t, s.URL, "DROP TABLE x")
	if got := psql(t, s.URL, "SHOW fsync"); got != "on" {
		t.Errorf("fsync is %s", got)
	}
}
