//go:build !linux

package local

import (
	"context"
	"errors"

	"github.com/batchctl/batchctl/nodes"
)

// Driver makes machines of processes, where there is Linux.
type Driver struct{}

var _ nodes.Driver = (*Driver)(nil)

var errLinux = errors.New("local machines need Linux: run the provisioner there, or configure another cloud")

// New says that local machines need Linux.
func New(c Config) (*Driver, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return nil, errLinux
}

// Offers implements nodes.Driver.
func (*Driver) Offers(context.Context, string, nodes.Need) ([]nodes.Offer, error) {
	return nil, errLinux
}

// Launch implements nodes.Driver.
func (*Driver) Launch(context.Context, nodes.Order) ([]nodes.VM, error) { return nil, errLinux }

// Destroy implements nodes.Driver.
func (*Driver) Destroy(context.Context, ...string) error { return errLinux }

// List implements nodes.Driver.
func (*Driver) List(context.Context) ([]nodes.VM, error) { return nil, errLinux }

// Limits says what keeps machines within their size.
func (*Driver) Limits() string { return errLinux.Error() }
