package migrate

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/batchctl/batchctl/batches"
)

// Group is the migration of one app group.
type Group struct {
	Name   string
	Result *Result
}

// RunGroups works out the steps for each app group by itself. Each edits its own
// files alone, app-groups/NAME.yaml and apps/NAME, so that they can be taken over
// one by one, in any order. Groups with nothing to do are left out.
func RunGroups(fsys fs.FS, steps []Step) ([]Group, error) {
	docs, err := resolved(fsys)
	if err != nil {
		return nil, err
	}
	leaves := map[string]map[string][]byte{} // of each group: what hides those of the others
	for _, d := range docs {
		leaves[d.Group] = map[string][]byte{}
	}
	for group, hidden := range leaves {
		for _, d := range docs {
			if d.Group != group {
				hidden[d.Leaf()] = nil
			}
		}
	}
	jobs, err := chosenByGroup(docs, steps)
	if err != nil {
		return nil, err
	}
	var out []Group
	all := map[string][]byte{}
	for _, group := range slices.Sorted(maps.Keys(leaves)) {
		own := slices.Clone(steps)
		for i := range own {
			own[i].Within = group
			own[i].Selection = Selection{Jobs: jobs[i][group]}
		}
		// Its files reach no other group's jobs, so those need not be resolved.
		r, err := Run(batches.NewOverlay(fsys, leaves[group], nil), own)
		if err != nil {
			return nil, fmt.Errorf("app group %s: %w", group, err)
		}
		if len(r.Files)+len(r.Undecided) > 0 {
			out = append(out, Group{group, r})
			maps.Copy(all, r.Files)
		}
	}
	return out, checkGroups(fsys, all, out)
}

// chosenByGroup lists, for each step, the chosen jobs of each group: a share is
// one of all jobs, not of a group's.
func chosenByGroup(docs []*batches.Document, steps []Step) ([]map[string][]string, error) {
	var out []map[string][]string
	for _, s := range steps {
		chosen, err := s.Selection.choose(docs)
		if err != nil {
			return nil, err
		}
		jobs := map[string][]string{}
		for _, d := range docs {
			jobs[d.Group] = []string{}
		}
		for _, d := range chosen {
			jobs[d.Group] = append(jobs[d.Group], d.Path)
		}
		out = append(out, jobs)
	}
	return out, nil
}

// checkGroups resolves the tree with the edits of all groups: just the jobs that
// they change by themselves may change.
func checkGroups(fsys fs.FS, files map[string][]byte, groups []Group) error {
	expected := map[string]bool{}
	for _, g := range groups {
		if g.Result.Comparison == nil {
			continue
		}
		for _, j := range g.Result.Comparison.Jobs {
			expected[j.Job] = true
		}
	}
	c := batches.Compare(batches.Load(fsys), batches.Load(batches.NewOverlay(fsys, files, nil)))
	for _, j := range c.Jobs {
		if !expected[j.Job] {
			return fmt.Errorf("%s would change, which nobody asked for: %s; nothing was written", j.Job, j.Fields[0].Path)
		}
	}
	if len(c.Jobs) != len(expected) {
		return fmt.Errorf("%d jobs would change and not %d; nothing was written", len(c.Jobs), len(expected))
	}
	return nil
}
