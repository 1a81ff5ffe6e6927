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
		script, digest, ok := dsl.CutDigest(r.Calls[0].arg(t, "definition", "cps", "script").(string), dsl.FullName(jobs[i].Jenkins, jobs[i].Path))
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

// A change of one field changes that field's digits, and no others, but for
// those of the Pipeline that the field stands in.
func TestDigestOfOneField(t *testing.T) {
	for field, change := range map[int]func(b *batches.Batch){
		dsl.Description: func(b *batches.Batch) { b.Owner = "another" },
		dsl.Disabled:    func(b *batches.Batch) { b.Disabled = true },
		dsl.Concurrency: func(b *batches.Batch) { b.Concurrency = "replace" },
		dsl.Schedule:    func(b *batches.Batch) { b.Schedule.Timezone = "UTC" },
		dsl.After:       func(b *batches.Batch) { b.Upstream = nil },
		dsl.Parameters:  func(b *batches.Batch) { b.Parameters[0].Default = "x" },
		dsl.Keep:        func(b *batches.Batch) { b.Keep.Days = 0 },
		dsl.Timeout:     func(b *batches.Batch) { b.Timeout++ },
		dsl.Retry:       func(b *batches.Batch) { b.Retry.Attempts++ },
		dsl.Java:        func(b *batches.Batch) { b.Java.Heap = "5g" },
		dsl.Args:        func(b *batches.Batch) { b.Args = nil },
		dsl.Artifact:    func(b *batches.Batch) { b.Artifact.SHA256 = "" },
		dsl.Env:         func(b *batches.Batch) { b.Env = nil },
		dsl.Secrets:     func(b *batches.Batch) { b.Secrets = nil },
		dsl.Scripts:     func(b *batches.Batch) { b.After = nil },
		dsl.Files:       func(b *batches.Batch) { b.Keep.Files = nil },
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
			inScript := i == dsl.Script && field >= dsl.Timeout
			if (old[i] != now[i]) != (i == field || inScript) {
				t.Errorf("%s changed, and of %s the digits went from %s to %s", dsl.DeclaredNames[field], dsl.DeclaredNames[i], old[i], now[i])
			}
		}
	}
}

func TestCutDigestRefuses(t *testing.T) {
	j := settlement()
	text := evaluateJobs(t, render(t, j))[0].Calls[0].arg(t, "definition", "cps", "script").(string)
	line, rest, _ := strings.Cut(text, "\n")
	copied := strings.ReplaceAll(text, "7770c6e4889a2567", "0123456789abcdef")
	for name, c := range map[string]struct {
		script, rest string
		ours         bool
	}{
		"no digest":     {rest, rest, true}, // of an older batchctl
		"cut off":       {line, line, true},
		"fewer digits":  {line[:len(line)-8] + "\n" + rest, rest, true},
		"somebody's":    {"node { sh 'make' }", "node { sh 'make' }", false},
		"a copy of one": {copied, copied, false},
	} {
		if got, _, ok := dsl.CutDigest(c.script, dsl.FullName(j.Jenkins, j.Path)); ok || got != c.rest {
			t.Errorf("%s: taken for a digest, or the rest is %.100q", name, got)
		}
		if got := dsl.Ours(c.script, dsl.FullName(j.Jenkins, j.Path)); got != c.ours {
			t.Errorf("%s: ours is %v", name, got)
		}
	}
	if !dsl.Ours(text, dsl.FullName(j.Jenkins, j.Path)) {
		t.Error("a rendered job is not ours")
	}
}

func TestFindDigest(t *testing.T) {
	j := settlement()
	text := evaluateJobs(t, render(t, j))[0].Calls[0].arg(t, "definition", "cps", "script").(string)
	_, want, _ := dsl.CutDigest(text, dsl.FullName(j.Jenkins, j.Path))
	if got, ok := dsl.FindDigest([]byte("<textarea>"+text+"</textarea>"), dsl.FullName(j.Jenkins, j.Path)); !ok || got != want {
		t.Errorf("%v %s", ok, got)
	}
	line, _, _ := strings.Cut(text, "\n")
	for _, page := range []string{"", line[:len(line)-1], line[:len(line)-1] + "x", strings.Replace(text, "7770c6e4889a2567 ", "0123456789abcdef ", 1)} {
		if _, ok := dsl.FindDigest([]byte(page), dsl.FullName(j.Jenkins, j.Path)); ok {
			t.Errorf("found in %.200q", page)
		}
	}
}
