package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/nodes"
)

// devPatience bounds the whole of dev.
const devPatience = 3 * time.Minute

// summary is what dev found when all was over.
type summary struct {
	runs, machines, left int
	longest, scheduled   time.Duration
	wrong                []string
}

// show starts the runs, shows what becomes of them, and returns when all is
// over.
func (d *devWorld) show(ctx context.Context, scheduled []*catalog.Job) error {
	zone := time.UTC
	if len(scheduled) > 0 {
		if z, err := time.LoadLocation(scheduled[0].Schedule.Timezone); err == nil {
			zone = z
		}
	}
	by := d.handStarted(scheduled)
	fmt.Fprintf(d.out, "%d jobs in a simulated Jenkins; its clock says %s, and at %s %d of them are due.\n",
		len(d.catalog.Jobs), d.now().In(zone).Format("15:04:05 MST"), d.due.In(zone).Format("15:04"), len(scheduled))
	if d.keep {
		fmt.Fprintf(d.out, "Jenkins is at %s; ask the provisioner with\n  export BATCHCTL_PROVISIONER=%s BATCHCTL_TOKEN=%s\nand end both with Ctrl-C.\n", d.url, d.service.bootstrap.URL, devToken)
	}
	table := newTable(d.out)
	begun := map[string]bool{}
	deadline := time.Now().Add(devPatience)
	next := d.now().Add(time.Second)
	for {
		now := d.now()
		d.jenkins.Settle()
		if len(by) > 0 && !now.Before(next) {
			d.jenkins.Trigger(by[0].FullName())
			by, next = by[1:], now.Add(time.Second)
		}
		if !now.Before(d.due) && len(scheduled) > 0 {
			for _, j := range scheduled {
				d.jenkins.Trigger(j.FullName())
				begun[j.Path] = true
			}
			scheduled = nil
		}
		leases, err := d.service.db.Runs(ctx, nodes.RunsFilter{})
		if err != nil && ctx.Err() == nil {
			return err
		}
		table.show(leases, now)
		if !d.keep && len(by) == 0 && len(scheduled) == 0 && over(leases) && d.allRan() {
			d.sum(leases, begun)
			return nil
		}
		select {
		case <-ctx.Done():
			if d.keep {
				return nil
			}
			return errors.New("interrupted; everything is taken away")
		case err := <-d.ended:
			d.ended <- nil
			return err
		case <-time.After(100 * time.Millisecond):
		}
		if !d.keep && time.Now().After(deadline) {
			return fmt.Errorf("not over after %s; see what happens with -v", devPatience)
		}
	}
}

// over reports whether no lease is left.
func over(leases []nodes.Lease) bool {
	return !slices.ContainsFunc(leases, func(l nodes.Lease) bool { return l.State != nodes.Gone })
}

// allRan reports whether every run in Jenkins has ended.
func (d *devWorld) allRan() bool {
	runs := d.jenkins.Runs()
	for _, run := range runs {
		if run.Building {
			return false
		}
	}
	return len(runs) > 0
}

// sum looks at what Jenkins and the store have seen.
func (d *devWorld) sum(leases []nodes.Lease, scheduled map[string]bool) {
	s := &d.summary
	used := map[string]string{}
	for _, run := range d.jenkins.Runs() {
		s.runs++
		if run.Result != "SUCCESS" {
			s.wrong = append(s.wrong, fmt.Sprintf("%s ended as %s", run.Ref, run.Result))
		}
		for _, at := range run.Attempts {
			if other, twice := used[at.Node]; twice {
				s.wrong = append(s.wrong, fmt.Sprintf("machine %s had %s and %s", at.Node, other, run.Ref))
			}
			used[at.Node] = run.Ref.String()
		}
	}
	for i := range leases {
		l := &leases[i]
		if l.VM != "" {
			s.machines++
		}
		s.longest = max(s.longest, waited(l))
		if scheduled[l.Job] {
			s.scheduled = max(s.scheduled, waited(l))
		}
	}
	for _, n := range d.jenkins.Nodes() {
		s.wrong = append(s.wrong, "node "+n.Name+" is left in Jenkins")
	}
}

// waited returns how long a run waited for its machine.
func waited(l *nodes.Lease) time.Duration {
	switch {
	case l.Seen.IsZero():
		return 0
	case l.Began.IsZero():
		return 0
	case !l.Online.IsZero() && l.Online.Before(l.Seen):
		return 0 // the machine stood ready
	}
	return l.Began.Sub(l.Seen)
}

// verdict prints the sum, and is an error if anything is not as it must be.
func (d *devWorld) verdict() error {
	s := d.summary
	if s.runs == 0 {
		return nil
	}
	each := "each used once"
	if s.machines > s.runs {
		each = fmt.Sprintf("%d of them for nothing", s.machines-s.runs)
	}
	fmt.Fprintf(d.out, "\n%d runs, %d machines, %s, %d left. Longest wait %.1f s; scheduled runs waited %.1f s.\n",
		s.runs, s.machines, each, s.left, s.longest.Seconds(), s.scheduled.Seconds())
	if s.left > 0 {
		s.wrong = append(s.wrong, fmt.Sprintf("%d machines were left", s.left))
	}
	if len(s.wrong) > 0 {
		return errors.New("this must not be: " + strings.Join(s.wrong, "; "))
	}
	return nil
}
