package migrate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/batches"
)

func somePlan(c Change) Plan {
	return Plan{Name: "r", Rings: []string{"live"}, Step: Step{Change: c}, By: "Ada", At: time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC),
		Steps: []batches.RolloutStep{{Ring: "live", Percent: 30}, {Ring: "live", Percent: 100}}}
}

func TestRolloutFile(t *testing.T) {
	p := somePlan(Set{Keys: []string{"spec", "timeout"}, Value: "9h"})
	p.Step.Selection.Select = []string{"*/pay/*", "!live-2/pay/refund"}
	p.First, p.Last = []string{"live-1/pay/settle"}, []string{"live-2/*/*"}
	_, text, _, err := NewRollout(fsOf(shop), p)
	if err != nil {
		t.Fatal(err)
	}
	want := `apiVersion: batchctl/v1
kind: Rollout
metadata:
  name: r
  description: set spec.timeout to 9h
select:
  - "*/pay/*"
  - "!live-2/pay/refund"
change:
  set:
    spec.timeout: 9h
steps:
  - {ring: live, percent: 30}
  - {ring: live, percent: 100}
step: 1
changes:
  - set:
      spec:
        timeout: 9h
order:
  - ring: live
    jobs:
      - live-1/pay/settle
      - live-1/pay/refund
      - live-2/pay/settle
history:
  - {step: 1, at: "2026-11-26T01:00:00Z", by: Ada}
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestAGrownTreeDoesNotReshuffle: jobs that come into the tree after the start
// change nothing about who is in.
func TestAGrownTreeDoesNotReshuffle(t *testing.T) {
	base := fsOf(shop)
	name, text, _, err := NewRollout(base, somePlan(Set{Keys: []string{"spec", "timeout"}, Value: "9h"}))
	if err != nil {
		t.Fatal(err)
	}
	in := func(changes ...string) []string {
		docs, _ := batches.Load(fsOf(shop, append(changes, name, string(text))...)).Documents()
		var out []string
		for _, d := range docs {
			if d.Value("spec", "timeout").Text() == "9h" {
				out = append(out, d.Path)
			}
		}
		return out
	}
	before := in()
	if len(before) != 2 {
		t.Fatalf("30 %% of 6 jobs is 2, and not %v", before)
	}
	if after := in("apps/pay/aaa.yaml", strings.Replace(shop["apps/pay/settle.yaml"], "settle", "aaa", 1)); !slices.Equal(before, after) {
		t.Errorf("in before: %v, with a new batch: %v", before, after)
	}
}

// TestFoldMustBeTheRollout: a rollout whose file says two different things is
// not folded into the tree.
func TestFoldMustBeTheRollout(t *testing.T) {
	name, text, _, err := NewRollout(fsOf(shop), somePlan(Set{Keys: []string{"spec", "timeout"}, Value: "9h"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ old, new, want string }{
		{"        timeout: 9h", "        timeout: 8h", "would differ in spec.timeout from what the rollout makes it"},
		{"change:\n  set:\n    spec.timeout: 9h\n", "", "there is no change in it that could be folded"},
		{"change:\n  set:\n    spec.timeout: 9h\n", "change: {set: {spec.timeout: 9h}, unset: spec.retry}\n", "change: it has set and unset; make a step of each"},
		{"change:\n  set:\n    spec.timeout: 9h\n", "change: {set: {spec.timeout: 9h, spec.node.cpu: 1}}\n", "change: it sets 2 values, and a rollout has one change"},
	} {
		changed := strings.Replace(strings.Replace(string(text), "\nstep: 1\n", "\nstep: 2\n", 1), test.old, test.new, 1)
		fsys := fsOf(shop, name, changed)
		if _, _, err := Fold(fsys, batches.Load(fsys).Rollouts()[0]); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v", test.new, err)
		}
	}
}
