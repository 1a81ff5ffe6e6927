package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/batchctl/batchctl/internal/strictyaml"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/bootstrap"
	"github.com/batchctl/batchctl/nodes/local"
)

// DevClouds is the file of dev's --clouds.
type DevClouds struct {
	Owner  string           `yaml:"owner" doc:"Marks everything that is made; nobody else's in these clouds." required:"true" pattern:"[a-z0-9][a-z0-9-]{0,39}" example:"demo"`
	Clouds map[string]Cloud `yaml:"clouds" doc:"As in the configuration of the service." required:"true" min:"1" keys:"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"`
	Places []Place          `yaml:"places" doc:"The places of every pool." required:"true" min:"1"`
}

// devClouds are real clouds whose hypervisor is fake. What a machine there
// would run, a local process runs in its stead, which ends with the machine.
type devClouds struct {
	DevClouds
	made    map[string]nodes.Cloud
	standIn *local.Driver
	playing sync.WaitGroup

	mu     sync.Mutex
	orders map[string]bootstrap.Params // what the machines of each order run
}

// readClouds reads the file of --clouds, and takes away what an earlier dev
// has left in these clouds.
func (d *devWorld) readClouds(ctx context.Context) error {
	if d.devOptions.clouds == "" {
		return nil
	}
	path := d.devOptions.clouds
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	c := &devClouds{made: map[string]nodes.Cloud{}, orders: map[string]bootstrap.Params{}}
	doc, problems := strictyaml.Decode(path, text, &c.DevClouds)
	if len(problems) == 0 {
		v := &verifier{doc: doc}
		v.places("places", c.Places, c.Clouds, map[string]firstPlace{})
		(&Config{Clouds: c.Clouds}).resolve(filepath.Dir(path))
		problems = v.problems.Sort()
	}
	if len(problems) > 0 {
		return problems
	}
	for name, cfg := range c.Clouds {
		if c.made[name], err = newCloud(c.Owner, cfg); err != nil {
			return fmt.Errorf("clouds.%s: %w", name, err)
		}
	}
	if c.standIn, err = local.New(local.Config{Dir: filepath.Join(d.dir, "machines"), Owner: "dev"}); err != nil {
		return err
	}
	left, err := c.sweep(ctx)
	if left > 0 {
		fmt.Fprintf(d.err, "An earlier dev was killed and left %s in the clouds; they are destroyed.\n", counted(left, "machine"))
	}
	d.clouds = c
	return err
}

// join gives the provisioner these clouds, and returns the places that every
// pool has.
func (c *devClouds) join(p *parts) ([]nodes.Place, error) {
	p.nodes.Owner = c.Owner
	p.nodes.Clouds = map[string]nodes.Cloud{}
	for name, cfg := range c.Clouds {
		cloud := c.made[name]
		cloud.Every, cloud.NAT, cloud.Prover = time.Second, true, nil // a process on this host calls in
		p.nodes.Clouds[name] = cloud
		real := cfg.userData()
		p.userData[name] = func(params bootstrap.Params) (string, error) {
			order, _, _ := strings.Cut(params.Token, "-")
			c.mu.Lock()
			c.orders[order] = params
			c.mu.Unlock()
			params.Java = "java" // that of the image
			return real(params)
		}
	}
	var places []nodes.Place
	for _, place := range c.Places {
		places = append(places, nodes.Place{Name: place.Name, Cloud: place.Cloud})
	}
	return places, nil
}

// play lets a local process stand in for each machine that runs, until ctx
// ends.
func (c *devClouds) play(ctx context.Context, s *service) {
	for name, cloud := range c.made {
		if c.Clouds[name].Local != nil {
			continue
		}
		c.playing.Go(func() {
			playing := map[string]string{} // stand-in by machine
			every(ctx, 300*time.Millisecond, func() {
				if vms, err := cloud.Driver.List(ctx); err == nil {
					c.follow(ctx, s, vms, playing)
				}
			})
		})
	}
}

// ended stands for a stand-in that was taken away.
const ended = "-"

// follow starts and ends stand-ins as their machines come and go.
func (c *devClouds) follow(ctx context.Context, s *service, vms []nodes.VM, playing map[string]string) {
	there := map[string]bool{}
	for _, vm := range vms {
		there[vm.ID] = vm.State != nodes.VMEnding
		if vm.State != nodes.VMRunning || playing[vm.ID] != "" {
			continue
		}
		c.mu.Lock()
		p, known := c.orders[vm.Order]
		c.mu.Unlock()
		if !known {
			continue
		}
		p.Identify = "machine=" + vm.ID
		script, err := localData(p)
		if err == nil {
			var started []nodes.VM
			order := fmt.Sprintf("s%d-%s", len(playing), strings.ToLower(vm.Order))
			started, err = c.standIn.Launch(ctx, nodes.Order{ID: order, Place: "stand-in", Count: 1, UserData: script})
			if err == nil {
				playing[vm.ID] = started[0].ID
				continue
			}
		}
		s.log.Error("nobody stands in for a machine", "machine", vm.ID, "error", err)
	}
	for vm, standIn := range playing {
		if standIn != ended && !there[vm] && c.standIn.Destroy(ctx, standIn) == nil {
			playing[vm] = ended
		}
	}
}

// sweepTime bounds how long machines that are destroyed may be seen.
const sweepTime = time.Minute

// sweep destroys all machines of the owner, waits until they are gone, and
// returns how many there were.
func (c *devClouds) sweep(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	found := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.made)) {
		for {
			vms, err := c.made[name].Driver.List(ctx)
			if err == nil && len(vms) == 0 {
				break
			}
			var ids []string
			for _, vm := range vms {
				found[name+"/"+vm.ID] = true
				ids = append(ids, vm.ID)
			}
			if err == nil {
				err = c.made[name].Driver.Destroy(ctx, ids...)
			}
			if ctx.Err() != nil {
				return len(found), errors.Join(fmt.Errorf("machines are still in %s after %s", name, sweepTime), err)
			}
			wait, stop := context.WithTimeout(ctx, 300*time.Millisecond)
			<-wait.Done()
			stop()
		}
	}
	return len(found), nil
}
