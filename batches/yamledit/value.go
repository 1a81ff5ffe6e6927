package yamledit

import (
	"fmt"
	"strconv"
)

// Value is what can be written: a string, an int, an int64, a bool, nil for
// null, Number, List, Map, or one of the last two in Flow.
type Value any

// Number is a number that keeps its digits: 0.10.
type Number string

// List is a list.
type List []Value

// Map is a map, in the order in which it is written.
type Map []Pair

// Pair is a member of a Map.
type Pair struct {
	Key   string
	Value Value
}

// Flow writes a List or a Map on one line: [a, b], {a: b}.
type Flow struct{ Value Value }

// scalarText returns the text of a single value and its tag; ok is false for
// a collection.
func scalarText(v Value) (text, tag string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "null", "!!null", true
	case string:
		return v, "!!str", true
	case bool:
		return strconv.FormatBool(v), "!!bool", true
	case int:
		return strconv.Itoa(v), "!!int", true
	case int64:
		return strconv.FormatInt(v, 10), "!!int", true
	case Number:
		return string(v), plainTag(string(v)), true
	}
	return "", "", false
}

// check refuses what is no Value.
func check(v Value) error {
	switch v := v.(type) {
	case Flow:
		return check(v.Value)
	case List:
		for _, item := range v {
			if err := check(item); err != nil {
				return err
			}
		}
		return nil
	case Map:
		for _, p := range v {
			if err := check(p.Value); err != nil {
				return err
			}
		}
		return nil
	case Number:
		if tag := plainTag(string(v)); tag != "!!int" && tag != "!!float" {
			return fmt.Errorf("%q is no number", string(v))
		}
	default:
		if _, _, ok := scalarText(v); !ok {
			return fmt.Errorf("a %T cannot be written as YAML", v)
		}
	}
	return nil
}
