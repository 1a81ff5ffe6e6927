// Package importer makes a flat tree of the jobs of a Jenkins: one section a
// job with everything that it says, and nothing shared. batchctl factor makes
// layers of that.
//
// A job's way: its config.xml is read (jobxml), the start of java is found in
// its shell steps (javastart) or in those of its Pipeline (groovy), and both
// become a batch (job.go, then program.go, starts.go and around.go in this
// package). What is not understood is kept, as a comment of the leaf and as a
// Finding of the report; a job that no batch can be made of is kept whole.
//
// Read first Import, then (*maker).batch.
package importer

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/batchctl/batchctl/importer/jobxml"
)

// A Source is one job as Jenkins has it.
type Source struct {
	Name string // full name: folders and job, separated by slashes
	From string // the file or URL that it was read from, for messages
	XML  []byte // its config.xml
	Skip string // why it was not read, if it was not; the report has it
}

// Options say what the jobs themselves do not.
type Options struct {
	Cluster    string            // the cluster of all jobs; "" = a job's top folder, where it is in two folders or more
	Phases     map[string]string // phase by cluster; for others it is the cluster's name without its number
	Timezone   string            // of schedules without a TZ= line: that of the controller
	Java       int               // release of jobs that do not say: 11, 17, 21 or 25
	Repository string            // URL that the artifacts' file names are put behind; "" = file: and their place on the agents
	Checksums  map[string]string // SHA-256 of the artifacts, by path on the agents
}

// A File is a file of the tree that is to be written.
type File struct {
	Path string // slash-separated, below the tree
	Text []byte
}

// A Result is a tree, and what is to be known about it.
type Result struct {
	Files   []File // sorted by path
	Batches int    // jobs of the tree: batches on clusters
	Report  []Job  // by full name
}

// A Job is what became of one job of the Jenkins.
type Job struct {
	Job      string    `json:"job"`               // its full name
	Batches  []string  `json:"batches,omitempty"` // paths of the jobs in the tree; several for a matrix
	Reason   string    `json:"reason,omitempty"`  // why there is none
	Findings []Finding `json:"findings,omitempty"`
}

// A Finding is something about a job that was not carried over as it is.
type Finding struct {
	Rule string `json:"rule"` // stable name, such as kept
	What string `json:"what"` // the same text for all jobs that have it in common
	Text string `json:"text,omitempty"`
}

// BrokenError lists documents that cannot be read.
type BrokenError struct{ Problems []string }

func (e *BrokenError) Error() string {
	return strings.Join(e.Problems, "\n") + "\nnothing was written; mend what is named here, or move it away"
}

// maker holds what all jobs of an import share.
type maker struct {
	options Options
	jobs    []*imported
	byName  map[string]*imported
}

// imported is a job on its way.
type imported struct {
	source   Source
	root     *jobxml.Element // unread, for a job that is kept whole
	job      *jobxml.Job
	report   Job
	kept     []string // comments of the leaf
	steps    []step
	upstream []upstream
	program  *program // nil: no batch can be made of it
	variants []variant
}

// upstream is a job that starts another one.
type upstream struct {
	job  *imported
	name string // as written
}

// Import makes a tree of jobs. The order of the sources means nothing, and
// the same sources give the same bytes. The error is a *BrokenError; sources
// that are folders are left out.
func Import(sources []Source, o Options) (*Result, error) {
	o.Timezone, o.Java = cmp.Or(o.Timezone, "UTC"), cmp.Or(o.Java, 11)
	m := &maker{options: o, byName: map[string]*imported{}}
	if err := m.read(sources); err != nil {
		return nil, err
	}
	m.each(m.understand)
	for _, j := range m.jobs {
		if j.report.Reason != "" {
			j.report.Findings = nil // it is kept whole
			j.secretsOf(j.root)
		}
	}
	m.name()
	m.link()
	m.each(m.settle)
	return m.result()
}

// read parses all documents.
func (m *maker) read(sources []Source) error {
	all := make([]*imported, len(sources))
	problems := make([]string, len(sources))
	parallel(len(sources), func(i int) {
		s := sources[i]
		if s.Skip != "" {
			all[i] = &imported{source: s, report: Job{Job: s.Name, Reason: s.Skip}}
			return
		}
		root, err := jobxml.Parse(s.XML)
		var job *jobxml.Job
		if err == nil {
			if job, err = jobxml.Read(root); isFolder(err) {
				return
			}
		}
		j := &imported{source: s, root: root, job: job, report: Job{Job: s.Name}}
		switch {
		case err != nil && root == nil:
			problems[i] = fmt.Sprintf("%s: %v", s.From, err)
			return
		case err != nil:
			j.report.Reason = "it " + err.Error()
		}
		all[i] = j
	})
	if broken := slices.DeleteFunc(problems, func(s string) bool { return s == "" }); len(broken) > 0 {
		slices.Sort(broken)
		return &BrokenError{broken}
	}
	m.jobs = slices.DeleteFunc(all, func(j *imported) bool { return j == nil })
	slices.SortStableFunc(m.jobs, func(a, b *imported) int { return strings.Compare(a.source.Name, b.source.Name) })
	for i, j := range m.jobs {
		if i > 0 && m.jobs[i-1].source.Name == j.source.Name {
			return &BrokenError{[]string{fmt.Sprintf("%s: is the job %s, and so is %s", j.source.From, j.source.Name, m.jobs[i-1].source.From)}}
		}
		m.byName[j.source.Name] = j
	}
	return nil
}

// each does something for every job of which a batch may be made.
func (m *maker) each(do func(*imported)) {
	parallel(len(m.jobs), func(i int) {
		if m.jobs[i].report.Reason == "" {
			do(m.jobs[i])
		}
	})
}

// parallel calls do(0) to do(n-1) on all cores.
func parallel(n int, do func(int)) {
	var wg sync.WaitGroup
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	wg.Wait()
}

func isFolder(err error) bool {
	e, ok := err.(*jobxml.NotJobError)
	return ok && e.Folder
}

// finding adds to the report; a text for the leaf's comment goes with it.
func (j *imported) finding(rule, what, text string) {
	f := Finding{Rule: rule, What: what, Text: withoutSecrets(text)}
	if !slices.Contains(j.report.Findings, f) {
		j.report.Findings = append(j.report.Findings, f)
	}
}

// keep is finding for what is put into a comment as well.
func (j *imported) keep(rule, what, text string) {
	j.finding(rule, what, text)
	line := withoutSecrets(text)
	if line == "" {
		line = what
	}
	if !slices.Contains(j.kept, line) {
		j.kept = append(j.kept, line)
	}
}
