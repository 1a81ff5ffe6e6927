package strictyaml

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// JSONSchema returns the JSON Schema (draft 2020-12) of what Decode takes for
// a struct of v's type.
func JSONSchema(v any) map[string]any {
	out := shapeOf(reflect.TypeOf(v)).json()
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	return out
}

// Patterns of what is written as a string and read as something else.
const (
	durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	sizePattern     = `^[0-9]+(Ki|Mi|Gi|Ti)$`
)

func (s *shape) json() map[string]any {
	switch s.form {
	case textForm:
		return map[string]any{"type": "string"}
	case boolForm:
		return map[string]any{"type": "boolean"}
	case intForm:
		return map[string]any{"type": "integer"}
	case floatForm:
		return map[string]any{"type": "number"}
	case durationForm:
		return map[string]any{"type": "string", "pattern": durationPattern}
	case sizeForm:
		return map[string]any{"type": "string", "pattern": sizePattern}
	case listForm:
		return map[string]any{"type": orNull("array", 0), "items": s.item.json()}
	case mapForm:
		return map[string]any{"type": orNull("object", 0), "additionalProperties": s.item.json()}
	}
	return s.jsonStruct()
}

// orNull is the type of what may also stand there without a value, as a key
// does under which all is commented out.
func orNull(name string, least float64) any {
	if least > 0 {
		return name
	}
	return []string{name, "null"}
}

func (s *shape) jsonStruct() map[string]any {
	common := group{properties: map[string]any{}}
	variants := map[string]*group{} // by the condition, which stands in order
	var order []*condition
	for i := range s.fields {
		f := &s.fields[i]
		g := &common
		if f.when != nil {
			name := f.when.key + "=" + f.when.value
			if variants[name] == nil {
				variants[name] = &group{properties: map[string]any{}}
				order = append(order, f.when)
			}
			g = variants[name]
		}
		g.properties[f.name] = f.json()
		if f.required {
			g.required = append(g.required, f.name)
		}
	}
	out := common.json()
	out["type"] = orNull("object", float64(len(common.required)))
	if order == nil {
		out["additionalProperties"] = false
		return out
	}
	var all []any
	for _, c := range order {
		all = append(all, map[string]any{
			"if":   map[string]any{"properties": map[string]any{c.key: map[string]any{"const": c.value}}, "required": []string{c.key}},
			"then": variants[c.key+"="+c.value].json(),
		})
	}
	out["allOf"], out["unevaluatedProperties"] = all, false
	return out
}

// group is the keys that are known together.
type group struct {
	properties map[string]any
	required   []string
}

func (g *group) json() map[string]any {
	out := map[string]any{"properties": g.properties}
	if g.required != nil {
		out["required"] = g.required
	}
	return out
}

func (f *field) json() map[string]any {
	out := f.shape.json()
	if f.doc != "" {
		out["description"] = f.doc
	}
	if f.def != nil {
		var def any
		_ = f.def.Decode(&def) // it was read once already
		out["default"] = def
	}
	if f.example != "" {
		out["examples"] = []any{exampleOf(f)}
	}
	r := &f.rules
	if r.enum != nil {
		out["enum"] = r.enum
	}
	if r.pattern != nil {
		out["pattern"] = r.pattern.String()
	}
	if r.keys != nil {
		out["propertyNames"] = map[string]any{"pattern": r.keys.String()}
	}
	f.jsonBounds(out)
	return out
}

// jsonBounds adds the bounds that JSON Schema can express: those of durations
// and sizes, which are strings there, it cannot.
func (f *field) jsonBounds(out map[string]any) {
	least, most := "minimum", "maximum"
	switch f.shape.form {
	case durationForm, sizeForm:
		return
	case listForm:
		least, most = "minItems", "maxItems"
	case mapForm:
		least, most = "minProperties", "maxProperties"
	}
	if f.rules.min != nil {
		out[least] = *f.rules.min
		if f.shape.form == listForm || f.shape.form == mapForm {
			out["type"] = orNull(map[form]string{listForm: "array", mapForm: "object"}[f.shape.form], *f.rules.min)
		}
	}
	if f.rules.max != nil {
		out[most] = *f.rules.max
	}
}

// exampleOf returns the example as the value that it is in YAML.
func exampleOf(f *field) any {
	if f.shape.form == textForm {
		return f.example
	}
	var v any
	_ = yaml.Unmarshal([]byte(f.example), &v)
	return v
}
