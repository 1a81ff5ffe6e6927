package dsl_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
)

// A task is something for evaluate.groovy to do.
type task struct {
	Kind     string   `json:"kind"`
	Text     string   `json:"text,omitempty"`
	Texts    []string `json:"texts,omitempty"`
	Outcomes []any    `json:"outcomes,omitempty"`
}

// A call is a call of a Job DSL method, as evaluate.groovy recorded it.
type call struct {
	Name  string
	Args  []any
	Calls []call
}

// find returns the calls below c that the path of names leads to.
func (c call) find(path ...string) []call {
	if len(path) == 0 {
		return []call{c}
	}
	var found []call
	for _, inner := range c.Calls {
		if inner.Name == path[0] {
			found = append(found, inner.find(path[1:]...)...)
		}
	}
	return found
}

// arg returns the only argument of the only call that the path leads to.
func (c call) arg(t testing.TB, path ...string) any {
	t.Helper()
	found := c.find(path...)
	if len(found) != 1 || len(found[0].Args) != 1 {
		t.Fatalf("%s: %d calls of %v, want one with one argument: %+v", c.Args, len(found), path, found)
	}
	return found[0].Args[0]
}

// A ran is a job, and what its Pipeline did.
type ran struct {
	Calls  []call // of Job DSL
	Events []event
	Result string // success, lost, aborted, or the text of an error
}

// An event is a step that a Pipeline took.
type event struct {
	Step     string
	Argument any
}

// steps returns the names of the steps, for a comparison.
func (r ran) steps() []string {
	var names []string
	for _, e := range r.Events {
		names = append(names, e.Step)
	}
	return names
}

// scripts returns the shell texts that the Pipeline ran, by their label.
func (r ran) scripts() map[string]string {
	scripts := make(map[string]string)
	for _, e := range r.Events {
		if e.Step == "sh" {
			m := e.Argument.(map[string]any)
			scripts[m["label"].(string)] = m["script"].(string)
		}
	}
	return scripts
}

// evaluate has the real Groovy do tasks, all in one JVM, and decodes what
// comes back into a slice of T. A task that ends in an error fails the test.
func evaluate[T any](t testing.TB, tasks []task) []T {
	t.Helper()
	groovy, java := testenv.Groovy(t), testenv.JVM(t, 11)
	in, err := json.Marshal(tasks)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tasks.json")
	if err := os.WriteFile(file, in, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", groovy, "groovy.ui.GroovyMain", "testdata/evaluate.groovy", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("groovy: %v\n%s", err, &stderr)
	}
	var values []T
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<28)
	for lines.Scan() {
		var answer struct {
			Value T
			Error string
		}
		if err := json.Unmarshal(lines.Bytes(), &answer); err != nil {
			t.Fatalf("groovy answered %.200s: %v", lines.Text(), err)
		}
		if answer.Error != "" {
			t.Fatalf("task %d: %s\n%.2000s", len(values), answer.Error, tasks[len(values)].Text)
		}
		values = append(values, answer.Value)
	}
	if len(values) != len(tasks) {
		t.Fatalf("groovy answered %d of %d tasks\n%s", len(values), len(tasks), &stderr)
	}
	return values
}

// evaluateJobs returns rendered jobs and what their Pipelines do when each
// step ends as outcomes say.
func evaluateJobs(t testing.TB, texts []string, outcomes ...any) []ran {
	t.Helper()
	var tasks []task
	for _, text := range texts {
		tasks = append(tasks, task{Kind: "job", Text: text, Outcomes: outcomes})
	}
	runs := evaluate[ran](t, tasks)
	for i, r := range runs {
		if len(r.Calls) != 1 || r.Calls[0].Name != "pipelineJob" {
			t.Fatalf("job %d is not one pipelineJob: %+v", i, r.Calls)
		}
	}
	return runs
}
