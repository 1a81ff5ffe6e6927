package openstack

import (
	"net/http"
	"testing"

	"github.com/batchctl/batchctl/nodes/nodetest"
	"github.com/batchctl/batchctl/nodes/openstack/openstacktest"
)

// The driver keeps the contract over a real OpenStack.
func TestDriver(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	suite := l.suite()
	suite.Cut = func(*testing.T) func() {
		l.proxy.Set(func(*http.Request) openstacktest.Fault { return openstacktest.LoseRequest })
		return func() { l.proxy.Set(nil) }
	}
	nodetest.TestDriver(t, suite)
}

// It keeps the contract also where calls and replies are lost, delayed and
// garbled. Each of the suite's calls is repeated as the reconciler would.
func TestDriverFaults(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.proxy.Set(openstacktest.Chaos(1, 0.05, openstacktest.LoseRequest, openstacktest.LoseReply, openstacktest.Delay,
		openstacktest.Page, openstacktest.PageAfter, openstacktest.Garbage, openstacktest.Empty, openstacktest.TooMany))
	suite := l.suite()
	suite.Many = 8
	suite.Force = nil // one try, with one certain outcome
	nodetest.TestDriver(t, suite)
}
