package batches

import (
	"fmt"
	"io"
	"strings"
)

// WriteReference writes the reference of the tree's files in Markdown, made
// from the same schemas that check them.
func WriteReference(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Reference of the tree\n\nMade from the schema that `batchctl validate` checks with (`batchctl schema --reference`). Do not edit.\n")
	sections := []struct {
		title, file string
		schema      *schema
	}{
		{"Settings", "`batchctl.yaml`", settingsSchema},
		{"Batch", "`apps/GROUP/NAME.yaml`, `kind: Batch`", batchKind.withSpec()},
		{"Config", "`apps/GROUP/NAME.yaml`, `kind: Config`", configKind.frame()},
		{"Global layer", "`global.yaml`", layerSchemas[Global]},
		{"Cluster layer", "`clusters/CLUSTER.yaml`", layerSchemas[Cluster]},
		{"Phase layer", "`phases/PHASE.yaml`", layerSchemas[Phase]},
		{"App-type layer", "`app-types/TYPE.yaml`", layerSchemas[AppType]},
		{"App-group layer", "`app-groups/GROUP.yaml`", layerSchemas[AppGroup]},
		{"Rollout", "`rollouts/NAME.yaml`, `kind: Rollout`; written by `batchctl rollout`", rolloutSchema},
		{"Migration", "A file for `batchctl migrate apply`, `kind: Migration`", migrationSchema},
	}
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n%s. %s\n\n| field | takes | default | meaning |\n| --- | --- | --- | --- |\n", s.title, s.file, s.schema.doc)
		writeFields(&b, s.schema, "")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeFields(b *strings.Builder, s *schema, prefix string) {
	for _, f := range s.fields {
		path := prefix + f.name
		def := f.def
		if f.required {
			def = "**required**"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", path, takes(f.schema), cell(def), cell(f.schema.doc))
		writeFields(b, f.schema, path+".")
		if f.schema.items != nil {
			writeFields(b, f.schema.items, path+"[].")
		}
		if f.schema.values != nil {
			writeFields(b, f.schema.values, path+".NAME.")
		}
	}
}

// takes says in a few words what a field holds.
func takes(s *schema) string {
	var words []string
	for k := boolKind; k <= mapKind; k++ {
		if !s.kinds.has(k) {
			continue
		}
		word := strings.TrimPrefix(strings.TrimPrefix(k.String(), "an "), "a ")
		switch {
		case k == stringKind && len(s.enum) > 0 || k == intKind && len(s.enum) > 0:
			word = "`" + strings.Join(s.enum, "`, `") + "`"
		case k == intKind && s.max > 0:
			word = fmt.Sprintf("%d to %d", s.min, s.max)
		case k == stringKind && s.format != "" && s.format != "line":
			word = s.format
		case k == listKind && s.items.example != "" && s.items.fields == nil:
			word = "list, such as `[" + s.items.example + "]`"
		case k == mapKind && s.values != nil:
			word = "map of names"
		}
		words = append(words, word)
	}
	text := strings.Join(words, " or ")
	if s.example != "" && len(s.enum) == 0 && !s.kinds.has(boolKind) && !s.kinds.has(listKind) {
		text += ", such as `" + s.example + "`"
	}
	return strings.ReplaceAll(text, "|", "\\|")
}

func cell(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", "\\|"), "\n", " ") }
