package importer

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/importer/jobxml"
	"github.com/batchctl/batchctl/internal/yamldoc"
)

// section is one batch on one cluster, as it stands in a leaf.
type section struct {
	job     *imported
	variant *variant
	spec    *yaml.Node
}

// result writes the tree: a leaf for each name, with a section for each
// cluster that has it.
func (m *maker) result() (*Result, error) {
	r := &Result{}
	specs := make([][]*yaml.Node, len(m.jobs))
	parallel(len(m.jobs), func(i int) {
		j := m.jobs[i]
		for k := range j.variants {
			if j.report.Reason == "" {
				specs[i] = append(specs[i], m.build(j, &j.variants[k]))
			}
		}
		if j.report.Reason != "" {
			specs[i] = nil
		}
	})
	leaves := map[string][]section{}
	clusters, taken := map[string]bool{}, map[string]bool{}
	for i, j := range m.jobs {
		for k, spec := range specs[i] {
			v := &j.variants[k]
			file := "apps/" + v.group + "/" + v.app + ".yaml"
			leaves[file] = append(leaves[file], section{j, v, spec})
			clusters[v.cluster] = true
			r.Batches++
		}
		if j.report.Reason != "" {
			j.report.Batches = nil
			j.report.Reason = withoutSecrets(j.report.Reason)
			r.keepWhole(j, taken)
		}
		r.Report = append(r.Report, j.report)
	}
	for file, sections := range leaves {
		text, err := leaf(sections)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		r.Files = append(r.Files, File{file, text})
	}
	r.Files = append(r.Files, File{batches.SettingsFile, []byte("apiVersion: " + batches.APIVersion + "\n")})
	for cluster := range clusters {
		r.Files = append(r.Files, File{"clusters/" + cluster + ".yaml", []byte("apiVersion: " + batches.APIVersion + "\nphase: " + m.phase(cluster) + "\n")})
	}
	slices.SortFunc(r.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return r, nil
}

// keepWhole writes a job that no batch was made of, under a name that no other
// one has taken.
func (r *Result) keepWhole(j *imported, taken map[string]bool) {
	if j.root == nil {
		return // it was not read
	}
	file := plainPath(j.source.Name)
	for base, n := file, 2; taken[file]; n++ {
		file = fmt.Sprintf("%s-%d", base, n)
	}
	taken[file] = true
	r.Files = append(r.Files, File{"not-imported/" + file + ".xml", whole(j.root, j.report.Reason)})
}

// plainPath is a full name as the path of a file.
func plainPath(name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = plainName(parts[i])
	}
	return strings.Join(parts, "/")
}

// leaf writes the file of a batch. Where it is on several clusters each has
// its whole spec, in an override.
func leaf(sections []section) ([]byte, error) {
	slices.SortFunc(sections, func(a, b section) int { return strings.Compare(a.variant.cluster, b.variant.cluster) })
	first := sections[0]
	doc := yamldoc.Map()
	yamldoc.Set(doc, yamldoc.Text(batches.APIVersion), "apiVersion")
	yamldoc.Set(doc, yamldoc.Text("Batch"), "kind")
	yamldoc.Set(doc, yamldoc.Text(first.variant.app), "metadata", "name")
	described := first.job.description()
	if described != "" {
		yamldoc.Set(doc, text(described), "metadata", "description")
	}
	deploy, overrides := yamldoc.List(), yamldoc.List()
	var comments commentBlock
	for _, s := range sections {
		deploy.Content = append(deploy.Content, yamldoc.Text(s.variant.cluster))
		for _, line := range s.job.kept {
			comments.add(s.variant.cluster, line)
		}
		if other := s.job.description(); other != described {
			comments.add(s.variant.cluster, "description: "+other)
		}
		o := yamldoc.Map()
		yamldoc.Set(o, yamldoc.Texts([]string{s.variant.cluster}), "when", "cluster")
		yamldoc.Set(o, s.spec, "set", "spec")
		overrides.Content = append(overrides.Content, o)
	}
	yamldoc.Set(doc, deploy, "deploy")
	if len(sections) == 1 {
		yamldoc.Set(doc, first.spec, "spec")
		return yamldoc.Encode(doc, comments.text(len(sections))...)
	}
	yamldoc.Set(doc, yamldoc.Map(), "spec")
	yamldoc.Get(doc, "spec").Style = yaml.FlowStyle
	yamldoc.Set(doc, overrides, "overrides")
	return yamldoc.Encode(doc, comments.text(len(sections))...)
}

// commentBlock collects the comments of a leaf, each line once with the
// clusters that it is about.
type commentBlock struct {
	lines    []string
	clusters [][]string // by line
}

func (b *commentBlock) add(cluster, line string) {
	at := slices.Index(b.lines, line)
	if at < 0 {
		b.lines, b.clusters = append(b.lines, line), append(b.clusters, nil)
		at = len(b.lines) - 1
	}
	b.clusters[at] = append(b.clusters[at], cluster)
}

// text writes the lines; those that hold for all clusters name none.
func (b *commentBlock) text(sections int) []string {
	out := make([]string, len(b.lines))
	for i, line := range b.lines {
		if len(b.clusters[i]) < sections {
			line = strings.Join(b.clusters[i], ", ") + ": " + line
		}
		out[i] = line
	}
	return out
}

// description is the job's description, as far as a batch can hold it.
func (j *imported) description() string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, j.job.Description))
}

// whole writes a document that no batch was made of, without its secrets.
func whole(root *jobxml.Element, reason string) []byte {
	var b strings.Builder
	b.WriteString(xml.Header + "<!-- " + strings.ReplaceAll(yamldoc.Line(reason), "--", "- -") + " -->\n")
	root.WriteTo(&b)
	return []byte(b.String())
}
