package migrate

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/batches/yamledit"
)

// Scalar reads a single value as YAML would: 21 is a number, "21" a text.
func Scalar(text string) yamledit.Value {
	n := yaml.Node{Kind: yaml.ScalarNode, Value: text}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return yamledit.Number(text)
	case "!!bool":
		return text == "true"
	}
	return text
}

// ParseValue reads a value as YAML writes it: 21, text, "{{NAME}}", [a, b].
func ParseValue(text string) (yamledit.Value, error) {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil || n.Kind == 0 {
		return nil, fmt.Errorf("%q is no value; put text with signs into quotes", text)
	}
	return valueOf(n.Content[0])
}

func valueOf(n *yaml.Node) (yamledit.Value, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.ShortTag() == "!!null" {
			return nil, fmt.Errorf("null removes a value; migrate unset does that")
		}
		if n.ShortTag() == "!!str" {
			return n.Value, nil
		}
		return Scalar(n.Value), nil
	case yaml.SequenceNode:
		list := yamledit.List{}
		for _, c := range n.Content {
			v, err := valueOf(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	return nil, fmt.Errorf("a map has members of its own; set each of them by its path")
}
