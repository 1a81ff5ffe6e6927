package batches

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const someRollout = `apiVersion: batchctl/v1
kind: Rollout
metadata: {name: longer}
steps: [{ring: first, percent: 100}, {ring: rest, percent: 1}, {ring: rest, percent: 100}]
step: 2
changes:
- set: {spec: {timeout: 5h}}
- jobs: [live-1/g/b]
  set: {spec: {java: {options+: [-Xint]}}}
order:
- {ring: first, jobs: [live-1/g/b]}
- {ring: rest, jobs: [live-2/g/a, live-1/g/a, live-9/no/more]}
history:
- {step: 1, at: "2026-11-01T00:00:00Z", by: Ada}
- {step: 2, at: "2026-11-02T00:00:00Z", by: Ada, forced: because}
`

func both(changes ...string) *Tree {
	return treeOf(compared, append([]string{"global.yaml", strings.Replace(compared["global.yaml"], "[live-1]", "[live-1, live-2]", 1)}, changes...)...)
}

func TestRolloutIsTheLastLayer(t *testing.T) {
	c := Compare(both(), both("rollouts/longer.yaml", someRollout))
	want := `live-1/g/b: spec.timeout "2h" → "5h" at rollouts/longer.yaml:7:25
live-2/g/a: spec.timeout "1h" → "5h" at rollouts/longer.yaml:7:25
`
	// The order of groups of one size follows their paths.
	got := grouped(c)
	for _, line := range strings.SplitAfter(want, "\n") {
		if !strings.Contains(got, line) {
			t.Errorf("got\n%s", got)
		}
	}
	if !strings.Contains(got, "live-1/g/b: spec.java.options") || !strings.HasSuffix(got, "2 unchanged\n") {
		t.Errorf("got\n%s", got)
	}
	tree := both("rollouts/longer.yaml", someRollout)
	if r := tree.Resolve(); Errors(r.Problems) > 0 {
		t.Error(r.Problems)
	}
	origins, err := tree.Explain("live-2/g/a", "spec.timeout")
	if err != nil || len(origins) != 1 || origins[0].Set.Layer != "rollout" || origins[0].Set.Step != "step 2 of 3: rest 1 %" || origins[0].Over[0].Text != "1h" {
		t.Errorf("%+v, %v", origins, err)
	}
}

func TestRolloutInfo(t *testing.T) {
	i := both("rollouts/longer.yaml", someRollout).Rollouts()[0]
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	if diff := cmp.Diff(map[string]time.Time{"live-1/g/b": day(1), "live-2/g/a": day(2)}, i.Since()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"live-1/g/b": 1, "live-2/g/a": 2, "live-1/g/a": 3, "live-9/no/more": 3}, i.In(3)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRolloutFaults(t *testing.T) {
	other := strings.Replace(strings.Replace(someRollout, "name: longer", "name: other", 1), "timeout: 5h", "timeout: 6h", 1)
	for _, test := range []struct{ name, old, new, want string }{
		{"step", "step: 2", "step: 9", "rollouts/longer.yaml:5:7: step: 9 is out of range; there are 3 steps"},
		{"twice", "live-1/g/a, live-9", "live-1/g/b, live-9", "rollouts/longer.yaml:12:35: order[1].jobs[1]: live-1/g/b is here twice; the first is in rollouts/longer.yaml:11:24"},
		{"ring", "ring: first, jobs", "ring: frist, jobs", "rollouts/longer.yaml:11:10: order[0].ring: no step is for the ring frist"},
		{"name", "name: longer", "name: x", "rollouts/longer.yaml:3:18: metadata.name: the name is x, but the file is longer.yaml"},
		{"key", "step: 2", "stp: 2", "rollouts/longer.yaml:5:1: stp: unknown key"},
		{"an unknown job", "step: 2", "step: 2", "rollouts/longer.yaml:12:47: order[1].jobs[2]: there is no job live-9/no/more"},
		{"a wrong value", "5h", "soon", `rollouts/longer.yaml:7:25: spec.timeout: "soon" is no duration`},
	} {
		t.Run(test.name, func(t *testing.T) {
			problems := both("rollouts/longer.yaml", strings.Replace(someRollout, test.old, test.new, 1)).Resolve().Problems
			if !slices.ContainsFunc(problems, func(p Problem) bool { return strings.HasPrefix(p.Place.String()+": "+p.Path+": "+p.Message, test.want) }) {
				t.Errorf("%+v", problems)
			}
		})
	}
	problems := both("rollouts/longer.yaml", someRollout, "rollouts/other.yaml", other).Resolve().Problems
	want := "the rollouts longer (rollouts/longer.yaml:7:25) and other both set spec.timeout"
	if !slices.ContainsFunc(problems, func(p Problem) bool {
		return p.Message == want && len(p.Jobs) == 4 && p.Jobs[0] == "live-1/g/a" && p.Place.File == "rollouts/other.yaml"
	}) {
		t.Errorf("%+v", problems)
	}
}

// TestRolloutsOfOtherFields: a field that two rollouts set, but each for other
// jobs, is no conflict.
func TestRolloutsOfOtherFields(t *testing.T) {
	other := strings.Replace(someRollout, "name: longer", "name: other", 1)
	other = strings.Replace(other, "- set: {spec: {timeout: 5h}}", "- jobs: [live-2/g/a]\n  set: {spec: {retry: {attempts: 2}}}", 1)
	other = strings.Replace(other, "jobs: [live-1/g/b]\n  set: {spec: {java: {options+: [-Xint]}}}", "jobs: [live-1/g/a]\n  set: {spec: {java: {options+: [-Xint]}}}", 1)
	if faults := both("rollouts/longer.yaml", someRollout, "rollouts/other.yaml", other).Faults(); len(faults) > 0 {
		t.Error(faults)
	}
}

// TestStepsOnlyGrow: whoever is in stays in, and a larger share holds every
// smaller one.
func TestStepsOnlyGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := &RolloutInfo{}
		for _, ring := range []string{"a", "b"} {
			r := RolloutRing{Name: ring}
			for n := range rapid.IntRange(0, 30).Draw(t, "jobs") {
				r.Jobs = append(r.Jobs, ring+strings.Repeat("x", n))
			}
			i.Order = append(i.Order, r)
		}
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			i.Steps = append(i.Steps, RolloutStep{rapid.SampledFrom([]string{"a", "b"}).Draw(t, "ring"), rapid.IntRange(1, 100).Draw(t, "percent")})
		}
		before := map[string]int{}
		for n := range len(i.Steps) + 1 {
			in := i.In(n)
			for job, step := range before {
				if in[job] != step {
					t.Fatalf("%s came in with step %d, and with step %d it is %d", job, step, n, in[job])
				}
			}
			before = in
		}
	})
}

// TestBrokenRollout: what parsing reports is an error of the rollout, wherever it
// stands, and nothing is made of the rest.
func TestBrokenRollout(t *testing.T) {
	for _, edit := range [][2]string{
		{"- set: {spec: {timeout: 5h}}", "- .inf"}, {"step: 2\n", "step: 0x2\n"}, {"percent: 1}", "percent: 1_0}"}, {"live-1/g/a,", "!x y,"}, {"set: {spec: {timeout: 5h}}", "set: 1_000"}, {"by: Ada}", "by: .nan}"},
	} {
		tree := both("rollouts/longer.yaml", strings.Replace(someRollout, edit[0], edit[1], 1))
		faults := tree.Faults()
		if len(faults) == 0 || faults[0].Place.File != "rollouts/longer.yaml" || len(tree.Rollouts()) > 0 {
			t.Errorf("%s: %v, and there are %v", edit[1], faults, tree.Rollouts())
		}
	}
}
