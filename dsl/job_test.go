package dsl_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
)

var update = flag.Bool("update", false, "write the golden files anew")

// settlement returns a job that uses most of what a batch can have.
func settlement() *batches.Job {
	return &batches.Job{
		Path: "live-1/settlement/daily-settlement", Cluster: "live-1", Phase: "live", Type: "batch", Group: "settlement",
		Jenkins: batches.Jenkins{Controller: "main", Root: "payments"},
		Batch: &batches.Batch{
			Name: "daily-settlement", Owner: "settlement-team", Description: "Settles yesterday's payments (어제의 결제).",
			Schedule: &batches.Schedule{Cron: []string{"15 2 * * *"}, Timezone: "Asia/Seoul"},
			Java: batches.Java{
				Version: 21, Heap: "4g", Options: []string{"-Xms512m", "-XX:+UseG1GC", "-XX:G1HeapRegionSize=8m"},
				Properties: []batches.Variable{{Name: "spring.profiles.active", Value: "live"}},
				Agents:     []batches.Agent{{Name: "pinpoint"}, {Name: "prometheus", Port: 14071}},
			},
			Artifact:    batches.Artifact{URL: "https://repo.example/settlement-1.4.2.jar", SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
			Args:        []string{"--job=dailySettlement", "--date=${RUN_DATE}"},
			Before:      []batches.Script{{Name: "warm-up", Run: "./warm-up.sh"}},
			After:       []batches.Script{{Name: "report", Run: "echo \"ended with $BATCH_EXIT_CODE\"\n"}},
			Parameters:  []batches.Parameter{{Name: "RUN_DATE", Type: "string", Description: "day to settle"}},
			Env:         []batches.Variable{{Name: "TZ", Value: "Asia/Seoul"}},
			Secrets:     []batches.Secret{{Name: "DB_PASSWORD", ID: "settlement-db", Type: "string"}},
			Timeout:     2 * time.Hour,
			Concurrency: "forbid",
			Retry:       batches.Retry{Attempts: 2, On: []string{"node-lost"}},
			Upstream:    []string{"live-1/capture/daily-capture"},
			Node:        batches.Node{Pool: "standard", CPU: 4, Memory: 16 << 30, Disk: 50 << 30, Arch: "amd64", HoldOnFailure: 30 * time.Minute},
			Keep:        batches.Keep{Builds: 50, Days: 30, Files: []string{"report/*.csv"}},
		},
	}
}

// small returns a job with as little as a batch can have.
func small() *batches.Job {
	return &batches.Job{
		Path: "dev-1/capture/hourly", Cluster: "dev-1", Group: "capture",
		Batch: &batches.Batch{
			Name: "hourly", Java: batches.Java{Version: 17},
			Artifact: batches.Artifact{URL: "https://repo.example/capture.jar", SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
			Timeout:  time.Hour, Concurrency: "allow", Retry: batches.Retry{Attempts: 1},
		},
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; if that is meant: go test ./dsl -update (-want +got)\n%s", file, diff)
	}
}

func TestGolden(t *testing.T) {
	golden(t, "job.golden", render(t, settlement())[0])
	golden(t, "small.golden", render(t, small())[0])
}

func TestAppendJobAppends(t *testing.T) {
	got, err := dsl.AppendJob([]byte("// before\n"), small())
	if want := "// before\n" + render(t, small())[0]; err != nil || string(got) != want {
		t.Errorf("error %v, %q", err, got)
	}
	bad := small()
	bad.Batch.Args = []string{"\x00"}
	if got, err := dsl.AppendJob([]byte("// before\n"), bad); err == nil || string(got) != "// before\n" {
		t.Errorf("error %v, %q: what cannot be rendered leaves no part", err, got)
	}
}

func TestAppendJobRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(b *batches.Batch)
		want   string
	}{
		{"control character", func(b *batches.Batch) { b.Args = []string{"a", "b\x1bc"} }, "dev-1/capture/hourly: spec.args[1]: the character U+001B cannot be stored by Jenkins; leave it out"},
		{"not UTF-8", func(b *batches.Batch) { b.Before = []batches.Script{{Name: "x", Run: "echo \xff"}} }, "spec.scripts.before[0]: the byte 0xFF is not UTF-8; save the file as UTF-8"},
		{"broken reference", func(b *batches.Batch) { b.Java.Properties = []batches.Variable{{Name: "a", Value: "${x"}} }, "spec.java.properties[0]: ${ without a closing brace"},
		{"parameter type", func(b *batches.Batch) { b.Parameters = []batches.Parameter{{Name: "a", Type: "file"}} }, `spec.parameters[0]: type "file" is none of string`},
		{"parameter name", func(b *batches.Batch) { b.Parameters = []batches.Parameter{{Name: "a')", Type: "string"}} }, `spec.parameters[0]: "a')" cannot be a parameter's name`},
		{"our parameter name", func(b *batches.Batch) {
			b.Parameters = []batches.Parameter{{Name: "BATCH_EXIT_CODE", Type: "string"}}
		}, `spec.parameters[0]: "BATCH_EXIT_CODE" cannot be`},
		{"variable's name", func(b *batches.Batch) { b.Env = []batches.Variable{{Name: "a;b"}} }, `spec.env[0]: "a;b" cannot be a variable's name`},
		{"our variable's name", func(b *batches.Batch) { b.Env = []batches.Variable{{Name: "batch_cr"}} }, `spec.env[0]: "batch_cr" cannot be`},
		{"variable that refers to another", func(b *batches.Batch) { b.Env = []batches.Variable{{Name: "a", Value: "x${b}"}, {Name: "b"}} }, "spec.env[0]: a refers to b, which is in env too"},
		{"secret type", func(b *batches.Batch) { b.Secrets = []batches.Secret{{Name: "a", ID: "b", Type: "ssh"}} }, `spec.secrets[0]: type "ssh" is none of`},
		{"secret name", func(b *batches.Batch) { b.Secrets = []batches.Secret{{Name: "a b", ID: "b", Type: "string"}} }, `spec.secrets[0]: "a b" cannot be`},
		{"secret id", func(b *batches.Batch) {
			b.Secrets = []batches.Secret{{Name: "a", ID: strings.Repeat("x", 5000), Type: "string"}}
		}, `spec.secrets[0]: longer than 4096 bytes`},
		{"retry", func(b *batches.Batch) { b.Retry.On = []string{"moon"} }, `spec.retry: on: "moon" is not node-lost`},
		{"glob", func(b *batches.Batch) { b.Keep.Files = []string{"a,b"} }, `spec.keep.files[0]: Jenkins takes the comma`},
		{"nothing to start", func(b *batches.Batch) { b.Artifact = batches.Artifact{} }, `spec.java: nothing to start: name jar or main`},
		{"unpacked and nothing to start", func(b *batches.Batch) { b.Artifact.Unpack, b.Artifact.URL = true, "x.zip" }, `spec.java: nothing to start: name jar or main`},
		{"class without a path", func(b *batches.Batch) { b.Artifact, b.Java.Main = batches.Artifact{}, "A" }, `spec.java: main needs a classpath`},
		{"unknown archive", func(b *batches.Batch) { b.Artifact.Unpack, b.Java.Jar = true, "a.jar" }, `spec.artifact: unpack: https://repo.example/capture.jar is neither`},
		{"agent without a jar", func(b *batches.Batch) { b.Java.Agents = []batches.Agent{{Name: "own"}} }, `spec.java.agents[0]: jar: name the agent's jar`},
		{"agent's jar", func(b *batches.Batch) { b.Java.Agents = []batches.Agent{{Name: "own", Jar: "/a=b.jar"}} }, `spec.java.agents[0]: jar: name the agent's jar`},
		{"agent's port", func(b *batches.Batch) { b.Java.Agents = []batches.Agent{{Name: "pinpoint", Port: 1}} }, `spec.java.agents[0]: port: pinpoint listens on none`},
		{"agent without a port", func(b *batches.Batch) { b.Java.Agents = []batches.Agent{{Name: "prometheus"}} }, `spec.java.agents[0]: it needs a port`},
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

func BenchmarkAppendJob(b *testing.B) {
	for _, c := range []struct {
		name string
		job  *batches.Job
	}{{"full", settlement()}, {"small", small()}} {
		b.Run(c.name, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = dsl.AppendJob(dst[:0], c.job)
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}
