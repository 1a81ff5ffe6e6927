package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/jenkins"
)

// liveJobs is what plan asks of a Jenkins: nothing that changes it.
type liveJobs interface {
	ListItems(ctx context.Context, folder string) ([]jenkins.Listed, error)
	JobConfig(ctx context.Context, job string) ([]byte, error)
}

var _ liveJobs = (*jenkins.Client)(nil)

// planner compares jobs and folders of the tree with those of a Jenkins.
type planner struct {
	client   liveJobs
	wanted   []*batches.Job
	folders  []batches.Folder // that these stand in
	progress func(done, of int)

	live   map[string]jenkins.Listed // by full name
	others []otherJob                // in Jenkins and not in the tree
	tokens map[string]string         // the paths of all jobs of the tree, by token
}

// otherJob is a job or folder in a folder of the tree that the tree does not
// have.
type otherJob struct {
	path string // below the root folder
	jenkins.Listed
}

// look lists what is in the folders of the tree.
func (p *planner) look(ctx context.Context, all *batches.Result, sel *selection) error {
	p.live, p.tokens = map[string]jenkins.Listed{}, map[string]string{}
	inTree := map[string]bool{}
	for _, j := range all.Jobs() {
		name := dsl.FullName(j.Jenkins, j.Path)
		inTree[name] = true
		p.tokens[catalog.Token(name)] = j.Path
	}
	for _, f := range all.Folders {
		inTree[dsl.FullName(f.Jenkins, f.Path)] = true
	}
	for _, scope := range scopesOf(p.wanted) {
		list, err := p.list(ctx, scope)
		if err != nil {
			return err
		}
		branches := "//" // what a folder of another kind holds is its own
		for _, item := range list {
			p.live[item.Name] = item
			path := item.Name
			if scope.Root != "" {
				path = strings.TrimPrefix(item.Name, scope.Root+"/")
			}
			parts := strings.Split(path, "/")
			// What stands in the root folder itself, as the seed job does, is
			// the company's.
			if inTree[item.Name] || len(parts) < 2 || strings.HasPrefix(item.Name, branches) {
				continue
			}
			if item.Folder && item.Kind != folderKind {
				branches = item.Name + "/"
			}
			here := &batches.Job{Path: path, Cluster: parts[0], Group: strings.Join(parts[1:len(parts)-1], "/"), Jenkins: scope.Jenkins}
			if item.Folder {
				here.Group = strings.Join(parts[1:], "/")
			}
			if sel.covers(here) {
				p.others = append(p.others, otherJob{path, item})
			}
		}
	}
	return nil
}

// scope is a folder whose jobs are batchctl's.
type scope struct {
	batches.Jenkins
	folder string
}

// scopesOf returns the root folders, and where the tree stands at the top of
// Jenkins the clusters' folders: the rest of a top is other people's.
func scopesOf(jobs []*batches.Job) []scope {
	var out []scope
	for _, j := range jobs {
		s := scope{j.Jenkins, j.Jenkins.Root}
		if s.folder == "" {
			s.folder = j.Cluster
		}
		if !slices.ContainsFunc(out, func(o scope) bool { return o.folder == s.folder }) {
			out = append(out, s)
		}
	}
	return out
}

// list lists a scope. A cluster's folder may be missing, as the seed job makes
// it, but the root folder may not: it would look as if all jobs were to create.
func (p *planner) list(ctx context.Context, s scope) ([]jenkins.Listed, error) {
	list, err := p.client.ListItems(ctx, s.folder)
	if !errors.Is(err, jenkins.ErrNotFound) {
		return list, err
	}
	// Jenkins says the same of what a user may not see, and at a wrong address;
	// the top tells which it is.
	top, topErr := p.client.ListItems(ctx, "")
	switch {
	case errors.Is(topErr, jenkins.ErrNotFound):
		return nil, fmt.Errorf("%w: there is no Jenkins at JENKINS_URL; it is what stands in the browser before /job/", topErr)
	case topErr != nil:
		return nil, topErr
	case len(top) == 0:
		return nil, fmt.Errorf("%w: this user sees no jobs at all; JENKINS_USER and JENKINS_TOKEN name one that has Job/Read", err)
	case s.Root != "":
		return nil, fmt.Errorf("%w: the root folder is made by hand, and this user needs Job/Read there (docs/seed-job.md)", err)
	}
	return nil, nil
}

// configs reads the config.xml of jobs and folders, several at once, and hands
// each over, one after the other. One that may not be read is handed over with
// its error; any other error ends it.
func (p *planner) configs(ctx context.Context, ask []question) error {
	var mu sync.Mutex
	done := 0
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(askAtOnce)
	for _, q := range ask {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			text, err := p.client.JobConfig(ctx, q.name)
			if err != nil && !errors.Is(err, jenkins.ErrForbidden) && !errors.Is(err, jenkins.ErrNotFound) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			p.progress(done, len(ask))
			return q.take(text, err)
		})
	}
	return g.Wait()
}
