package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/console/api"
)

func (a *app) whyCommand() *cobra.Command {
	var format string
	var utc bool
	cmd := &cobra.Command{
		Use:   "why JOB[#NUMBER]",
		Short: "Say what a run waited for, and what became of its machine",
		Long: `Why prints everything that was done to give a run its machine, and why. Without
a number it is about the newest run of the job. Attempts that had a machine of
their own stand apart, and so do the runs of a job that was deleted and made
anew, which counts from 1 again.` + provisionerHelp,
		Example: `  batchctl why live-1/settlement/daily-settlement#123`,
		Args:    needArgs(1, 1, "one run, such as live-1/settlement/daily-settlement#123"),
		RunE: func(cmd *cobra.Command, args []string) error {
			job, number, err := parseRun(args[0])
			if err != nil {
				return err
			}
			c, err := a.provisioner()
			if err != nil {
				return err
			}
			run, err := c.Run(cmd.Context(), job, number)
			switch {
			case err != nil:
				return err
			case format != "table":
				return a.writeData(format, run)
			}
			zone := time.Local
			if utc {
				zone = time.UTC
			}
			return a.why(&run, zone)
		},
	}
	outputFlag(cmd, &format, "table", "json", "yaml")
	cmd.Flags().BoolVar(&utc, "utc", false, "times in UTC instead of local time")
	return cmd
}

// parseRun reads JOB#NUMBER or JOB.
func parseRun(text string) (job string, number int, err error) {
	job, after, numbered := strings.Cut(text, "#")
	parts := strings.Split(job, "/")
	bad := len(parts) != 3 || slices.ContainsFunc(parts, func(p string) bool { return p == "" || p == "." || p == ".." })
	if numbered && !bad {
		number, err = strconv.Atoi(after)
		bad = err != nil || number < 1 || number > 9_999_999_999
	}
	if bad {
		return "", 0, usagef("%s is no run; write CLUSTER/GROUP/BATCH#NUMBER, such as live-1/settlement/daily-settlement#123", oneLine(text))
	}
	return job, number, nil
}

// why prints the story of a run.
func (a *app) why(run *api.Run, zone *time.Location) error {
	s := story{zone: zone}
	name := fmt.Sprintf("%s#%d", run.Job, run.Number)
	for i, life := range run.Lives {
		title := name
		switch {
		case i > 0 && life.Started.IsZero():
			title = name + " before, which did not come"
		case i > 0:
			title = fmt.Sprintf("%s before, of a job that was made anew since: it started %s", name, life.Started.In(zone).Format("2006-01-02 15:04:05"))
		}
		s.title(title)
		for j := range life.Attempts {
			if n := len(life.Attempts); n > 1 {
				s.title(fmt.Sprintf("machine %d of %d", j+1, n))
			}
			s.attempt(&life.Attempts[j])
		}
	}
	return a.print(s.table)
}

// story is the lines of a run.
type story struct {
	table rows
	zone  *time.Location
	day   string // that the last line was about
}

// title begins a part of the story.
func (s *story) title(text string) {
	if len(s.table) > 1 {
		s.table.add("")
	}
	s.table.add(text)
}

// line adds what was at a time, after the date where that has changed.
func (s *story) line(at time.Time, what, why string) {
	at = at.In(s.zone)
	if day := at.Format("2006-01-02 MST"); day != s.day {
		s.day = day
		s.table.add(day)
	}
	s.table.add(at.Format("15:04:05.0"), what, why)
}

// attempt adds what there is to say of one machine.
func (s *story) attempt(d *api.LeaseDetail) {
	l := &d.Lease
	queued := l.Seen.IsZero() || l.Queued.IsZero() // true when its line is not wanted any more
	state, booted := "", l.Boot == 0
	for i, e := range d.Timeline {
		if !queued && !l.Seen.After(e.At) {
			queued = true
			s.line(l.Seen, "queued", "since "+l.Queued.In(s.zone).Format("15:04:05.0")+" by the clock of Jenkins")
		}
		what, why := "", inZone(e.Reason, s.zone)
		if !booted && !l.Online.After(e.At) {
			booted = true
			if e.State == "ready" {
				why += "; " + bootText(d)
			} else { // it came online and took its run in one look
				s.line(l.Online, "", "the node is online; "+bootText(d))
			}
		}
		if e.State != state {
			what, state = e.State, e.State
		}
		if i == 0 {
			what = "lease " + l.ID + " " + e.State
			why += "; pool " + l.Pool + ", " + needText(l.Need)
		}
		if i > 0 && e.State == "gone" && e.Reason == d.Timeline[i-1].Reason {
			why = "node and machine are gone"
		}
		s.line(e.At, what, why)
	}
	text := summary(l, s.zone)
	if l.State == "gone" && l.Cost > 0 {
		text += "; its machine cost about " + dollars(l.Cost)
	}
	s.table.add("", text)
}

// bootText says how long the machine took, and what is usual.
func bootText(d *api.LeaseDetail) string {
	text := span(seconds(d.Lease.Boot)) + " to boot and connect"
	if d.UsualBoot > 0 {
		text += fmt.Sprintf(" (usual %s)", span(seconds(d.UsualBoot)))
	}
	return text
}

// dollars writes a price as people do.
func dollars(n float64) string {
	if n < 0.01 {
		return "$0.01 or less"
	}
	return fmt.Sprintf("$%.2f", n)
}

func needText(n api.Need) string {
	return fmt.Sprintf("%d cpu, %s, disk %s, %s", n.CPU, bytesText(n.Memory), bytesText(n.Disk), orDash(n.Arch))
}

// bytesText writes bytes as a tree has them: 16Gi.
func bytesText(n int64) string {
	const gi, mi = 1 << 30, 1 << 20
	if n%gi == 0 {
		return fmt.Sprintf("%dGi", n/gi)
	}
	return fmt.Sprintf("%dMi", n/mi)
}

// summary is the last word on one machine: how long its run waited, and for
// what.
func summary(l *api.Lease, zone *time.Location) string {
	clock := func(t time.Time) string { return t.In(zone).Format("15:04:05") }
	over := l.State == "releasing" || l.State == "gone"
	switch {
	case l.Refused:
		return "got no machine: " + inZone(l.Reason, zone)
	case l.Early() && over:
		return "made ahead from " + clock(l.Created) + " for " + clock(l.Due) + "; its run did not come"
	case l.Early():
		return "made ahead from " + clock(l.Created) + " for " + clock(l.Due) + "; its run will wait 0 s"
	case l.Waited == nil:
		return "the run ended before it had a machine"
	case l.Began.IsZero():
		return "has waited " + waitedText(l) + " so far"
	}
	text := "waited " + waitedText(l)
	if !l.Due.IsZero() {
		return text + "; its machine was made ahead from " + clock(l.Created)
	}
	if parts := waits(l); parts != "" {
		text += " in all: " + parts
	}
	return text
}

// waits says what a run waited for, one thing after the other.
func waits(l *api.Lease) string {
	var parts []string
	from := l.Seen
	for _, p := range []struct {
		until time.Time
		what  string
	}{
		{l.Ordered, "until a place was asked"},
		{l.Called, "for the machine to boot"},
		{l.Began, "for Jenkins to start it there"},
	} {
		if took := p.until.Sub(from); took >= 50*time.Millisecond {
			parts = append(parts, span(took)+" "+p.what)
			from = p.until
		}
	}
	return strings.Join(parts, ", ")
}
