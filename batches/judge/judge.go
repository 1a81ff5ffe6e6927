// Package judge says whether a change did the jobs harm, from their builds
// before and after it.
//
// Failures: the builds before and after make a table of two by two, and
// Fisher's exact test (R. A. Fisher, On the interpretation of χ² from
// contingency tables, J. R. Stat. Soc. 85, 1922), one-sided, says how likely so
// many failures after are if nothing has changed. It holds for any number of
// builds, which an approximation does not, and jobs of a batch have few.
//
// Durations: each build after is compared with the median of its own job
// before. If nothing has changed, no more than half of them are slower; the sign
// test (Dixon and Mood, J. Am. Stat. Assoc. 41, 1946) says how likely so many
// are. A build counts as slower from Slower times the median on, because nobody
// wants to stop a rollout for a second.
//
// One job: among thousands of good builds a job that fails in each of its own is
// a drop, and it is the canary. So the failures of each job that never failed
// before are asked for, too: see worst.
//
// Bad is said when any of these is less likely than Alpha, or where there is
// nothing to compare with, when most builds fail for certain. Good is said only
// when the upper end of Wilson's interval (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927)
// for the share of failures after, one-sided at 1 - Alpha, is no more than
// Margin above the share before. Everything else is not enough builds: what has
// not been seen is not good.
package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// The rule.
const (
	Alpha  = 0.05 // how unlikely an accident must be to be none
	Margin = 0.10 // by how much the share of failures may have grown unseen
	Slower = 1.25 // from how many times its job's median on a build is slower
	wilson = 1.645
	least  = 3 // builds of a job before that its median needs

	baseline = 10 // builds before that a share to compare with needs
)

// Build is one build of a job that has ended by itself.
type Build struct {
	Job      string
	Started  time.Time
	Duration time.Duration
	Failed   bool
}

// Verdict is the word of a judgement.
type Verdict string

// The verdicts.
const (
	Good      Verdict = "good"
	Bad       Verdict = "bad"
	NotEnough Verdict = "not enough builds"
)

// Judgement is what the builds say.
type Judgement struct {
	Verdict Verdict
	Why     []string // in words, with the numbers
	Before  Tally
	After   Tally
	Need    int       // builds without a failure that are missing for Good; 0 unless NotEnough
	Failing []Failing // jobs that failed after and never before, those with most failures first
	Slow    []Slow    // jobs of which all builds after are slower, and three at the least
}

// Slow is a job that became slower.
type Slow struct {
	Job   string
	Times float64 // how many times the median before the median after is
}

// Failing is a job with its builds after the change.
type Failing struct {
	Job string
	Tally
}

// Tally counts builds.
type Tally struct{ Builds, Failures int }

// Share is the share of failures, 0 without builds.
func (t Tally) Share() float64 {
	if t.Builds == 0 {
		return 0
	}
	return float64(t.Failures) / float64(t.Builds)
}

// Judge judges a change that reached each job at the time that since says.
// Builds of other jobs do not count. A build that started before the change and
// ended after it counts as before.
func Judge(since map[string]time.Time, builds []Build) Judgement {
	var j Judgement
	before, after := map[string][]Build{}, map[string][]Build{}
	for _, b := range builds {
		at, in := since[b.Job]
		switch {
		case !in || at.IsZero():
		case b.Started.Before(at):
			before[b.Job] = append(before[b.Job], b)
			j.Before.add(b)
		default:
			after[b.Job] = append(after[b.Job], b)
			j.After.add(b)
		}
	}
	j.Failing = newlyFailing(before, after)
	p := Fisher(j.Before, j.After)
	words := fmt.Sprintf("%d of %d builds failed after the change, %d of %d before (p = %.3g, Fisher)", j.After.Failures, j.After.Builds, j.Before.Failures, j.Before.Builds, p)
	slow, compared, all := slower(before, after)
	j.Slow = all
	pSlow := Sign(slow, compared)
	oneJob, pJob := worst(&j, before, after)
	switch {
	case j.After.Share() > j.Before.Share() && p < Alpha && j.Before.Builds > 0:
		j.Verdict, j.Why = Bad, []string{words}
	case pJob < Alpha:
		j.Verdict, j.Why = Bad, []string{words, oneJob}
	case pSlow < Alpha:
		j.Verdict = Bad
	case j.Before.Builds < baseline && lower(j.After) > 0.5:
		j.Verdict, j.Why = Bad, []string{words, fmt.Sprintf("at the least %.0f %% of the builds fail now (Wilson, 95 %%)", 100*lower(j.After))}
	default:
		j.Verdict, j.Why, j.Need = enough(j.Before, j.After, words)
	}
	if compared > 0 && (pSlow < Alpha || slow > 0) {
		j.Why = append(j.Why, fmt.Sprintf("%d of %d builds took more than %.4g times the median of their job before (p = %.3g, sign test)", slow, compared, Slower, pSlow))
	}
	return j
}

func (t *Tally) add(b Build) {
	t.Builds++
	if b.Failed {
		t.Failures++
	}
}

// enough decides between Good and NotEnough.
func enough(before, after Tally, words string) (Verdict, []string, int) {
	bound := before.Share() + Margin
	upper := Upper(after)
	if before.Builds >= baseline && upper <= bound {
		return Good, []string{words, fmt.Sprintf("at the most %.0f %% of the builds fail now (Wilson, 95 %%); the bound is %.0f %%", 100*upper, 100*bound)}, 0
	}
	if before.Builds < baseline {
		return NotEnough, []string{words, fmt.Sprintf("there are %d builds from before the change; %d are needed to compare with", before.Builds, baseline)}, 0
	}
	need := 0
	for t := after; Upper(t) > bound && need < 10_000; t.Builds++ {
		need++
	}
	return NotEnough, []string{words, fmt.Sprintf("up to %.0f %% of the builds may fail now (Wilson, 95 %%); the bound is %.0f %%", 100*upper, 100*bound)}, need
}

// newlyFailing lists jobs that failed after and not once before.
func newlyFailing(before, after map[string][]Build) []Failing {
	tally := func(bs []Build) (t Tally) {
		for _, b := range bs {
			t.add(b)
		}
		return t
	}
	var out []Failing
	for job, bs := range after {
		if t := tally(bs); t.Failures > 0 && tally(before[job]).Failures == 0 {
			out = append(out, Failing{job, t})
		}
	}
	slices.SortFunc(out, func(a, b Failing) int { return cmp.Or(b.Failures-a.Failures, cmp.Compare(a.Job, b.Job)) })
	return out
}

// slower counts the builds after that took longer than their job did before,
// and lists the jobs of which all did. Failed builds say nothing of how long the
// work takes.
func slower(before, after map[string][]Build) (slow, compared int, all []Slow) {
	for job, bs := range after {
		was := times(before[job])
		if len(was) < least {
			continue
		}
		now, of := times(bs), 0
		for _, t := range now {
			if float64(t) > Slower*float64(median(was)) {
				of++
			}
		}
		slow, compared = slow+of, compared+len(now)
		if of >= least && of == len(now) {
			all = append(all, Slow{job, float64(median(now)) / float64(median(was))})
		}
	}
	slices.SortFunc(all, func(a, b Slow) int { return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Job, b.Job)) })
	return slow, compared, all
}

// times are the durations of the builds that did not fail, sorted.
func times(builds []Build) []time.Duration {
	var out []time.Duration
	for _, b := range builds {
		if !b.Failed {
			out = append(out, b.Duration)
		}
	}
	slices.Sort(out)
	return out
}

func median(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }

// Fisher is the probability of as many failures after, or more, if before and
// after were drawn from the same builds.
func Fisher(before, after Tally) float64 {
	all, failures := before.Builds+after.Builds, before.Failures+after.Failures
	p := 0.0
	for k := after.Failures; k <= min(after.Builds, failures); k++ {
		if failures-k > before.Builds {
			continue
		}
		p += math.Exp(choose(failures, k) + choose(all-failures, after.Builds-k) - choose(all, after.Builds))
	}
	return min(1, p)
}

// Sign is the probability that k or more of n are slower if each is so with
// probability one half.
func Sign(k, n int) float64 {
	p := 0.0
	for i := k; i <= n; i++ {
		p += math.Exp(choose(n, i) - float64(n)*math.Ln2)
	}
	return min(1, p)
}

// Upper is the upper end of Wilson's interval for the share of failures.
func Upper(t Tally) float64 {
	if t.Builds == 0 {
		return 1
	}
	n, p, z := float64(t.Builds), t.Share(), wilson
	return (p + z*z/(2*n) + z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))) / (1 + z*z/n)
}

// lower is the lower end: what is left of the upper one for the builds that are
// good.
func lower(t Tally) float64 { return 1 - Upper(Tally{t.Builds, t.Builds - t.Failures}) }

// choose is the logarithm of n over k; minus infinity where there is no way.
func choose(n, k int) float64 {
	if k < 0 || k > n {
		return math.Inf(-1)
	}
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	return lg(n) - lg(k) - lg(n-k)
}
