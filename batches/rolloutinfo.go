package batches

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// RolloutInfo is a rollout as its file says it.
type RolloutInfo struct {
	Name, Description string
	File              string // its path in the tree
	Select            []string
	Steps             []RolloutStep
	Step              int // how many have been taken
	Paused            bool
	Order             []RolloutRing
	History           []RolloutEvent
	Change            Value // of the file: the step of migrate that finish makes; may be missing
}

// RolloutStep is a step: the ring has so many percent of its jobs then.
type RolloutStep struct {
	Ring    string
	Percent int
}

// RolloutRing is a ring with its jobs, the first ones first.
type RolloutRing struct {
	Name string
	Jobs []string // paths
}

// RolloutEvent is a step that was taken.
type RolloutEvent struct {
	Step       int
	At         time.Time // zero where the file has no time that can be read
	By, Forced string
}

// String writes a step as people read it: live 25 %.
func (s RolloutStep) String() string { return fmt.Sprintf("%s %d %%", s.Ring, s.Percent) }

// Rollouts lists the rollouts of a tree that have no error, by name.
func (t *Tree) Rollouts() []*RolloutInfo {
	out := make([]*RolloutInfo, len(t.rollouts))
	for i, r := range t.rollouts {
		out[i] = r.info
	}
	return out
}

// newRolloutInfo reads a file that the schema has checked.
func newRolloutInfo(d *document) *RolloutInfo {
	root := d.root
	i := &RolloutInfo{
		Name: d.file.Name, File: d.file.Path, Description: root.get("metadata").get("description").str(),
		Select: root.get("select").strings(), Step: number(root.get("step")), Paused: root.get("paused").str() == "true",
		Change: Value{root.get("change")},
	}
	for _, s := range root.get("steps").list() {
		i.Steps = append(i.Steps, RolloutStep{s.get("ring").str(), number(s.get("percent"))})
	}
	for _, o := range root.get("order").list() {
		i.Order = append(i.Order, RolloutRing{o.get("ring").str(), o.get("jobs").strings()})
	}
	for _, h := range root.get("history").list() {
		at, _ := time.Parse(time.RFC3339, h.get("at").str())
		i.History = append(i.History, RolloutEvent{number(h.get("step")), at, h.get("by").str(), h.get("forced").str()})
	}
	return i
}

// In returns the jobs that are in after so many steps, each with the step that
// it came in with.
func (i *RolloutInfo) In(steps int) map[string]int {
	in := map[string]int{}
	for _, ring := range i.Order {
		for n, s := range i.Steps[:min(steps, len(i.Steps))] {
			if s.Ring != ring.Name {
				continue
			}
			for _, j := range ring.Jobs[:min(len(ring.Jobs), RolloutShare(len(ring.Jobs), s.Percent))] {
				if _, before := in[j]; !before {
					in[j] = n + 1
				}
			}
		}
	}
	return in
}

// Since returns when the jobs that are in came in.
func (i *RolloutInfo) Since() map[string]time.Time {
	at := map[int]time.Time{}
	for _, h := range i.History {
		at[h.Step] = h.At // a step that was taken again counts from then
	}
	out := map[string]time.Time{}
	for job, step := range i.In(i.Step) {
		out[job] = at[step]
	}
	return out
}

// Jobs lists all jobs of the order, sorted.
func (i *RolloutInfo) Jobs() []string {
	all := map[string]bool{}
	for _, ring := range i.Order {
		for _, j := range ring.Jobs {
			all[j] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
