package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/judge"
	"github.com/batchctl/batchctl/jenkins"
)

// historian is what the builds come from; *jenkins.Client is one.
type historian interface {
	History(ctx context.Context, job string, most int) ([]jenkins.Build, error)
}

var _ historian = (*jenkins.Client)(nil)

// perJob is how many builds of each job are looked at, the newest ones.
const perJob = 50

// askAtOnce is how many jobs are asked for at once.
const askAtOnce = 8

var errNoSource = errors.New("nothing says where the builds are: set JENKINS_URL, JENKINS_USER and JENKINS_TOKEN, or name a file with --builds")

// buildSource says where builds come from.
type buildSource struct{ file string }

func (s *buildSource) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.file, "builds", "", "file with the builds as JSON, instead of Jenkins: [{job, started, seconds, result}]")
}

// builds returns the builds of jobs that have ended, and the jobs that the
// source does not have.
func (s *buildSource) builds(ctx context.Context, jobs []*batches.Job) ([]judge.Build, []string, error) {
	if s.file != "" {
		all, err := buildsOf(s.file, jobs)
		return all, nil, err
	}
	client, err := jenkinsOfEnvironment(errNoSource)
	if err != nil {
		return nil, nil, err
	}
	return askBuilds(ctx, client, jobs)
}

// askBuilds asks for the builds of each job, several at once.
func askBuilds(ctx context.Context, from historian, jobs []*batches.Job) (out []judge.Build, unknown []string, err error) {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(askAtOnce)
	for _, j := range jobs {
		g.Go(func() error {
			runs, err := from.History(ctx, path.Join(j.Jenkins.Root, j.Path), perJob)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, jenkins.ErrNotFound) {
				unknown = append(unknown, j.Path)
				return nil
			}
			for _, r := range runs {
				if b, counts := judged(j, r.Started, r.Duration, r.Result); counts && !r.Building {
					out = append(out, b)
				}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	slices.Sort(unknown)
	return out, unknown, nil
}

// judged says whether a build counts, and as what. An aborted one does not: a
// person or a lost machine says nothing about the change. But one that ran into
// its timeout failed, although Jenkins calls it aborted, too.
func judged(j *batches.Job, started time.Time, took time.Duration, result string) (judge.Build, bool) {
	b := judge.Build{Job: j.Path, Started: started, Duration: took}
	switch result {
	case "SUCCESS":
	case "FAILURE", "UNSTABLE":
		b.Failed = true
	case "ABORTED":
		b.Failed = true
		return b, took >= j.Batch.Timeout
	default:
		return b, false
	}
	return b, true
}

// fileBuild is a build in a file.
type fileBuild struct {
	Job     string    `json:"job"`
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Result  string    `json:"result"`
}

// buildsOf reads builds from a file.
func buildsOf(file string, jobs []*batches.Job) ([]judge.Build, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []fileBuild
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf(`%s: %w; it holds [{"job": "live-1/g/x", "started": "2026-11-26T01:00:00Z", "seconds": 90, "result": "SUCCESS"}]`, file, err)
	}
	byPath := map[string]*batches.Job{}
	for _, j := range jobs {
		byPath[j.Path] = j
	}
	var out []judge.Build
	for _, b := range list {
		j := byPath[b.Job]
		if j == nil {
			continue
		}
		if build, counts := judged(j, b.Started, time.Duration(b.Seconds*float64(time.Second)), b.Result); counts {
			out = append(out, build)
		}
	}
	return out, nil
}
