package migrate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/batchctl/batchctl/batches"
)

// Selection says which jobs a step is for.
type Selection struct {
	Select  []string // globs of paths, such as live-*/settlement/**; one behind ! takes away; none: all
	Jobs    []string // if not nil, exactly these paths, and the rest does not count
	Percent int      // this share of them, 1 to 100; 0 = all
}

// choose returns the jobs of kind Batch that are selected. The share is the
// same whenever it is asked for, and a larger one holds every smaller one: jobs
// are taken in the order of a hash of their paths, one at the least.
func (s *Selection) choose(docs []*batches.Document) ([]*batches.Document, error) {
	var out []*batches.Document
	named := map[string]bool{}
	for _, j := range s.Jobs {
		named[j] = true
	}
	matched := make([]bool, len(s.Select))
	for _, d := range docs {
		in := named[d.Path]
		if s.Jobs == nil {
			in = s.matches(d.Path, matched)
		}
		if in && d.Kind == "Batch" {
			out = append(out, d)
		}
	}
	if s.Jobs != nil {
		return out, nil
	}
	for i, ok := range matched {
		if !ok {
			return nil, fmt.Errorf("--select %s: no job matches (batchctl list shows all)", s.Select[i])
		}
	}
	if s.Percent == 0 || s.Percent == 100 {
		return out, nil
	}
	slices.SortFunc(out, func(a, b *batches.Document) int { return strings.Compare(Rank(a.Path), Rank(b.Path)) })
	out = out[:batches.RolloutShare(len(out), s.Percent)]
	slices.SortFunc(out, func(a, b *batches.Document) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// matches reports whether the globs take a path, and marks those that match.
func (s *Selection) matches(path string, matched []bool) bool {
	in := len(s.Select) == 0 || strings.HasPrefix(s.Select[0], "!")
	out := false
	for i, glob := range s.Select {
		not, negated := strings.CutPrefix(glob, "!")
		if !doublestar.MatchUnvalidated(not, path) {
			continue
		}
		matched[i] = true
		in, out = in || !negated, out || negated
	}
	return in && !out
}

// Rank puts jobs into an order that has nothing to do with their names, and is
// always the same: a hash of the path.
func Rank(path string) string {
	sum := sha256.Sum256([]byte("batchctl share\x00" + path))
	return hex.EncodeToString(sum[:])
}
