package batches

import (
	"fmt"
	"strings"
)

// batchSpec is what may stand under spec in a Batch, and below it in every
// layer. Types, ranges and names are here; what two fields must agree on is
// in batch_check.go.
var batchSpec = object("What the batch runs, when, and on what.",
	is("schedule", likeThis(`{cron: "15 2 * * *", timezone: Asia/Seoul}`, object("When the batch starts by the clock. Without it, it starts by hand, by another batch, or by a call.",
		is("cron", oneOrMore("When, in Jenkins' cron syntax; H takes a number that depends on the job's path. A day must match both day fields.",
			formatted("A cron line.", "cron", "", `"15 2 * * *"`, checkCron))),
		is("timezone", formatted("The time zone of cron, by its IANA name.", "time zone", "", "Asia/Seoul", checkZone)),
	))),
	is("disabled", boolean("Keeps the job in Jenkins but never lets it start.")).orElse("false"),
	is("java", javaSchema).must(),
	is("artifact", likeThis(`{url: "https://repo.example/app-1.4.jar", sha256: …}`, object("The program: one file, fetched to .batch/ and checked before each run.",
		is("url", formatted("Where the file is; https, http or file.", "URL", "", `"https://repo.example/app-1.4.jar"`, checkURL)).must(),
		is("sha256", formatted("The SHA-256 of the file, as 64 hexadecimal digits.", "checksum", "^[0-9a-fA-F]{64}$", "", checkSHA256)).must(),
		is("unpack", boolean("The file is a .tar.gz, .tgz or .zip, to be unpacked into the working directory.")).orElse("false"),
		is("credentials", credential("Id of a Jenkins credential (user name and password) for the URL.", "repo-reader")),
	))).must(),
	is("args", list("Arguments of the program, each exactly as it is. ${NAME} is replaced by the run's variable of that name.", refers("An argument.", `"--date=${RUN_DATE}"`))),
	is("scripts", object("Shell scripts around the program, on its node.",
		is("before", list("Run in order before the program; one that fails fails the run.", scriptSchema)),
		is("after", list("Run in order after the program, whatever its result, which they find in BATCH_EXIT_CODE.", scriptSchema)),
	)),
	is("parameters", list("What may be set for one run.", object("A parameter.",
		is("name", formatted("Name of the parameter and of the environment variable.", "variable name", envPattern, "RUN_DATE", inputName)).must(),
		is("type", enum("What it holds; text may have several lines.", "string", "boolean", "choice", "text")).orElse("string"),
		is("default", &schema{kinds: kinds(stringKind, boolKind), doc: "The value of a scheduled run, and what the form shows.", format: "text", check: checkText, example: `""`}).orElse(`"", or the first choice`),
		is("description", text("Shown beside the field.", "Business date, yyyyMMdd")),
		is("choices", list("For choice: what one may choose.", oneLine("A choice.", "normal"))),
	))),
	is("env", table("Environment variables of the program and the scripts. ${NAME} is replaced by the run's variable of that name.", envName, refers("A value.", "Asia/Seoul"))),
	is("secrets", table("Environment variables that hold secrets, each with the id of its Jenkins credential.", inputName, secretSchema)),
	is("timeout", boundedDuration("The longest the program may run; then it is stopped.", "2h", "30d")).orElse("24h"),
	is("concurrency", enum("What happens when a run should start while another one runs: it waits, it runs beside it, or it takes its place.", "forbid", "allow", "replace")).orElse("forbid"),
	is("retry", likeThis("{attempts: 2, on: [node-lost]}", object("When a run is tried again.",
		is("attempts", integer("All attempts together.", 1, 10, "2")).orElse("1"),
		is("on", list("For what.", enum("node-lost: the machine went away, the program did not fail.", "node-lost"))).orElse("[node-lost]"),
	))),
	is("after", list("Upstream batches: the batch starts when one of them ended well. NAME, or GROUP/NAME for another app group; on the same cluster.", formatted("A batch.", "name of a batch", "", "daily-capture", checkUpstream))),
	is("node", likeThis("{pool: standard, cpu: 4, memory: 16Gi}", object("The machine that each run gets for itself.",
		is("pool", name("The pool of machines.", "standard")).orElse("standard"),
		is("cpu", integer("Cores.", 1, 512, "4")).orElse("1"),
		is("memory", size("Memory of the machine.", "16Gi")).orElse("2Gi"),
		is("disk", size("Size of its disk.", "50Gi")).orElse("20Gi"),
		is("arch", enum("Its processor.", "amd64", "arm64")).orElse("amd64"),
		is("hold_on_failure", boundedDuration("How long the machine of a failed run is kept for a look.", "30m", "7d")),
	))),
	is("keep", object("What stays of the runs.",
		is("builds", integer("How many builds are kept.", 1, 100_000, "50")).orElse("50"),
		is("days", integer("How many days a build is kept.", 1, 36_500, "30")).orElse("no limit"),
		is("files", list("Globs of files that are kept with the build.", formatted("A glob.", "glob", "", `"reports/*.csv"`, checkKept))),
	)),
)

const envPattern = "^[A-Za-z_][A-Za-z0-9_]*$"

var javaSchema = object("How the JVM is started.",
	is("version", &schema{kinds: kinds(intKind), doc: "The Java release: 11, 17, 21 or 25.", enum: []string{"11", "17", "21", "25"}, example: "21"}).must(),
	is("home", nodePath("Directory of the JDK on the node, where it is not the image's own.", "/opt/jdk/21")),
	is("heap", formatted("The largest heap; becomes -Xmx.", "heap size", "^[1-9][0-9]*[kKmMgGtT]$", "4g", func(s string) error { _, err := ParseHeap(s); return err })).orElse("the JVM's own default"),
	is("options", list("Options of the JVM, one an item.", oneLine("An option.", `"-XX:+UseG1GC"`))),
	is("properties", table("System properties; each becomes -Dname=value. ${NAME} is replaced by the run's variable of that name.", checkProperty, propertySchema)),
	is("agents", table("Java agents. pinpoint, prometheus and opentelemetry are known; any other needs a jar.", CheckName, agentSchema)),
	is("main", formatted("Main class; without it the jar is started.", "class name", "", "com.example.Settlement", checkClass)),
	is("jar", relativePath("The jar to start, where the artifact is an archive.", "lib/settlement.jar")).orElse("the artifact"),
	is("classpath", list("The class path for main, below the working directory.", relativePath("A jar, a directory, or DIR/*.", `"lib/*"`))).orElse("the artifact"),
)

var propertySchema = &schema{kinds: kinds(stringKind, boolKind, intKind, floatKind), doc: "A value.", format: "reference", example: "live",
	check: refers("", "").check}

var agentSchema = &schema{kinds: kinds(boolKind, mapKind), doc: "true, false, or how the agent is set up.", example: "true",
	fields: []field{
		is("enabled", boolean("Loads the agent.")).orElse("true"),
		is("jar", formatted("The agent's jar on the node.", "path", "^/[^=]*$", "/opt/agents/mine.jar", checkAgentJar)).orElse("the image's own"),
		is("port", integer("The port that it listens on.", 1, 65535, `"{{port 10000 20000}}"`)),
		is("config", nodePath("Its configuration on the node.", "/etc/agent.yaml")).orElse("the image's own"),
		is("options", oneLine("What stands behind the = of -javaagent.", "key=value")).orElse("made from port and config"),
	}}

var scriptSchema = object("A script.",
	is("name", oneLine("What the log calls it.", "warm-up")).must(),
	is("run", text("The script, for sh; a command that fails ends it.", `"./warm-up.sh"`)).must(),
	is("when", whenSchema),
)

var secretSchema = &schema{kinds: kinds(stringKind, mapKind), doc: "The credential's id, or its id and type.", example: "settlement-db",
	format: "credential id", check: credential("", "").check,
	fields: []field{
		is("id", credential("Id of the Jenkins credential.", "settlement-db")).must(),
		is("type", enum("string: the variable holds the text; file: the path of a file; username-password: NAME_USR and NAME_PSW hold the two.", "string", "file", "username-password")).orElse("string"),
	}}

// whenSchema limits something to jobs with certain coordinates.
var whenSchema = object("For which jobs: each key must match, with one of its names or globs; one behind ! must not match.",
	is("app", oneOrMore("Batches by name.", globSchema)),
	is("group", oneOrMore("App groups.", globSchema)),
	is("type", oneOrMore("App types.", globSchema)),
	is("phase", oneOrMore("Phases.", globSchema)),
	is("cluster", oneOrMore("Clusters.", globSchema)),
	is("kind", oneOrMore("Kinds of document.", globSchema)),
)

var globSchema = formatted("A name or a glob.", "glob", "", `"live-*"`, checkGlob)

func boundedDuration(doc, example, most string) *schema {
	s := duration(doc, example)
	limit, _ := ParseDuration(most)
	s.check = func(text string) error {
		d, err := ParseDuration(text)
		if err == nil && d > limit {
			err = fmt.Errorf("%s is out of range; the most is %s", text, most)
		}
		return err
	}
	return s
}

func checkSHA256(s string) error {
	hex := strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
	if len(s) != 64 || !hex {
		return fmt.Errorf("%q is no SHA-256; it takes 64 hexadecimal digits, as sha256sum prints them", s)
	}
	return nil
}

func checkUpstream(s string) error {
	group, app, ok := strings.Cut(s, "/")
	if !ok {
		group, app = "x", s
	}
	if CheckName(group) != nil || CheckName(app) != nil {
		return fmt.Errorf("%q is no batch; write NAME, or GROUP/NAME", s)
	}
	return nil
}

// checkKept checks a glob for Jenkins' archiver, which takes the comma for the
// end of a glob.
func checkKept(s string) error {
	if strings.Contains(s, ",") {
		return fmt.Errorf("%q: Jenkins takes the comma for the end of the glob; write ? in its place", s)
	}
	return relativePath("", "").check(s)
}

// checkAgentJar checks a path behind -javaagent:, where = begins the options.
func checkAgentJar(s string) error {
	if strings.Contains(s, "=") {
		return fmt.Errorf("%q: the path of an agent cannot hold an equals sign", s)
	}
	return nodePath("", "").check(s)
}

func checkProperty(s string) error {
	if s == "" || strings.ContainsAny(s, "= \t\r\n\"'") {
		return fmt.Errorf("%q is no name of a system property", s)
	}
	if strings.HasPrefix(s, "-") {
		return fmt.Errorf("%q is an option; put it under java.options, or write the property without -D", s)
	}
	return checkText(s)
}

func checkClass(s string) error {
	for _, step := range strings.Split(s, ".") {
		if step == "" || strings.ContainsAny(step, " \t\r\n/\\-@\"'") {
			return fmt.Errorf("%q is no class name", s)
		}
	}
	return nil
}
