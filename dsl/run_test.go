package dsl_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/internal/testenv"
)

func fromUTF16(units []uint16) string { return string(utf16.Decode(units)) }

// render renders jobs one by one.
func render(t testing.TB, jobs ...*batches.Job) []string {
	t.Helper()
	var texts []string
	for _, j := range jobs {
		text, err := dsl.AppendJob(nil, j)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// plain writes a text so that it holds no reference.
func plain(s string) string { return strings.ReplaceAll(s, "${", "$${") }

// lf is what becomes of a text's line ends.
func lf(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// minimal returns a job that does nothing but start its program.
func minimal(a batches.Artifact, version int) *batches.Job {
	return &batches.Job{
		Path: fmt.Sprintf("live-1/settlement/java-%d", version), Cluster: "live-1", Group: "settlement",
		Batch: &batches.Batch{Name: fmt.Sprintf("java-%d", version), Java: batches.Java{Version: version}, Artifact: a, Retry: batches.Retry{Attempts: 1}},
	}
}

// The values of hostile texts as they stand in the tree (arguments,
// properties, environment), and as a run gets them in parameters and secrets.
func TestProgramGetsExactValues(t *testing.T) {
	jar := showJar(t)
	texts := hostile(600)
	var jobs []*batches.Job
	var env []string
	for i, version := range testenv.JVMs {
		j := minimal(artifact(t, jar, "show.jar"), version)
		j.Batch.Java.Heap = "64m"
		j.Batch.Java.Options = []string{"-XX:+UseSerialGC"}
		for k, text := range texts[:300] {
			j.Batch.Args = append(j.Batch.Args, plain(text))
			name := fmt.Sprintf("v%d", k)
			j.Batch.Env = append(j.Batch.Env, batches.Variable{Name: name, Value: plain(text)})
			j.Batch.Java.Properties = append(j.Batch.Java.Properties, batches.Variable{Name: name, Value: plain(text)})
		}
		for k, text := range texts[300:] {
			name := fmt.Sprintf("p%d", k)
			if i == 0 {
				env = append(env, name+"="+text)
			}
			j.Batch.Args = append(j.Batch.Args, "<${"+name+"}>${"+name+"}")
			j.Batch.Env = append(j.Batch.Env, batches.Variable{Name: "e" + name, Value: "<${" + name + "}>"})
			j.Batch.Java.Properties = append(j.Batch.Java.Properties, batches.Variable{Name: name, Value: "${" + name + "}"})
		}
		jobs = append(jobs, j)
	}
	runs := evaluateJobs(t, render(t, jobs...))
	for i, j := range jobs {
		t.Run(j.Batch.Name, func(t *testing.T) {
			code, out := newNode(t, env...).run(t, runs[i].scripts()[j.Batch.Name])
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, out)
			}
			got := readShown(t, out)
			if want := []string{"-Xmx64m", "-XX:+UseSerialGC"}; !slices.Equal(got.jvm[:2], want) {
				t.Errorf("the JVM got %q, want %q first", got.jvm[:2], want)
			}
			if len(got.args) != len(texts) {
				t.Fatalf("the program got %d arguments, want %d", len(got.args), len(texts))
			}
			for k, text := range texts[:300] {
				name := fmt.Sprintf("v%d", k)
				same(t, "argument", got.args[k], lf(text))
				same(t, "variable", got.env[name], lf(text))
				same(t, "property", got.properties[name], lf(text))
			}
			for k, text := range texts[300:] {
				name := fmt.Sprintf("p%d", k)
				same(t, "argument of a parameter", got.args[300+k], "<"+text+">"+text)
				same(t, "variable of a parameter", got.env["e"+name], "<"+text+">")
				same(t, "property of a parameter", got.properties[name], text)
			}
		})
	}
}

func same(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// The shell texts of a job with every field set, under each shell that this
// machine has.
func TestShellsAgree(t *testing.T) {
	j := settlement()
	j.Batch.Artifact = artifact(t, showJar(t), "show.jar")
	j.Batch.Java.Heap, j.Batch.Java.Agents, j.Batch.Java.Options = "64m", nil, nil
	j.Batch.Before = []batches.Script{{Name: "first 'quoted' \"$name\"", Run: "echo before in $(pwd) with $TZ"}}
	runs := evaluateJobs(t, render(t, j))
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"bash"}, {"busybox", "sh"}, {"ksh"}, {"zsh", "--emulate", "sh"}, {"mksh"}} {
		if _, err := exec.LookPath(shell[0]); err != nil {
			continue
		}
		t.Run(strings.Join(shell, " "), func(t *testing.T) {
			n := newNode(t, "RUN_DATE=2026-11-22 '\"$HOME", "DB_PASSWORD=x")
			code, out := n.run(t, runs[0].scripts()["daily-settlement"], shell...)
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, out)
			}
			got := readShown(t, out)
			if diff := cmp.Diff([]string{"--job=dailySettlement", "--date=2026-11-22 '\"$HOME"}, got.args); diff != "" {
				t.Error(diff)
			}
			for _, line := range []string{"batch: before 1 of 1: first 'quoted' \"$name\"\n", "before in " + n.dir + " with Asia/Seoul\n", "batch: starting Java 21\n"} {
				if !strings.Contains(out, line) {
					t.Errorf("%q is not in %.500s", line, out)
				}
			}
			n.env = append(n.env, "BATCH_EXIT_CODE=3")
			code, out = n.run(t, runs[0].scripts()["after-scripts"], shell...)
			if want := "batch: after 1 of 1: report\nended with 3\n"; code != 0 || out != want {
				t.Errorf("after-scripts: exit code %d, %q, want 0, %q", code, out, want)
			}
		})
	}
}
