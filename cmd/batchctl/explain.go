package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/batches"
)

func (a *app) explainCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "explain JOB [FIELD]",
		Short: "Say where the values of a job come from",
		Long: `Explain prints, for each value of a job, the file, line and column that set it,
the layer, what it took the place of, and which variables went into it.`,
		Example: `  batchctl explain live-1/settlement/daily-settlement
  batchctl explain live-1/settlement/daily-settlement spec.java.options`,
		Args: needArgs(1, 2, "a job and, if you like, a field"),
		RunE: func(_ *cobra.Command, args []string) error {
			field := ""
			if len(args) == 2 {
				field = args[1]
			}
			return a.explain(strings.Trim(args[0], "/"), field, format)
		},
		ValidArgsFunction: a.completeJob,
	}
	outputFlag(cmd, &format, "table", "json", "yaml")
	return cmd
}

func (a *app) explain(job, field, format string) error {
	tree, err := a.load()
	if err != nil {
		return err
	}
	origins, err := tree.Explain(job, field)
	if err == nil {
		err = a.writeOrigins(job, field, format, origins)
	}
	if faults := a.reportFaults(tree.Faults()); err == nil {
		err = faults
	}
	return err
}

func (a *app) writeOrigins(job, field, format string, origins []batches.Origin) error {
	if format != "table" {
		return a.writeData(format, map[string]any{"job": job, "values": origins})
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	prefix := commonPrefix(origins, field)
	last := ""
	for _, o := range origins {
		name := strings.TrimPrefix(strings.TrimPrefix(o.Path, prefix), ".")
		if name == "" {
			name = o.Path[strings.LastIndexByte(o.Path, '.')+1:]
		}
		// Items of one list stand under its name.
		if i := strings.LastIndexByte(name, '['); i >= 0 && strings.HasSuffix(name, "]") {
			if name[:i] == last {
				name = ""
			} else {
				name = name[:i]
				last = name
			}
		} else {
			last = name
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, shown(o), strings.Join(about(o), "  "))
	}
	return w.Flush()
}

// commonPrefix is what the paths of a field's values need not repeat.
func commonPrefix(origins []batches.Origin, field string) string {
	if field == "" || len(origins) == 0 {
		return ""
	}
	prefix := origins[0].Path
	for _, o := range origins {
		for !strings.HasPrefix(o.Path, prefix) || len(o.Path) > len(prefix) && o.Path[len(prefix)] != '.' {
			prefix = prefix[:max(0, strings.LastIndexByte(prefix, '.'))]
			if prefix == "" {
				return ""
			}
		}
	}
	return prefix
}

// shown is a value as the table shows it.
func shown(o batches.Origin) string {
	value := oneLine(o.Text)
	if o.Removed {
		value = "(removed)"
	}
	return cut(value, 60)
}

// about says where a value comes from, in the order of what one asks: who set
// it, from what, instead of what.
func about(o batches.Origin) []string {
	if o.Default {
		return []string{"default"}
	}
	words := []string{who(o.Set)}
	if o.Set.Appended {
		words = append(words, "(added with +)")
	}
	if o.Template != "" {
		words = append(words, fmt.Sprintf("%q with %s", oneLine(o.Template), strings.Join(usesText(o.Uses), ", ")))
	}
	for _, s := range o.Over {
		words = append(words, "over "+oneLine(s.Text)+" "+who(&s))
	}
	return words
}

func usesText(uses []batches.Use) []string {
	var out []string
	for _, u := range uses {
		text := u.Name + " = " + u.Value
		switch {
		case u.Set == nil:
			text += " (" + u.Source + ")"
		case u.Template != "":
			text += fmt.Sprintf(" from %s %q with %s", who(u.Set), u.Template, strings.Join(usesText(u.Uses), ", "))
		default:
			text += " from " + who(u.Set)
		}
		out = append(out, text)
	}
	return out
}

func who(s *batches.Setting) string {
	if s.Step != "" {
		return fmt.Sprintf("%s (%s, %s)", s.Place, s.Layer, s.Step)
	}
	if s.Override {
		return fmt.Sprintf("%s (%s override)", s.Place, s.Layer)
	}
	return fmt.Sprintf("%s (%s)", s.Place, s.Layer)
}

// writeData writes data as JSON or YAML, with the same names.
func (a *app) writeData(format string, data any) error {
	return encode(a.stdout, format, data)
}

func encode(w io.Writer, format string, data any) error {
	text, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return err
	}
	if format == "yaml" {
		// By way of JSON, so that both have the same keys.
		var node yaml.Node
		if err := yaml.Unmarshal(text, &node); err != nil {
			return err
		}
		plainStyle(&node)
		out, err := yaml.Marshal(&node)
		if err != nil {
			return err
		}
		_, err = w.Write(out)
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// plainStyle drops the quotes and braces that came from JSON.
func plainStyle(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		plainStyle(c)
	}
}
