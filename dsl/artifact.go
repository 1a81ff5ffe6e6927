package dsl

import (
	"fmt"
	"strings"

	"github.com/batchctl/batchctl/batches"
)

// ArtifactPath is where a run has its artifact, relative to its working
// directory: a jar, whatever its URL calls it.
const ArtifactPath = ".batch/app.jar"

// The artifact is fetched by curl, which reads everything from its standard
// input: neither the URL nor the password stands in a process's arguments,
// and no ~/.curlrc of the node has a say.
var (
	shellFetch = inShell.constant(fmt.Sprintf(`curl -qgfsSL --retry 3 --connect-timeout 30 --proto =https,http,file --proto-redir =https,http -K - <<END || stop %d "the artifact was not fetched, curl says why above"
url = "`, ExitNotFetched))
	shellOutput  = inShell.constant("\"\noutput = \"")
	shellUser    = inShell.constant("\"\nuser = \"$batch_user:$batch_password")
	shellHereEnd = inShell.constant("\"\nEND\n")
	shellLogin   = inShell.constant(`batch_user=$(batch_quote "$` + artifactUser + `")
batch_password=$(batch_quote "$` + artifactPassword + `")
unset ` + artifactUser + ` ` + artifactPassword + `
`)
	shellSum     = inShell.constant(")\n[ \"${batch_sum%% *}\" = ")
	shellSumStop = inShell.constant(fmt.Sprintf(" ] || stop %d \"the artifact has the sha256 ${batch_sum%%%% *}, but the batch declares ", ExitChecksum))
	shellUnpack  = inShell.constant(fmt.Sprintf(" || stop %d \"the artifact could not be unpacked\"\n", ExitNotUnpacked))
)

// artifact writes how the program gets onto the node.
func (w *writer) artifact(a *batches.Artifact) {
	if a.URL == "" {
		return
	}
	w.field("spec.artifact", -1)
	path := ArtifactPath
	unpack := ""
	if a.Unpack {
		path, unpack = w.archive(a.URL)
	}
	w.raw(`say "fetching `)
	w.text(inQuotes, a.URL)
	w.raw(shellQuote)
	if a.Credentials != "" {
		w.raw(shellLogin)
	}
	w.raw(shellFetch)
	w.text(inHereQuotes, a.URL)
	w.raw(shellOutput)
	w.raw(path)
	if a.Credentials != "" {
		w.raw(shellUser)
	}
	w.raw(shellHereEnd)
	if a.SHA256 != "" {
		w.raw("batch_sum=$(sha256sum ")
		w.raw(path)
		w.raw(shellSum)
		w.raw(`"`)
		w.text(inQuotes, a.SHA256)
		w.raw(`"`)
		w.raw(shellSumStop)
		w.text(inQuotes, a.SHA256)
		w.raw(shellQuote)
	}
	if unpack != "" {
		w.raw(unpack)
		w.raw(path)
		w.raw(shellUnpack)
	}
}

// archive returns where an archive is stored and the command that unpacks it
// into the working directory.
func (w *writer) archive(url string) (path, command string) {
	name, _, _ := strings.Cut(url, "?")
	name, _, _ = strings.Cut(name, "#")
	switch {
	case strings.HasSuffix(name, ".zip"):
		return ".batch/artifact.zip", "unzip -qo "
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		return ".batch/artifact.tar.gz", "tar -xzof "
	}
	w.fail("unpack: %s is neither .tar.gz, .tgz nor .zip", url)
	return "", ""
}
