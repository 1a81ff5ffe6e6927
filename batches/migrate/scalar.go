package migrate

import (
	"errors"
	"fmt"
	"io"
	"strings"

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
		return strings.EqualFold(text, "true")
	}
	return text
}

// ParseValue reads a value as YAML writes it: 21, text, "{{NAME}}", [a, b].
func ParseValue(text string) (yamledit.Value, error) {
	n, err := oneNode(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no value; put text with signs into quotes", text)
	}
	return valueOf(n)
}

// oneNode parses a text that holds one value. Some texts make the parser panic.
func oneNode(text string) (n *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("this text stops the YAML parser: %v", r)
		}
	}()
	var doc, more yaml.Node
	d := yaml.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the value")
	}
	return doc.Content[0], nil
}

func valueOf(n *yaml.Node) (yamledit.Value, error) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return nil, fmt.Errorf("a value has no anchor, no alias and no tag; put text with signs into quotes")
	}
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
