package nodetest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// cloudDriver is one owner's door to a simulated cloud.
type cloudDriver struct {
	cloud *Cloud
	owner string
}

var _ nodes.Driver = (*cloudDriver)(nil)

var (
	errLost    = errors.New("connection reset by peer")
	errTimeout = errors.New("no answer within the time limit")
	errOutage  = errors.New("503 the cloud is out of service")
)

var orderID = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// Offers implements nodes.Driver. The first of several costs least.
func (d *cloudDriver) Offers(ctx context.Context, place string, _ nodes.Need) ([]nodes.Offer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if d.cloud.cfg.Offers == 0 {
		return []nodes.Offer{{}}, nil
	}
	offers := make([]nodes.Offer, d.cloud.cfg.Offers)
	for i := range offers {
		spec := strconv.Itoa(i + 1)
		offers[i] = nodes.Offer{Name: "type " + spec, Spec: spec, Price: float64(i+1) / 8, Scopes: []string{place + "/" + spec}}
	}
	return offers, nil
}

// spot names what an order's machines take the room of.
func spot(o nodes.Order) string {
	if o.Offer.Spec == "" {
		return o.Place
	}
	return o.Place + "/" + o.Offer.Spec
}

// Launch implements nodes.Driver.
func (d *cloudDriver) Launch(ctx context.Context, o nodes.Order) ([]nodes.VM, error) {
	c := d.cloud
	if err := c.arrive(ctx, "launch"); err != nil {
		return nil, fmt.Errorf("launch order %s: %w", o.ID, err)
	}
	vms, err := c.launch(d.owner, o)
	if err == nil {
		err = c.reply(ctx, "launch reply", c.cfg.LaunchFaults)
	}
	if err != nil {
		return nil, fmt.Errorf("launch order %s: %w", o.ID, err)
	}
	return vms, nil
}

// Destroy implements nodes.Driver.
func (d *cloudDriver) Destroy(ctx context.Context, ids ...string) error {
	c := d.cloud
	if err := c.arrive(ctx, "destroy"); err != nil {
		return fmt.Errorf("destroy machines: %w", err)
	}
	if err := c.destroyAll(d.owner, ids); err != nil {
		return err
	}
	if err := c.reply(ctx, "destroy reply", c.cfg.DestroyFaults); err != nil {
		return fmt.Errorf("destroy machines: %w", err)
	}
	return nil
}

// List implements nodes.Driver.
func (d *cloudDriver) List(ctx context.Context) ([]nodes.VM, error) {
	c := d.cloud
	if err := c.arrive(ctx, "list"); err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	vms, err := c.list(d.owner)
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	return vms, nil
}

// arrive is the way of a request to the cloud.
func (c *Cloud) arrive(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	hook := c.fail
	c.mu.Unlock()
	if hook != nil {
		if err := hook(op); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if slices.ContainsFunc(c.outages, func(o outage) bool { return !now.Before(o.from) && now.Before(o.to) }) {
		return errOutage
	}
	return nil
}

// reply is the way of an answer back.
func (c *Cloud) reply(ctx context.Context, op string, f Faults) error {
	c.mu.Lock()
	hook, lost := c.fail, c.chance(f.Reply)
	c.mu.Unlock()
	if hook != nil {
		if err := hook(op); err != nil {
			return err
		}
	}
	if lost {
		return errTimeout
	}
	return ctx.Err()
}

func (c *Cloud) launch(owner string, o nodes.Order) ([]nodes.VM, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	f := c.cfg.LaunchFaults
	if c.chance(f.Request) {
		return nil, errLost
	}
	if c.chance(f.Delay) {
		c.at(c.now().Add(f.DelayBy.draw(c.rng)), event{kind: arrival, order: &o, owner: owner})
		return nil, errTimeout
	}
	now := c.now()
	if !c.launches.AllowN(now, 1) || !c.machineTokens.AllowN(now, max(o.Count, 0)) {
		return nil, throttled()
	}
	return c.accept(owner, o, now)
}

// refuse says why the cloud will not look at an order.
func (c *Cloud) refuse(o nodes.Order) error {
	switch {
	case !orderID.MatchString(o.ID):
		return classed(nodes.Configuration, nil, "order ID %q is not 1 to 40 of a-z, 0-9 and -", o.ID)
	case o.Count < 1:
		return classed(nodes.Configuration, nil, "an order for %d machines: ask for one at least", o.Count)
	case c.bad[o.Place]:
		return classed(nodes.Configuration, nil, "place %s has no such image", o.Place)
	case c.chance(c.cfg.NoCapacity):
		return classed(nodes.NoCapacity, o.Offer.Scopes, "place %s has no such machine now", o.Place)
	}
	return nil
}

// accept makes the machines of an order, or finds them made.
func (c *Cloud) accept(owner string, o nodes.Order, at time.Time) ([]nodes.VM, error) {
	key := orderKey{owner, o.ID}
	known := c.orders[key]
	if known == nil || c.cfg.Blunt {
		if err := c.refuse(o); err != nil {
			return nil, err
		}
	}
	if known != nil {
		return c.repeat(known, o)
	}
	n := o.Count
	if room, ok := c.capacity[spot(o)]; ok {
		n = min(n, room-c.used[spot(o)])
	}
	if n <= 0 {
		return nil, classed(nodes.NoCapacity, o.Offer.Scopes, "place %s has no such machine now", o.Place)
	}
	if c.cfg.Quota > 0 {
		n = min(n, c.cfg.Quota-c.count)
	}
	if n <= 0 {
		return nil, classed(nodes.Quota, nil, "all %d machines of the quota are taken", c.cfg.Quota)
	}
	if n > 1 && c.chance(c.cfg.Short) {
		n = 1 + c.rng.IntN(n-1)
	}
	made := &order{request: o}
	for range n {
		made.made = append(made.made, c.make(owner, o, at))
	}
	c.orders[key] = made
	return made.vms(), nil
}

// repeat answers an order that has been accepted before.
func (c *Cloud) repeat(known *order, o nodes.Order) ([]nodes.VM, error) {
	was := known.request
	if c.cfg.StrictRepeat && (was.Count != o.Count || was.Place != o.Place || was.Need != o.Need || was.Offer.Spec != o.Offer.Spec || was.UserData != o.UserData) {
		return nil, errors.New("the order was sent before with other content")
	}
	return known.vms(), nil
}

func (o *order) vms() []nodes.VM {
	vms := make([]nodes.VM, len(o.made))
	for i, m := range o.made {
		vms[i] = m.VM
	}
	return vms
}

func (c *Cloud) destroyAll(owner string, ids []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	now := c.now()
	if c.chance(c.cfg.DestroyFaults.Request) {
		return fmt.Errorf("destroy machines: %w", errLost)
	}
	if !c.destroys.AllowN(now, 1) {
		return fmt.Errorf("destroy machines: %w", throttled())
	}
	var errs []error
	for _, id := range ids {
		m := c.byID[id]
		switch {
		case m == nil || m.Owner != owner || !m.Gone.IsZero():
		case c.held[id] || c.chance(c.cfg.DestroyMiss):
			errs = append(errs, fmt.Errorf("destroy %s: 500 internal error", id))
		default:
			c.destroy(m, now)
		}
	}
	return errors.Join(errs...)
}

func (c *Cloud) list(owner string) ([]nodes.VM, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	now := c.now()
	if c.chance(c.cfg.ListFaults.Request) || c.chance(c.cfg.ListFaults.Reply) {
		return nil, errLost
	}
	if !c.lists.AllowN(now, 1) {
		return nil, throttled()
	}
	c.sweep()
	var vms []nodes.VM
	for _, m := range c.live {
		if m.Owner == owner && !m.visible.After(now) {
			vms = append(vms, m.VM)
		}
	}
	return vms, nil
}

func throttled() error {
	return classed(nodes.Throttled, nil, "request limit exceeded")
}

func classed(class nodes.Class, scopes []string, format string, args ...any) error {
	return &nodes.CloudError{Class: class, Scope: strings.Join(scopes, ""), Err: fmt.Errorf(format, args...)}
}
