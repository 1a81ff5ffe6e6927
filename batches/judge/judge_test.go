package judge

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var change = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// builds makes builds of a job: n before and m after, the first of which fail.
func builds(job string, n, failed, m, failedAfter int, times ...time.Duration) []Build {
	times = append(times, time.Minute, time.Minute)
	var out []Build
	for i := range n {
		out = append(out, Build{job, change.Add(-time.Hour * time.Duration(i+1)), times[0], i < failed})
	}
	for i := range m {
		out = append(out, Build{job, change.Add(time.Hour * time.Duration(i)), times[1], i < failedAfter})
	}
	return out
}

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name   string
		builds []Build
		want   Verdict
		says   string
		need   int
	}{
		{"nothing yet", builds("j", 20, 0, 0, 0), NotEnough, "0 of 0 builds failed after the change, 0 of 20 before", 25},
		{"a few good ones are not good", builds("j", 20, 0, 5, 0), NotEnough, "may fail now", 20},
		{"many are", builds("j", 20, 0, 30, 0), Good, "at the most 8 % of the builds fail now", 0},
		{"nothing to compare with", builds("j", 2, 0, 50, 0), NotEnough, "there are 2 builds from before", 0},
		{"nothing to compare with, and most fail", builds("j", 2, 0, 4, 4), Bad, "at the least 60 % of the builds fail now", 0},
		{"nothing to compare with, and half of them fail", builds("j", 2, 0, 10, 5), NotEnough, "there are 2 builds from before", 0},
		{"clear failure", builds("j", 20, 0, 4, 3), Bad, "3 of 4 builds failed after the change", 0},
		{"one failure is no proof", builds("j", 20, 0, 2, 1), NotEnough, "", 40},
		{"it failed before, too", builds("j", 20, 10, 10, 5), NotEnough, "", 4},
		{"slower", builds("j", 20, 0, 6, 0, time.Minute, 2*time.Minute), Bad, "6 of 6 builds took more than 1.25 times", 0},
		{"a little slower", builds("j", 20, 0, 30, 0, time.Minute, 70*time.Second), Good, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			j := Judge(map[string]time.Time{"j": change}, test.builds)
			if j.Verdict != test.want || !strings.Contains(strings.Join(j.Why, "\n"), test.says) || test.need != j.Need {
				t.Errorf("%+v", j)
			}
		})
	}
}

func TestJudgeLooksAtTheChangedJobsOnly(t *testing.T) {
	all := append(builds("in", 10, 0, 3, 3), builds("out", 10, 0, 9, 9)...)
	j := Judge(map[string]time.Time{"in": change, "unknown": {}}, all)
	if j.After != (Tally{3, 3}) || j.Before != (Tally{10, 0}) || len(j.Failing) != 1 || j.Failing[0] != (Failing{"in", Tally{3, 3}}) {
		t.Errorf("%+v", j)
	}
}

// TestOneCanary: one job of many that fails in each of its builds is no noise,
// however many others are good.
func TestOneCanary(t *testing.T) {
	for _, test := range []struct {
		name   string
		canary []Build
		want   Verdict
	}{
		{"it fails and never did", builds("canary", 5, 0, 3, 3), Bad},
		{"twice may be an accident, with so many jobs", builds("canary", 5, 0, 2, 2), Good},
		{"it failed before, too", builds("canary", 5, 1, 3, 3), Good},
		{"it has hardly run before", builds("canary", 2, 0, 3, 3), Good},
		{"it fails now and then", builds("canary", 5, 0, 20, 2), Good},
	} {
		all, since := test.canary, map[string]time.Time{"canary": change}
		for i := range 1000 {
			job := fmt.Sprintf("job-%d", i)
			failed, again := 0, 0
			if i < 50 {
				failed = 1 // of 5: 1 % of all builds
			}
			if i < 15 {
				again = 1 // of 2
			}
			since[job], all = change, append(all, builds(job, 5, failed, 2, again)...)
		}
		j := Judge(since, all)
		if j.Verdict != test.want || (test.want == Bad) != strings.Contains(strings.Join(j.Why, "\n"), "canary: 3 of 3 builds failed after the change, 0 of 5 before") {
			t.Errorf("%s: %s %q", test.name, j.Verdict, j.Why)
		}
	}
}

// TestTail compares with exact arithmetic.
func TestTail(t *testing.T) {
	for _, c := range []struct {
		k, n  int
		share float64
		want  float64
	}{{0, 5, 0.1, 1}, {5, 5, 0.5, 1.0 / 32}, {1, 3, 0.5, 7.0 / 8}, {2, 3, 0.25, 10.0 / 64}, {3, 3, 0, 0}, {3, 3, 1, 1}} {
		if got := Tail(c.k, c.n, c.share); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestSlowJobs: one job among many does not make the rollout bad, so it is
// named.
func TestSlowJobs(t *testing.T) {
	all := append(builds("slow", 5, 1, 4, 1, time.Minute, 4*time.Minute), builds("as before", 5, 0, 9, 0)...)
	all = append(all, builds("few", 5, 0, 2, 0, time.Minute, time.Hour)...)
	all = append(all, builds("mixed", 5, 0, 3, 0, time.Minute, time.Hour)...)
	all = append(all, Build{"mixed", change.Add(time.Hour), time.Minute, false})
	j := Judge(map[string]time.Time{"slow": change, "as before": change, "few": change, "mixed": change}, all)
	if len(j.Slow) != 1 || j.Slow[0] != (Slow{"slow", 4}) {
		t.Errorf("%+v", j)
	}
}

// TestFisher compares with numbers that R's fisher.test(alternative="greater")
// gives, and with Fisher's own: the lady who tasted all eight cups of tea right.
func TestFisher(t *testing.T) {
	for _, test := range []struct {
		before, after Tally
		want          float64
	}{
		{Tally{4, 0}, Tally{4, 4}, 1.0 / 70},
		{Tally{20, 0}, Tally{4, 3}, 0.001976},
		{Tally{10, 5}, Tally{10, 5}, 0.6718591},
		{Tally{5, 0}, Tally{5, 0}, 1},
	} {
		if got := Fisher(test.before, test.after); math.Abs(got-test.want) > 1e-5 {
			t.Errorf("%v %v: %v, want %v", test.before, test.after, got, test.want)
		}
	}
}

// TestExact compares both tests with exact arithmetic.
func TestExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.IntRange(0, 30).Draw(t, "n"), rapid.IntRange(0, 30).Draw(t, "m")
		a, b := rapid.IntRange(0, n).Draw(t, "a"), rapid.IntRange(0, m).Draw(t, "b")
		ways := func(n, k int) *big.Int {
			if k < 0 || k > n {
				return new(big.Int)
			}
			return new(big.Int).Binomial(int64(n), int64(k))
		}
		sum := new(big.Int)
		for k := b; k <= m; k++ {
			sum.Add(sum, new(big.Int).Mul(ways(a+b, k), ways(n+m-a-b, m-k)))
		}
		want, _ := new(big.Rat).SetFrac(sum, ways(n+m, m)).Float64()
		if got := Fisher(Tally{n, a}, Tally{m, b}); math.Abs(got-want) > 1e-9 {
			t.Fatalf("Fisher: %v, want %v", got, want)
		}
		sum.SetInt64(0)
		for k := b; k <= m; k++ {
			sum.Add(sum, ways(m, k))
		}
		want, _ = new(big.Rat).SetFrac(sum, new(big.Int).Lsh(big.NewInt(1), uint(m))).Float64()
		if got := Sign(b, m); math.Abs(got-want) > 1e-9 {
			t.Fatalf("Sign: %v, want %v", got, want)
		}
	})
}

// TestWilson: the bound holds at least 19 times of 20 for any true share that
// builds can be drawn from (within what a rule for few builds can promise).
func TestWilson(t *testing.T) {
	for _, test := range []struct {
		t    Tally
		want string
	}{{Tally{0, 0}, "1.000"}, {Tally{10, 0}, "0.213"}, {Tally{25, 0}, "0.098"}, {Tally{100, 10}, "0.160"}} {
		if got := fmt.Sprintf("%.3f", Upper(test.t)); got != test.want {
			t.Errorf("%v: %s, want %s", test.t, got, test.want)
		}
	}
}
