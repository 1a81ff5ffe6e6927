package factor

import (
	"regexp"
	"strings"
)

// textShape finds a text that differs in one piece, or nil: long texts that
// begin and end alike in all jobs that have one. The job's own names may stand
// in them as references, where that makes them more alike.
func textShape(t *table, c *column) *shape {
	var jobs []int
	for i, v := range c.cell {
		if v == nil {
			continue
		}
		if v.node.Tag != "!!str" || strings.Contains(v.node.Value, "\n") {
			return nil
		}
		jobs = append(jobs, i)
	}
	if len(jobs) < 3 {
		return nil
	}
	var texts []string
	var prefix, suffix string
	for set := range 1 << 4 {
		written := make([]string, len(jobs))
		for i, j := range jobs {
			written[i] = c.cell[j].node.Value
			for k, name := range coordinates(t.jobs[j]) {
				if set&(1<<k) != 0 && name[1] != "" {
					written[i] = replaced(written[i], name)
				}
			}
		}
		if a, b := alike(written); len(a)+len(b) > len(prefix)+len(suffix) {
			texts, prefix, suffix = written, a, b
		}
	}
	if len(prefix)+len(suffix) < 12 {
		return nil
	}
	return newTextShape(c, jobs, texts, prefix, suffix)
}

func newTextShape(c *column, jobs []int, texts []string, prefix, suffix string) *shape {
	s := &shape{jobs: jobs, piece: map[int][]string{}, names: []string{pieceName(c.path, prefix)}}
	version := true
	for i, j := range jobs {
		piece := texts[i][len(prefix) : len(texts[i])-len(suffix)]
		s.piece[j] = []string{piece}
		version = version && versions.MatchString(piece)
	}
	if version {
		s.names = []string{"VERSION"}
	}
	node := clone(c.cell[jobs[0]].node)
	s.write = func(values []string) *val {
		node := clone(node)
		node.Value = prefix + values[0] + suffix
		return newVal(node)
	}
	return s
}

// versions are the versions of artifacts: 3.1, 2.0.0-rc1.
var versions = regexp.MustCompile(`^v?\d+([.]\d+)+([-.+]\w+)*$`)

// pieceName names a piece of a field's text: the host of a URL, or a part. The
// names of free maps say enough without the field that they stand in.
func pieceName(path []string, prefix string) string {
	field := path[1:]
	if len(path) > 2 && (path[1] == "env" || path[len(path)-2] == "properties") {
		field = path[len(path)-1:]
	}
	end := "_PART"
	if strings.HasSuffix(prefix, "://") || strings.HasSuffix(prefix, "@") {
		end = "_HOST"
	}
	return variableName(strings.Join(field, "_")) + end
}

// alike finds how texts begin and end alike, up to a sign that parts words,
// and not within a reference.
func alike(texts []string) (prefix, suffix string) {
	prefix, suffix = texts[0], texts[0]
	for _, s := range texts[1:] {
		n := 0
		for n < min(len(prefix), len(s)) && prefix[n] == s[n] {
			n++
		}
		prefix = prefix[:n]
		n = 0
		for n < min(len(suffix), len(s)) && suffix[len(suffix)-1-n] == s[len(s)-1-n] {
			n++
		}
		suffix = suffix[len(suffix)-n:]
	}
	for prefix != "" && (wordByte(prefix[len(prefix)-1]) || prefix[len(prefix)-1] == '.' || strings.Count(prefix, "{{") != strings.Count(prefix, "}}")) {
		prefix = prefix[:len(prefix)-1]
	}
	for suffix != "" && (wordByte(suffix[0]) || strings.Count(suffix, "{{") != strings.Count(suffix, "}}")) {
		suffix = suffix[1:]
	}
	for _, s := range texts {
		if len(prefix)+len(suffix) >= len(s) {
			return "", ""
		}
	}
	return prefix, suffix
}
