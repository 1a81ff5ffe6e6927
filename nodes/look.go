package nodes

import (
	"context"
	"sync"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// cloudView is what is known of one cloud.
type cloudView struct {
	name   string
	driver Driver

	mu     sync.Mutex
	began  time.Time // of the last list that succeeded; zero: none did
	vms    map[string]VM
	missed map[string]int // of machines that an earlier list had: lists in a row without them
	failed bool           // the last list failed, and that was said
}

// list asks the cloud for its machines.
func (r *Reconciler) list(ctx context.Context, v *cloudView) {
	began := r.Now()
	vms, err := v.driver.List(ctx)
	if ctx.Err() != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	r.Metrics.looked("cloud", v.name, err, r.Now().Sub(began))
	if err != nil {
		if !v.failed {
			r.Log.Error("a cloud cannot be listed; nothing is concluded about its machines", "cloud", v.name, "error", err)
		}
		v.failed = true
		return
	}
	if v.failed {
		r.Log.Info("the cloud answers again", "cloud", v.name)
	}
	now := make(map[string]VM, len(vms))
	for _, vm := range vms {
		now[vm.ID] = vm
		delete(v.missed, vm.ID)
	}
	for id := range v.vms {
		if _, there := now[id]; !there {
			v.missed[id] = 1
		}
	}
	for id, lists := range v.missed {
		if _, before := v.vms[id]; before {
			continue
		}
		if v.missed[id]++; lists > 100 {
			delete(v.missed, id)
		}
	}
	v.began, v.vms, v.failed = began, now, false
}

// machine returns what is known of a lease's machine. claimed says whether
// another lease has a machine.
func (v *cloudView) machine(l *Lease, t Timing, claimed func(vm string) bool) MachineSight {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.began.IsZero() {
		return MachineUnknown
	}
	settled := v.began.After(l.Ordered.Add(t.Visible))
	if l.VM == "" {
		// What its order made and no lease has claimed is swept; the lease is
		// done with when nothing of it is there.
		for _, vm := range v.vms {
			if vm.Order == l.Order && !claimed(vm.ID) {
				return MachineThere
			}
		}
		if settled {
			return MachineAbsent
		}
		return MachineUnknown
	}
	vm, there := v.vms[l.VM]
	switch {
	case there && vm.State == VMEnding:
		return MachineEnding
	case there:
		return MachineThere
	case l.VMSeen && v.missed[l.VM] >= 2, l.VMSeen && v.missed[l.VM] == 0 && v.began.After(l.Since.Add(t.Visible)), settled:
		return MachineAbsent
	}
	return MachineUnknown
}

// fault returns why a machine ends, where the cloud says so.
func (v *cloudView) fault(vm string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.vms[vm].Err
}

// controllerView is what is known of one Jenkins.
type controllerView struct {
	name string
	Controller

	mu       sync.Mutex
	began    time.Time // of the last look that succeeded; zero: none did
	looks    int       // that succeeded
	session  string
	since    time.Time // when this session was seen first
	searched string    // the session in which lost runs were looked for
	quiet    bool
	queue    map[jenkins.Ref]jenkins.Item
	nodes    map[string]jenkins.Node
	on       map[jenkins.Ref]bool // runs that are on some node
	failed   bool
	forbids  sync.Once          // that the user may not configure nodes is said once
	runs     map[RunKey]runView // of runs that were asked for
	folders  map[string]folderView
}

// runView is what Jenkins said of one run.
type runView struct {
	at      time.Time
	run     jenkins.Run
	missing bool
}

// folderView is what Jenkins said of the jobs in one folder.
type folderView struct {
	at   time.Time
	jobs map[string]jobSeen // by full name
}

// jobSeen is what Jenkins said of one job.
type jobSeen struct {
	next         int // the number of its next run
	buildable    bool
	lastBuilding bool
	at           time.Time
	there        bool
}

// look asks the controller what waits and what runs.
func (r *Reconciler) look(ctx context.Context, v *controllerView) {
	began := r.Now()
	look, err := v.Client.Look(ctx)
	if ctx.Err() != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	r.Metrics.looked("controller", v.name, err, r.Now().Sub(began))
	if err != nil {
		if !v.failed {
			r.Log.Error("a controller cannot be asked; its leases stay as they are", "controller", v.name, "error", err)
		}
		v.failed = true
		return
	}
	if v.failed {
		r.Log.Info("the controller answers again", "controller", v.name)
	}
	if look.Session != v.session {
		if v.session != "" {
			r.Log.Warn("the controller was started anew", "controller", v.name, "version", look.Version)
		}
		v.session, v.since = look.Session, began
	}
	v.queue = make(map[jenkins.Ref]jenkins.Item, len(look.Queue))
	for _, item := range look.Queue {
		if item.Ref.Number > 0 {
			v.queue[item.Ref] = item
		}
	}
	v.nodes = make(map[string]jenkins.Node, len(look.Nodes))
	v.on = map[jenkins.Ref]bool{}
	for _, node := range look.Nodes {
		v.nodes[node.Name] = node
		for _, ref := range node.Running {
			v.on[ref] = ref.Number > 0
		}
	}
	v.began, v.quiet, v.failed, v.looks = began, look.QuietingDown, false, v.looks+1
	for key, run := range v.runs {
		if began.Sub(run.at) > time.Hour {
			delete(v.runs, key)
		}
	}
}

// Looked says when something outside answered last.
type Looked struct {
	Kind string    // cloud or controller
	Name string    //
	At   time.Time // zero: never
	OK   bool      // it answered when it was asked last
}

// Looks says of each controller and cloud when it answered last.
func (r *Reconciler) Looks() []Looked {
	var all []Looked
	for _, name := range sortedKeys(r.controllers) {
		v := r.controllers[name]
		v.mu.Lock()
		all = append(all, Looked{"controller", name, v.began, !v.failed && !v.began.IsZero()})
		v.mu.Unlock()
	}
	for _, name := range sortedKeys(r.clouds) {
		v := r.clouds[name]
		v.mu.Lock()
		all = append(all, Looked{"cloud", name, v.began, !v.failed && !v.began.IsZero()})
		v.mu.Unlock()
	}
	return all
}
