package openstack

import (
	"net/http"
	"testing"

	"github.com/batchctl/batchctl/nodes/nodetest"
	"github.com/batchctl/batchctl/nodes/openstack/openstacktest"
)

// The driver keeps the contract over a real OpenStack.
func TestDriver(t *testing.T) {
	l := newLab(t)
	suite := l.suite()
	suite.Cut = func(*testing.T) func() {
		l.proxy.Set(func(*http.Request) openstacktest.Fault { return openstacktest.LoseRequest })
		return func() { l.proxy.Set(nil) }
	}
	nodetest.TestDriver(t, suite)
}
