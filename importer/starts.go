package importer

import (
	"path"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/internal/yamldoc"
)

// zone is the time zone of a schedule, and lines its cron lines.
func (j *imported) cron() (zone string, lines, zones []string) {
	for line := range strings.Lines(j.job.Cron) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "TZ="):
			zone = strings.TrimSpace(strings.TrimPrefix(line, "TZ="))
			zones = append(zones, zone)
		default:
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	return zone, lines, distinct(zones)
}

// timezone reports what there is to say of a schedule's time zone.
func (j *imported) timezone(assumed string) {
	_, lines, zones := j.cron()
	switch {
	case len(lines) == 0:
	case len(zones) == 0:
		j.finding("timezone", "its schedule names no time zone; it is taken for "+assumed+" (--timezone names that of the controller)", "")
	case len(zones) > 1:
		j.keep("timezones", "its schedule has several time zones, and a batch has one; it took the last", "kept: schedule: "+strings.Join(strings.Fields(strings.ReplaceAll(j.job.Cron, "\n", " | ")), " "))
	}
	for line := range strings.Lines(j.job.Cron) {
		if comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok && strings.TrimSpace(comment) != "" {
			j.keep("comment", "comments of the script are kept as comments", "schedule: "+strings.TrimSpace(comment))
		}
	}
}

func (b *builder) schedule() {
	zone, lines, _ := b.cron()
	if zone == "" {
		zone = b.maker.options.Timezone
	}
	var good []string
	for _, line := range lines {
		if err := batches.CheckValue(line, "schedule", "cron"); err != nil {
			b.keep("refused", "a batch cannot hold a value of schedule", "kept: schedule: "+line+" ("+err.Error()+")")
			continue
		}
		good = append(good, line)
	}
	switch {
	case len(good) == 0:
		return
	case len(good) == 1:
		b.set(text(good[0]), "schedule", "cron")
	default:
		b.set(b.texts(good), "schedule", "cron")
	}
	b.set(text(zone), "schedule", "timezone")
	if yamldoc.Get(b.spec, "schedule", "timezone") == nil {
		b.set(text(b.maker.options.Timezone), "schedule", "timezone")
	}
}

// link finds the jobs that start others, both those that a job names as its
// upstreams and those that name it as what they start.
func (m *maker) link() {
	for _, j := range m.jobs {
		if j.job == nil {
			continue
		}
		for _, name := range j.job.Upstream {
			j.upstream = append(j.upstream, upstream{m.find(j.source.Name, name), name})
		}
		for _, name := range j.job.Downstream {
			if next := m.find(j.source.Name, name); next != nil {
				next.upstream = append(next.upstream, upstream{j, j.source.Name})
			} else if j.report.Reason == "" {
				j.keep("upstream", "a job that starts it, or that it starts, is no batch of the same cluster", "kept: starts "+name)
			}
		}
	}
}

// find resolves the name of a job as Jenkins does: from the folder of the job
// that names it, then from the top.
func (m *maker) find(from, name string) *imported {
	if absolute, ok := strings.CutPrefix(name, "/"); ok {
		return m.byName[absolute]
	}
	if j := m.byName[path.Join(path.Dir(from), name)]; j != nil {
		return j
	}
	return m.byName[path.Clean(name)]
}

// after names the upstream batches, which stand on the same cluster.
func (b *builder) after() {
	var names []string
	for _, u := range b.upstream {
		found := false
		if u.job != nil && u.job != b.imported {
			for i := range u.job.variants {
				if v := &u.job.variants[i]; v.cluster == b.variant.cluster {
					found = true
					name := v.app
					if v.group != b.variant.group {
						name = v.group + "/" + v.app
					}
					names = append(names, name)
				}
			}
		}
		if !found {
			b.keep("upstream", "a job that starts it, or that it starts, is no batch of the same cluster", "kept: started by "+u.name)
		}
	}
	if names = distinct(names); len(names) > 0 {
		slices.Sort(names)
		b.set(b.texts(names), "after")
	}
}
