package store

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
)

// refused opens a URL that cannot be opened, and returns why.
func refused(t *testing.T, url string) string {
	t.Helper()
	db, err := Open(t.Context(), url)
	if err == nil {
		db.Close()
		t.Fatalf("%s was opened", url)
	}
	return err.Error()
}

func wantText(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q has no %q", got, w)
		}
	}
}

// The password is in no error, however wrong the URL is.
func TestPasswordIsNeverShown(t *testing.T) {
	server, err := url.Parse(testenv.PostgreSQL(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ url, want string }{
		{"postgre://u:s3cr3t@h/d", "begins neither with sqlite: nor with postgres://"},
		{"u:s3cr3t@h/d", "begins neither"},
		{"postgres://u:s3cr3t%zz@h/d", "cannot be read"},
		{"postgres://u:s3/cr3t@h/d", "cannot be"},
		{"postgres://u:s3cr3t#@h/d", "cannot be"},
		{"postgres://u:123/s3cr3t@h/d", "cannot be read"},
		{"postgres://u:123?s3cr3t@h/d", "cannot be read"},
		{"postgres://u:123#s3cr3t@h/d", "cannot be read"},
		{"postgres://u:a@b/s3cr3t@h/d", "cannot be read"},
		{"postgres://u:s3cr3t@h:port/d", "cannot be read"},
		{"postgres://u:s3cr3t@h:99999/d", "cannot be"},
		{"postgres://u:s3cr3t@h/d?sslmode=s3cr3t", `host "h" cannot be used`},
		{"postgres://u@h/d?password=s3cr3t&sslmode=x", `host "h" cannot be used`},
		{"postgres://u:s3cr3t@h/d\x00", "cannot be read"},
		{"postgres://u:s3cr3t@127.0.0.1:1/d", "PostgreSQL database d at 127.0.0.1:1: "},
		{"postgres://u:s3cr3t@127.0.0.1:1,127.0.0.1:2/d", "PostgreSQL database d at 127.0.0.1:1, 127.0.0.1:2: "},
		{"postgres://u@127.0.0.1:1/d?password=s3cr3t", "start the server or look at the network"},
		{"postgres://u:s3cr3t@" + server.Host + "/postgres?sslmode=disable", "look at user, password and database"},
		{"postgres://u:s3cr3t@" + server.Host + "/none", "PostgreSQL database none at " + server.Host},
	} {
		_, err := Open(t.Context(), c.url)
		if err == nil {
			t.Errorf("%s was opened", c.url)
			continue
		}
		wantText(t, err.Error(), c.want)
		for e := err; e != nil; e = errors.Unwrap(e) {
			if text := fmt.Sprintf("%v %+v %#v", e, e, e.Error()); strings.Contains(text, "s3cr") || strings.Contains(text, "cr3t") {
				t.Errorf("%q shows the password", text)
			}
		}
	}
	password, _ := server.User.Password()
	if db := open(t, server.String()); strings.Contains(fmt.Sprintf("%v %+v %s", db, db, db), password) {
		t.Error("a database that is printed shows the password")
	}
}

// A database that a newer program has changed is left alone.
func TestNewerIsRefused(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			url := d.fresh(t)(t)
			db := open(t, url)
			if _, err := db.writer.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)"); err != nil {
				t.Fatal(err)
			}
			wantText(t, refused(t, url), db.String(), "version 99, which a newer program made", "use a newer release")
		})
	}
}

// Many may open a new database at once.
func TestOpenTogether(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			url := d.fresh(t)(t)
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					db, err := Open(t.Context(), url)
					if err != nil {
						t.Error(err)
						return
					}
					defer db.Close()
					if _, err := db.Add(t.Context(), nodes.Lease{ID: fmt.Sprint(i)}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if leases, err := open(t, url).Leases(t.Context()); err != nil || len(leases) != 8 {
				t.Errorf("%d leases, %v", len(leases), err)
			}
		})
	}
}
