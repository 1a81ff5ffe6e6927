package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batchctl/batchctl/console/api"
)

const (
	settlement = "live-1/settlement/daily-settlement"
	kyc        = "live-1/merchants/kyc-refresh"
	badly      = "live-1/payouts/bank-holidays"
	byClock    = "live-1/merchants/webhook-redelivery"
	byHand     = "live-1/fees/tariff-load"
)

// startedByHand are jobs of eight groups and four versions of Java; that of
// trial-balance and of daily-settlement starts others when it has ended.
var startedByHand = []string{
	settlement, kyc, badly, byHand, "live-1/fraud/blocklist-sync", "live-1/ledger/ledger-partitions",
	"live-1/reporting/finance-dashboard", "live-1/retention/log-purge", "live-1/capture/capture-retry", "live-1/ledger/trial-balance",
}

// follow is what the success of those starts, directly or not.
var follow = []string{
	"live-1/ledger/gl-export", "live-1/fees/merchant-fees", "live-1/settlement/net-positions", "live-1/settlement/chargeback-settlement",
	"live-1/payouts/merchant-payouts", "live-1/ledger/ledger-posting", "live-1/reporting/merchant-report",
}

// The example, as its seed job puts it into a real Jenkins, runs on real Java
// agents on machines that the local driver made. Each run has its own; none
// is left. The provisioner is stopped, and killed, in the middle.
func TestJenkinsRunsExample(t *testing.T) {
	j := newController(t)
	bin := programs(t)
	e := newExample(t, j.root)
	p := newProvisioner(j, bin)
	p.start()
	out := filepath.Join(t.TempDir(), "out")
	command(t, e.dir, nil, filepath.Join(bin, "batchctl"), "render", "--out", out)
	j.storeCredentials(readAll(t, out))
	j.seed(e, bin, p.url+"/api/v1/catalog", p.publish)
	if said := p.batchctl("publish-token", "catalog", "push", filepath.Join(out, "catalog.json")); !strings.Contains(said, "is this one already") {
		t.Errorf("the seed job has not put the catalog that render writes: %s", said)
	}
	until(t, "the provisioner is ready", stopLimit, func() bool {
		ready, _, err := p.api.Ready(t.Context())
		return err == nil && ready.Ready
	})
	command(t, p.dir, nil, filepath.Join(bin, "provisioner"), "check", "--config", "provisioner.yaml")

	for _, job := range startedByHand {
		j.start(job, nil)
	}
	j.start(byHand, url.Values{"RUN_DATE": {"20261122"}})
	before := []api.Lease{p.busy(settlement, 1, 1), p.busy(kyc, 1, 1)}
	if err := p.stop(syscall.SIGTERM); err != nil {
		t.Errorf("after SIGTERM the provisioner ended with %v", err)
	}
	e.open(t, "daily-settlement") // it ends while nobody looks
	until(t, settlement+" has ended without a provisioner", runLimit, func() bool {
		return !j.build(settlement, 1).Building
	})
	p.start()
	until(t, "a machine is on its way", runLimit, func() bool {
		leases, err := p.api.AllLeases(t.Context(), api.LeaseFilter{States: []string{"launching", "booting"}})
		return err == nil && len(leases) > 0
	})
	_ = p.stop(syscall.SIGKILL)
	if !j.build(kyc, 1).Building {
		t.Errorf("%s has ended, though its gate is closed", kyc)
	}
	p.start()
	e.open(t, "kyc-refresh")
	j.settled(p)
	held(t, p)
	for i, job := range []string{settlement, kyc} {
		if all := p.attempts(job, 1); len(all) != 1 || all[0].Lease.ID != before[i].ID {
			t.Errorf("%s#1 was on %s before the provisioner was stopped, and then had %d machines", job, before[i].ID, len(all))
		}
	}
	ahead(t, p)
	j.form(jobPath(j.root+"/"+byClock)+"/disable", nil)
	if os.Getenv("JENKINS_SLOW") == "1" {
		machineLost(j, p, e)
	}
	nothingLeft(j, p)
	checkRuns(j, p)
	for _, word := range []string{" busy ", " gone ", "node and machine are gone", "waited "} {
		if said := p.batchctl("operate-token", "why", settlement+"#1"); !strings.Contains(said, word) {
			t.Errorf("batchctl why does not say %q:\n%s", word, said)
		}
	}
	if err := p.stop(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}

// readAll returns the rendered jobs.
func readAll(t *testing.T, dir string) string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "jobs_*.groovy"))
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// build returns one build.
func (j *controller) build(job string, number int) (b build) {
	j.Helper()
	j.json(fmt.Sprintf("%s/%d/api/json?tree=number,building,result", jobPath(j.root+"/"+job), number), &b)
	return b
}

// settled waits until all runs that were started, and those that they start,
// have ended. Those by the clock come and go.
func (j *controller) settled(p *provisioner) {
	j.Helper()
	missing := ""
	defer func() {
		if j.Failed() {
			j.Logf("not ended: %s", missing)
		}
	}()
	until(j, "all runs have ended", 2*runLimit, func() bool {
		ended := map[string]int{}
		all, _ := j.builds()
		for _, b := range all {
			if b.Building && b.Job != byClock {
				missing = fmt.Sprintf("%s#%d", b.Job, b.Number)
				return false
			}
			ended[b.Job]++
		}
		for _, job := range slices.Concat(startedByHand, follow) {
			if missing = job; ended[job] == 0 {
				return false
			}
		}
		missing = byHand + "#2"
		return ended[byHand] == 2
	})
}

// held looks at the machine of the run that failed, which is kept, and gives
// it back.
func held(t *testing.T, p *provisioner) {
	t.Helper()
	var l api.Lease
	until(t, badly+" has ended for the provisioner", runLimit, func() bool {
		all := p.attempts(badly, 1)
		if len(all) == 1 {
			l = all[0].Lease
		}
		return l.Result != ""
	})
	if l.Result != "FAILURE" || l.State != "releasing" || time.Until(l.HoldUntil) < 10*time.Minute || len(p.processes(l.Machine)) == 0 {
		t.Errorf("the machine of %s is not kept: %+v", badly, l)
	}
	if _, err := p.api.Release(t.Context(), l.ID); err != nil {
		t.Error(err)
	}
}

// ahead waits for a run by the clock that had its machine before its time. The
// first one may have been too near for that.
func ahead(t *testing.T, p *provisioner) {
	t.Helper()
	var l api.Lease
	until(t, "a run by the clock has found its machine ready", runLimit, func() bool {
		page, err := p.api.Runs(t.Context(), api.RunFilter{Job: byClock})
		if err != nil {
			return false
		}
		i := slices.IndexFunc(page.Runs, func(l api.Lease) bool { return !l.Due.IsZero() && l.Served && l.Online.Before(l.Due) })
		if i >= 0 {
			l = page.Runs[i]
		}
		return i >= 0
	})
	if l.Waited == nil || *l.Waited > 2 {
		t.Errorf("its machine was online at %v for %v, and it waited: %+v", l.Online, l.Due, l)
	}
	t.Logf("%s: due %v, its machine online %v before, the run seen there %v after", l.Run, l.Due, l.Due.Sub(l.Online), l.Began.Sub(l.Due))
}

// machineLost kills a machine under its run, which then gets another. Jenkins
// gives the lost agent five minutes.
func machineLost(j *controller, p *provisioner, e *example) {
	j.Helper()
	const job = "live-1/settlement/reserve-release"
	j.start(job, nil)
	lost := p.busy(job, 1, 1)
	for _, pid := range p.processes(lost.Machine) {
		var n int
		if _, err := fmt.Sscan(pid, &n); err == nil {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
	if second := p.busy(job, 1, 2); second.ID == lost.ID || second.Machine == lost.Machine {
		j.Errorf("the second attempt is on the machine of the first: %+v", second)
	}
	e.open(j, "reserve-release")
	until(j, job+" has ended", runLimit, func() bool { return !j.build(job, 1).Building })
}

// nothingLeft waits until leases, nodes, machines and processes are gone.
func nothingLeft(j *controller, p *provisioner) {
	j.Helper()
	until(j, "no build runs", runLimit, func() bool {
		all, queued := j.builds()
		return !queued && !slices.ContainsFunc(all, func(b build) bool { return b.Building })
	})
	until(j, "no lease is left", runLimit, func() bool {
		leases, err := p.api.AllLeases(j.Context(), api.LeaseFilter{})
		return err == nil && len(leases) == 0
	})
	if nodes := p.nodes(j.Context()); len(nodes) > 0 {
		j.Errorf("nodes are left in Jenkins: %v", nodes)
	}
	if pids := p.processes(""); len(pids) > 0 {
		j.Errorf("processes of machines are left: %v", pids)
	}
	if homes, _ := filepath.Glob(filepath.Join(p.dir, "machines", j.root, "machines", "*")); len(homes) > 0 {
		j.Errorf("homes of machines are left: %v", homes)
	}
}

var runningOn = regexp.MustCompile(`(?m)^Running on (\S+) in `)

// checkRuns compares what each build says of its node with what the
// provisioner says.
func checkRuns(j *controller, p *provisioner) {
	j.Helper()
	all, _ := j.builds()
	had := map[string]string{} // the run, by node
	machines := 0
	for _, b := range all {
		run := fmt.Sprintf("%s#%d", b.Job, b.Number)
		if want := map[bool]string{true: "FAILURE", false: "SUCCESS"}[b.Job == badly]; b.Result != want {
			j.Errorf("%s ended with %s:\n%.3000s", run, b.Result, j.log(j.root+"/"+b.Job, b.Number))
		}
		var said, served []string
		for _, found := range runningOn.FindAllStringSubmatch(j.log(j.root+"/"+b.Job, b.Number), -1) {
			said = append(said, found[1])
		}
		for _, a := range p.attempts(b.Job, b.Number) {
			machines++
			if a.Lease.Served {
				served = append(served, a.Lease.ID)
			}
		}
		if len(said) == 0 || !slices.Equal(said, served) {
			j.Errorf("%s says that it ran on %v, and the provisioner that it had %v", run, said, served)
		}
		for _, node := range said {
			if other, twice := had[node]; twice {
				j.Errorf("%s was on the node of %s", run, other)
			}
			had[node] = run
		}
	}
	j.Logf("%d runs had %d machines", len(all), machines)
}
