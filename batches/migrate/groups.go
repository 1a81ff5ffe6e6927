package migrate

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

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
	leaves := othersLeaves(docs)
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

// othersLeaves lists for each group the files of the others, to be hidden from
// it. A file that a symbolic link leads to stays: without it the link would be
// an error.
func othersLeaves(docs []*batches.Document) map[string]map[string][]byte {
	linked := map[string]bool{}
	for _, d := range docs {
		file := d.Leaf()
		if path.Dir(file) != "apps/"+d.Group || strings.TrimSuffix(path.Base(file), path.Ext(file)) != d.App {
			linked[file] = true
		}
	}
	leaves := map[string]map[string][]byte{}
	for _, d := range docs {
		leaves[d.Group] = map[string][]byte{}
	}
	for group, hidden := range leaves {
		for _, d := range docs {
			if d.Group != group && !linked[d.Leaf()] {
				hidden[d.Leaf()] = nil
			}
		}
	}
	return leaves
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

// checkGroups resolves the tree with the edits of all groups: the jobs may change
// just as they do with those of their own group.
func checkGroups(fsys fs.FS, files map[string][]byte, groups []Group) error {
	expected := map[string]string{}
	for _, g := range groups {
		if g.Result.Comparison == nil {
			continue
		}
		for _, j := range g.Result.Comparison.Jobs {
			expected[j.Job] = changeOfJob(&j)
		}
	}
	c := batches.Compare(batches.Load(fsys), batches.Load(batches.NewOverlay(fsys, files, nil)))
	for _, j := range c.Jobs {
		if expected[j.Job] != changeOfJob(&j) {
			return fmt.Errorf("%s would change in another way with the edits of all app groups than with those of its own, first in %s; nothing was written", j.Job, j.Fields[0].Path)
		}
	}
	if len(c.Jobs) != len(expected) {
		return fmt.Errorf("%d jobs would change and not %d; nothing was written", len(c.Jobs), len(expected))
	}
	return nil
}

// changeOfJob writes all that changes for a job as one text.
func changeOfJob(j *batches.JobChange) string {
	var b strings.Builder
	side := func(s *batches.Side) string {
		if s == nil {
			return "-"
		}
		return strconv.Quote(s.Text)
	}
	for _, f := range j.Fields {
		fmt.Fprintln(&b, f.Path, side(f.Old), side(f.New))
	}
	return b.String()
}
