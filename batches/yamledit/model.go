package yamledit

import (
	"errors"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// model is what a text says, without how it is written. A change is checked
// with it.
type model struct {
	kind  yaml.Kind // of a scalar, a sequence or a mapping
	tag   string    // of a scalar
	text  string    // of a scalar that is not null
	keys  []model   // of a mapping
	items []model
}

// maxModel bounds what aliases may grow to.
const maxModel = 100_000

// modelOf reads a node. Aliases stand for what they name, so that a change
// that reaches through one is seen.
func modelOf(n *yaml.Node) (model, error) {
	left := maxModel
	return readModel(n, &left)
}

func readModel(n *yaml.Node, left *int) (model, error) {
	if *left--; *left < 0 {
		return model{}, errors.New("the aliases of this text grow without bound")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return readModel(n.Alias, left)
	case yaml.ScalarNode:
		return scalarModel(n.ShortTag(), n.Value), nil
	}
	m := model{kind: n.Kind}
	for i, c := range n.Content {
		sub, err := readModel(c, left)
		if err != nil {
			return m, err
		}
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			m.keys = append(m.keys, sub)
		} else {
			m.items = append(m.items, sub)
		}
	}
	return m, nil
}

func scalarModel(tag, text string) model {
	if tag == "!!null" {
		text = ""
	}
	return model{kind: yaml.ScalarNode, tag: tag, text: text}
}

func modelOfValue(v Value) model {
	switch v := v.(type) {
	case Flow:
		return modelOfValue(v.Value)
	case List:
		m := model{kind: yaml.SequenceNode}
		for _, item := range v {
			m.items = append(m.items, modelOfValue(item))
		}
		return m
	case Map:
		m := model{kind: yaml.MappingNode}
		for _, p := range v {
			m.keys = append(m.keys, scalarModel("!!str", p.Key))
			m.items = append(m.items, modelOfValue(p.Value))
		}
		return m
	}
	text, tag, _ := scalarText(v)
	return scalarModel(tag, text)
}

func (m model) equal(o model) bool {
	return m.kind == o.kind && m.tag == o.tag && m.text == o.text &&
		slices.EqualFunc(m.keys, o.keys, model.equal) && slices.EqualFunc(m.items, o.items, model.equal)
}

// index returns where a step leads, or -1.
func (m model) index(s Step) int {
	if s.Key == "" {
		if m.kind == yaml.SequenceNode && s.Index >= 0 && s.Index < len(m.items) {
			return s.Index
		}
		return -1
	}
	return slices.IndexFunc(m.keys, func(k model) bool { return k.kind == yaml.ScalarNode && k.text == s.Key })
}

func (m model) set(p Path, v Value) (model, error) {
	if len(p) == 0 {
		return modelOfValue(v), nil
	}
	i := m.index(p[0])
	m.items, m.keys = slices.Clone(m.items), slices.Clone(m.keys)
	if i < 0 {
		if p[0].Key == "" {
			return m, ErrNotFound
		}
		if m.tag == "!!null" {
			m = model{kind: yaml.MappingNode}
		}
		if m.kind != yaml.MappingNode {
			return m, fmt.Errorf("%s: stands below a value that is no map", p)
		}
		m.keys = append(m.keys, scalarModel("!!str", p[0].Key))
		m.items = append(m.items, model{kind: yaml.MappingNode})
		i = len(m.items) - 1
	}
	var err error
	m.items[i], err = m.items[i].set(p[1:], v)
	return m, err
}

func (m model) remove(p Path) (model, error) {
	if len(p) == 0 {
		return m, errors.New("the whole document cannot be removed")
	}
	i := m.index(p[0])
	if i < 0 {
		return m, ErrNotFound
	}
	m.items, m.keys = slices.Clone(m.items), slices.Clone(m.keys)
	if len(p) > 1 {
		var err error
		m.items[i], err = m.items[i].remove(p[1:])
		return m, err
	}
	m.items = slices.Delete(m.items, i, i+1)
	if m.kind == yaml.MappingNode {
		m.keys = slices.Delete(m.keys, i, i+1)
	}
	return m, nil
}

func (m model) insert(list Path, index int, v Value) (model, error) {
	if len(list) > 0 {
		i := m.index(list[0])
		if i < 0 {
			return m, ErrNotFound
		}
		m.items = slices.Clone(m.items)
		var err error
		m.items[i], err = m.items[i].insert(list[1:], index, v)
		return m, err
	}
	if m.kind != yaml.SequenceNode || index < 0 || index > len(m.items) {
		return m, ErrNotFound
	}
	m.items = slices.Insert(slices.Clone(m.items), index, modelOfValue(v))
	return m, nil
}
