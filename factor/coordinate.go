package factor

import (
	"cmp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/batches"
)

// useCoordinates replaces a job's own names in its values by references, where
// that makes one text of the texts of several jobs: a log file that is called
// after the batch, a host that is called after the cluster.
func useCoordinates(t *table) {
	for _, c := range t.columns {
		forms := map[string]int{} // jobs that a text would do for
		for i, v := range c.cell {
			if v == nil {
				continue
			}
			seen := map[string]bool{}
			for _, s := range texts(v.node) {
				for _, form := range writings(s.Value, t.jobs[i], c) {
					if !seen[form] {
						seen[form] = true
						forms[form]++
					}
				}
			}
		}
		done := map[[2]string]*val{}
		for i, v := range c.cell {
			if v == nil {
				continue
			}
			node := clone(v.node)
			for _, s := range texts(node) {
				s.Value = best(writings(s.Value, t.jobs[i], c), forms)
			}
			key := [2]string{v.key, encode(node)}
			if done[key] == nil {
				done[key] = t.intern(node)
			}
			c.cell[i] = done[key]
		}
	}
}

// texts lists the strings in a value.
func texts(n *yaml.Node) []*yaml.Node {
	if n.Kind == yaml.ScalarNode {
		if n.Tag == "!!str" {
			return []*yaml.Node{n}
		}
		return nil
	}
	var out []*yaml.Node
	for i, kid := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			continue // a key
		}
		out = append(out, texts(kid)...)
	}
	return out
}

func clone(n *yaml.Node) *yaml.Node {
	out := *n
	out.Content = make([]*yaml.Node, len(n.Content))
	for i, kid := range n.Content {
		out.Content[i] = clone(kid)
	}
	return &out
}

// best chooses the writing that does for the most jobs. Of equals the first
// is the plainest.
func best(forms []string, jobs map[string]int) string {
	out := forms[0]
	for _, f := range forms[1:] {
		if jobs[f] > jobs[out] {
			out = f
		}
	}
	return out
}

// writings lists the ways to write a text with some of a job's names replaced,
// the plain text first.
func writings(text string, j *batches.Effective, c *column) []string {
	plain := strings.ReplaceAll(text, "{{", "{{{{")
	out := []string{plain}
	if heap := heapOf(j); heap != "" && c.path[len(c.path)-1] == "options" && text == "-Xms"+heap {
		// A first heap that is as large as the whole follows it.
		return append(out, "-Xms{{java.heap}}")
	}
	if strings.Contains(text, "{{") {
		return out // two braces beside a reference are hard to read
	}
	var here [][2]string
	names := coordinates(j)
	for _, n := range names {
		if n[1] != "" && replaced(text, n) != text {
			here = append(here, n)
		}
	}
	// A name in another one, as settlement in settlement-eu, is replaced last.
	slices.SortStableFunc(here, func(a, b [2]string) int { return cmp.Compare(len(b[1]), len(a[1])) })
	for set := 1; set < 1<<len(here); set++ {
		form := text
		for i, n := range here {
			if set&(1<<i) != 0 {
				form = replaced(form, n)
			}
		}
		if !slices.Contains(out, form) {
			out = append(out, form)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return strings.Count(a, "{{") - strings.Count(b, "{{") })
	return out
}

func heapOf(j *batches.Effective) string {
	for _, v := range j.Values {
		if len(v.Path) == 3 && v.Path[1] == "java" && v.Path[2] == "heap" {
			return v.Node.Value
		}
	}
	return ""
}

// replaced puts a reference in the place of a name, where that stands as a
// word of its own and not in a reference.
func replaced(text string, name [2]string) string {
	var b strings.Builder
	for at := 0; at < len(text); {
		rest := text[at:]
		if strings.HasPrefix(rest, "{{") {
			end := strings.Index(rest, "}}") + 2
			b.WriteString(rest[:end])
			at += end
			continue
		}
		end := at + len(name[1])
		if strings.HasPrefix(rest, name[1]) && (at == 0 || !wordByte(text[at-1])) && (end == len(text) || !wordByte(text[end])) {
			b.WriteString("{{" + name[0] + "}}")
			at = end
			continue
		}
		b.WriteByte(text[at])
		at++
	}
	return b.String()
}

// wordByte reports whether a byte belongs to a word. Bytes of characters
// beyond ASCII do.
func wordByte(c byte) bool {
	return c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
