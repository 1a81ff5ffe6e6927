package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/sqlite/*.sql
var sqliteMigrations embed.FS

// readers is how many goroutines read at once; one writes.
const readers = 4

// openSQLite opens a file. One connection writes, and takes the lock for that
// at the begin of a transaction, where it can wait for it. Readers do not wait
// for it: the file is in WAL mode. Each commit is on the disk when it returns.
func openSQLite(ctx context.Context, path string) (*DB, error) {
	if path == "" || strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///") {
		return nil, errors.New("open database: the URL has no path; write sqlite:/var/lib/provisioner/provisioner.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := createFile(path); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	const pragmas = "_pragma=busy_timeout(10000)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas
	db := &DB{name: path, dialect: dialect{
		bind:     func(query string) string { return query },
		classify: classifySQLite,
	}}
	if db.writer, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.writer.SetMaxOpenConns(1)
	if db.reader, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		db.writer.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.reader.SetMaxOpenConns(readers)
	db.reader.SetMaxIdleConns(readers)
	if err := db.prepareSQLite(ctx, path); err != nil {
		db.Close()
		return nil, fmt.Errorf("open %w", db.explain(ctx, err))
	}
	return db, nil
}

// creating is held while a file is made: when a process closes a file it loses
// its locks on it, those of SQLite's other connections too. So no connection
// may be there before the new file is closed.
var creating sync.Mutex

// createFile makes an empty file, which is an empty database to SQLite, that
// nobody else can read.
func createFile(path string) error {
	creating.Lock()
	defer creating.Unlock()
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a directory; name a file in it", path)
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a plain file", path)
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) { // another process was faster
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w; the directory has to be there and this user has to be allowed to write in it", err)
	}
	return f.Close()
}

// lockFile takes the lock of a file, which ends when the file is closed.
func lockFile(ctx context.Context, f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond): // a lock on a file cannot be waited for and given up
		}
	}
}

// prepareSQLite brings the file into WAL mode and up to date, under a lock on
// a file beside it: SQLite has none that several transactions share.
func (db *DB) prepareSQLite(ctx context.Context, path string) error {
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := lockFile(ctx, lock); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	var strangers int
	if err := db.writer.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'table'
		AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'goose_db_version')`).Scan(&strangers); err != nil {
		return err
	}
	if strangers > 0 {
		return errors.New("the file is the database of another program; name another file")
	}
	var mode string
	if err := db.writer.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("SQLite cannot use WAL mode there (it says %q); put the file on a local disk", mode)
	}
	return migrate(ctx, goose.DialectSQLite3, db.writer, sqliteMigrations, "migrations/sqlite")
}

// classifySQLite says what an error of SQLite means.
func classifySQLite(err error) fault {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return fault{}
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		switch text := e.Error(); { // it has the index's columns, not its name
		case strings.Contains(text, "leases.attempt"):
			return fault{taken: rules["leases_attempt"]}
		case strings.Contains(text, "leases.vm"):
			return fault{taken: rules["leases_machine"]}
		case strings.Contains(text, "leases.number"):
			return fault{taken: rules["leases_run_held"]}
		}
		return fault{taken: "its ID"}
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fault{hint: "make room on its disk; work goes on by itself then"}
	case sqlite3.SQLITE_NOTADB:
		return fault{hint: "the file is no SQLite database; name another file, or move this one away"}
	case sqlite3.SQLITE_CORRUPT:
		return fault{hint: "the file is damaged; stop the provisioner and restore a backup"}
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH:
		return fault{hint: "let this user read and write the file and its directory"}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault{hint: "another program keeps the file locked; find it (fuser) and end it"}
	case sqlite3.SQLITE_IOERR:
		return fault{hint: "look at the disk and at the kernel's messages; work goes on by itself when the disk is well"}
	}
	return fault{}
}
