package store

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// open opens a database and closes it at the end of the test.
func open(t testing.TB, url string) *DB {
	t.Helper()
	db, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// databases is both kinds of database. Each gives the URLs of empty ones.
var databases = []struct {
	name  string
	fresh func(t testing.TB) (url func(t testing.TB) string)
}{
	{"SQLite", func(testing.TB) func(testing.TB) string { return sqliteURL }},
	{"PostgreSQL", func(t testing.TB) func(testing.TB) string {
		base := testenv.PostgreSQL(t)
		return func(t testing.TB) string { return postgresSchema(t, base) }
	}},
}

// sqliteURL names a file that is not there yet.
func sqliteURL(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "provisioner.db")
}

// postgresSchema makes an empty schema in a database. That is faster than a
// database for each of many tests.
func postgresSchema(t testing.TB, base string) string {
	t.Helper()
	name := "s" + strings.ToLower(filepath.Base(t.TempDir())) + strings.ToLower(strings.NewReplacer("/", "_").Replace(t.Name()))
	name = name[:min(len(name), 60)]
	postgresExec(t, base, "CREATE SCHEMA "+pgx.Identifier{name}.Sanitize())
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", pgx.Identifier{name}.Sanitize())
	u.RawQuery = q.Encode()
	return u.String()
}

// postgresExec runs one statement on a connection of its own.
func postgresExec(t testing.TB, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			fresh := d.fresh(t)
			nodetest.TestStore(t, func(t *testing.T) nodes.Store { return open(t, fresh(t)) })
			nodetest.TestRecords(t, func(t *testing.T) nodetest.Records { return open(t, fresh(t)) })
		})
	}
}

// Several programs that work on one database keep the contract together.
func TestTogether(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			fresh := d.fresh(t)
			team := func(t *testing.T) *team {
				url := fresh(t)
				return &team{DB: open(t, url), other: open(t, url)}
			}
			nodetest.TestStore(t, func(t *testing.T) nodes.Store { return team(t) })
		})
	}
}

// team is two programs that take turns at what writes.
type team struct {
	*DB
	other *DB
	turn  atomic.Int32
}

func (s *team) next() *DB {
	if s.turn.Add(1)%2 == 0 {
		return s.DB
	}
	return s.other
}

func (s *team) Add(ctx context.Context, l nodes.Lease) (nodes.Lease, error) {
	return s.next().Add(ctx, l)
}

func (s *team) Update(ctx context.Context, l nodes.Lease) (nodes.Lease, error) {
	return s.next().Update(ctx, l)
}

func (s *team) Place(ctx context.Context, o nodes.Order, leases []nodes.Lease, lim nodes.Limits) ([]nodes.Lease, []nodes.Over, error) {
	return s.next().Place(ctx, o, leases, lim)
}
