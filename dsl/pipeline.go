package dsl

import (
	"strconv"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/catalog"
)

// The code of a Pipeline around the shell texts. It runs in the sandbox, so
// it is literals and steps only.
//
// Three things are kept apart. What cut the program off (an abort, the
// timeout, the loss of the node) is thrown again as it was, so that Jenkins
// and retry see it. The program's exit code decides the build, and once it is
// known nothing starts the program again, not even a node that is lost while
// its files are archived. What goes wrong behind the program fails a build
// that was good, and never hides the program's own end.
var (
	scriptBegin = inScript.constant("def code = ''\n")
	scriptRetry = inScript.constant(", conditions: [agent(), nonresumable()]) {\nif (code == '') {\n")
	scriptNode  = inScript.constant("' + currentBuild.number) {\n")
	scriptClose = inScript.constant("}\n")

	scriptTry     = inScript.constant("bad = ''\ndef cut = null\ntry {\n")
	scriptTimeout = inScript.constant(", unit: 'SECONDS') {\n")
	scriptRun     = inScript.constant("code = sh(returnStatus: true, encoding: 'UTF-8', label: '")
	scriptText    = inScript.constant("', script: [\n'")
	scriptTextEnd = inScript.constant("'].join(''))\n")
	scriptCatch   = inScript.constant("} catch (e) {\n  cut = e\n}\n")

	scriptAfter = inScript.constant("try {\ntimeout(time: " + strconv.FormatInt(wholeSeconds(catalog.AfterScripts), 10) + `, unit: 'SECONDS') {
withEnv(['BATCH_EXIT_CODE=' + (code == '' ? 'aborted' : code)]) {
if (sh(returnStatus: true, encoding: 'UTF-8', label: 'after-scripts', script: [
'`)
	scriptAfterEnd = inScript.constant(`'].join('')) != 0) {
  bad = 'an after-script ended badly; the lines above that begin with batch: say which'
}
}
}
} catch (e) {
  bad = 'the after-scripts were cut off: ' + e
}
`)
	scriptKeep    = inScript.constant("try {\narchiveArtifacts(allowEmptyArchive: true, excludes: '.batch/**', artifacts: '")
	scriptKeepEnd = inScript.constant(`')
} catch (e) {
  bad += (bad != '' ? '; ' : '') + 'the files were not archived: ' + e
}
`)
	scriptThrow = inScript.constant("if (cut != null && bad != '') echo('batch: ' + bad)\nif (cut != null) throw cut\n")
	scriptBad   = inScript.constant("def bad = ''\n")
	scriptCode  = inScript.constant(`if (code > 240 && code < 248) error('the program was not started (' + code + '); the last line above that begins with batch: says why')
if (code < 0) error('Jenkins lost sight of the program (' + code + '); its machine was restarted, or ran out of memory')
if (code == 137) error('the program was killed (137), most often because its machine ran out of memory')
if (code != 0) error('the program ended with exit code ' + code)
`)
	scriptBadEnd = inScript.constant("if (bad != '') error('the program ended well, but ' + bad)\n")
)

// pipeline writes the Pipeline of a job, as the lines of a list.
func (w *writer) pipeline(j *batches.Job) {
	b := j.Batch
	more := len(b.After) > 0 || len(b.Keep.Files) > 0 // something to do behind the program
	w.begin()
	w.raw("'")
	at, body := w.digestRoom(j)
	w.raw(scriptBegin)
	if more {
		w.raw(scriptBad)
	}
	retry := w.retry(&b.Retry)
	w.raw(nodePrefix)
	w.dst = catalog.AppendToken(w.dst, FullName(j.Jenkins, j.Path))
	w.raw(nodeSuffix)
	w.raw(scriptNode)
	blocks := 1 + 2*retry + w.given(b.Parameters) + w.credentials(b)
	if more {
		w.raw(scriptTry)
	}
	w.program(j)
	if more {
		w.raw(scriptCatch)
		w.behind(b)
		w.raw(scriptThrow)
	}
	for range blocks {
		w.raw(scriptClose)
	}
	w.raw(scriptCode)
	if more {
		w.raw(scriptBadEnd)
	}
	w.raw("'\n")
	w.digest(j, at, body)
}

var (
	nodePrefix = inScript.constant("node('b-")
	nodeSuffix = "-"
)

// retry begins the block that tries again when the node is lost, and returns
// 1 if there is one. The second attempt asks for the same label: the
// provisioner sees the run in the queue again and gives it another machine.
func (w *writer) retry(r *batches.Retry) int {
	w.field("spec.retry", -1)
	for _, on := range r.On {
		if on != "node-lost" {
			w.fail("on: %q is not node-lost", on)
		}
	}
	if r.Attempts <= 1 || len(r.On) == 0 {
		return 0
	}
	w.raw("retry(count: ")
	w.int(int64(r.Attempts))
	w.raw(scriptRetry)
	return 1
}

// program writes the step that runs the program.
func (w *writer) program(j *batches.Job) {
	b := j.Batch
	if b.Timeout > 0 {
		w.raw("timeout(time: ")
		w.int(wholeSeconds(b.Timeout))
		w.raw(scriptTimeout)
	}
	w.field("metadata.name", -1)
	w.raw(scriptRun)
	w.value(b.Name)
	w.raw(scriptText)
	w.begin()
	w.shell(j)
	w.end()
	w.raw(scriptTextEnd)
	if b.Timeout > 0 {
		w.raw(scriptClose)
	}
}

// behind writes what is done behind the program, whatever its result.
func (w *writer) behind(b *batches.Batch) {
	if len(b.After) > 0 {
		w.raw(scriptAfter)
		w.begin()
		w.afterShell(b)
		w.end()
		w.raw(scriptAfterEnd)
	}
	if len(b.Keep.Files) == 0 {
		return
	}
	w.raw(scriptKeep)
	for i, glob := range b.Keep.Files {
		w.field("spec.keep.files", i)
		if strings.Contains(glob, ",") {
			w.fail("Jenkins takes the comma for the end of the pattern; write ? in its place")
		}
		if i > 0 {
			w.raw(",")
		}
		w.value(glob)
	}
	w.raw(scriptKeepEnd)
}

// value writes a text into a literal of the Pipeline.
func (w *writer) value(s string) {
	if len(s) > maxInValue {
		w.fail("longer than %d bytes", maxInValue)
		return
	}
	w.text(inValue, s)
}
