package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/postgres/*.sql
var postgresMigrations embed.FS

const (
	connections    = 8                // to a server, at most
	connectTimeout = 10 * time.Second // unless the URL has its own
)

// openPostgres opens a database of a PostgreSQL server.
func openPostgres(ctx context.Context, text string) (*DB, error) {
	config, err := parsePostgres(text)
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db := &DB{name: postgresName(config), writer: pool, reader: pool, dialect: dialect{
		// Each statement sees what was committed before it: after lock, all that
		// those have done who had the lock before.
		isolation: sql.LevelReadCommitted,
		// The lock is that of the table in this schema, and ends with the
		// transaction.
		lock:      "SELECT pg_advisory_xact_lock(CAST(CAST(? AS TEXT) AS regclass)::oid::bigint)",
		forUpdate: " FOR UPDATE",
		bind:      numbered,
		classify:  classifyPostgres,
	}}
	if err := db.preparePostgres(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("open %w", db.explain(ctx, err))
	}
	return db, nil
}

// parsePostgres reads a URL. What net/url and pgx say of a URL that is wrong
// may quote any part of it, and a password with an unescaped character is the
// usual fault: so they are not quoted.
func parsePostgres(text string) (*pgx.ConnConfig, error) {
	const want = "write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for each of / ? # % @ : in the password"
	u, err := url.Parse(text)
	// An @ or # behind the host means that the host begins within the password.
	if err != nil || u.Fragment != "" || strings.Contains(u.EscapedPath()+u.RawQuery, "@") {
		return nil, errors.New("open database: the postgres URL cannot be read; " + want)
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("open database: the postgres URL with host %q cannot be used: the host, the port or an option behind the ? is wrong, or a file that it names cannot be read; %s", u.Hostname(), want)
	}
	if !u.Query().Has("connect_timeout") {
		config.ConnectTimeout = connectTimeout
	}
	return config, nil
}

// postgresName names a database and its servers, without a password.
func postgresName(c *pgx.ConnConfig) string {
	servers := []string{address(c.Host, c.Port)}
	for _, f := range c.Fallbacks {
		if a := address(f.Host, f.Port); !slices.Contains(servers, a) {
			servers = append(servers, a)
		}
	}
	return fmt.Sprintf("PostgreSQL database %s at %s", c.Database, strings.Join(servers, ", "))
}

// address is a host with its port, or the directory of a socket.
func address(host string, port uint16) string {
	if strings.HasPrefix(host, "/") {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// migrationLock is the session lock of this package's migrations: an
// arbitrary number that others will not use.
const migrationLock = 0x62617463686374

// preparePostgres brings the tables up to date, under a lock.
func (db *DB) preparePostgres(ctx context.Context) (err error) {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var encoding string
	if err := conn.QueryRowContext(ctx, "SHOW server_encoding").Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("its encoding is %s; make it with CREATE DATABASE … ENCODING 'UTF8'", encoding)
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return err
	}
	defer func() {
		_, unlock := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
		err = errors.Join(err, unlock)
	}()
	return migrate(ctx, goose.DialectPostgres, db.writer, postgresMigrations, "migrations/postgres")
}

// numbered writes the parameters of a query as PostgreSQL wants them: $1, $2.
func numbered(query string) string {
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			fmt.Fprintf(&b, "$%d", n)
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// classifyPostgres says what an error of PostgreSQL means.
func classifyPostgres(err error) fault {
	const back = "; work goes on by itself then"
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
			return fault{hint: "start the server or look at the network" + back}
		}
		if isLost(err) {
			return fault{lost: true, hint: "the connection was lost: look at the server and the network" + back}
		}
		return fault{}
	}
	switch e.Code {
	case "23505":
		return fault{taken: cmp.Or(rules[e.ConstraintName], "its ID")}
	case "40001", "40P01": // serialization failure, deadlock: rolled back for another's sake
		return fault{again: true}
	case "57P01", "57P02", "57P05": // the server ends, has crashed or has closed the connection
		return fault{lost: true, hint: "the server was stopped: start it" + back}
	case "57P03":
		return fault{hint: "the server is starting or stopping" + back}
	case "28P01", "28000", "3D000", "42501":
		return fault{hint: "look at user, password and database of the URL, and at the user's rights"}
	case "53100":
		return fault{hint: "make room on the server's disk" + back}
	case "53300":
		return fault{hint: "raise the server's max_connections, or let fewer programs use it" + back}
	case "25006":
		return fault{hint: "the server only reads, as a standby does: name the primary, or all servers with target_session_attrs=read-write"}
	}
	return fault{}
}

// isLost reports whether an error is of a connection and not of a server.
func isLost(err error) bool {
	for _, is := range []error{driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, is) {
			return true
		}
	}
	_, network := errors.AsType[net.Error](err)
	return network || pgconn.SafeToRetry(err)
}
