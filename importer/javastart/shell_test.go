package javastart_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/batchctl/batchctl/importer/javastart"
	"github.com/batchctl/batchctl/importer/jobxml"
	"github.com/batchctl/batchctl/internal/legacy"
)

// runVariables are what the run of TestAgainstShell has.
var runVariables = map[string]string{"RUN_DATE": "20261126", "JOB_NAME": "a job", "REGION": "kr"}

// fakeJava is a java that writes down what it is started with, and in which
// environment.
const fakeJava = "#!/bin/sh\nfor a in \"$@\"; do printf '%s\\0' \"$a\" >>\"$OUT.args\"; done\nenv -0 >\"$OUT.env\"\n"

// TestAgainstShell lets a real shell run scripts, with a java that only writes
// down what it is given, and wants Read to have said the same.
func TestAgainstShell(t *testing.T) {
	scripts := []string{
		"A='x y'\nB=\"$A z\"\njava -Da=\"$B\" -jar /a.jar $A", // split, and not
		"java -jar /a.jar \"\" '' \\$X \"\\$Y \\\\ \\n\" a\\ b 'c'\"d\"e",
		"O=-Xmx1g; O=\"$O -Xss1m\"\nO+=' -ea'\nexport O\njava $O -jar /a.jar $RUN_DATE-${RUN_DATE}x",
		"X=\" a  b \"\njava -jar /a.jar $X c",
		"java -jar /a.jar ~/x \"~\" a~ --d=~",
		"TZ=UTC LANG=C java -Xlog:gc*:file=x -jar /a.jar",
		"java -jar /a.jar ${NOPE:-d e} \"${NOPE:-d e}\"",
		"Q='\"'\njava -jar /a.jar $Q \"$Q\" '$Q'",
		"java -jar /a.jar ${NOPE:-'d e' \"f g\" h}",
		"cd /tmp && time java -jar a.jar",
		"{ java -jar /a.jar 1 2; }",
	}
	for _, c := range legacy.Jobs(150) {
		root, err := jobxml.Parse([]byte(c.XML))
		if err != nil {
			t.Fatal(err)
		}
		job, err := jobxml.Read(root)
		if err != nil {
			t.Fatal(err)
		}
		if len(job.Steps) == 1 && !strings.Contains(c.Name, "/operations/") {
			scripts = append(scripts, job.Steps[0])
		}
	}
	for _, script := range scripts {
		dir := t.TempDir()
		script = strings.NewReplacer("/usr/lib/jvm/java-11-openjdk", dir, "/usr/java/jdk1.8.0_292", dir, "/opt/batch", dir+"/opt",
			"/var/log/batch/", dir+"/opt/", "/etc/profile.d/batch.sh", dir+"/bin/env.sh").Replace(script)
		start, err := javastart.Read(script, func(name string) bool { return runVariables[name] != "" || name == "HOME" })
		if err != nil {
			t.Errorf("%v in %s", err, script)
			continue
		}
		args, env := runShell(t, dir, script)
		if diff := cmp.Diff(args, wanted(start)); diff != "" {
			t.Errorf("the shell starts java otherwise (-) than Read says (+):\n%s\n%s", script, diff)
		}
		for _, e := range start.Env {
			if want := e.Name + "=" + fill(e.Value); !slices.Contains(env, want) {
				t.Errorf("the shell does not set %s:\n%s", want, script)
			}
		}
	}
}

// runShell runs a script as Jenkins does, and returns what java was given.
func runShell(t testing.TB, dir, script string) (args, env []string) {
	t.Helper()
	for name, text := range map[string]string{"bin/java": fakeJava, "bin/env.sh": "", "opt/x": "", "script": script} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, group := range []string{"settlement", "capture", "fees", "fraud", "ledger", "merchants", "payouts", "reconciliation", "reporting", "retention", "clearing", "notices"} {
		if err := os.MkdirAll(filepath.Join(dir, "opt", group), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "-e", filepath.Join(dir, "script"))
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + dir + "/bin:/usr/bin:/bin", "HOME=/home/x", "OUT=" + filepath.Join(dir, "out")}
	for name, value := range runVariables {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, script)
	}
	read := func(name string) []string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	}
	return read("out.args"), read("out.env")
}

// wanted is the command line that a Start stands for.
func wanted(s *javastart.Start) []string {
	var out []string
	for _, o := range s.Options {
		out = append(out, fill(o))
	}
	jar := s.Jar
	if s.Dir != "" {
		// The script names it from there.
		if rest, ok := strings.CutPrefix(jar, s.Dir+"/"); ok {
			jar = rest
		}
	}
	out = append(out, "-jar", jar)
	for _, a := range s.Args {
		out = append(out, fill(a))
	}
	return out
}

// fill puts the run's values in the place of references.
func fill(text string) string {
	text = strings.ReplaceAll(text, "$${", "\x00{")
	for name, value := range runVariables {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "${HOME}", "/home/x"), "\x00{", "${")
}

// TestAnyWords: whatever words stand behind java, a real shell makes the same
// of them, or Read says that it cannot know.
func TestAnyWords(t *testing.T) {
	dir := t.TempDir()
	understood := 0
	rapid.Check(t, func(rt *rapid.T) {
		// Not a lone $: bash does not split $A$, and dash does.
		tokens := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", " ", "=", "-", "'", "\"", "\\", "$RUN_DATE", "${RUN_DATE}", "$A", "$B", "\"$B\"", "${N:-x y}", "~", "/", "{", "}", ",", "#", "!", "'x y'", "\"x y\"", "\\\n", "%", "한"}), 1, 12)
		script := "A='p q'\nB=\"$A  r\"\njava -jar /a.jar " + strings.Join(tokens.Draw(rt, "words"), "") + "\n"
		start, err := javastart.Read(script, func(name string) bool { return runVariables[name] != "" || name == "HOME" })
		other := func(n javastart.Note) bool { return n.Rule != "default" }
		if err != nil || start.After != "" || slices.ContainsFunc(start.Notes, other) {
			return
		}
		understood++
		if err := os.RemoveAll(filepath.Join(dir, "out.args")); err != nil {
			rt.Fatal(err)
		}
		args, _ := runShell(t, dir, script)
		if diff := cmp.Diff(args, wanted(start)); diff != "" {
			rt.Fatalf("the shell starts java otherwise (-) than Read says (+):\n%s\n%s", script, diff)
		}
	})
	if understood == 0 {
		t.Error("no script was understood")
	}
}
