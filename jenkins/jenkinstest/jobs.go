package jenkinstest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// A JobSpec is a Pipeline job with one node step.
type JobSpec struct {
	Label            func(number int) string                 // what the run's node step asks for; nil: the job's name with - for /, and the number
	Duration         func(number, attempt int) time.Duration // from the node's start to the run's end; attempts count from 1; nil: a minute
	Result           func(number, attempt int) string        // nil: SUCCESS
	Retries          int                                     // attempts in all, as retry(count:, conditions: [agent(), nonresumable()]) counts them; 0 and 1: no retry
	ForbidConcurrent bool                                    // disableConcurrentBuilds
	Script           string                                  // where the node's agent is a real process (RunAgent): the run lasts as long as this shell script, and Duration and Result do not count
	Pipeline         string                                  // the text that the Replay page of a run shows, which keeps the one it began with
	Disabled         bool                                    // keeps its numbers, starts nothing
	freestyle        bool                                    // the job itself waits for its node, and has its number from then
}

// A job is one life of a job.
type job struct {
	JobSpec
	name    string // full
	path    string // job/a/job/b/, escaped
	life    int
	next    int // number of the next run
	runs    map[int]*run
	numbers []int // of runs, ascending
	active  int   // runs that are building
	inQueue int
}

// A folder is what is directly in it, sorted.
type folder struct{ jobs, folders []string }

// PutJob makes a job, and the folders it stands in, or changes it: numbers,
// runs and what waits stay.
func (s *Server) PutJob(fullName string, spec JobSpec) {
	defer s.lock()()
	if j := s.jobs[fullName]; j != nil {
		j.JobSpec = spec
		return
	}
	s.lives++
	s.jobs[fullName] = &job{JobSpec: spec, name: fullName, path: jobPath(fullName), life: s.lives, next: 1, runs: map[int]*run{}}
	s.enter(fullName, true)
}

// enter puts a name into its folder.
func (s *Server) enter(fullName string, isJob bool) {
	parent, name := "", fullName
	if i := strings.LastIndexByte(fullName, '/'); i >= 0 {
		parent, name = fullName[:i], fullName[i+1:]
	}
	f := s.folders[parent]
	if f == nil {
		f = &folder{}
		s.folders[parent] = f
		s.enter(parent, false)
	}
	list := &f.folders
	if isJob {
		list = &f.jobs
	}
	if i, found := slices.BinarySearch(*list, name); !found {
		*list = slices.Insert(*list, i, name)
	}
}

// DeleteJob deletes a job with all its runs; those that run are stopped. Made
// again, its numbers start at 1.
func (s *Server) DeleteJob(fullName string) {
	defer s.lock()()
	j := s.jobs[fullName]
	if j == nil {
		return
	}
	for _, it := range slices.Concat(s.waiting, s.blocked, s.buildable) {
		if it.job == j && it.run == nil {
			s.leave(it, true)
		}
	}
	for _, number := range j.numbers {
		if r := j.runs[number]; r.building {
			s.end(r, "ABORTED")
		}
	}
	delete(s.jobs, fullName)
	parent, name := "", fullName
	if i := strings.LastIndexByte(fullName, '/'); i >= 0 {
		parent, name = fullName[:i], fullName[i+1:]
	}
	if f := s.folders[parent]; f != nil {
		f.jobs = slices.DeleteFunc(f.jobs, func(n string) bool { return n == name })
	}
}

// DeleteBuild deletes a run that has ended. Its number is not given again.
func (s *Server) DeleteBuild(ref jenkins.Ref) {
	defer s.lock()()
	r := s.run(ref)
	if r == nil || r.building {
		return
	}
	delete(r.job.runs, ref.Number)
	r.job.numbers = slices.DeleteFunc(r.job.numbers, func(n int) bool { return n == ref.Number })
}

// Trigger starts a job as a person or its clock does, and returns the id of
// its queue item. A job that waits in the queue already is not put there
// again. 0: there is no such job, or it is disabled.
func (s *Server) Trigger(fullName string) int64 {
	defer s.lock()()
	return s.trigger(s.jobs[fullName], s.quiet, "")
}

// TriggerIn is Trigger with a quiet period of its own; 0 starts at once, also
// what waits for the end of its quiet period.
func (s *Server) TriggerIn(fullName string, quiet time.Duration) int64 {
	defer s.lock()()
	return s.trigger(s.jobs[fullName], quiet, "")
}

func (s *Server) trigger(j *job, quiet time.Duration, parameters string) int64 {
	if j == nil || j.Disabled {
		return 0
	}
	due := s.at.Add(quiet)
	for _, list := range [][]*item{s.waiting, s.blocked, s.buildable} {
		if j.inQueue == 0 {
			break
		}
		for _, it := range list {
			if it.job != j || it.run != nil || it.parameters != parameters {
				continue
			}
			if it.state == inQuietPeriod && due.Before(it.due) {
				it.timer.stop()
				it.due, it.timer = due, s.when(due, func() { s.promote(it) })
			}
			return it.id
		}
	}
	it := s.queue(&item{job: j, parameters: parameters, state: inQuietPeriod, due: due})
	it.timer = s.when(due, func() { s.promote(it) })
	return it.id
}

// StartForeign starts somebody else's job which asks for a label: a freestyle
// job of a name of its own, which takes d once it has a node. It returns the
// run that it will be.
func (s *Server) StartForeign(label string, d time.Duration) jenkins.Ref {
	s.mu.Lock()
	s.foreign++
	name := fmt.Sprintf("foreign/job-%d", s.foreign)
	s.mu.Unlock()
	s.PutJob(name, JobSpec{
		Label: func(int) string { return label }, Duration: func(int, int) time.Duration { return d }, freestyle: true,
	})
	s.TriggerIn(name, 0)
	return jenkins.Ref{Job: name, Number: 1}
}

// run returns a run that is kept.
func (s *Server) run(ref jenkins.Ref) *run {
	if j := s.jobs[ref.Job]; j != nil {
		return j.runs[ref.Number]
	}
	return nil
}

func (j *job) label(number int) string {
	if j.Label != nil {
		return j.Label(number)
	}
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(j.name, "/", "-"), number)
}

func (j *job) duration(number, attempt int) time.Duration {
	if j.Duration != nil {
		return j.Duration(number, attempt)
	}
	return time.Minute
}

func (j *job) result(number, attempt int) string {
	if j.Result != nil {
		return j.Result(number, attempt)
	}
	return "SUCCESS"
}
