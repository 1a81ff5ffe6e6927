package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"runtime"
	"slices"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/nodes"
)

// pools compares the pools with what the catalog's jobs ask for.
func (c *checker) pools() {
	if c.jobs == nil {
		return
	}
	byPool, byController := map[string][]*catalog.Job{}, map[string][]*catalog.Job{}
	for i := range c.jobs.Jobs {
		if j := &c.jobs.Jobs[i]; !j.Disabled {
			if _, ours := c.cfg.Controllers[j.Controller]; ours {
				byPool[j.Node.Pool] = append(byPool[j.Node.Pool], j)
			}
			byController[j.Controller] = append(byController[j.Controller], j)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byController)) {
		if _, known := c.cfg.Controllers[name]; !known {
			c.warn("catalog", fmt.Sprintf("%s on the controller %s, which is not in the configuration; %s first", counted(len(byController[name]), "job"), name, byController[name][0].Path),
				near(name, slices.Sorted(maps.Keys(c.cfg.Controllers))), "their runs get no machine, unless another provisioner looks at that controller")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byPool)) {
		if pool, known := c.cfg.Pools[name]; known {
			c.pool(name, pool, byPool[name])
			continue
		}
		c.fail("pool "+name, fmt.Sprintf("it is not in the configuration, and %s for it; %s first", counted(len(byPool[name]), "job asks", "jobs ask"), byPool[name][0].Path),
			near(name, slices.Sorted(maps.Keys(c.cfg.Pools))))
	}
}

// pool sees whether the places and spares of a pool suit its jobs.
func (c *checker) pool(name string, pool Pool, jobs []*catalog.Job) {
	thing := "pool " + name
	if c.hostOnly(pool) && !c.hostSuits(thing, jobs) {
		return
	}
	c.ok(thing, fmt.Sprintf("%s, %s", counted(len(jobs), "job"), counted(len(pool.Places), "place")))
	if pool.Spares == nil || pool.Spares.Count == 0 {
		return
	}
	spare := pool.Spares.Need()
	large := slices.DeleteFunc(slices.Clone(jobs), func(j *catalog.Job) bool { return fits(spare, needOf(j)) })
	if len(large) == len(jobs) {
		c.warn(thing, fmt.Sprintf("its spares (%s) fit none of its jobs; %s needs %s", spare, large[0].Path, needOf(large[0])), "give spares what the jobs ask for, or keep none")
	} else if len(large) > 0 {
		c.note(thing, fmt.Sprintf("its spares (%s) fit %d of %s; %s needs %s", spare, len(jobs)-len(large), counted(len(jobs), "job"), large[0].Path, needOf(large[0])))
	}
}

// hostOnly reports whether all places of a pool are on this host.
func (c *checker) hostOnly(pool Pool) bool {
	return !slices.ContainsFunc(pool.Places, func(p Place) bool { return c.cfg.Clouds[p.Cloud].Local == nil })
}

// hostSuits compares this host with what jobs need of it. It can have too few
// cores or too little memory, and then runs are slow or fail; but it cannot
// have another processor.
func (c *checker) hostSuits(thing string, jobs []*catalog.Job) bool {
	const enough = 1 << 62
	host := nodes.Need{CPU: runtime.NumCPU(), Memory: cmp.Or(memoryTotal(), enough), Disk: enough, Arch: runtime.GOARCH}
	for _, j := range jobs {
		if j.Node.Arch != host.Arch {
			c.fail(thing, fmt.Sprintf("%s needs %s, and all places of the pool are on this host, which is %s", j.Path, j.Node.Arch, host.Arch), "add a place that has it, or change the batch")
			return false
		}
	}
	for _, j := range jobs {
		if need := needOf(j); !fits(host, need) {
			c.warn(thing, fmt.Sprintf("%s asks for %s, and all places of the pool are on this host, which has %d cpu and %d MiB of memory", j.Path, need, host.CPU, host.Memory>>20), "its runs are started, and share what there is")
			break
		}
	}
	return true
}

func needOf(j *catalog.Job) nodes.Need {
	return nodes.Need{CPU: j.Node.CPU, Memory: j.Node.Memory, Disk: j.Node.Disk, Arch: j.Node.Arch}
}

// fits reports whether a machine has what is needed.
func fits(has, need nodes.Need) bool {
	return has.CPU >= need.CPU && has.Memory >= need.Memory && has.Disk >= need.Disk && has.Arch == need.Arch
}

// machinesURL asks a provisioner that runs. None need run yet, and machines
// may reach what this host does not, so nothing here is a FAIL.
func (c *checker) machinesURL(ctx context.Context) {
	const thing = "machines_url"
	address, err := url.JoinPath(c.cfg.MachinesURL, "healthz")
	if err != nil {
		return // Load has read it
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if _, stranger := errors.AsType[*tls.CertificateVerificationError](err); stranger {
		c.warn(thing, fmt.Sprintf("%s answers, with a certificate that this host does not trust: %v", c.cfg.MachinesURL, errors.Unwrap(err)), "machines need it in bootstrap.ca_file")
		return
	}
	if err != nil {
		c.warn(thing, fmt.Sprintf("nothing answers at %s: %v", c.cfg.MachinesURL, errors.Unwrap(err)), "check again while provisioner serve runs; machines call in there")
		return
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		c.warn(thing, fmt.Sprintf("%s answers %s, and a provisioner would answer 200", address, res.Status), "see that machines_url leads to listen")
		return
	}
	c.ok(thing, c.cfg.MachinesURL+" answers; machines have to reach it, too")
}
