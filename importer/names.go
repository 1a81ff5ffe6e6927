package importer

import (
	"fmt"
	"strings"

	"github.com/gosimple/unidecode"
)

// variant is one batch of a job: all of it, or one combination of the axes of
// a matrix.
type variant struct {
	cluster, group, app string
	axes                [][2]string // axis and value
}

func (v *variant) path() string { return v.cluster + "/" + v.group + "/" + v.app }

// maxVariants bounds the batches that a matrix becomes.
const maxVariants = 200

// toName lists the jobs in the order in which they get their names: sorted, so
// that of two with one name it is always the same that gets a number, and first
// those whose name is one of a tree as it stands.
func (m *maker) toName() []*imported {
	var exact, others []*imported
	for _, j := range m.jobs {
		cluster, group, app := m.place(j.source.Name)
		switch v := (&variant{cluster: cluster, group: group, app: app}); {
		case j.report.Reason != "":
		case len(j.job.Axes) == 0 && v.path() == j.source.Name:
			exact = append(exact, j)
		default:
			others = append(others, j)
		}
	}
	return append(exact, others...)
}

// name gives every job its place in the tree.
func (m *maker) name() {
	taken := map[string]bool{}
	for _, j := range m.toName() {
		cluster, group, app := m.place(j.source.Name)
		combinations := combine(j.job.Axes)
		if len(combinations) > maxVariants {
			j.report.Reason = fmt.Sprintf("its axes have %d combinations; %d is the most", len(combinations), maxVariants)
			continue
		}
		for _, axes := range combinations {
			v := variant{cluster: cluster, group: group, app: app, axes: axes}
			for _, a := range axes {
				v.app = plainName(v.app + "-" + a[1])
			}
			base := v.app
			for n := 2; taken[v.path()]; n++ {
				v.app = fmt.Sprintf("%s-%d", base, n)
			}
			taken[v.path()] = true
			j.variants = append(j.variants, v)
			j.report.Batches = append(j.report.Batches, v.path())
		}
		if len(combinations) == 1 && !strings.HasSuffix("/"+cluster+"/"+j.variants[0].group+"/"+j.variants[0].app, "/"+j.source.Name) {
			j.keep("renamed", "the job's name, or its folders, are no names of a tree", "was "+j.source.Name)
		}
		if m.options.Cluster == "" && strings.Count(j.source.Name, "/") < 2 {
			j.finding("cluster", "it stands in no folder of a cluster, so it is on "+cluster+"; --cluster names another", "")
		}
		if len(combinations) > 1 {
			j.finding("matrix", "each combination of the axes is a batch of its own now", strings.Join(j.report.Batches, ", "))
			if j.job.Sequential {
				j.finding("sequential", "the combinations of its axes ran one after the other; now they run side by side, unless spec.after says otherwise", "")
			}
		}
	}
}

// place finds cluster, group and name in a full name. The top folder is the
// cluster where there is one beside the group's.
func (m *maker) place(name string) (cluster, group, app string) {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = plainName(parts[i])
	}
	app, parts = parts[len(parts)-1], parts[:len(parts)-1]
	cluster = m.options.Cluster
	if cluster == "" && len(parts) > 1 {
		cluster, parts = parts[0], parts[1:]
	}
	if cluster == "" {
		cluster = "main"
	}
	group = strings.Join(parts, "-")
	if group == "" {
		group = "jobs"
	}
	return cluster, cutName(group), app
}

// plainName writes a name with what names of a tree may hold. Letters of
// other scripts are written in Latin ones, as nearly as that goes.
func plainName(name string) string {
	var b strings.Builder
	for _, r := range unidecode.Unidecode(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_':
			b.WriteRune(r)
		case r >= 'A' && r <= 'Z':
			b.WriteRune(r + 'a' - 'A')
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return cutName(b.String())
}

// cutName cuts a name to what a tree takes: 100 characters, and 10 less to
// leave room for a number.
func cutName(name string) string {
	name = strings.Trim(name[:min(len(name), 90)], "-._")
	if name == "" {
		return "job"
	}
	return name
}

// combine lists the combinations of axes, the last axis running fastest. Of
// none there is one, which is empty.
func combine(axes []axis) [][][2]string {
	out := [][][2]string{nil}
	for _, a := range axes {
		var next [][][2]string
		for _, c := range out {
			for _, value := range a.Values {
				if len(next) > maxVariants {
					break
				}
				next = append(next, append(c[:len(c):len(c)], [2]string{a.Name, value}))
			}
		}
		out = next
	}
	return out
}

// phase is the phase of a cluster: as given, or its name without its number.
func (m *maker) phase(cluster string) string {
	if p := m.options.Phases[cluster]; p != "" {
		return p
	}
	return cutName(strings.TrimRight(cluster, "0123456789"))
}
