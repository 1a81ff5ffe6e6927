package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
)

func TestSQLiteFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	wantText(t, refused(t, "sqlite:"), "the URL has no path")
	wantText(t, refused(t, "sqlite://provisioner.db"), "the URL has no path")
	wantText(t, refused(t, "sqlite:"+dir), dir+" is a directory")
	none := filepath.Join(dir, "none", "x.db")
	wantText(t, refused(t, "sqlite:"+none), none, "no such file or directory", "the directory has to be there")
	text := write("text", strings.Repeat("no database ", 500))
	wantText(t, refused(t, "sqlite:"+text), text, "the file is no SQLite database")
	if kept, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(kept), "no database") {
		t.Errorf("a file that is no database was changed: %v", err)
	}
	other := filepath.Join(dir, "other.db")
	db, err := sql.Open("sqlite", other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE leases (x)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	wantText(t, refused(t, "sqlite:"+other), other, "the database of another program")

	// Names that mean something in a URL are names all the same, and nobody
	// else can read what is made.
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	for _, name := range []string{"a b.db", "q?mode=memory", "h#x.db", "p%41.db", "정산.db", "a&_txlock=x.db"} {
		sub := filepath.Join(dir, name)
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(sub, name)
		db := open(t, "sqlite:"+path)
		if _, err := db.Add(t.Context(), nodes.Lease{ID: "a"}); err != nil {
			t.Error(err)
		}
		for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
			info, err := os.Stat(path + suffix)
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
		}
		if files, _ := os.ReadDir(sub); len(files) != 4 {
			t.Errorf("files are %v", files)
		}
	}
}

// A user without the right to a file or its directory is told so.
func TestSQLiteNoPermission(t *testing.T) {
	if os.Getuid() != 0 {
		testenv.Missing(t, "the right to become another user (root)")
	}
	program := filepath.Join(openDir(t), "program")
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		file, dir os.FileMode // 0: no file
		want      string
	}{
		{"closed file", 0o600, 0o777, "let this user read and write the file and its directory"},
		{"file to read", 0o444, 0o777, "let this user read and write the file and its directory"},
		{"closed directory", 0o666, 0o700, "provisioner.db: permission denied"},
		{"directory to read", 0o666, 0o755, "provisioner.db.lock: permission denied"},
		{"no file", 0, 0o755, "this user has to be allowed to write in it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := openDir(t)
			path := filepath.Join(dir, "provisioner.db")
			if c.file != 0 {
				open(t, "sqlite:"+path).Close()
				os.Remove(path + ".lock")
				if err := os.Chmod(path, c.file); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, c.dir); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program)
			cmd.Dir = "/"
			cmd.Env = append(os.Environ(), "STORE_TEST_URL=sqlite:"+path, "STORE_TEST_NAME=x")
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			if _, err := cmd.StdinPipe(); err != nil { // a child ends with it
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Run(); err == nil {
				t.Error("the other user could open it")
			}
			wantText(t, stderr.String(), path, c.want)
		})
	}
}

// openDir makes a directory that other users can reach, which those of
// testing are not.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "store-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// fill adds leases until the database takes no more.
func fill(t *testing.T, db *DB) (stored int, err error) {
	reason := string(bytes.Repeat([]byte("long "), 2000))
	for n := range 10000 {
		if _, err := db.Add(t.Context(), nodes.Lease{ID: fmt.Sprint(n), Reason: reason}); err != nil {
			return n, err
		}
	}
	t.Fatal("the database is not full after 10,000 leases")
	return 0, nil
}

// A database that has no room says so, keeps what it has, and works again
// when there is room.
func TestFull(t *testing.T) {
	t.Run("pages", func(t *testing.T) {
		db := open(t, sqliteURL(t))
		if _, err := db.writer.Exec("PRAGMA max_page_count = 200"); err != nil {
			t.Fatal(err)
		}
		wantRecovers(t, db, func() {
			if _, err := db.writer.Exec("PRAGMA max_page_count = 100000"); err != nil {
				t.Fatal(err)
			}
		})
	})
	t.Run("disk", func(t *testing.T) {
		dir := t.TempDir()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
			testenv.Missing(t, "the right to mount a small disk (root)")
		}
		defer func() {
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		}()
		db, err := Open(t.Context(), "sqlite:"+filepath.Join(dir, "x.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		wantRecovers(t, db, func() {
			if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=9m"); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func wantRecovers(t *testing.T, db *DB, makeRoom func()) {
	t.Helper()
	stored, err := fill(t, db)
	wantText(t, err.Error(), db.String(), "full", "make room on its disk; work goes on by itself")
	has := func(want int) {
		t.Helper()
		if leases, err := db.Leases(t.Context()); err != nil || len(leases) != want {
			t.Errorf("%d leases, %v; want %d", len(leases), err, want)
		}
	}
	has(stored)
	makeRoom()
	if _, err := db.Add(t.Context(), nodes.Lease{ID: "after"}); err != nil {
		t.Error(err)
	}
	has(stored + 1)
}
