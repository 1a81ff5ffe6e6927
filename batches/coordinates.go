package batches

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// coordinates say which job a document is resolved for.
type coordinates struct {
	app, group, typ, phase, cluster, kind string
	path                                  string // of the job: cluster/group/app
}

// builtins are the coordinates' names in references and in when. A variable
// cannot have such a name.
var builtins = []string{"app", "group", "type", "phase", "cluster"}

// builtin returns the coordinate of that name.
func (c *coordinates) builtin(name string) (string, bool) {
	switch name {
	case "app":
		return c.app, true
	case "group":
		return c.group, true
	case "type":
		return c.typ, true
	case "phase":
		return c.phase, true
	case "cluster":
		return c.cluster, true
	case "kind":
		return c.kind, false
	}
	return "", false
}

// condition is what one key of a when asks for. Plain names are looked up: a
// change of a share of all jobs lists hundreds of them.
type condition struct {
	key      string
	names    map[string]bool
	globs    []string
	not      []string // names and globs behind an exclamation mark
	positive bool     // there is something that must match
}

// conditionsOf prepares a when for matching.
func conditionsOf(when *value) []condition {
	if when == nil {
		return nil
	}
	out := make([]condition, len(when.kids))
	for i := range when.kids {
		c := &out[i]
		val := when.kids[i].val
		c.key, c.positive = when.kids[i].key, val.kind == mapKind || val.kind == nullKind // these match nothing
		for _, v := range val.list() {
			switch not, negated := strings.CutPrefix(v.text, "!"); {
			case negated:
				c.not = append(c.not, not)
				continue
			case isGlob(v.text):
				c.globs = append(c.globs, v.text)
			case c.names == nil:
				c.names = map[string]bool{v.text: true}
			default:
				c.names[v.text] = true
			}
			c.positive = true
		}
	}
	return out
}

// match reports whether the coordinates fit all conditions.
func (c *coordinates) match(all []condition) bool {
	for i := range all {
		have, ok := c.builtin(all[i].key)
		if !ok && all[i].key != "kind" || !all[i].match(have) {
			return false
		}
	}
	return true
}

// match reports whether a name is one of those of a condition, and none of those
// behind an exclamation mark. With these alone all others fit.
func (c *condition) match(name string) bool {
	is := func(glob string) bool { return matchGlob(glob, name) }
	if slices.ContainsFunc(c.not, is) {
		return false
	}
	return !c.positive || c.names[name] || slices.ContainsFunc(c.globs, is)
}

// maxGlob is the longest that a glob may be.
const maxGlob = 200

func matchGlob(pattern, name string) bool {
	if !isGlob(pattern) {
		return pattern == name
	}
	// A longer one is refused by the schema; it may take for ever to match.
	if len(pattern) > maxGlob {
		return false
	}
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil
}

// isGlob reports whether a pattern is more than a plain name.
func isGlob(pattern string) bool { return strings.ContainsAny(pattern, `*?[{\`) }
