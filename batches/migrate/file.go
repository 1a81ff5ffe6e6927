package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
)

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

// ParseSteps reads a file of steps; other is the selection of those that have
// none of their own. With problems there are no steps.
func ParseSteps(name string, text []byte, other Selection) ([]Step, []batches.Problem) {
	file, problems := batches.ParseMigration(name, text)
	if batches.Errors(problems) > 0 {
		return nil, problems
	}
	var out []Step
	for i, s := range file.Member("steps").Items() {
		sel := Selection{Select: other.Select, Percent: other.Percent}
		if own := s.Member("select"); own.Exists() {
			sel.Select = texts(own)
		}
		if percent := s.Member("percent"); percent.Exists() {
			sel.Percent, _ = strconv.Atoi(percent.Text())
		}
		changes, err := changesIn(s)
		if err != nil {
			problems = append(problems, batches.Problem{Place: s.Place(), Path: fmt.Sprintf("steps[%d]", i), Rule: "bad-step", Message: err.Error()})
		}
		reason := cmp.Or(s.Member("reason").Text(), file.Member("description").Text())
		for _, c := range changes {
			out = append(out, Step{Selection: sel, Change: c, Reason: reason})
		}
	}
	if len(out) == 0 && len(problems) == 0 {
		problems = append(problems, batches.Problem{Place: file.Place(), Path: "steps", Rule: "bad-step", Message: "there is no step"})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return out, nil
}

func texts(list batches.Value) []string {
	var out []string
	for _, v := range list.Items() {
		out = append(out, v.Text())
	}
	return out
}

// changeKinds reads the changes of a step by their keys.
var changeKinds = map[string]func(batches.Value) ([]Change, error){
	"set": setsOf,
	"unset": func(v batches.Value) ([]Change, error) {
		keys, err := Keys(v.Text())
		return []Change{Unset{keys}}, err
	},
	"add-option":    func(v batches.Value) ([]Change, error) { return []Change{AddOption{v.Text()}}, nil },
	"remove-option": func(v batches.Value) ([]Change, error) { return []Change{RemoveOption{v.Text()}}, nil },
	"rename-option": func(v batches.Value) ([]Change, error) {
		return []Change{RenameOption{v.Member("from").Text(), v.Member("to").Text()}}, nil
	},
	"replace-value": func(v batches.Value) ([]Change, error) {
		keys, err := Keys(v.Member("path").Text())
		return []Change{ReplaceValue{keys, v.Member("from").Text(), v.Member("to").Text()}}, err
	},
	"jvm": jvmOf,
}

// changesIn reads what a step says; all its changes are of one kind.
func changesIn(step batches.Value) ([]Change, error) {
	var kinds []string
	for _, key := range step.Keys() {
		if changeKinds[key] != nil {
			kinds = append(kinds, key)
		}
	}
	switch len(kinds) {
	case 0:
		return nil, fmt.Errorf("it changes nothing; write one of set, unset, add-option, remove-option, rename-option, replace-value and jvm")
	case 1:
		return changeKinds[kinds[0]](step.Member(kinds[0]))
	}
	return nil, fmt.Errorf("it has %s; make a step of each", strings.Join(kinds, " and "))
}

// setsOf are the values of set, each a change of its own.
func setsOf(set batches.Value) ([]Change, error) {
	var out []Change
	for _, path := range set.Keys() {
		keys, err := Keys(path)
		if err != nil {
			return nil, err
		}
		out = append(out, Set{keys, plainValue(set.Member(path))})
	}
	return out, nil
}

// plainValue is a value as yamledit writes it.
func plainValue(v batches.Value) yamledit.Value {
	if v.List() {
		list := yamledit.List{}
		for _, item := range v.Items() {
			list = append(list, plainValue(item))
		}
		return list
	}
	if v.Number() {
		return Scalar(v.Text())
	}
	return v.Text()
}

func jvmOf(v batches.Value) ([]Change, error) {
	c := JVM{}
	c.From, _ = strconv.Atoi(v.Member("from").Text())
	c.To, _ = strconv.Atoi(v.Member("to").Text())
	opens := v.Member("opens")
	for _, job := range opens.Keys() {
		if c.Opens == nil {
			c.Opens = map[string][]string{}
		}
		c.Opens[job] = slices.Clip(texts(opens.Member(job)))
	}
	return []Change{c}, c.Check()
}
