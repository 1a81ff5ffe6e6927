package batches

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestExplain shows all values of live-1/g/a in each tree of
// testdata/explain, with where they come from.
func TestExplain(t *testing.T) {
	eachArchive(t, "explain", func(t *testing.T, file string, a *txtar.Archive, tree fs.FS) {
		origins, err := Load(tree).Explain("live-1/g/a", "")
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, o := range origins {
			writeOrigin(&b, o)
		}
		golden(t, file, a, b.String())
	})
}

func writeOrigin(b *strings.Builder, o Origin) {
	fmt.Fprintf(b, "%s = %s\n", o.Path, o.Text)
	switch {
	case o.Default:
		b.WriteString("  default\n")
	case o.Removed:
		fmt.Fprintf(b, "  removed by %s\n", writeSetting(*o.Set))
	default:
		fmt.Fprintf(b, "  set by %s\n", writeSetting(*o.Set))
	}
	if o.Template != "" {
		fmt.Fprintf(b, "  from %s\n", o.Template)
		writeUses(b, o.Uses, "    ")
	}
	for _, s := range o.Over {
		fmt.Fprintf(b, "  over %s, %s\n", s.Text, writeSetting(s))
	}
}

func writeUses(b *strings.Builder, uses []Use, indent string) {
	for _, u := range uses {
		fmt.Fprintf(b, "%s%s = %s, %s", indent, u.Name, u.Value, u.Source)
		if u.Set != nil {
			fmt.Fprintf(b, " of %s", writeSetting(*u.Set))
		}
		if u.Template != "" {
			fmt.Fprintf(b, " from %s", u.Template)
		}
		b.WriteByte('\n')
		writeUses(b, u.Uses, indent+"  ")
	}
}

func writeSetting(s Setting) string {
	text := fmt.Sprintf("%s (%s", s.Place, s.Layer)
	if s.Override {
		text += ", override"
	}
	if s.Appended {
		text += ", added"
	}
	return text + ")"
}

func TestExplainField(t *testing.T) {
	tree := func() *Tree {
		return Load(testTree("-- apps/g/a.yaml --\napiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a}\ndeploy: [live-1]\nspec:\n  args: [x, y]\n"))
	}
	for _, test := range []struct{ field, want string }{
		{"spec.args", "spec.args[0] spec.args[1]"},
		{"args", "spec.args[0] spec.args[1]"},
		{"spec.args[1]", "spec.args[1]"},
		{"metadata", "metadata.name"},
		{"spec.timeout", "spec.timeout"},
		{"java.version", "spec.java.version"},
	} {
		origins, err := tree().Explain("live-1/g/a", test.field)
		if err != nil {
			t.Errorf("%s: %v", test.field, err)
			continue
		}
		var paths []string
		for _, o := range origins {
			paths = append(paths, o.Path)
		}
		if got := strings.Join(paths, " "); got != test.want {
			t.Errorf("%s: got %s, want %s", test.field, got, test.want)
		}
	}
	for _, test := range []struct{ job, field, want string }{
		{"live-1/g/b", "", "there is no job live-1/g/b; did you mean live-1/g/a? (batchctl list shows all)"},
		{"staging-1/g/a", "", "there is no job staging-1/g/a; there are live-1/g/a (batchctl list shows all)"},
		{"a", "", "there is no job a; there are live-1/g/a (batchctl list shows all)"},
		{"nonsense", "", "there is no job nonsense (batchctl list shows all)"},
		{"live-1/g/a", "spec.agrs", "nothing sets spec.agrs; did you mean spec.args?"},
		{"live-1/g/a", "spec.java.versoin", "nothing sets spec.java.versoin; did you mean spec.java.version?"},
	} {
		_, err := tree().Explain(test.job, test.field)
		var unknown *UnknownError
		if !errors.As(err, &unknown) || err.Error() != test.want {
			t.Errorf("%s %s: got %v, want %s", test.job, test.field, err, test.want)
		}
	}
}
