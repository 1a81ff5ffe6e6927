// Package legacy writes a believable old Jenkins: thousands of config.xml, in
// the forms that people really have. Tests, the demo and the benchmarks of
// import and factor read it.
//
// Everything follows from the number of jobs: the same number gives the same
// bytes. Read Write first, then company.go (what there is), copies.go (how
// the copies of a batch differ), habits.go (how its author writes shell) and
// xml.go (how Jenkins writes it down).
package legacy

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Misspelt is the one misspelt option, and MisspeltJob the job that has it.
// Every other job with an option of that kind says CorrectOption.
const (
	Misspelt      = "-XX:G1HeapRegionSiez=8m"
	CorrectOption = "-XX:G1HeapRegionSize=8m"
	MisspeltJob   = "live-1/settlement/daily-settlement"
)

// A Config is one job as it stands in Jenkins.
type Config struct {
	Name string // full name: folders and job, separated by slashes
	XML  string // its config.xml
}

// Jobs returns n jobs that start a JVM, and one for every 40 of them that no
// batch can be made of: a copy by rsync, two JVMs in one script, a date that
// the script works out. They come in no order that means anything.
func Jobs(n int) []Config {
	var out []Config
	for i := 0; len(out) < n; i++ {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		b := newBatch(r, i)
		for _, c := range b.clusters(r) {
			if len(out) == n {
				break
			}
			out = append(out, Config{Name: c.name + "/" + b.group.name + "/" + b.title, XML: b.copyTo(c).xml()})
		}
	}
	for i := range n / 40 {
		out = append(out, stranger(i))
	}
	return out
}

// Write writes Jobs(n) below dir as they lie in JENKINS_HOME/jobs, folders
// included. It returns the number of config.xml of jobs.
func Write(dir string, n int) (int, error) {
	jobs := Jobs(n)
	folders := map[string]bool{}
	for _, j := range jobs {
		parts := strings.Split(j.Name, "/")
		at := dir
		for _, folder := range parts[:len(parts)-1] {
			at = filepath.Join(at, "jobs", folder)
			if folders[at] {
				continue
			}
			folders[at] = true
			if err := write(filepath.Join(at, "config.xml"), folderXML); err != nil {
				return 0, err
			}
		}
		if err := write(filepath.Join(at, "jobs", parts[len(parts)-1], "config.xml"), j.XML); err != nil {
			return 0, err
		}
	}
	return len(jobs), write(filepath.Join(dir, Checksums), checksums())
}

// Checksums is the file that Write puts beside the jobs: what sha256sum said
// of the jars on an agent.
const Checksums = "jars.sha256"

// checksums lists all jars that a batch may have.
func checksums() string {
	var b strings.Builder
	for _, g := range groups {
		for _, version := range []string{g.version, "1.0.0", "1.1.0", "1.2.0", "1.3.0"} {
			c := copied{batch: &batch{group: &g, version: version}}
			fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256([]byte(c.jar())), c.jar())
		}
	}
	return b.String()
}

func write(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// batch is one program of the company, which stands in Jenkins once for each
// cluster.
type batch struct {
	index      int
	group      *group
	author     *author
	name       string // settle-card-0012
	title      string // as the job is called; mostly the name
	program    string // the program's own name for it: settleCard0012
	version    string // of the group's jar
	hour       int
	minute     string
	sort       string // how it is started: shell, pipeline, matrix
	era        *era
	heap       int // in MB, on a live cluster
	difference int // how its JVM line differs from the one it was copied from; see options
}

func newBatch(r *rand.Rand, i int) *batch {
	b := &batch{index: i, group: &groups[i%len(groups)], sort: "shell"}
	b.author = &authors[i%len(groups)%len(authors)]
	if r.IntN(5) == 0 {
		b.author = &authors[r.IntN(len(authors))]
	}
	verb, noun := pick(r, verbs), pick(r, nouns)
	b.name = fmt.Sprintf("%s-%s-%04d", verb, noun, i)
	b.program = fmt.Sprintf("%s%s%04d", verb, strings.ToUpper(noun[:1])+noun[1:], i)
	if i == 0 {
		// The batch of the incident; its author writes -XX lines by hand.
		b.name, b.program, b.author = "daily-settlement", "dailySettlement", &authors[0]
	}
	b.title = b.name
	b.version = b.group.version
	if r.IntN(25) == 0 {
		b.version = fmt.Sprintf("1.%d.0", r.IntN(4))
	}
	b.hour, b.minute = r.IntN(24), pick(r, []string{"H", "H", "0", "30", "15"})
	b.heap = pick(r, []int{1024, 1024, 2048, 2048, 2048, 4096, 8192})
	b.era = b.author.era
	if r.IntN(8) == 0 {
		b.era = &eras[r.IntN(len(eras)-1)]
	}
	if i%97 == 5 {
		b.era = &eras[len(eras)-1]
	}
	if r.IntN(12) == 0 {
		b.difference = 1 + r.IntN(5)
	}
	if i == 0 {
		b.era, b.difference = b.author.era, 0
		return b
	}
	switch n := r.IntN(100); {
	case n < 12:
		b.sort = "pipeline"
	case n < 14:
		b.sort = "matrix"
	case n < 16:
		b.title = strings.ReplaceAll(b.name, "-", "_")
	case n < 17:
		b.title = strings.ToUpper(b.name[:1]) + strings.ReplaceAll(b.name[1:], "-", " ") + " (new)"
	case n < 18:
		b.title = fmt.Sprintf("정산-일마감-%04d", i)
	}
	return b
}

// clusters returns where the batch runs: most in one place, the rest with the
// copies that come with it.
func (b *batch) clusters(r *rand.Rand) []cluster {
	switch n := r.IntN(10); {
	case b.index == 0, n < 3:
		return []cluster{live1, staging}
	case n < 5:
		return []cluster{live1, live2}
	case n == 5:
		return []cluster{live1, live2, staging, dev}
	case n == 6:
		return []cluster{live2}
	}
	return []cluster{live1}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
