package batches

import (
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

// matches reports whether the coordinates fit a when: each of its keys must
// match one of its names or globs.
func (c *coordinates) matches(when *value) bool {
	if when == nil {
		return true
	}
	for i := range when.kids {
		e := &when.kids[i]
		have, ok := c.builtin(e.key)
		if !ok && e.key != "kind" {
			return false
		}
		if !matchesOne(e.val, have) {
			return false
		}
	}
	return true
}

// matchesOne reports whether a name matches one of a list of globs, and none
// of those behind an exclamation mark. A list of these alone takes all others.
func matchesOne(patterns *value, name string) bool {
	if patterns.kind != listKind {
		not, negated := strings.CutPrefix(patterns.text, "!")
		return matchGlob(not, name) != negated
	}
	matched, positive := false, false
	for i := range patterns.kids {
		if not, negated := strings.CutPrefix(patterns.kids[i].val.text, "!"); !negated {
			positive = true
			matched = matched || matchGlob(not, name)
		} else if matchGlob(not, name) {
			return false
		}
	}
	return matched || !positive
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
