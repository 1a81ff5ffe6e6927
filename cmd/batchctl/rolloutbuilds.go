package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/judge"
	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/jenkins"
)

// historian is what the builds come from; *jenkins.Client is one.
type historian interface {
	History(ctx context.Context, job string, most int) ([]jenkins.Build, error)
	ReplayPage(ctx context.Context, job string, number int) ([]byte, error)
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

// seenBuilds is what a source shows of jobs.
type seenBuilds struct {
	ended   []judge.Build
	unknown []string // jobs that the source does not have
	old     int      // builds since the change that ran without it
	hidden  int      // jobs of whose builds that cannot be said
}

// changed is a job that a change has reached, as the tree has it.
type changed struct {
	*batches.Job
	since   time.Time
	without *batches.Job // as it would be without the change
}

// builds returns what there is of jobs.
func (s *buildSource) builds(ctx context.Context, jobs []changed, progress func(done, of int)) (*seenBuilds, error) {
	if s.file != "" {
		all, err := buildsOf(s.file, jobs)
		return &seenBuilds{ended: all}, err
	}
	client, err := jenkinsOfEnvironment(errNoSource)
	if err != nil {
		return nil, err
	}
	return askBuilds(ctx, client, jobs, progress)
}

// askBuilds asks for the builds of each job, several at once.
func askBuilds(ctx context.Context, from historian, jobs []changed, progress func(done, of int)) (*seenBuilds, error) {
	var mu sync.Mutex
	var out seenBuilds
	done := 0
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(askAtOnce)
	for _, j := range jobs {
		g.Go(func() error {
			builds, old, seen, err := askJob(ctx, from, j)
			mu.Lock()
			defer mu.Unlock()
			done++
			progress(done, len(jobs))
			if errors.Is(err, jenkins.ErrNotFound) {
				out.unknown = append(out.unknown, j.Path)
				return nil
			}
			out.ended = append(out.ended, builds...)
			out.old += old
			if !seen {
				out.hidden++
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if len(jobs) > 0 && len(out.unknown) == len(jobs) {
		// As with a wrong address, or a user who may not read them.
		return nil, fmt.Errorf("of the %s Jenkins has none, %s first: does JENKINS_URL name the right one, and has JENKINS_USER Job/Read there?",
			plural(len(jobs), "job"), jobs[0].Path)
	}
	slices.Sort(out.unknown)
	return &out, nil
}

// askJob returns the builds of a job that have ended and count, and how many
// it has left out: those since the change that ran without it, as the seed job
// had not brought it yet. seen is false where that cannot be said.
func askJob(ctx context.Context, from historian, j changed) (out []judge.Build, old int, seen bool, err error) {
	name := dsl.FullName(j.Jenkins, j.Path)
	runs, err := from.History(ctx, name, perJob)
	if err != nil {
		return nil, 0, true, err
	}
	var after []judge.Build
	var numbers []int                         // of these
	for _, r := range slices.Backward(runs) { // the newest come first
		b, counts := judged(j.Job, r.Started, r.Duration, r.Result)
		switch {
		case !counts || r.Building:
		case j.since.IsZero() || b.Started.Before(j.since):
			out = append(out, b)
		default:
			after, numbers = append(after, b), append(numbers, r.Number)
		}
	}
	changes, err := changesOf(j)
	if err == nil && len(numbers) > 0 && len(changes) > 0 {
		old, err = firstWith(len(numbers), func(i int) (bool, error) {
			page, err := from.ReplayPage(ctx, name, numbers[i])
			return err == nil && changes.in(page, name), err
		})
	}
	seen = !errors.Is(err, jenkins.ErrForbidden) && !errors.Is(err, jenkins.ErrNotFound)
	if !seen {
		old, err = 0, nil
	}
	return append(out, after[old:]...), old, seen, err
}

// firstWith returns the first of n for which has says true, n if there is
// none. From one on it is true for all; mostly it is for all.
func firstWith(n int, has func(int) (bool, error)) (int, error) {
	low, high := 0, n
	for at := 0; low < high; at = (low + high) / 2 {
		yes, err := has(at)
		if err != nil {
			return 0, err
		}
		if yes {
			high = at
		} else {
			low = at + 1
		}
	}
	return low, nil
}

// changes has the digits that the fields of a job have without a change, for
// those that it touches. Some changes touch none: that of a pool is for the
// provisioner.
type changes map[int]dsl.FieldDigest

func changesOf(j changed) (changes, error) {
	if j.without == nil {
		return nil, nil
	}
	with, err := dsl.Declare(j.Job)
	if err != nil {
		return nil, err
	}
	without, err := dsl.Declare(j.without)
	if err != nil {
		return nil, err
	}
	out := changes{}
	now, before := with.Digest(), without.Digest()
	for i := range now {
		if now[i] != before[i] && i != dsl.Script { // which has other fields in it
			out[i] = before[i]
		}
	}
	return out, nil
}

// in reports whether the Pipeline on a page has a change. One of another
// version of batchctl, or of another text, is taken to have it: only what is
// known to be old is.
func (c changes) in(page []byte, fullName string) bool {
	d, found := dsl.FindDigest(page, fullName)
	if !found {
		return true
	}
	for i, before := range c {
		if d[i] != before {
			return true
		}
	}
	return false
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
func buildsOf(file string, jobs []changed) ([]judge.Build, error) {
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
		byPath[j.Path] = j.Job
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
