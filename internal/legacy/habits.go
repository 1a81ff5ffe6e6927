package legacy

import "strings"

// The ways in which people start a JVM from an "Execute shell" step.

// lines is one option a line, with continuations, under comments.
func (c *copied) lines() string {
	var b strings.Builder
	b.WriteString("#!/bin/bash -e\n")
	if c.every(11, 5) {
		b.WriteString("# " + c.group.name + " 배치. 수정할 때는 담당자에게 먼저 알려 주세요\n")
	}
	b.WriteString("export JAVA_HOME=" + c.era.java + "\nexport LANG=ko_KR.UTF-8\nBATCH_HOME=" + c.home() + "\n\n")
	b.WriteString("$JAVA_HOME/bin/java \\\n")
	for _, o := range append(c.options(), c.properties()...) {
		b.WriteString("  " + quoted(o) + " \\\n")
	}
	b.WriteString("  -jar ${BATCH_HOME}/lib/" + c.group.name + "-batch-" + c.version + ".jar \\\n")
	b.WriteString("  " + strings.Join(c.args("${RUN_DATE}"), " \\\n  ") + "\n")
	return b.String()
}

// oneLine is everything on one line, behind a cd.
func (c *copied) oneLine() string {
	return "cd " + c.home() + " && exec " + c.era.java + "/bin/java " + c.line() + " -jar lib/" + c.group.name + "-batch-" + c.version + ".jar " +
		strings.Join(c.args("$RUN_DATE"), " ") + "\n"
}

// javaOpts collects the options in a variable.
func (c *copied) javaOpts() string {
	options := c.options()
	var b strings.Builder
	b.WriteString("export LANG=ko_KR.UTF-8\nJAVA=" + c.era.java + "/bin/java\nJAR=" + c.jar() + "\n")
	b.WriteString("JAVA_OPTS=\"" + strings.Join(options[:3], " ") + "\"\n")
	for _, o := range options[3:] {
		b.WriteString("JAVA_OPTS=\"$JAVA_OPTS " + o + "\"\n")
	}
	b.WriteString("PROPS=\"" + strings.Join(c.properties(), " ") + "\"\n")
	b.WriteString("$JAVA $JAVA_OPTS $PROPS -jar $JAR " + strings.Join(c.args("\"$RUN_DATE\""), " ") + "\n")
	return b.String()
}

// nohup sends the output to a file that nobody reads, and some run what sets
// up the environment first.
func (c *copied) nohup() string {
	setup := ""
	if c.every(13, 6) {
		setup = "source /etc/profile.d/batch.sh\n"
	}
	return setup + "export LANG=ko_KR.UTF-8\nset -e\nnohup " + c.era.java + "/bin/java " + c.line() + " -jar " + c.jar() + " " +
		strings.Join(c.args("$RUN_DATE"), " ") + " > /var/log/batch/" + c.batch.name + ".out 2>&1\n"
}

// hereDoc writes a file of properties before the start, in some jobs.
func (c *copied) hereDoc() string {
	if !c.every(5, 7) {
		return "export LANG=ko_KR.UTF-8\n" + c.era.java + "/bin/java " + c.line() + " -jar " + c.jar() + " " + strings.Join(c.args("$RUN_DATE"), " ") + "\n"
	}
	return "export LANG=ko_KR.UTF-8\ncat > job.properties <<EOF\nteam=" + c.group.name + "\nretry.max=3\nEOF\n" +
		c.era.java + "/bin/java " + c.line() + " -jar " + c.jar() + " --spring.config.additional-location=job.properties " +
		strings.Join(c.args("$RUN_DATE"), " ") + "\n"
}

// exitCode looks at the exit code itself.
func (c *copied) exitCode() string {
	start := "export LANG=ko_KR.UTF-8\nset +e\n" + c.era.java + "/bin/java " + c.line() + " -jar " + c.jar() + " " + strings.Join(c.args("$RUN_DATE"), " ") + "\n"
	if !c.group.hook {
		return start + "exit $?\n"
	}
	return start + `RC=$?
if [ $RC -ne 0 ]; then
  curl -s -d "text=배치 실패: $JOB_NAME" http://chat.hanbit.example/hooks/` + c.group.name + `
fi
exit $RC
`
}

// line is the whole JVM line on one line.
func (c *copied) line() string {
	var words []string
	for _, o := range append(c.options(), c.properties()...) {
		words = append(words, quoted(o))
	}
	return strings.Join(words, " ")
}

// quoted puts quotes where a shell would take a star for a glob.
func quoted(word string) string {
	if strings.ContainsAny(word, "*?") {
		return "'" + word + "'"
	}
	return word
}

// script is the Pipeline of a batch, as it stands in the job itself.
func (c *copied) script() string {
	date := "${params.RUN_DATE}"
	var b strings.Builder
	b.WriteString("// " + c.group.name + "\nnode('" + c.group.label + "') {\n    timestamps {\n        stage('run') {\n")
	b.WriteString("            withCredentials([string(credentialsId: '" + c.group.name + "-db', variable: 'DB_PASSWORD')]) {\n")
	b.WriteString("                withEnv(['LANG=ko_KR.UTF-8']) {\n                    sh \"\"\"\n")
	b.WriteString("                        " + c.era.java + "/bin/java " + c.line() + " \\\\\n")
	b.WriteString("                          -jar " + c.jar() + " " + strings.Join(c.args(date), " ") + "\n")
	b.WriteString("                    \"\"\"\n                }\n            }\n        }\n    }\n}\n")
	return b.String()
}
