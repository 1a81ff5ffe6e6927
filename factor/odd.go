package factor

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"gopkg.in/yaml.v3"
)

// An Odd is a value that hardly any job has, where nearly all have another.
type Odd struct {
	Path   string   `json:"path"` // spec.java.options; of a key, the map it stands in
	Value  string   `json:"value"`
	Jobs   []string `json:"jobs"` // that have it, three at the most
	Count  int      `json:"count"`
	Common string   `json:"common"` // what the others have
	Others int      `json:"others"` // how many of them
	Near   bool     `json:"near"`   // the two differ in a letter or two: a misspelling, most likely
}

// How rare a value must be, and how common the other one.
const (
	rareJobs    = 3  // jobs that have the rare one, at the most
	commonTimes = 20 // so many times as often as the rare one
	nearest     = 2  // changed letters of near ones
)

// findOdd finds the odd ones out: words that are nearly a common one, and
// single values where all others agree.
func findOdd(t *table) []Odd {
	out := []Odd{}
	keys := map[string]words{}
	for _, c := range t.columns {
		name := strings.Join(c.path, ".")
		parent := strings.Join(c.path[:len(c.path)-1], ".")
		if keys[parent] == nil {
			keys[parent] = words{}
		}
		values := words{}
		for i, v := range c.cell {
			if v == nil {
				continue
			}
			keys[parent].add(c.path[len(c.path)-1], i)
			if v.node.Kind == yaml.ScalarNode {
				values.add(v.node.Value, i)
			}
			for _, kid := range v.node.Content {
				if kid.Kind == yaml.ScalarNode {
					values.add(kid.Value, i)
				}
			}
		}
		if name == "spec.schedule.cron" {
			continue // each job has a time of its own
		}
		out = append(out, values.near(t, name)...)
		out = append(out, values.alone(t, name)...)
	}
	for parent, w := range keys {
		out = append(out, w.near(t, parent)...)
	}
	slices.SortFunc(out, func(a, b Odd) int {
		if a.Near != b.Near {
			if a.Near {
				return -1
			}
			return 1
		}
		return cmp.Or(order(a.Others, b.Others, a.Path, b.Path), strings.Compare(a.Value, b.Value))
	})
	seen := map[[2]string]bool{}
	return slices.DeleteFunc(out, func(o Odd) bool {
		key := [2]string{o.Path, o.Value}
		again := seen[key]
		seen[key] = true
		return again
	})
}

// words are texts with the jobs that have them.
type words map[string][]int

func (w words) add(text string, job int) {
	if list := w[text]; len(list) == 0 || list[len(list)-1] != job {
		w[text] = append(list, job)
	}
}

// near finds rare words that are nearly a common one. Words that differ in
// their numbers only are no misspellings: two heaps, two versions.
func (w words) near(t *table, name string) []Odd {
	var common, rare []string
	for text, jobs := range w {
		if len(jobs) >= commonTimes {
			common = append(common, text)
		}
		if len(jobs) <= rareJobs {
			rare = append(rare, text)
		}
	}
	slices.SortFunc(common, func(a, b string) int { return order(len(w[a]), len(w[b]), a, b) })
	slices.Sort(rare)
	var out []Odd
	for _, r := range rare {
		for _, c := range common {
			if len(w[c]) < commonTimes*len(w[r]) || max(len(r)-len(c), len(c)-len(r)) > nearest || withoutNumbers(r) == withoutNumbers(c) {
				continue
			}
			most := min(nearest, len(c)/4)
			if sorted(r) == sorted(c) {
				most = nearest // two letters changed places
			}
			if levenshtein.ComputeDistance(r, c) <= most {
				out = append(out, w.odd(t, name, r, c, true))
				break
			}
		}
	}
	return out
}

// alone finds values of a field that one job or two have, where all others
// agree.
func (w words) alone(t *table, name string) []Odd {
	if len(w) < 2 || len(w) > 3 {
		return nil
	}
	total, common := 0, ""
	for text, jobs := range w {
		total += len(jobs)
		if len(jobs) > len(w[common]) || len(jobs) == len(w[common]) && text < common {
			common = text
		}
	}
	var out []Odd
	for text, jobs := range w {
		if text != common && len(jobs) <= rareJobs && len(w[common]) >= commonTimes*len(jobs) && len(w[common])*100 >= total*95 {
			out = append(out, w.odd(t, name, text, common, false))
		}
	}
	return out
}

func (w words) odd(t *table, name, rare, common string, near bool) Odd {
	o := Odd{Path: name, Value: rare, Count: len(w[rare]), Common: common, Others: len(w[common]), Near: near}
	for _, j := range w[rare][:min(3, len(w[rare]))] {
		o.Jobs = append(o.Jobs, t.jobs[j].Path)
	}
	return o
}

// sorted is a text with its bytes in order.
func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// withoutNumbers puts one sign in the place of each number.
func withoutNumbers(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			if !strings.HasSuffix(b.String(), "#") {
				b.WriteByte('#')
			}
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
