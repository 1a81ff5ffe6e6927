package dsl_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
)

// Groovy makes of the files what Declare says, and its first line has the
// digest of that.
func TestDeclare(t *testing.T) {
	every := full()
	jobs := []*batches.Job{settlement(), small(), every, large()}
	for i, r := range evaluateJobs(t, render(t, jobs...)) {
		want, err := dsl.Declare(jobs[i])
		if err != nil {
			t.Fatal(err)
		}
		script, digest, ok := dsl.CutDigest(r.Calls[0].arg(t, "definition", "cps", "script").(string), jobs[i].Path)
		if !ok {
			t.Fatalf("%s: the first line is no digest: %.200s", jobs[i].Path, script)
		}
		if diff := cmp.Diff(want[dsl.Script], script); diff != "" {
			t.Errorf("%s: script (-declared +evaluated):\n%s", jobs[i].Path, diff)
		}
		if diff := cmp.Diff(want.Digest(), digest); diff != "" {
			t.Errorf("%s: digest (-declared +rendered):\n%s", jobs[i].Path, diff)
		}
	}
}

// A change of one field changes that field's digits, and no others.
func TestDigestOfOneField(t *testing.T) {
	for field, change := range map[int]func(b *batches.Batch){
		dsl.Description: func(b *batches.Batch) { b.Owner = "another" },
		dsl.Disabled:    func(b *batches.Batch) { b.Disabled = true },
		dsl.Concurrency: func(b *batches.Batch) { b.Concurrency = "replace" },
		dsl.Schedule:    func(b *batches.Batch) { b.Schedule.Timezone = "UTC" },
		dsl.After:       func(b *batches.Batch) { b.Upstream = nil },
		dsl.Parameters:  func(b *batches.Batch) { b.Parameters[0].Default = "x" },
		dsl.Keep:        func(b *batches.Batch) { b.Keep.Days = 0 },
		dsl.Script:      func(b *batches.Batch) { b.Timeout++ },
	} {
		before, err := dsl.Declare(settlement())
		if err != nil {
			t.Fatal(err)
		}
		j := settlement()
		change(j.Batch)
		after, err := dsl.Declare(j)
		if err != nil {
			t.Fatal(err)
		}
		old, now := before.Digest(), after.Digest()
		for i := range old {
			if (old[i] != now[i]) != (i == field) {
				t.Errorf("%s changed, and of %s the digits went from %s to %s", dsl.DeclaredNames[field], dsl.DeclaredNames[i], old[i], now[i])
			}
		}
	}
}

func TestCutDigestRefuses(t *testing.T) {
	j := settlement()
	text := evaluateJobs(t, render(t, j))[0].Calls[0].arg(t, "definition", "cps", "script").(string)
	line, rest, _ := strings.Cut(text, "\n")
	for name, c := range map[string]struct {
		script string
		ours   bool
	}{
		"no digest":     {rest, true}, // of an older batchctl
		"cut off":       {line, true},
		"fewer digits":  {line[:len(line)-8] + "\n" + rest, true},
		"somebody's":    {"node { sh 'make' }", false},
		"a copy of one": {strings.ReplaceAll(text, "2e8a2d1006f92821", "0123456789abcdef"), false},
	} {
		if got, _, ok := dsl.CutDigest(c.script, j.Path); ok || got != c.script {
			t.Errorf("%s: taken for a digest", name)
		}
		if got := dsl.Ours(c.script, j.Path); got != c.ours {
			t.Errorf("%s: ours is %v", name, got)
		}
	}
	if !dsl.Ours(text, j.Path) {
		t.Error("a rendered job is not ours")
	}
}
