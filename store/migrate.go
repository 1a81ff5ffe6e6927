package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// migrate brings the tables up to date. The caller holds a lock.
func migrate(ctx context.Context, d goose.Dialect, db *sql.DB, files fs.FS, dir string) error {
	migrations, err := fs.Sub(files, dir)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(d, db, migrations, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	if has > knows {
		return fmt.Errorf("it has version %d, which a newer program made, and this program knows version %d; use a newer release", has, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring it to version %d: %w", knows, err)
	}
	return nil
}
