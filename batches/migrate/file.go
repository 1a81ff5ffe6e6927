package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/batches"
)

// FileError is a fault in a file of steps: line:col: message.
type FileError struct {
	Line, Col int
	Message   string
}

func (e *FileError) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Col, e.Message) }

// Keys splits a path as people write it into keys: spec.node.pool, or node.pool
// for short. The names of properties hold dots themselves.
func Keys(path string) ([]string, error) {
	keys := strings.Split(path, ".")
	if keys[0] != "spec" && keys[0] != "vars" && keys[0] != "metadata" {
		path = "spec." + path
	}
	keys = splitKnown(path)
	for _, k := range keys {
		if k == "" || strings.ContainsAny(k, "[]= ") {
			return nil, fmt.Errorf("%q is no path of a field; write it like spec.node.pool", path)
		}
	}
	if len(keys) < 2 {
		return nil, fmt.Errorf("%q is a whole section; name a field of it, such as spec.node.pool", path)
	}
	return keys, nil
}

// stepsFile is the form of a file of steps.
type stepsFile struct {
	APIVersion  string     `yaml:"apiVersion"`
	Kind        string     `yaml:"kind"`
	Description string     `yaml:"description"`
	Steps       []fileStep `yaml:"steps"`
}

type fileStep struct {
	line    int
	Select  []string  `yaml:"select"`
	Percent int       `yaml:"percent"`
	Reason  string    `yaml:"reason"`
	Set     yaml.Node `yaml:"set"`
	Unset   string    `yaml:"unset"`
	Rename  *fromTo   `yaml:"rename-option"`
	Replace *fromTo   `yaml:"replace-value"`
	JVM     *struct {
		From  int                 `yaml:"from"`
		To    int                 `yaml:"to"`
		Opens map[string][]string `yaml:"opens"`
	} `yaml:"jvm"`
}

type fromTo struct {
	Path string `yaml:"path"`
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

var yamlLine = regexp.MustCompile(`(?s)line (\d+): (.*)`)

// ParseSteps reads a file of steps; other is the selection of those that have
// none of their own.
func ParseSteps(text []byte, other Selection) ([]Step, error) {
	var f stepsFile
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, yamlError(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, yamlError(err)
	}
	if f.APIVersion != batches.APIVersion || f.Kind != "Migration" {
		return nil, &FileError{1, 1, "it is no file of steps: it begins with apiVersion: " + batches.APIVersion + " and kind: Migration"}
	}
	if len(f.Steps) == 0 {
		return nil, &FileError{1, 1, "it has no steps"}
	}
	lines := stepLines(doc.Content[0])
	var out []Step
	for i := range f.Steps {
		s := &f.Steps[i]
		s.line = lines[i]
		steps, err := s.steps(other, f.Description)
		if err != nil {
			return nil, &FileError{s.line, 1, fmt.Sprintf("steps[%d]: %s", i, err)}
		}
		out = append(out, steps...)
	}
	return out, nil
}

// yamlError gives an error of the YAML library a place.
func yamlError(err error) error {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return &FileError{1, 1, strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	e := &FileError{Col: 1, Message: m[2]}
	fmt.Sscan(m[1], &e.Line)
	return e
}

func stepLines(doc *yaml.Node) []int {
	var lines []int
	for i := 0; i+1 < len(doc.Content); i += 2 {
		if doc.Content[i].Value == "steps" {
			for _, s := range doc.Content[i+1].Content {
				lines = append(lines, s.Line)
			}
		}
	}
	return lines
}

// steps makes the changes of one entry.
func (s *fileStep) steps(other Selection, description string) ([]Step, error) {
	sel := Selection{Select: s.Select, Percent: s.Percent}
	if s.Select == nil {
		sel.Select = other.Select
	}
	if s.Percent == 0 {
		sel.Percent = other.Percent
	}
	if sel.Percent < 0 || sel.Percent > 100 {
		return nil, fmt.Errorf("percent: %d; it goes from 1 to 100", sel.Percent)
	}
	changes, err := s.changes()
	if err != nil {
		return nil, err
	}
	reason := s.Reason
	if reason == "" {
		reason = description
	}
	var out []Step
	for _, c := range changes {
		out = append(out, Step{Selection: sel, Change: c, Reason: reason})
	}
	return out, nil
}

// sets are the values of set, each a change of its own.
func (s *fileStep) sets() ([]Change, error) {
	var out []Change
	for i := 0; i+1 < len(s.Set.Content); i += 2 {
		keys, err := Keys(s.Set.Content[i].Value)
		if err != nil {
			return nil, err
		}
		v, err := valueOf(s.Set.Content[i+1])
		if err != nil {
			return nil, err
		}
		out = append(out, Set{keys, v})
	}
	return out, nil
}

// changes are what one entry says; all of them are of one kind.
func (s *fileStep) changes() ([]Change, error) {
	out, err := s.sets()
	if err != nil {
		return nil, err
	}
	kinds := min(1, len(out))
	if s.Unset != "" {
		kinds++
		keys, err := Keys(s.Unset)
		if err != nil {
			return nil, err
		}
		out = append(out, Unset{keys})
	}
	if s.Rename != nil {
		kinds++
		out = append(out, RenameOption{s.Rename.From, s.Rename.To})
	}
	if s.Replace != nil {
		kinds++
		keys, err := Keys(s.Replace.Path)
		if err != nil {
			return nil, err
		}
		out = append(out, ReplaceValue{keys, s.Replace.From, s.Replace.To})
	}
	if s.JVM != nil {
		kinds++
		c := JVM{From: s.JVM.From, To: s.JVM.To, Opens: s.JVM.Opens}
		if err := c.Check(); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if kinds != 1 {
		return nil, errors.New("a step has one of set, unset, rename-option, replace-value and jvm")
	}
	return out, nil
}
