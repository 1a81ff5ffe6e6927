package batches

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// SchemaNames lists the kinds of file that JSONSchema knows.
func SchemaNames() []string { return slices.Sorted(maps.Keys(fileSchemas())) }

// fileSchemas are the schemas of all kinds of file, with everything in its
// place: what a layer says under spec is described as the batch's spec.
func fileSchemas() map[string]*schema {
	schemas := map[string]*schema{"settings": settingsSchema, "rollout": withSpecs(rolloutSchema, batchKind), "migration": migrationSchema}
	for _, l := range []Layer{Global, Cluster, Phase, AppType, AppGroup} {
		layer := withSpecs(layerSchemas[l], batchKind)
		if f := layer.field("spec"); f != nil {
			// A layer may be for documents of any kind. Only under kinds is
			// it known which, and unknown keys can be told.
			spec := *f.schema
			spec.open = true
			f.schema = &spec
		}
		schemas[l.String()] = layer
	}
	for _, k := range leafKinds {
		schemas[k.defaultType()] = k.withSpec()
	}
	return schemas
}

// withSpecs returns a copy of a file's schema in which spec, and set.spec in
// overrides, are those of the kind, and kinds.K.spec those of K.
func withSpecs(s *schema, k *leafKind) *schema {
	out := *s
	out.fields = slices.Clone(s.fields)
	for i := range out.fields {
		f := &out.fields[i]
		switch f.name {
		case "spec":
			f.schema = k.spec
		case "changes":
			changes := *f.schema
			changes.items = withSpecs(f.schema.items, k)
			f.schema = &changes
		case "set":
			f.schema = withSpecs(f.schema, k)
		case "kinds":
			byKind := *f.schema
			byKind.fields = slices.Clone(f.schema.fields)
			for j, kk := range leafKinds {
				byKind.fields[j].schema = withSpecs(byKind.fields[j].schema, kk)
			}
			f.schema = &byKind
		case "overrides":
			overrides := *f.schema
			overrides.items = withSpecs(f.schema.items, k)
			f.schema = &overrides
		}
	}
	return &out
}

// JSONSchema returns the JSON Schema (draft 2020-12) of one kind of file, for
// editors. It knows that a layer may leave out, remove or append to anything,
// and that a reference may stand for any single value.
func JSONSchema(kind string) (map[string]any, error) {
	s, ok := fileSchemas()[kind]
	if !ok {
		return nil, fmt.Errorf("there is no kind of file %q; the kinds are %s", kind, listed(SchemaNames()))
	}
	w := jsonWriter{names: map[jsonDef]string{}, defs: map[string]any{}}
	out := map[string]any{}
	w.members(out, s, true, "")
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out["title"] = "batchctl " + kind
	out["description"] = s.doc
	out["type"] = "object"
	out["$defs"] = w.defs
	return out, nil
}

// jsonWriter writes a schema as JSON Schema. A map with known keys is written
// once, under $defs: the same spec stands in several places of a layer.
type jsonWriter struct {
	names map[jsonDef]string
	defs  map[string]any
}

// jsonDef tells definitions apart. The frame of a file is what holds no value
// of a layer: there required keys are asked for, and there are no references.
// Everything else may come from another layer.
type jsonDef struct {
	schema *schema
	frame  bool
}

func (w *jsonWriter) schema(s *schema, frame bool, path string) map[string]any {
	var types []any
	for k := boolKind; k <= mapKind; k++ {
		if s.kinds.has(k) {
			types = append(types, w.typed(s, k, frame, path))
		}
	}
	if !frame {
		if !s.kinds.has(stringKind) && s.kinds&kinds(intKind, boolKind) != 0 || s.narrow() {
			types = append(types, map[string]any{"type": "string", "pattern": `\{\{`})
		}
		types = append(types, map[string]any{"type": "null"})
	}
	out := types[0].(map[string]any)
	if len(types) > 1 {
		out = map[string]any{"anyOf": types}
	}
	if s.doc != "" {
		out["description"] = s.doc
	}
	return out
}

// narrow reports whether a string schema refuses some strings.
func (s *schema) narrow() bool {
	return s.kinds.has(stringKind) && (len(s.enum) > 0 || s.pattern != "")
}

func (w *jsonWriter) typed(s *schema, k kind, frame bool, path string) map[string]any {
	names := map[kind]string{boolKind: "boolean", intKind: "integer", floatKind: "number", stringKind: "string", listKind: "array", mapKind: "object"}
	out := map[string]any{"type": names[k]}
	switch k {
	case intKind:
		if s.max > 0 {
			out["minimum"], out["maximum"] = s.min, s.max
		}
		if len(s.enum) > 0 {
			out = map[string]any{"enum": numbers(s.enum)}
		}
	case stringKind:
		if len(s.enum) > 0 {
			out["enum"] = s.enum
		}
		if s.pattern != "" {
			out["pattern"] = s.pattern
		}
	case listKind:
		out["items"] = w.schema(s.items, frame, path+".item")
	case mapKind:
		if s.fields != nil {
			return w.define(s, frame, path)
		}
		w.members(out, s, frame, path)
	}
	return out
}

// define writes a map with known keys, unless that has been done, and returns
// a reference to it.
func (w *jsonWriter) define(s *schema, frame bool, path string) map[string]any {
	def := jsonDef{s, frame}
	name, ok := w.names[def]
	if !ok {
		name = strings.TrimPrefix(path, ".")
		if w.defs[name] != nil {
			name = fmt.Sprintf("%s-%d", name, len(w.defs))
		}
		w.names[def] = name
		out := map[string]any{"type": "object"}
		w.defs[name] = out
		w.members(out, s, frame, path)
	}
	return map[string]any{"$ref": "#/$defs/" + name}
}

func (w *jsonWriter) members(out map[string]any, s *schema, frame bool, path string) {
	if s.fields == nil && s.values == nil {
		return
	}
	// An item of a list is not merged with another layer's, so it is whole.
	whole := frame || strings.HasSuffix(path, ".item")
	properties := map[string]any{}
	var required []string
	for _, f := range s.fields {
		inner := frame && f.name != "spec" && f.name != "vars"
		properties[f.name] = w.schema(f.schema, inner, path+"."+f.name)
		// A plus sign has an effect on lists alone: maps merge without it.
		if f.schema.kinds.has(listKind) {
			properties[f.name+"+"] = w.schema(f.schema, inner, path+"."+f.name)
		}
		if f.required && whole {
			required = append(required, f.name)
		}
	}
	if len(properties) > 0 {
		out["properties"] = properties
	}
	if required != nil {
		out["required"] = required
	}
	out["additionalProperties"] = s.open
	if s.values != nil && s.fields == nil {
		out["additionalProperties"] = w.schema(s.values, false, path+".value")
	}
}

func numbers(texts []string) []int {
	var out []int
	for _, t := range texts {
		n, _ := strconv.Atoi(t)
		out = append(out, n)
	}
	return out
}
