package dsl_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
)

// large returns a job with texts beyond what one literal, and one method of
// Groovy, can hold.
func large() *batches.Job {
	j := small()
	b := j.Batch
	var lines strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&lines, "echo 'line %d' # 한국어 \\ \"\n", i)
	}
	b.Description = strings.Repeat("Settles, ", 10_000) + "and ends."
	b.Before = []batches.Script{
		{Name: "many lines", Run: lines.String()},
		{Name: "one long line", Run: "echo '" + strings.Repeat(`한\"`, 30_000) + "' | wc -c"},
		{Name: "many short lines", Run: strings.Repeat("\n", 70_000) + "true"},
	}
	b.Args = slices.Repeat([]string{"--x=\\\\\\" + strings.Repeat("'", 100)}, 600)
	return j
}

func TestLargeTexts(t *testing.T) {
	j := large()
	runs := evaluateJobs(t, render(t, j))
	if got := runs[0].Calls[0].arg(t, "description"); got != j.Batch.Description {
		t.Errorf("the description has become another")
	}
	script := runs[0].scripts()["hourly"]
	for _, s := range j.Batch.Before {
		if !strings.Contains(script, "<<\"END\"\n"+strings.TrimSuffix(s.Run, "\n")+"\nEND\n") {
			t.Errorf("the script %q has become another", s.Name)
		}
	}
	if got := strings.Count(script, `"--x=\\\\\\\\\\\\`+strings.Repeat("'", 100)+"\"\n"); got != 600 {
		t.Errorf("%d arguments are as they were, want 600", got)
	}
}

// Any job of hostile texts in every field comes out of Groovy as it went in.
func TestHostileJobs(t *testing.T) {
	texts := hostile(1500)
	var jobs []*batches.Job
	for i := 0; i+15 <= len(texts); i += 15 {
		x := texts[i:]
		j := small()
		j.Path, j.Jenkins.Root = oneLine("a"+x[0]), oneLine("r"+x[1])
		b := j.Batch
		b.Description, b.Owner, b.Name = x[2], x[3], oneLine("n"+x[4])
		b.Before = []batches.Script{{Name: oneLine(x[5]), Run: x[6]}}
		b.After = []batches.Script{{Name: oneLine(x[7]), Run: x[8]}}
		b.Parameters = []batches.Parameter{{Name: "P", Type: "text", Default: x[9], Description: x[10]}, {Name: "C", Type: "choice", Choices: []string{x[11], "end" + x[11]}}}
		b.Secrets = []batches.Secret{{Name: "S", ID: x[12], Type: "string"}}
		b.Keep.Files = []string{strings.ReplaceAll(x[13], ",", "")}
		b.Schedule = &batches.Schedule{Cron: []string{"0 1 * * *", "0 2 * * *"}, Timezone: oneLine(x[14])}
		jobs = append(jobs, j)
	}
	runs := evaluateJobs(t, render(t, jobs...))
	for i, j := range jobs {
		b, job := j.Batch, runs[i].Calls[0]
		for _, c := range []byte(job.arg(t, "definition", "cps", "script").(string)) {
			if c > '~' || c < ' ' && c != '\n' {
				t.Fatalf("the Pipeline holds the byte 0x%02X", c)
			}
		}
		same(t, "full name", job.Args[0].(string), j.Jenkins.Root+"/"+j.Path)
		if b.Description != "" && b.Owner != "" {
			same(t, "description", job.arg(t, "description").(string), lf(b.Description)+"\n\nOwner: "+lf(b.Owner))
		}
		same(t, "default", job.arg(t, "parameters", "textParam", "defaultValue").(string), lf(b.Parameters[0].Default))
		choices := job.arg(t, "parameters", "choiceParam", "choices").([]any)
		same(t, "choice", choices[0].(string), lf(b.Parameters[1].Choices[0]))
		same(t, "schedule", job.arg(t, "properties", "pipelineTriggers", "triggers", "cron", "spec").(string), zone(b.Schedule.Timezone)+"0 1 * * *\n0 2 * * *")
		for _, e := range runs[i].Events {
			switch e.Step {
			case "withCredentials":
				same(t, "credential", e.Argument.([]any)[0].(map[string]any)["credentialsId"].(string), lf(b.Secrets[0].ID))
			case "archiveArtifacts":
				same(t, "files", e.Argument.(map[string]any)["artifacts"].(string), lf(b.Keep.Files[0]))
			}
		}
		scripts := runs[i].scripts()
		for label, text := range map[string]string{b.Name: b.Before[0].Run, "after-scripts": b.After[0].Run} {
			if !strings.Contains(scripts[label], "\"\n"+strings.TrimSuffix(lf(text), "\n")+"\nEND") {
				t.Errorf("%q is not in %q", text, scripts[label])
			}
		}
	}
}

func zone(name string) string {
	if name == "" {
		return ""
	}
	return "TZ=" + name + "\n"
}

// oneLine makes a text that may stand where lines may not.
func oneLine(s string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(s) }

func TestTooLarge(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(b *batches.Batch)
		want   string
	}{
		{"too many arguments", func(b *batches.Batch) { b.Args = slices.Repeat([]string{"argument"}, 5001) }, "spec: the job has more than 5000 lines"},
		{"too large a script", func(b *batches.Batch) {
			b.Before = []batches.Script{{Name: "large", Run: strings.Repeat("echo 'text'\n", 500_000)}}
		}, "spec: its scripts and arguments are larger than 1 MB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := small()
			c.change(j.Batch)
			if _, err := dsl.AppendJob(nil, j); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
