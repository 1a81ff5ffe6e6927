package batches

import (
	"fmt"
	"slices"
	"strings"
)

// runVariables are set in the environment of every run, by Jenkins or by the
// rendered job, so ${NAME} may name them anywhere.
var runVariables = map[string]bool{
	"BUILD_DISPLAY_NAME": true, "BUILD_ID": true, "BUILD_NUMBER": true, "BUILD_TAG": true, "BUILD_URL": true,
	"HOME": true, "HOSTNAME": true, "JENKINS_URL": true, "JOB_BASE_NAME": true, "JOB_NAME": true, "JOB_URL": true,
	"NODE_NAME": true, "PATH": true, "USER": true, "WORKSPACE": true, "WORKSPACE_TMP": true,
}

// batchChecker checks what the fields of one batch must agree on.
type batchChecker struct {
	resolver *resolver
	leaf     *leaf
	spec     *value
	batch    *Batch
	known    []named // what the batch itself puts into the environment
}

// named is a variable and what declares it.
type named struct {
	name string
	val  *value
}

func (c *batchChecker) run() {
	c.pool()
	c.schedule()
	c.program()
	c.agents()
	c.variables()
	c.references()
	c.scripts()
	c.jvm()
}

func (c *batchChecker) problem(v *value, path, rule, message, hint string) {
	c.leaf.ps.at(v, path, rule, message, hint)
}

func (c *batchChecker) warning(v *value, path, rule, message, hint string) {
	c.leaf.ps.add(Problem{Place: v.place(), Path: path, Rule: rule, Severity: Warning, Message: message, Hint: hint})
}

func (c *batchChecker) schedule() {
	s := c.spec.get("schedule")
	for _, line := range s.get("cron").list() {
		if sets, err := cronSets(line.str(), ""); err == nil && restricted(sets[2], 2) && restricted(sets[4], 4) {
			c.warning(line, "spec.schedule.cron", "both-days", "a day must match both day fields in Jenkins; in other crons it must match one of them", "")
		}
	}
	if cron := s.get("cron"); cron != nil && s.get("timezone") == nil {
		c.problem(cron, "spec.schedule.timezone", "missing-key", "is missing; without it the hour would depend on the controller", "set it once for all, in global.yaml: timezone: Asia/Seoul")
	}
}

// program checks that the run knows what to start.
func (c *batchChecker) program() {
	java, artifact := c.spec.get("java"), c.spec.get("artifact")
	unpack, url := artifact.get("unpack"), artifact.get("url")
	main, jar, classpath := java.get("main"), java.get("jar"), java.get("classpath")
	switch {
	case main != nil && jar != nil:
		c.problem(jar, "spec.java.jar", "conflict", "java.main and java.jar are both set; the JVM starts one of them", "with main, put the jar into java.classpath")
	case classpath != nil && main == nil:
		c.problem(classpath, "spec.java.classpath", "conflict", "has no effect without java.main: a jar brings its own class path", "set java.main, or remove the class path")
	case c.batch.Artifact.Unpack && main == nil && jar == nil:
		c.problem(unpack, "spec.artifact.unpack", "missing-key", "the archive is unpacked, but nothing says what to start", "set java.jar or java.main")
	case !c.batch.Artifact.Unpack && jar != nil:
		c.problem(jar, "spec.java.jar", "conflict", "names a file in an archive, but the artifact is not unpacked", "set artifact.unpack: true, or remove java.jar: the artifact itself is started")
	}
	if c.batch.Artifact.Unpack && url != nil && !url.broken {
		path, _, _ := strings.Cut(url.text, "?")
		if !slices.ContainsFunc([]string{".tar.gz", ".tgz", ".zip"}, func(end string) bool { return strings.HasSuffix(path, end) }) {
			c.problem(unpack, "spec.artifact.unpack", "conflict", "the artifact cannot be unpacked: its URL ends with none of .tar.gz, .tgz and .zip ("+url.place().String()+")", "")
		}
	}
}

// pool checks the pool's name, where the tree says which there are.
func (c *batchChecker) pool() {
	pools := c.resolver.tree.pools()
	v := c.spec.get("node").get("pool")
	if pools == nil || v == nil || v.broken || slices.Contains(pools, v.text) {
		return
	}
	hint := didYouMean(v.text, slices.Values(pools))
	if hint == "" {
		hint = "the pools are " + listed(pools)
	}
	c.problem(v, "spec.node.pool", "unknown-pool", "there is no pool "+v.text+" in "+SettingsFile, hint)
}

func (c *batchChecker) agents() {
	for name, a := range c.spec.get("java").get("agents").members() {
		if a.kind == boolKind && a.text == "false" || a.broken {
			continue
		}
		path := "spec.java.agents." + name
		switch name {
		case "pinpoint", "opentelemetry":
			if port := a.get("port"); port != nil {
				c.problem(port, path+".port", "conflict", name+" listens on no port", "remove it")
			}
		case "prometheus":
			if a.get("port") == nil && a.get("options") == nil {
				c.problem(a, path, "missing-key", "needs a port", `write prometheus: {port: "{{port 10000 20000}}"}`)
			}
		default:
			if a.get("jar") == nil {
				known := []string{"opentelemetry", "pinpoint", "prometheus"}
				hint := didYouMean(name, slices.Values(known))
				if hint == "" {
					hint = "give its place on the node: {jar: /opt/agents/" + name + ".jar}"
				}
				c.problem(a, path, "unknown-agent", "is an agent that only you know, so it needs a jar", hint)
			}
		}
	}
}

// variables checks the names of all that goes into the run's environment.
func (c *batchChecker) variables() {
	add := func(name string, v *value, path string) {
		if twin := c.declared(name); twin != nil {
			c.leaf.ps.add(Problem{Place: v.place(), Path: path, Rule: "duplicate-variable", Others: []Place{twin.place()},
				Message: name + " is set here and in " + twin.place().String(), Hint: "a name can be a parameter, an env or a secret, but only one of them"})
			return
		}
		c.known = append(c.known, named{name, v})
	}
	for name, v := range c.spec.get("env").members() {
		add(name, v, "spec.env")
	}
	for name, v := range c.spec.get("secrets").members() {
		if v.get("type").str() == "username-password" {
			add(name+"_USR", v, "spec.secrets")
			add(name+"_PSW", v, "spec.secrets")
			continue
		}
		add(name, v, "spec.secrets")
	}
	for i, item := range c.spec.get("parameters").list() {
		if n := item.get("name"); n != nil {
			add(n.str(), n, "spec.parameters")
		}
		c.parameter(item, i)
	}
}

// declared returns what declares a variable of the batch, or nil.
func (c *batchChecker) declared(name string) *value {
	for _, n := range c.known {
		if n.name == name {
			return n.val
		}
	}
	return nil
}

// variableNames yields all that ${NAME} may name.
func (c *batchChecker) variableNames(yield func(string) bool) {
	for _, n := range c.known {
		if !yield(n.name) {
			return
		}
	}
	for name := range runVariables {
		if !yield(name) {
			return
		}
	}
}

func (c *batchChecker) parameter(item *value, index int) {
	problem := func(v *value, field, rule, message, hint string) {
		c.problem(v, fmt.Sprintf("spec.parameters[%d].%s", index, field), rule, message, hint)
	}
	typ, def, choices := item.get("type"), item.get("default"), item.get("choices")
	isChoice := typ.str() == "choice"
	switch {
	case isChoice && len(choices.list()) == 0:
		problem(typ, "choices", "missing-key", "a choice needs choices", "such as choices: [normal, rerun]")
	case !isChoice && choices != nil:
		problem(choices, "choices", "conflict", "only a parameter of type choice has choices", "write type: choice, or remove them")
	case isChoice && def != nil && !slices.Contains(choices.strings(), def.str()):
		problem(def, "default", "unknown-value", fmt.Sprintf("%q is not one of the choices", def.str()), didYouMean(def.str(), slices.Values(choices.strings())))
	case typ.str() == "boolean" && def != nil && def.text != "true" && def.text != "false":
		problem(def, "default", "wrong-type", fmt.Sprintf("%q is no boolean", def.str()), "write true or false")
	case typ.str() != "boolean" && def != nil && def.kind == boolKind:
		problem(def, "default", "wrong-type", "this is a boolean, but the parameter holds text", `write "`+def.text+`", or type: boolean`)
	case typ.str() != "text" && strings.Contains(def.str(), "\n"):
		problem(def, "default", "conflict", "has several lines, but the parameter holds one", "write type: text")
	}
	for i, v := range choices.list() {
		if slices.Contains(choices.strings()[:i], v.str()) {
			problem(v, "choices", "duplicate-choice", v.str()+" is here twice", "delete one of the two")
		}
	}
}

// references checks every ${NAME} that the run will replace.
func (c *batchChecker) references() {
	for i, v := range c.spec.get("args").list() {
		c.reference(v, "spec.args", i, "")
	}
	for name, v := range c.spec.get("java").get("properties").members() {
		c.reference(v, "spec.java.properties."+name, -1, "")
	}
	for name, v := range c.spec.get("env").members() {
		c.reference(v, "spec.env."+name, -1, name)
	}
	for i, v := range c.spec.get("java").get("options").list() {
		if strings.Contains(v.str(), "${") {
			c.problem(v, fmt.Sprintf("spec.java.options[%d]", i), "bad-reference", "options are the same for every run, and hold no ${…}", "put what changes into args or java.properties")
		}
	}
}

// reference checks the references of one value: the one at path, or, for an
// index that is not negative, that item of the list there. variable is the
// env variable whose value it is, or "".
func (c *batchChecker) reference(v *value, path string, index int, variable string) {
	if v.broken || !strings.Contains(v.str(), "$") {
		return
	}
	c.withoutBraces(v, path, index)
	pieces, err := Pieces(v.text)
	if err != nil {
		return // reported by the schema
	}
	if index >= 0 {
		path = fmt.Sprintf("%s[%d]", path, index)
	}
	env := c.spec.get("env")
	for _, p := range pieces {
		if !p.Ref {
			continue
		}
		switch {
		case c.declared(p.Text) == nil && !runVariables[p.Text]:
			hint := didYouMean(p.Text, c.variableNames)
			if hint == "" {
				hint = "add a parameter " + p.Text + ", or write $${" + p.Text + "} for plain text"
			}
			c.problem(v, path, "undefined-variable", "${"+p.Text+"} is no parameter, env or secret of this batch", hint)
		case variable != "" && env.get(p.Text) != nil && (p.Text != variable || !runVariables[p.Text]):
			c.problem(v, path, "bad-reference", "${"+p.Text+"} is in env too, and these have no order", "give both the value by a variable: {{NAME}}")
		}
	}
}

// withoutBraces warns of $NAME for a variable that the batch declares: it is
// plain text here, and no shell will look at it.
func (c *batchChecker) withoutBraces(v *value, path string, index int) {
	if index >= 0 {
		path = fmt.Sprintf("%s[%d]", path, index)
	}
	for _, n := range c.known {
		_, rest, found := strings.Cut(v.text, "$"+n.name)
		if !found || rest != "" && isEnvName("a"+rest[:1]) {
			continue
		}
		c.warning(v, path, "no-braces", "$"+n.name+" is plain text here", "write ${"+n.name+"} for the value")
	}
}

// scripts checks that the names in when exist, and that sh can read the text.
func (c *batchChecker) scripts() {
	for _, when := range []string{"before", "after"} {
		for i, s := range c.spec.get("scripts").get(when).list() {
			c.resolver.tree.checkWhen(s.get("when"), fmt.Sprintf("spec.scripts.%s[%d].when", when, i), &c.leaf.ps)
			c.shell(s.get("run"), fmt.Sprintf("spec.scripts.%s[%d].run", when, i))
		}
	}
}

// shell reports a script that no shell can read, and warns of one that only
// some can.
func (c *batchChecker) shell(v *value, path string) {
	if v == nil || v.broken {
		return
	}
	fault, posix := readShell(v.text)
	switch {
	case fault != "":
		c.problem(v, path, "bad-shell", "the shell cannot read this: "+fault, "")
	case posix != "":
		c.warning(v, path, "not-posix", "not every sh can read this: "+posix, "keep to POSIX, or start bash yourself")
	}
}
