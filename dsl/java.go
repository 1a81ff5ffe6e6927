package dsl

import (
	"fmt"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/catalog"
)

// The JVM gets everything from an argument file that only the run's user can
// read: options, properties and the program's arguments, in which a secret
// may stand, and none of it in the process's own arguments.
var (
	shellJavaHave = inShell.constant("[ -x \"$JAVA_HOME/bin/java\" ] || ")
	shellJavaStop = inShell.constant(fmt.Sprintf("stop %d \"this node has no Java ", ExitNoJava))
	shellJavaAt   = inShell.constant(" in $JAVA_HOME; its image has to have one there\"\n")
	shellArgs     = inShell.constant("(umask 077; cat >.batch/java.args) <<END\n")
	shellArgsEnd  = inShell.constant("END\n")
	shellExec     = inShell.constant("exec \"$JAVA_HOME/bin/java\" @.batch/java.args\n")
	shellQuoteRef = inShell.constant("=$(batch_quote \"$")
	shellRefEnd   = inShell.constant("\")\n")
)

// javaCheck writes the test that the JDK is there.
func (w *writer) javaCheck(j *batches.Java) {
	w.raw(shellJavaHave)
	w.raw(shellJavaStop)
	w.int(int64(j.Version))
	w.raw(shellJavaAt)
}

// java writes the argument file and the start of the JVM. Where the same
// thing is given twice the JVM takes the last, so what a person wrote stands
// behind what is made for an agent.
func (w *writer) java(j *batches.Job, refs []string) {
	b := j.Batch
	for _, name := range refs {
		w.raw("batch_")
		w.raw(name)
		w.raw(shellQuoteRef)
		w.raw(name)
		w.raw(shellRefEnd)
	}
	w.raw(`say "starting Java `)
	w.int(int64(b.Java.Version))
	w.raw(shellQuote)
	w.raw(shellArgs)
	if b.Java.Heap != "" {
		w.field("spec.java.heap", -1)
		w.arg("-Xmx", b.Java.Heap)
	}
	for i := range b.Java.Agents {
		w.field("spec.java.agents", i)
		w.agent(j, &b.Java.Agents[i])
	}
	for i, option := range b.Java.Options {
		w.field("spec.java.options", i)
		w.arg("", option)
	}
	for i := range b.Java.Properties {
		p := &b.Java.Properties[i]
		w.field("spec.java.properties", i)
		w.raw(`"-D`)
		w.text(inHereQuotes, p.Name)
		w.raw("=")
		w.referring(inHereQuotes, p.Value, "${batch_")
		w.raw(shellQuote)
	}
	w.start(b)
	for i, arg := range b.Args {
		w.field("spec.args", i)
		w.raw(`"`)
		w.referring(inHereQuotes, arg, "${batch_")
		w.raw(shellQuote)
	}
	w.raw(shellArgsEnd)
	w.raw(shellExec)
}

// arg writes one line of the argument file. Each is quoted, so none can be
// the line that ends the here-document.
func (w *writer) arg(prefix, text string) {
	w.raw(`"`)
	w.raw(prefix)
	w.text(inHereQuotes, text)
	w.raw(shellQuote)
}

// start writes what the JVM starts: a class or a jar.
func (w *writer) start(b *batches.Batch) {
	w.field("spec.java", -1)
	fetched := b.Artifact.URL != "" && !b.Artifact.Unpack
	switch {
	case b.Java.Main != "":
		w.arg("", "-cp")
		switch {
		case len(b.Java.Classpath) > 0:
			w.raw(`"`)
			for i, entry := range b.Java.Classpath {
				if i > 0 {
					w.raw(":")
				}
				w.text(inHereQuotes, entry)
			}
			w.raw(shellQuote)
		case fetched:
			w.arg("", ArtifactPath)
		default:
			w.fail("main needs a classpath, as there is no artifact that is a jar")
		}
		w.arg("", b.Java.Main)
	case b.Java.Jar != "":
		w.arg("", "-jar")
		w.arg("", b.Java.Jar)
	case fetched:
		w.arg("", "-jar")
		w.arg("", ArtifactPath)
	default:
		w.fail("nothing to start: name jar or main, as there is no artifact that is a jar")
	}
}

// Where the node's image has the agents that are known by name.
const (
	pinpointJar      = "/opt/agents/pinpoint/pinpoint-bootstrap.jar"
	prometheusJar    = "/opt/agents/prometheus/jmx_prometheus_javaagent.jar"
	prometheusConfig = "/opt/agents/prometheus/config.yaml"
	opentelemetryJar = "/opt/agents/opentelemetry/opentelemetry-javaagent.jar"
)

// agent writes a Java agent and the properties that it needs.
func (w *writer) agent(j *batches.Job, a *batches.Agent) {
	jar, config := a.Jar, a.Config
	switch a.Name {
	case "pinpoint":
		if jar == "" {
			jar = pinpointJar
		}
		w.pinpoint(j, a)
		config = ""
	case "opentelemetry":
		if jar == "" {
			jar = opentelemetryJar
		}
		w.arg("-Dotel.service.name=", j.Batch.Name)
		if config != "" {
			w.arg("-Dotel.javaagent.configuration-file=", config)
			config = ""
		}
	case "prometheus":
		if jar == "" {
			jar = prometheusJar
		}
		if config == "" {
			config = prometheusConfig
		}
		if a.Port == 0 && a.Options == "" {
			w.fail("it needs a port to listen on")
		}
	}
	if a.Port != 0 && (a.Name == "pinpoint" || a.Name == "opentelemetry") {
		w.fail("port: %s listens on none", a.Name)
	}
	if jar == "" || strings.Contains(jar, "=") {
		w.fail("jar: name the agent's jar on the node; the path cannot hold an equals sign")
	}
	w.raw(`"-javaagent:`)
	w.text(inHereQuotes, jar)
	w.agentOptions(a, config)
	w.raw(shellQuote)
}

// agentOptions writes what stands behind the agent's jar.
func (w *writer) agentOptions(a *batches.Agent, config string) {
	switch {
	case a.Options != "":
		w.raw("=")
		w.text(inHereQuotes, a.Options)
	case a.Port != 0:
		w.raw("=")
		w.int(int64(a.Port))
		if config != "" {
			w.raw(":")
			w.text(inHereQuotes, config)
		}
	case config != "":
		w.raw("=")
		w.text(inHereQuotes, config)
	}
}

// pinpointName is the most characters that Pinpoint takes in a name or an id.
const pinpointName = 24

// pinpoint writes the names under which Pinpoint shows the job: the batch's
// name, and the job's token as the agent's id, as an id of its own for each
// run would leave a dead agent in Pinpoint for each.
func (w *writer) pinpoint(j *batches.Job, a *batches.Agent) {
	token := catalog.Token(FullName(j.Jenkins, j.Path))
	name := j.Batch.Name
	if len(name) > pinpointName {
		name = name[:pinpointName-9] + "-" + token[:8]
	}
	w.arg("-Dpinpoint.applicationName=", name)
	w.arg("-Dpinpoint.agentId=", token)
	if a.Config != "" {
		w.arg("-Dpinpoint.config=", a.Config)
	}
}
