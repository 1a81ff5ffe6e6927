package batches

import (
	"cmp"
	"slices"
	"strings"
)

// Severity says whether a problem stops the tree from being rendered.
type Severity uint8

const (
	Error   Severity = iota // nothing is rendered
	Warning                 // worth a look
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText writes a severity as String does, in JSON too.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Problem is something wrong with a tree, said once however many jobs
// inherit it.
type Problem struct {
	Place    Place    `json:"place"`
	Path     string   `json:"path,omitempty"` // of the value, such as spec.java.options[2]; may be empty
	Rule     string   `json:"rule"`           // stable identifier, such as unknown-key
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`   // the way out, such as a near name; may be empty
	Others   []Place  `json:"others,omitempty"` // further places the message speaks of
	Jobs     []string `json:"jobs,omitempty"`   // paths of the jobs it touches, sorted; none when it is about the file alone

	// Problems at one place with the same subject differ only in the variant
	// of the job (its JVM), and become one.
	subject, variant string
}

// Text is the message behind the path of its value.
func (p Problem) Text() string {
	if p.Path == "" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// String is a problem on one line: file:line:col: path: message.
func (p Problem) String() string { return p.Place.String() + ": " + p.Text() }

// touch adds a job, once; jobs come in the order of their paths.
func (p *Problem) touch(job string) {
	if n := len(p.Jobs); n == 0 || p.Jobs[n-1] != job {
		p.Jobs = append(p.Jobs, job)
	}
}

// problems collects what is wrong.
type problems []Problem

func (ps *problems) add(p Problem) { *ps = append(*ps, p) }

// at adds an error about a value.
func (ps *problems) at(v *value, path, rule, message, hint string) {
	ps.add(Problem{Place: v.place(), Path: path, Rule: rule, Message: message, Hint: hint})
}

// inFile adds an error about a file as a whole.
func (ps *problems) inFile(path, rule, message, hint string) {
	ps.add(Problem{Place: Place{path, 1, 1}, Rule: rule, Message: message, Hint: hint})
}

// mergeProblems puts the problems of all jobs together: sorted by place, each
// once, with the jobs that have it. Problems of several jobs (which
// come in the order of the jobs' paths) that stand at the same place and say
// the same are one problem, of the layer that the jobs share.
func mergeProblems(tree problems, jobs []jobProblems) []Problem {
	m := merger{seen: map[problemKey]int{}, variants: map[int][]string{}}
	for _, p := range tree {
		m.add(p)
	}
	for _, j := range jobs {
		for _, p := range j.problems {
			i := m.add(p)
			m.out[i].touch(j.path)
		}
	}
	for i, variants := range m.variants {
		if len(variants) > 1 {
			m.out[i].Message += "; so it is with " + strings.Join(variants[1:], " and ")
		}
	}
	slices.SortStableFunc(m.out, func(a, b Problem) int {
		return cmp.Or(a.Place.compare(b.Place), strings.Compare(a.Message, b.Message))
	})
	return m.out
}

// problemKey tells problems apart.
type problemKey struct {
	place         Place
	rule, message string
}

func (p *Problem) key() problemKey {
	return problemKey{p.Place, p.Rule, cmp.Or(p.subject, p.Message)}
}

// merger collects problems, each once.
type merger struct {
	out      []Problem
	seen     map[problemKey]int // index in out
	variants map[int][]string   // of the problems that have some, by index
}

// add returns the index of the problem in out.
func (m *merger) add(p Problem) int {
	i, ok := m.seen[p.key()]
	if !ok {
		i = len(m.out)
		m.seen[p.key()] = i
		m.out = append(m.out, p)
	}
	if p.variant != "" && !slices.Contains(m.variants[i], p.variant) {
		m.variants[i] = append(m.variants[i], p.variant)
	}
	return i
}

// jobProblems are the problems of one job.
type jobProblems struct {
	path     string
	problems problems
}

// Errors counts the problems that stop the tree from being rendered.
func Errors(ps []Problem) int {
	n := 0
	for _, p := range ps {
		if p.Severity == Error {
			n++
		}
	}
	return n
}
