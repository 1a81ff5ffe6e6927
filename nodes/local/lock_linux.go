package local

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// locks is how many files share the locks of all orders. Files that are never
// removed cannot be locked by one process and replaced by another.
const locks = 64

// lock keeps an order to one caller, in whatever process. The kernel frees it
// when the process dies, and no machine inherits it.
func (d *Driver) lock(ctx context.Context, order string) (unlock func(), err error) {
	h := fnv.New32a()
	h.Write([]byte(d.cfg.Owner + "/" + order))
	return d.flock(ctx, fmt.Sprintf("order-%02d", h.Sum32()%locks))
}

// lockCount keeps the number of machines still while it is compared with Max.
func (d *Driver) lockCount(ctx context.Context) (unlock func(), err error) {
	return d.flock(ctx, "count-"+d.cfg.Owner)
}

func (d *Driver) flock(ctx context.Context, name string) (func(), error) {
	f, err := os.OpenFile(filepath.Join(d.dir, ".locks", name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open a lock: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			f.Close()
			return nil, fmt.Errorf("wait for the lock %s: %w", name, err)
		}
	}
}

// pause waits, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
