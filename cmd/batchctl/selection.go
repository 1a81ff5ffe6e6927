package main

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
)

// selection narrows a verb to some jobs. Values of one flag add up; the flags
// together must all match.
type selection struct {
	controllers, clusters, groups, globs []string
}

func (a *app) selectionFlags(cmd *cobra.Command, s *selection) {
	cmd.Flags().StringSliceVar(&s.controllers, "controller", nil, "only jobs of this controller")
	cmd.Flags().StringSliceVar(&s.clusters, "cluster", nil, "only jobs on this cluster (name or glob)")
	cmd.Flags().StringSliceVar(&s.groups, "group", nil, "only jobs of this app group (name or glob)")
	cmd.Flags().StringSliceVar(&s.globs, "select", nil, `only jobs whose path matches, such as "live-*/settlement/**"`)
}

// jobs returns the selected jobs. A pattern that matches no job is an error:
// it is misspelt more often than not.
func (s *selection) jobs(all []*batches.Job) ([]*batches.Job, error) {
	for _, f := range s.parts() {
		for _, p := range f.patterns {
			if !doublestar.ValidatePattern(p) {
				return nil, usagef("%s %s: is no name and no glob", f.flag, p)
			}
			if !slices.ContainsFunc(all, func(j *batches.Job) bool { return doublestar.MatchUnvalidated(p, f.of(j)) }) {
				return nil, usagef("%s %s: no job matches%s", f.flag, p, known(all, f.of))
			}
		}
	}
	var out []*batches.Job
	for _, j := range all {
		if s.covers(j) {
			out = append(out, j)
		}
	}
	return out, nil
}

// covers reports whether a job is selected, be it in the tree or not.
func (s *selection) covers(j *batches.Job) bool {
	for _, f := range s.parts() {
		if len(f.patterns) > 0 && !slices.ContainsFunc(f.patterns, func(p string) bool { return doublestar.MatchUnvalidated(p, f.of(j)) }) {
			return false
		}
	}
	return true
}

// selectionPart is one flag of a selection.
type selectionPart struct {
	flag     string
	patterns []string
	of       func(j *batches.Job) string
}

func (s *selection) parts() [4]selectionPart {
	return [4]selectionPart{
		{"--controller", s.controllers, func(j *batches.Job) string { return j.Jenkins.Controller }},
		{"--cluster", s.clusters, func(j *batches.Job) string { return j.Cluster }},
		{"--group", s.groups, func(j *batches.Job) string { return j.Group }},
		{"--select", s.globs, func(j *batches.Job) string { return j.Path }},
	}
}

// known lists what could have been meant, where that is a short list.
func known(all []*batches.Job, of func(*batches.Job) string) string {
	var names []string
	for _, j := range all {
		if n := of(j); !slices.Contains(names, n) {
			names = append(names, n)
		}
		if len(names) > 12 {
			return " (batchctl list shows all)"
		}
	}
	slices.Sort(names)
	return "; there are " + strings.Join(names, ", ")
}
