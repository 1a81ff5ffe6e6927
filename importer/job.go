package importer

import (
	"fmt"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/importer/javastart"
	"github.com/batchctl/batchctl/importer/jobxml"
)

type axis = jobxml.Axis

// step is a shell step of a job.
type step struct {
	text, name string
	label      string // of a Pipeline: that of the agent it runs on
}

// program is what a job runs: the start of java, and the steps around it.
type program struct {
	start         *javastart.Start
	before, after []step
}

// understand finds the program of a job. Where it finds none it sets the
// report's reason.
func (m *maker) understand(j *imported) {
	for _, k := range j.job.Rest {
		what, text := k.Path, strings.TrimSuffix(k.Path+": "+k.Text, ": ")
		j.keep("kept", "not understood, and kept as a comment: "+what, "kept: "+text)
	}
	if reason := matrixReason(j.job); reason != "" {
		j.report.Reason = reason
		return
	}
	if j.job.Form == jobxml.Pipeline {
		if j.job.Script == "" {
			j.report.Reason = "its Pipeline is not in the job but in a repository; import cannot read that"
			return
		}
		if err := j.pipeline(); err != nil {
			j.report.Reason = err.Error()
			return
		}
	} else {
		for i, text := range j.job.Steps {
			j.steps = append(j.steps, step{text: strings.ReplaceAll(text, "\r\n", "\n"), name: fmt.Sprintf("step-%d", i+1)})
		}
	}
	if err := j.findProgram(); err != nil {
		j.report.Reason = err.Error()
	}
}

// matrixReason says why it is not known which combinations of a matrix run. To
// run one that did not run so far may be worse than to run none.
func matrixReason(job *jobxml.Job) string {
	switch {
	case len(job.OtherAxes) > 0:
		return "import does not know the values of its axes of the kind " + strings.Join(job.OtherAxes, ", ")
	case job.Filter != "":
		return "it runs only some combinations of its axes, and import cannot work out which (" + job.Filter + ")"
	}
	return ""
}

// findProgram finds the one step that starts java. Steps before it and after
// it become scripts.
func (j *imported) findProgram() error {
	at := -1
	for i, s := range j.steps {
		if !javastart.HasJava(s.text) {
			continue
		}
		if at >= 0 {
			return fmt.Errorf("two of its steps start java; make a batch of each, the second after the first")
		}
		at = i
	}
	if at < 0 {
		what := "none of its steps starts java"
		if len(j.job.OtherSteps) > 0 {
			what += " (" + strings.Join(j.job.OtherSteps, ", ") + " is no shell)"
		}
		if len(j.steps) == 1 {
			// The shell's own complaint, where it has one.
			if _, err := javastart.Read(j.steps[0].text, j.given); err != nil {
				what = err.Error()
			}
		}
		return fmt.Errorf("%s", what)
	}
	start, err := javastart.Read(j.steps[at].text, j.given)
	if err != nil {
		return err
	}
	if len(j.job.OtherSteps) > 0 {
		j.finding("other-step", "a step that is no shell is left out, and kept as a comment", strings.Join(j.job.OtherSteps, ", "))
	}
	j.program = &program{start: start}
	for _, s := range j.steps[:at] {
		s.text = javastart.Script(s.text, "", s.text, javastart.Errexit(s.text))
		j.program.before = append(j.program.before, s)
	}
	for _, s := range j.steps[at+1:] {
		if word := start.Needed(s.text); word != "" {
			return fmt.Errorf("a step after java needs the file that java's output went into (%s); let the program write it", word)
		}
		s.text = javastart.Script(s.text, "[ \"$BATCH_EXIT_CODE\" -eq 0 ] || exit 0\n", s.text, javastart.Errexit(s.text))
		j.program.after = append(j.program.after, s)
	}
	for _, c := range start.Comments {
		j.keep("comment", "comments of the script are kept as comments", "script: "+c)
	}
	for _, n := range start.Notes {
		j.keep(n.Rule, noteWhat[n.Rule], n.Text)
	}
	return nil
}

// noteWhat says in general what javastart's notes say of one job.
var noteWhat = map[string]string{
	"background": "java ran in the background; now the run lasts as long as it does",
	"output":     "java wrote to a file; now it writes to the run's log",
	"ignored":    "that java failed did not count; now it fails the run",
	"forgiven":   "some exit codes of java may have been a success; now every failure of java fails the run",
	"priority":   "java ran with another priority; now it has its machine to itself",
	"timeout":    "the script limited the time of java; set it as spec.timeout",
	"split":      "a variable was split into several arguments; now it is one",
	"directory":  "java ran in a directory of the agent; now it runs in one of its own",
	"sources":    "the script reads another one, and what that sets is not known; put it under env",
	"limits":     "the script set limits for java; now the machine has to have them",
	"env":        "the script exports what it works out by running something; the program does not get it",
	"dead":       "a part of the script that never ran is left out",
	"default":    "a variable that nothing in the job sets has its default; the agents may have set it",
	"anew":       "what is done after java works out anew what the script had worked out before it",
}

// given reports whether a run has a variable before its script begins.
func (j *imported) given(name string) bool {
	if batches.RunVariable(name) {
		return true
	}
	for _, p := range j.job.Parameters {
		if p.Name == name {
			return true
		}
	}
	for _, b := range j.job.Bindings {
		if b.Variable == name || b.Password == name {
			return true
		}
	}
	for _, a := range j.job.Axes {
		if a.Name == name {
			return true
		}
	}
	for _, e := range envLines(j.job.Env) {
		if e.Name == name {
			return true
		}
	}
	return false
}

// envLines reads the lines NAME=value of a properties file, as far as the
// EnvInject plugin's users write it.
func envLines(text string) []javastart.Env {
	var out []javastart.Env
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "!") {
			out = append(out, javastart.Env{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
		}
	}
	return out
}
