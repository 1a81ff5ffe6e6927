// Package store keeps leases, orders, the catalog and the settings of the
// provisioner in SQLite or PostgreSQL. It is the nodes.Store of both.
//
// Read the schema in migrations first, then Open, then Place, which holds the
// limits across provisioners. A row of leases is a lease as one JSON document,
// and beside it the columns that rules and queries need; unique indexes guard
// the rules, so that no error of this package can break them.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/batchctl/batchctl/nodes"
)

// DB is a database. Its methods may be called from many goroutines, and many
// processes may have one database open. When the database is not to be had
// its methods return errors, and work again when it is back.
type DB struct {
	dialect
	name   string  // of the database, as errors have it: never with a password
	writer *sql.DB // of SQLite one connection
	reader *sql.DB

	mu      sync.Mutex
	decoded map[string]nodes.Lease // as Leases returned them last
}

var _ nodes.Store = (*DB)(nil)

// dialect is in what SQLite and PostgreSQL differ.
type dialect struct {
	isolation sql.IsolationLevel
	lock      string // statement that keeps other transactions with the same argument waiting; may be empty
	forUpdate string // behind a SELECT: keeps other transactions from changing the rows
	bind      func(query string) string
	classify  func(err error) fault
}

// Open opens a database, makes its tables or brings them up to date, and
// returns when it can be used. The URL is sqlite:PATH, with a file that is made
// with mode 0600 if it is not there, or postgres://USER:PASSWORD@HOST/DATABASE
// with what else PostgreSQL's programs take in a URL. No error has the
// password in it.
//
// A database that a newer program has changed is refused. Several programs may
// open a database at once, a new one too.
func Open(ctx context.Context, url string) (*DB, error) {
	path, isSQLite := strings.CutPrefix(url, "sqlite:")
	switch {
	case isSQLite:
		return openSQLite(ctx, path)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return openPostgres(ctx, url)
	}
	// The URL may hold a password however it is misspelt: it is not shown.
	return nil, errors.New("open database: the URL begins neither with sqlite: nor with postgres://; " +
		"write sqlite:/var/lib/provisioner/provisioner.db or postgres://USER:PASSWORD@HOST/DATABASE")
}

// Close gives back what the database holds. It waits for calls that run.
func (db *DB) Close() error {
	err := db.writer.Close()
	if db.reader != db.writer {
		err = errors.Join(err, db.reader.Close())
	}
	if err != nil {
		return fmt.Errorf("close %s: %w", db.name, err)
	}
	return nil
}

// String names the database, without a password.
func (db *DB) String() string { return db.name }
