package dsl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/batches"
)

// What decides a build. The outcomes are those of the steps in their order:
// the program, the after-scripts, the archiving of files.
func TestVerdict(t *testing.T) {
	const (
		program = iota // nothing to do behind the program
		full           // after-scripts and files to keep
		retried        // the same, and a second attempt when the node is lost
	)
	cases := []struct {
		name     string
		job      int
		outcomes []any
		want     string
		steps    string // without those that begin and end blocks
	}{
		{"good", program, []any{0}, "success", "sh"},
		{"bad", program, []any{3}, "error: the program ended with exit code 3", "sh"},
		{"killed", program, []any{137}, "error: the program was killed (137), most often because its machine ran out of memory", "sh"},
		{"not started", program, []any{243}, "error: the program was not started (243); the last line above that begins with batch: says why", "sh"},
		{"out of sight", program, []any{-1}, "error: Jenkins lost sight of the program (-1); its machine was restarted, or ran out of memory", "sh"},
		{"aborted", program, []any{"aborted"}, "aborted", "sh"},
		{"node lost", program, []any{"lost"}, "lost", "sh"},
		{"good", full, []any{0, 0, 0}, "success", "sh sh archiveArtifacts"},
		{"bad", full, []any{3, 0, 0}, "error: the program ended with exit code 3", "sh sh archiveArtifacts"},
		{"bad, and after-scripts too", full, []any{3, 1, 0}, "error: the program ended with exit code 3", "sh sh archiveArtifacts"},
		{"after-scripts bad", full, []any{0, 1, 0}, "error: the program ended well, but an after-script ended badly; the lines above that begin with batch: say which", "sh sh archiveArtifacts"},
		{"after-scripts aborted", full, []any{0, "aborted", 0}, "error: the program ended well, but the after-scripts were cut off: Cut: aborted", "sh sh archiveArtifacts"},
		{"archiving aborted", full, []any{0, 0, "aborted"}, "error: the program ended well, but the files were not archived: Cut: aborted", "sh sh archiveArtifacts"},
		{"aborted", full, []any{"aborted", 0, 0}, "aborted", "sh sh archiveArtifacts"},
		{"aborted twice", full, []any{"aborted", "aborted", 0}, "aborted", "sh sh archiveArtifacts echo"},
		{"node lost", full, []any{"lost", "lost", "lost"}, "lost", "sh sh archiveArtifacts echo"},
		{"node lost once", retried, []any{"lost", "lost", "lost", 0, 0, 0}, "success", "sh sh archiveArtifacts echo again sh sh archiveArtifacts"},
		{"node lost, then bad", retried, []any{"lost", "lost", "lost", 3, 0, 0}, "error: the program ended with exit code 3", "sh sh archiveArtifacts echo again sh sh archiveArtifacts"},
		{"node lost each time", retried, []any{"lost", "lost", "lost", "lost", "lost", "lost"}, "lost", "sh sh archiveArtifacts echo again sh sh archiveArtifacts echo"},
		{"bad is no reason to try again", retried, []any{3, 0, 0}, "error: the program ended with exit code 3", "sh sh archiveArtifacts"},
		{"aborted is no reason to try again", retried, []any{"aborted", 0, 0}, "aborted", "sh sh archiveArtifacts"},
		{"node lost when the secrets are taken away", retried, []any{0, 0, 0, "lost at its end"}, "success", "sh sh archiveArtifacts again"},
		{"node lost behind the program", retried, []any{0, "lost", "lost"}, "error: the program ended well, but the after-scripts were cut off: Cut: lost; the files were not archived: Cut: lost", "sh sh archiveArtifacts"},
	}
	var jobs []*batches.Job
	for range 3 {
		jobs = append(jobs, settlement())
	}
	jobs[program].Batch.After, jobs[program].Batch.Keep.Files = nil, nil
	jobs[program].Batch.Retry.Attempts = 1
	jobs[full].Batch.Retry.Attempts = 1
	texts := render(t, jobs...)
	var tasks []task
	for _, c := range cases {
		tasks = append(tasks, task{Kind: "job", Text: texts[c.job], Outcomes: c.outcomes})
	}
	runs := evaluate[ran](t, tasks)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			same(t, "result", runs[i].Result, c.want)
			steps := slices.DeleteFunc(runs[i].steps(), func(s string) bool {
				return strings.HasPrefix(s, "end ") || slices.Contains([]string{"retry", "node", "withCredentials", "withEnv", "timeout"}, s)
			})
			same(t, "steps", strings.Join(steps, " "), c.steps)
		})
	}
}

// What stands around the program, and in which order.
func TestPipelineSteps(t *testing.T) {
	j := settlement()
	j.Batch.Secrets = append(j.Batch.Secrets, batches.Secret{Name: "FTP", ID: "it's ftp", Type: "username-password"}, batches.Secret{Name: "KEY", ID: "key", Type: "file"})
	j.Batch.Artifact.Credentials = "repo"
	j.Batch.Keep.Files = []string{"report/*.csv", "it's/**"}
	runs := evaluateJobs(t, render(t, j), 3)
	for i, e := range runs[0].Events {
		if m, ok := e.Argument.(map[string]any); ok && e.Step == "sh" {
			delete(m, "script")
			runs[0].Events[i].Argument = m
		}
	}
	type m = map[string]any
	want := []event{
		{"retry", m{"count": 2.0, "conditions": []any{"agent", "nonresumable"}}},
		{"node", "b-7770c6e4889a2567-7"},
		{"withEnv", []any{"RUN_DATE=<RUN_DATE>"}},
		{"withCredentials", []any{
			m{"kind": "string", "credentialsId": "settlement-db", "variable": "DB_PASSWORD"},
			m{"kind": "usernamePassword", "credentialsId": "it's ftp", "usernameVariable": "FTP_USR", "passwordVariable": "FTP_PSW"},
			m{"kind": "file", "credentialsId": "key", "variable": "KEY"},
			m{"kind": "usernamePassword", "credentialsId": "repo", "usernameVariable": "BATCH_ARTIFACT_USR", "passwordVariable": "BATCH_ARTIFACT_PSW"},
		}},
		{"timeout", m{"time": 7200.0, "unit": "SECONDS"}},
		{"sh", m{"returnStatus": true, "encoding": "UTF-8", "label": "daily-settlement"}},
		{"end timeout", nil},
		{"timeout", m{"time": 1800.0, "unit": "SECONDS"}},
		{"withEnv", []any{"BATCH_EXIT_CODE=3"}},
		{"sh", m{"returnStatus": true, "encoding": "UTF-8", "label": "after-scripts"}},
		{"end withEnv", nil},
		{"end timeout", nil},
		{"archiveArtifacts", m{"allowEmptyArchive": true, "excludes": ".batch/**", "artifacts": "report/*.csv,it's/**"}},
		{"end withCredentials", nil},
		{"end withEnv", nil},
		{"end node", nil},
	}
	if diff := cmp.Diff(want, runs[0].Events); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}
