package nodes_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// TestExplore walks through all orders in which two provisioners with one
// store, a cloud, Jenkins and people can act while each of the two makes two
// ticks, up to a number of deviations: to let the other one go on in the
// middle of a tick, to lose a reply, to kill a provisioner before any of its
// calls, to let time pass, to start a build that steals a label, to stop a
// run. A path is walked by doing it all again from the start; from a state
// that looks the same a walk goes on only once. SIM_DEEP=2 asks for more
// deviations than one.
func TestExplore(t *testing.T) {
	deviations := 1
	if text := os.Getenv("SIM_DEEP"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		deviations = n
	}
	for _, s := range []struct {
		name  string
		until func([]nodes.Lease) bool // what the exploration begins with
	}{
		{"two runs wait", func([]nodes.Lease) bool { return true }},
		{"two machines boot", all(nodes.Booting)},
		{"two machines are ready", all(nodes.Ready)},
		{"two runs are on their machines", all(nodes.Busy)},
		{"two machines are released", all(nodes.Releasing)},
	} {
		t.Run(s.name, func(t *testing.T) { explore(t, s.until, deviations) })
	}
}

// all waits for two leases in a state.
func all(s nodes.State) func([]nodes.Lease) bool {
	return func(l []nodes.Lease) bool { return len(l) == 2 && l[0].State == s && l[1].State == s }
}

// walk is a path, and how many deviations it may still take.
type walk struct {
	path []byte
	left int
}

// explore walks all paths.
func explore(t *testing.T, until func([]nodes.Lease) bool, deviations int) {
	seen := map[uint64]int{} // with how many deviations left
	walks := []walk{{nil, deviations}}
	ends, longest := 0, 0
	for len(walks) > 0 {
		at := walks[len(walks)-1]
		walks = walks[:len(walks)-1]
		e := newExploration(t, until)
		for _, choice := range at.path {
			e.choose(choice)
		}
		longest = max(longest, len(at.path))
		state := e.state()
		if left, known := seen[state]; !known || left < at.left {
			seen[state] = at.left
			last := byte(0)
			if len(at.path) > 0 {
				last = at.path[len(at.path)-1] | 0x20 // A and a are the same provisioner
			}
			choices := e.choices()
			for _, choice := range choices {
				left := at.left
				if free := choice == last || choice < 'c' && choice >= 'a' && (len(choices) > 0 && e.restsWith(last)); !free {
					left--
				}
				if left >= 0 {
					walks = append(walks, walk{append(slices.Clone(at.path), choice), left})
				}
			}
			if e.actors[0].over && e.actors[1].over {
				ends++
				e.finish(at.path)
			}
		}
		e.close()
		if e.w.alert {
			t.Fatalf("after the choices %s", at.path)
		}
	}
	t.Logf("%d states, %d of them lived to the end; the longest path has %d choices", len(seen), ends, longest)
}

// exploration is a world with two provisioners that go on call by call.
type exploration struct {
	w      *world
	actors [2]*actor
	once   map[byte]int // how often something may still happen
}

// actor is one provisioner, in the middle of its tick. It runs in a goroutine
// of its own, and only when it is let: one of all goroutines moves at a time.
type actor struct {
	e     *exploration
	r     *nodes.Reconciler
	rng   *rand.Rand
	goOn  chan bool // lets it make the call before which it stands; false: it crashes there
	stood chan bool // it stands before its next call; false: it has ended
	trace uint64    // hash of everything that it was told since it was started
	ticks int       // that it may still begin
	over  bool
}

// The choices: a and b let a provisioner make its next call, A and B make it
// lose the reply, 1 and 2 kill it; t lets 10 seconds pass, in which machines
// act, f starts a build with the label of run 1, x stops run 1.
func newExploration(t *testing.T, until func([]nodes.Lease) bool) *exploration {
	w := newWorld(t, 1)
	sec := time.Second
	w.clouds["idc"] = nodetest.NewCloud(func() time.Time { return w.now }, w.rng, nodetest.CloudConfig{
		Start: nodetest.Range{Min: 2 * sec, Max: 2 * sec}, Boot: nodetest.Range{Min: 3 * sec, Max: 3 * sec}, Late: nodetest.Range{Min: sec, Max: sec}})
	w.put(job("live-1/pay/daily", func(j *catalog.Job) { j.Retry.Attempts = 2 }), jenkinstest.JobSpec{
		Duration: func(int, int) time.Duration { return 25 * time.Second }, Retries: 2})
	w.start()
	w.jenkins.Trigger("live-1/pay/daily")
	w.jenkins.Trigger("live-1/pay/daily")
	for range 600 {
		if leases, _ := w.store.Leases(context.Background()); until(leases) {
			break
		}
		w.tick(sec)
	}
	e := &exploration{w: w, once: map[byte]int{'A': 1, '1': 1, 't': 2, 'f': 1, 'x': 1}}
	for i := range e.actors {
		e.actors[i] = &actor{e: e, rng: rand.New(rand.NewPCG(uint64(i)+7, 7)), ticks: 2}
		e.actors[i].revive()
	}
	w.ours = e.actors[0].r
	return e
}

// revive makes the provisioner anew.
func (a *actor) revive() {
	old := a.e.w.rng
	a.e.w.rng = a.rng // names depend on who gives them
	a.e.w.start()
	a.r = a.e.w.ours
	a.e.w.rng = old
	a.trace, a.over = 0, false
	a.goOn, a.stood = make(chan bool), make(chan bool)
	go a.live(a.r, a.goOn, a.stood)
	a.move() // up to its first call
}

// live makes the ticks of one provisioner.
func (a *actor) live(r *nodes.Reconciler, goOn, stood chan bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(crashed); !ok {
				panic(p)
			}
		}
		stood <- false
	}()
	if !<-goOn {
		return
	}
	for a.ticks > 0 {
		a.ticks--
		r.Tick(context.Background())
	}
}

// move lets the provisioner go on to its next call.
func (a *actor) move() { a.let(true) }

func (a *actor) let(live bool) {
	w := a.e.w
	w.at = func() {
		a.stood <- true
		if !<-a.goOn {
			panic(crashed{})
		}
	}
	w.told = func(told ...any) {
		h := fnv.New64a()
		fmt.Fprint(h, a.trace, told)
		a.trace = h.Sum64()
	}
	a.goOn <- live
	a.over = !<-a.stood
	w.at, w.told = nil, nil
	w.check()
}

// stop crashes the provisioner where it stands.
func (a *actor) stop() {
	if !a.over {
		a.let(false)
	}
}

// choices returns what may happen next.
func (e *exploration) choices() []byte {
	var all []byte
	for i, a := range e.actors {
		if a.over {
			continue
		}
		all = append(all, "ab"[i])
		if e.once['1'] > 0 {
			all = append(all, "12"[i])
		}
		if e.once['A'] > 0 {
			all = append(all, "AB"[i])
		}
	}
	for _, c := range []byte("tfx") {
		if e.once[c] > 0 {
			all = append(all, c)
		}
	}
	return all
}

// choose has one of the choices happen.
func (e *exploration) choose(c byte) {
	switch c {
	case 'a', 'b':
		e.actors[c-'a'].move()
	case 'A', 'B':
		e.once['A']--
		e.w.lose = true
		e.actors[c-'A'].move()
	case '1', '2':
		e.once['1']--
		a := e.actors[c-'1']
		a.stop()
		a.ticks++
		a.revive()
	case 't':
		e.once[c]--
		e.w.ours = e.actors[0].r
		e.w.now = e.w.now.Add(10 * time.Second)
		e.w.jenkins.Settle()
		e.w.machines()
	case 'f':
		e.once[c]--
		e.w.jenkins.StartForeign(catalog.Label(catalog.Token("live-1/pay/daily"), 1), time.Minute)
	case 'x':
		e.once[c]--
		e.w.jenkins.Abort(jenkins.Ref{Job: "live-1/pay/daily", Number: 1})
	}
}

// restsWith reports whether the provisioner that moved last cannot go on, or
// none did: then it is no deviation that another one moves.
func (e *exploration) restsWith(last byte) bool {
	return last != 'a' && last != 'b' || e.actors[last-'a'].over
}

func (e *exploration) close() {
	for _, a := range e.actors {
		a.stop()
	}
}

// finish lets everybody go on until nothing moves, and looks at what is left.
func (e *exploration) finish(path []byte) {
	for _, a := range e.actors {
		for !a.over {
			a.move()
		}
		a.stop()
	}
	e.w.ours = e.actors[len(path)%2].r
	e.w.settle()
}

// state is a hash of all that has an influence on what comes.
func (e *exploration) state() uint64 {
	h := fnv.New64a()
	put := func(v any) { fmt.Fprintf(h, "%v;", v) }
	for _, a := range e.actors {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], a.trace)
		h.Write(b[:])
		put(a.over)
		put(a.ticks)
	}
	for _, c := range []byte("A1tfx") {
		put(e.once[c])
	}
	put(e.w.lose)
	put(e.w.now.UnixNano())
	for _, run := range e.w.jenkins.Runs() {
		put(run)
	}
	for _, n := range e.w.jenkins.Nodes() {
		put(n)
	}
	for _, m := range e.w.clouds["idc"].Machines() {
		put(m)
	}
	all, _ := e.w.store.Leases(context.Background())
	put(all)
	for _, key := range sorted(e.w.agents) {
		put(*e.w.agents[key])
	}
	return h.Sum64()
}
