package openstack

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/batchctl/batchctl/nodes"
)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func isUUID(text string) bool { return uuidForm.MatchString(text) }

// before is how much earlier than its order a server may have been made, by
// clocks that differ.
const before = time.Hour

// find returns the servers of an order, by their number: those that are there,
// and those that are gone. With changes-since Nova shows deleted ones to
// everyone, until its operators purge them; they have lost their tags, so they
// are known by their name. What is there is asked for by tags as well, because
// a server shows among the changes only when it has changed once. (One that is
// deleted in the first second, before it has got a host, leaves no trace.)
func (d *Driver) find(ctx context.Context, s *session, o nodes.Order) ([]servers.Server, error) {
	live, err := d.servers(ctx, s, servers.ListOpts{Tags: d.mark() + "," + orderTag + o.ID})
	if err != nil {
		return nil, fmt.Errorf("look for its servers: %w", err)
	}
	found := d.numbered(o, live)
	if len(found) >= o.Count {
		return found, nil
	}
	since := o.Stored.Add(-before)
	if o.Stored.IsZero() {
		since = d.cfg.Now().Add(-24 * before)
	}
	all, err := d.servers(ctx, s, servers.ListOpts{
		Name: "^" + d.serverName(o.ID) + "(-[0-9]+)?$", ChangesSince: since.UTC().Format(time.RFC3339),
	})
	if err != nil {
		return nil, fmt.Errorf("look for its servers that are gone: %w", err)
	}
	return d.numbered(o, append(live, all...)), nil
}

// numbered returns one server for each number, the first that was made, in
// the order of the numbers. See claim.go for why there can be two.
func (d *Driver) numbered(o nodes.Order, all []servers.Server) []servers.Server {
	type numbered struct {
		servers.Server
		n int
	}
	var found []numbered
	for _, s := range all {
		if n := d.number(o.ID, s.Name); n > 0 && n <= o.Count && (gone(&s) || d.tagged(&s)) {
			found = append(found, numbered{s, n})
		}
	}
	slices.SortStableFunc(found, func(a, b numbered) int {
		return cmp.Or(cmp.Compare(a.n, b.n), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	found = slices.CompactFunc(found, func(a, b numbered) bool { return a.n == b.n })
	result := make([]servers.Server, len(found))
	for i := range found {
		result[i] = found[i].Server
	}
	return result
}

// number returns which of an order's servers has a name; 0: none. Nova gives
// numbers only where it made several.
func (d *Driver) number(order, name string) int {
	rest, ok := strings.CutPrefix(name, d.serverName(order))
	if !ok {
		return 0
	}
	if rest == "" {
		return 1
	}
	n, err := strconv.Atoi(strings.TrimPrefix(rest, "-"))
	if err != nil || rest[0] != '-' {
		return 0
	}
	return n
}

// tagged reports whether a server has our exact tag.
func (d *Driver) tagged(s *servers.Server) bool {
	return s.Tags != nil && slices.Contains(*s.Tags, d.mark())
}

// gone reports whether Nova shows a server that is not there any more.
func gone(s *servers.Server) bool { return s.Status == "DELETED" }

// pageSize is how many servers Nova is asked for at once. It may give fewer,
// and says where to go on.
const pageSize = 1000

// servers asks for servers, page by page.
func (d *Driver) servers(ctx context.Context, s *session, opts servers.ListOpts) ([]servers.Server, error) {
	opts.Limit = d.page
	pages, err := servers.List(s.compute, opts).AllPages(ctx)
	if err != nil {
		return nil, classify(err)
	}
	all, err := servers.ExtractServers(pages)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if !isUUID(all[i].ID) {
			return nil, gophercloud.ErrUnexpectedType{Expected: "a server", Actual: fmt.Sprintf("%q", oneLine(all[i].ID))}
		}
	}
	return all, nil
}
