package openstack

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/batchctl/batchctl/nodes"
)

// mostUserData is what Nova takes: 64 KiB less one, in base64.
const mostUserData = 65535 / 4 * 3

// Launch implements nodes.Driver. All machines of an order are asked for in
// one call (min_count 1, max_count Count), which gives as many as the quota
// allows. Where the hosts have no room for all of them, all end in ERROR.
func (d *Driver) Launch(ctx context.Context, o nodes.Order) ([]nodes.VM, error) {
	vms, err := d.launch(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("launch order %s: %w", o.ID, err)
	}
	return vms, nil
}

func (d *Driver) launch(ctx context.Context, o nodes.Order) ([]nodes.VM, error) {
	sp, err := readOrder(o)
	if err != nil {
		return nil, &nodes.CloudError{Class: nodes.Configuration, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := d.session(ctx)
	if err != nil {
		return nil, open(err)
	}
	end, ok := d.claims.begin(o.ID)
	if !ok {
		return nil, errClaimed
	}
	defer end()
	h, err := d.claim(ctx, s, o.ID)
	if errors.Is(err, errClaimed) {
		return d.launched(ctx, s, o, h, err)
	}
	if err != nil {
		return nil, fmt.Errorf("claim it: %w", err)
	}
	there, err := d.find(ctx, s, o)
	if err == nil && len(there) == 0 {
		there, err = d.create(ctx, s, o, sp, h)
	} else if err != nil {
		err = open(err)
	}
	if err == nil || !errors.Is(err, errSent) {
		d.release(context.WithoutCancel(ctx), s, h)
	}
	if err != nil {
		return nil, err
	}
	return d.machines(o.ID, there), nil
}

// launched returns the machines of an order whose claim is not ours, where
// they are all there. Nobody can create any more then, and the claim may go.
func (d *Driver) launched(ctx context.Context, s *session, o nodes.Order, h *held, claimed error) ([]nodes.VM, error) {
	there, err := d.find(ctx, s, o)
	if err != nil {
		return nil, open(err)
	}
	if len(there) < o.Count {
		return nil, claimed
	}
	d.release(context.WithoutCancel(ctx), s, h)
	return d.machines(o.ID, there), nil
}

// machines describes servers of an order, and remembers that they are ours.
func (d *Driver) machines(order string, there []servers.Server) []nodes.VM {
	vms := make([]nodes.VM, len(there))
	for i := range there {
		vms[i] = d.describe(&there[i])
		vms[i].Order = order // a server that is gone has no tags any more
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, vm := range vms {
		d.ours[vm.ID] = ownedOf(&there[i])
	}
	return vms
}

// readOrder refuses what no cloud can carry out.
func readOrder(o nodes.Order) (spec, error) {
	var sp spec
	switch {
	case !orderName.MatchString(o.ID):
		return sp, fmt.Errorf("the ID %q of an order is not 1 to 40 lower-case letters, digits and dashes", o.ID)
	case o.Count < 1:
		return sp, fmt.Errorf("an order for %d machines", o.Count)
	case len(o.UserData) > mostUserData:
		return sp, fmt.Errorf("the user data has %d bytes, and Nova takes %d", len(o.UserData), mostUserData)
	}
	if err := json.Unmarshal([]byte(o.Offer.Spec), &sp); err != nil || sp.Flavor == "" || sp.Image == "" || len(sp.Networks) == 0 {
		return sp, fmt.Errorf("the offer %q is not one that this driver made", oneLine(o.Offer.Spec))
	}
	return sp, nil
}

// errSent says that a create has left and that its outcome is not known: its
// claim is kept.
var errSent = errors.New("it is not known whether the cloud took it")

// create makes the servers of an order that has none.
func (d *Driver) create(ctx context.Context, s *session, o nodes.Order, sp spec, h *held) ([]servers.Server, error) {
	if sp.Floating != "" {
		return d.createFloating(ctx, s, o, sp, h)
	}
	opts := d.options(o, sp)
	opts.Name, opts.Min, opts.Max = d.serverName(o.ID), 1, o.Count
	if o.Count == 1 {
		opts.Name += "-1" // as Nova calls the first of several
	}
	if err := d.writes.Wait(ctx); err != nil {
		return nil, err
	}
	if d.late(h) {
		return nil, errLate
	}
	d.claims.sent(h, true, d.cfg.Now())
	one, err := d.post(ctx, s, opts, sp)
	if err == nil && o.Count == 1 {
		return []servers.Server{*one}, nil
	}
	if err == nil {
		there, err := d.find(ctx, s, o)
		if err == nil && len(there) == 0 {
			err = fmt.Errorf("the cloud took the order, and shows none of its servers yet")
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSent, open(err))
		}
		return there, nil
	}
	if !refused(err) {
		return nil, fmt.Errorf("%w: %w", errSent, err)
	}
	d.claims.sent(h, false, d.cfg.Now())
	return nil, explain(ctx, s, sp, err)
}

// post sends one create.
func (d *Driver) post(ctx context.Context, s *session, opts servers.CreateOpts, sp spec) (*servers.Server, error) {
	var hints servers.SchedulerHintOptsBuilder
	if sp.ServerGroup != "" {
		hints = servers.SchedulerHintOpts{Group: sp.ServerGroup}
	}
	keyed := createOpts{CreateOpts: opts, keyName: sp.KeyName}
	made, err := servers.Create(ctx, s.compute, keyed, hints).Extract()
	if err != nil {
		return nil, classify(err)
	}
	if !isUUID(made.ID) {
		return nil, fmt.Errorf("the cloud took the order and gave the ID %q", oneLine(made.ID))
	}
	// The reply has the ID alone; this is what the list will say.
	made.Name, made.Status, made.Created, made.Tags, made.Metadata = opts.Name, "BUILD", d.cfg.Now(), &opts.Tags, opts.Metadata
	made.AvailabilityZone, made.Flavor = sp.Zone, map[string]any{"original_name": sp.FlavorName}
	return made, nil
}

// createOpts adds the key pair, which the library has elsewhere.
type createOpts struct {
	servers.CreateOpts
	keyName string
}

// ToServerCreateMap implements servers.CreateOptsBuilder.
func (c createOpts) ToServerCreateMap() (map[string]any, error) {
	body, err := c.CreateOpts.ToServerCreateMap()
	if err == nil && c.keyName != "" {
		body["server"].(map[string]any)["key_name"] = c.keyName
	}
	return body, err
}

// floatingKey is where a server's metadata says that it has parts of ours.
const floatingKey = "batchctl:floating"

// scopeKey is where a server's metadata has what its offer may be short of.
const scopeKey = "batchctl:scope"

// short cuts a text to what Nova takes as metadata.
func short(text string) string {
	const most = 255
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// options is what all servers of an order have.
func (d *Driver) options(o nodes.Order, sp spec) servers.CreateOpts {
	opts := servers.CreateOpts{
		FlavorRef: sp.Flavor, ImageRef: sp.Image, AvailabilityZone: sp.Zone, SecurityGroups: sp.SecurityGroups,
		Tags: []string{d.mark(), orderTag + o.ID},
		Metadata: map[string]string{
			"batchctl:owner": d.cfg.Owner, "batchctl:order": o.ID, "batchctl:place": short(o.Place), scopeKey: short(sp.scope()),
		},
	}
	if sp.Floating != "" {
		opts.Metadata[floatingKey] = "yes"
	}
	if o.UserData != "" {
		// Always encoded here: the library takes what happens to be base64 for encoded.
		opts.UserData = []byte(base64.StdEncoding.EncodeToString([]byte(o.UserData)))
	}
	if sp.ConfigDrive {
		yes := true
		opts.ConfigDrive = &yes
	}
	networks := make([]servers.Network, len(sp.Networks))
	for i, id := range sp.Networks {
		networks[i].UUID = id
	}
	opts.Networks = networks
	if sp.Volume > 0 {
		opts.ImageRef = ""
		opts.BlockDevice = []servers.BlockDevice{{
			SourceType: servers.SourceImage, UUID: sp.Image, DestinationType: servers.DestinationVolume,
			VolumeSize: sp.Volume, VolumeType: sp.VolumeType, DeleteOnTermination: true,
		}}
	}
	return opts
}
