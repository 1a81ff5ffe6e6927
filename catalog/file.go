package catalog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Write writes the catalog as JSON, one job a line and sorted by path, so
// that a change to one job is a change to one line. Equal catalogs give equal
// bytes. It returns an error of w, or one that names a job that cannot stand
// in a catalog, such as one whose path or token another job has too.
func Write(w io.Writer, c Catalog) error {
	jobs := slices.Clone(c.Jobs)
	slices.SortStableFunc(jobs, func(a, b Job) int { return strings.Compare(a.Path, b.Path) })
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, `{"version": %d, "jobs": [`, Version)
	var seen seen
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	for i := range jobs {
		if err := seen.add(&jobs[i]); err != nil {
			return fmt.Errorf("catalog: job %s: %w", jobs[i].Path, err)
		}
		line.Reset()
		if err := enc.Encode(&jobs[i]); err != nil {
			return fmt.Errorf("catalog: job %s: %w", jobs[i].Path, err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(bytes.TrimSuffix(line.Bytes(), []byte("\n")))
	}
	out.WriteString("\n]}\n")
	return out.Flush()
}

// seen knows the paths and tokens of the jobs so far.
type seen struct {
	paths  map[string]struct{}
	tokens map[string]string // to the path that has it
}

// add takes one more job, or says why it cannot stand in the catalog.
func (s *seen) add(j *Job) error {
	if s.paths == nil {
		s.paths, s.tokens = make(map[string]struct{}), make(map[string]string)
	}
	switch {
	case j.Path == "":
		return errors.New("it has no path")
	case !isToken(j.Token):
		return fmt.Errorf("its token %q is not 8 to 64 letters and digits", j.Token)
	case j.Schedule != nil && len(j.Schedule.Cron) == 0:
		return errors.New("its schedule has no cron line")
	}
	if _, ok := s.paths[j.Path]; ok {
		return fmt.Errorf("the path %s stands there twice", j.Path)
	}
	if other, ok := s.tokens[j.Token]; ok {
		return fmt.Errorf("its token %s is also that of %s; rename one of the two", j.Token, other)
	}
	s.paths[j.Path] = struct{}{}
	s.tokens[j.Token] = j.Path
	return nil
}

// isToken reports whether s is safe in a label expression.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return len(s) >= 8 && len(s) <= 64
}
