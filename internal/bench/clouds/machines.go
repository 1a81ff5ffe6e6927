package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// machines plays what runs on the machines of clouds: each calls in, and its
// agent connects.
type machines struct {
	site    *site
	drivers map[string]nodes.Driver // the owner's, past all faults
	client  http.Client

	mu   sync.Mutex
	made map[string]map[string]bool // machines by order
}

func newMachines(s *site, drivers map[string]nodes.Driver) *machines {
	return &machines{site: s, drivers: drivers, client: http.Client{Timeout: 40 * time.Second}, made: map[string]map[string]bool{}}
}

// play runs until ctx ends.
func (m *machines) play(ctx context.Context) {
	var all sync.WaitGroup
	for name, d := range m.drivers {
		all.Go(func() {
			known := map[string]bool{}
			for ctx.Err() == nil {
				vms, err := d.List(ctx)
				if err == nil {
					for _, vm := range vms {
						m.note(name, vm)
						if vm.State == nodes.VMRunning && !known[vm.ID] {
							known[vm.ID] = true
							all.Go(func() { m.boot(ctx, vm) })
						}
					}
				}
				pause(ctx, time.Second)
			}
		})
	}
	all.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// note remembers which machines an order has ever had.
func (m *machines) note(cloud string, vm nodes.VM) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.made[vm.Order] == nil {
		m.made[vm.Order] = map[string]bool{}
	}
	m.made[vm.Order][cloud+"/"+vm.ID] = true
}

// boot is one machine: it calls in until it is told which node it is, or that
// it is not wanted, and then its agent connects.
func (m *machines) boot(ctx context.Context, vm nodes.VM) {
	claim := sha256.Sum256([]byte(vm.ID))
	form := url.Values{"token": {tokenOf(vm.Order)}, "machine": {vm.ID}, "claim": {hex.EncodeToString(claim[:])}}
	for ctx.Err() == nil {
		res, err := m.client.PostForm("http://"+m.site.listen+"/bootstrap/v1/call", form)
		if err != nil {
			pause(ctx, time.Second)
			continue
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		switch res.StatusCode {
		case http.StatusOK:
			given := map[string]string{}
			for line := range strings.Lines(string(text)) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
				given[name] = value
			}
			if m.site.jenkins.Connect(given["name"], given["secret"]) == nil {
				return
			}
		case http.StatusGone, http.StatusConflict:
			return // it powers itself off, which its cloud's hypervisor only pretends
		}
		pause(ctx, time.Second)
	}
}
