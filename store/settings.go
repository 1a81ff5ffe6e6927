package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/nodes"
)

// catalogsKept is how many versions of the catalog are kept, to look at what
// an earlier one had.
const catalogsKept = 10

// PutCatalog stores a catalog as the one that is in force, and returns its
// version. If the one in force has the same content nothing is stored, and
// its version is returned.
func (db *DB) PutCatalog(ctx context.Context, c catalog.Catalog, by string, at time.Time) (version int64, err error) {
	var text, packed bytes.Buffer
	if err := catalog.Write(&text, c); err != nil {
		return 0, fmt.Errorf("put catalog: %w", err)
	}
	sum := sha256.Sum256(text.Bytes())
	hash := hex.EncodeToString(sum[:])
	w := gzip.NewWriter(&packed)
	if _, err = w.Write(text.Bytes()); err == nil {
		err = w.Close()
	}
	if err != nil {
		return 0, fmt.Errorf("put catalog: %w", err)
	}
	err = db.write(ctx, func(tx tx) error {
		if err := tx.lock("catalogs"); err != nil {
			return err
		}
		var inForce string
		version = 0
		err := tx.queryRow("SELECT version, sha256 FROM catalogs ORDER BY version DESC LIMIT 1").Scan(&version, &inForce)
		if err != nil && !errors.Is(err, sql.ErrNoRows) || inForce == hash {
			return err
		}
		version++
		if _, err := tx.exec("INSERT INTO catalogs (version, at, author, sha256, text) VALUES (?, ?, ?, ?, ?)",
			version, micros(nodes.StoredTime(at)), nodes.StoredText(by), hash, packed.Bytes()); err != nil {
			return err
		}
		_, err = tx.exec("DELETE FROM catalogs WHERE version <= ?", version-catalogsKept)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("put catalog: %w", err)
	}
	return version, nil
}

// Catalog returns the catalog in force, its version, and when and by whom it
// was put; nodes.ErrNotFound if there is none yet.
func (db *DB) Catalog(ctx context.Context) (c catalog.Catalog, version int64, at time.Time, by string, err error) {
	var micros int64
	var packed []byte
	err = db.read(ctx, func() error {
		return notFound(db.queryRow(ctx, "SELECT version, at, author, text FROM catalogs ORDER BY version DESC LIMIT 1").
			Scan(&version, &micros, &by, &packed))
	})
	if err == nil {
		c, err = unpack(packed)
	}
	if err != nil {
		return catalog.Catalog{}, 0, time.Time{}, "", fmt.Errorf("read catalog: %w", err)
	}
	return c, version, timeOf(micros), by, nil
}

func unpack(packed []byte) (catalog.Catalog, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return catalog.Catalog{}, err
	}
	return catalog.Read(r)
}

// CatalogVersion returns the version of the catalog in force, 0 if there is
// none. It is cheap enough to be asked each second.
func (db *DB) CatalogVersion(ctx context.Context) (version int64, err error) {
	err = db.read(ctx, func() error {
		return db.queryRow(ctx, "SELECT coalesce(max(version), 0) FROM catalogs").Scan(&version)
	})
	if err != nil {
		return 0, fmt.Errorf("read version of the catalog: %w", err)
	}
	return version, nil
}

// Drain notes that a pool is to get no new machines, by whom and why. On a
// pool that is drained already the last word counts.
func (db *DB) Drain(ctx context.Context, pool, by, reason string, at time.Time) error {
	err := db.write(ctx, func(tx tx) error {
		_, err := tx.exec(`INSERT INTO drains (pool, author, reason, at) VALUES (?, ?, ?, ?)
			ON CONFLICT (pool) DO UPDATE SET author = excluded.author, reason = excluded.reason, at = excluded.at`,
			nodes.StoredText(pool), nodes.StoredText(by), nodes.StoredText(reason), micros(nodes.StoredTime(at)))
		return err
	})
	if err != nil {
		return fmt.Errorf("drain pool %s: %w", pool, err)
	}
	return nil
}

// Resume ends a Drain. A pool that is not drained is no error.
func (db *DB) Resume(ctx context.Context, pool string) error {
	err := db.write(ctx, func(tx tx) error {
		_, err := tx.exec("DELETE FROM drains WHERE pool = ?", nodes.StoredText(pool))
		return err
	})
	if err != nil {
		return fmt.Errorf("resume pool %s: %w", pool, err)
	}
	return nil
}

// Drained returns the drained pools by name.
func (db *DB) Drained(ctx context.Context) (drains map[string]nodes.Drain, err error) {
	err = db.read(ctx, func() error {
		drains = make(map[string]nodes.Drain)
		rows, err := db.query(ctx, "SELECT pool, author, reason, at FROM drains")
		return each(rows, err, func() error {
			var d nodes.Drain
			var at int64
			if err := rows.Scan(&d.Pool, &d.By, &d.Reason, &at); err != nil {
				return err
			}
			d.At = timeOf(at)
			drains[d.Pool] = d
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read drained pools: %w", err)
	}
	return drains, nil
}
