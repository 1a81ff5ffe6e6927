// Package dsl renders jobs as Job DSL, the text that a seed job of Jenkins
// turns into folders and jobs, and the seed job itself. It is the only place
// that quotes Groovy: nothing that a person writes in the tree can become
// code of a seed job or of a Pipeline, and nothing in a parameter's value can
// become shell.
//
// All functions are pure: the same input gives the same bytes. Read AppendJob
// first, then the table in quote.go, then pipeline.go and shell.go for what
// runs on a node. docs/decisions/0020-what-a-job-runs.md says why.
package dsl

import (
	"bytes"
	"fmt"

	"github.com/batchctl/batchctl/batches"
)

// Literal returns s as an expression of Groovy for a Job DSL file: '…', or
// for a long text ['…', '…'].join(”). It is pure ASCII. CRLF becomes LF. It
// returns an error for what Groovy or Jenkins' XML cannot hold: control
// characters other than tab, line feed and carriage return, U+FFFE, U+FFFF
// and bytes that are not UTF-8.
func Literal(s string) (string, error) {
	w := writer{what: "text", index: -1}
	w.literal(s)
	if w.err != nil {
		return "", w.err
	}
	return string(w.dst), nil
}

// AppendJob appends the Job DSL of one job to dst: a pipelineJob block. The
// folder that the job is in must be made before, see AppendFolders. An error
// names the job and the field.
func AppendJob(dst []byte, job *batches.Job) ([]byte, error) {
	w := writer{dst: dst}
	w.job(job)
	if len(w.dst)-len(dst) > 10*maxElement && bytes.Count(w.dst[len(dst):], []byte(inScript.next)) > maxElement {
		w.field("spec", -1)
		w.fail("the job has more than %d lines; shorten the lists of arguments and variables", maxElement)
	}
	if w.err != nil {
		return dst, fmt.Errorf("%s: %w", job.Path, w.err)
	}
	return w.dst, nil
}

// FullName returns the full name of a job or folder in Jenkins: its path
// below the root folder of its cluster.
func FullName(j batches.Jenkins, path string) string {
	if j.Root == "" {
		return path
	}
	return j.Root + "/" + path
}
