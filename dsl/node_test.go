package dsl_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/internal/testenv"
)

// fakeJava gives the node a Java 21 that is a shell script.
func (n *node) fakeJava(t testing.TB, script string) {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "bin", "java"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	n.env = append(n.env, "JAVA_HOME_21="+home)
}

// What a run ends with, and what it says, for each way in which it can end.
func TestRunEnds(t *testing.T) {
	jar := artifact(t, []byte("not a jar"), "app.jar")
	cases := []struct {
		name   string
		change func(b *batches.Batch)
		java   string // the program, as a shell script
		code   int
		says   []string // "" = and nothing more; the last line is the last
	}{
		{"program ends well", func(*batches.Batch) {}, "exit 0", 0, []string{"starting Java 21"}},
		{"program ends badly", func(*batches.Batch) {}, "exit 3", 3, []string{"starting Java 21"}},
		{"program is killed", func(*batches.Batch) {}, "kill -9 $$", 137, nil},
		{"no artifact", func(b *batches.Batch) { b.Artifact.URL += ".old" }, "", dsl.ExitNotFetched, []string{"curl: (37)", "batch: the artifact was not fetched, curl says why above"}},
		{"another artifact", func(b *batches.Batch) { b.Artifact.SHA256 = strings.Repeat("0", 64) }, "", dsl.ExitChecksum,
			[]string{"batch: the artifact has the sha256 " + jar.SHA256 + ", but the batch declares " + strings.Repeat("0", 64)}},
		{"no Java", func(b *batches.Batch) { b.Java.Home = "/no/such/jdk" }, "", dsl.ExitNoJava, []string{"batch: this node has no Java 21 in /no/such/jdk; its image has to have one there"}},
		{"before-script", func(b *batches.Batch) {
			b.Before = []batches.Script{{Name: "one", Run: "true"}, {Name: "it's two", Run: "exit 7"}, {Name: "three", Run: "echo three runs"}}
		}, "", dsl.ExitBeforeScript, []string{"batch: before 1 of 3: one", "batch: before 2 of 3: it's two", "batch: before-script it's two ended with exit code 7"}},
		{"before-script is strict", func(b *batches.Batch) { b.Before = []batches.Script{{Name: "one", Run: "false\necho on"}} }, "", dsl.ExitBeforeScript, []string{"batch: before-script one ended with exit code 1"}},
		{"before-script with an unset variable", func(b *batches.Batch) { b.Before = []batches.Script{{Name: "one", Run: `echo "$nope"`}} }, "", dsl.ExitBeforeScript, []string{"batch: before-script one ended with exit code 2"}},
		{"no archive", func(b *batches.Batch) {
			b.Artifact.Unpack, b.Java.Jar = true, "app.jar"
			b.Artifact.URL = artifact(t, []byte("not a jar"), "app.zip").URL
		}, "", dsl.ExitNotUnpacked, []string{"batch: the artifact could not be unpacked"}},
		{"reference to nothing", func(b *batches.Batch) { b.Args = []string{"${NOPE}"} }, "", dsl.ExitNotSet, []string{"batch: NOPE is not set for this run, but the batch uses ${NOPE}"}},
		{"reference to an empty value", func(b *batches.Batch) { b.Args = []string{"${EMPTY}"} }, "exit 0", 0, nil},
	}
	var jobs []*batches.Job
	for _, c := range cases {
		j := minimal(jar, 21)
		c.change(j.Batch)
		jobs = append(jobs, j)
	}
	runs := evaluateJobs(t, render(t, jobs...))
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := newNode(t, "EMPTY=")
			n.fakeJava(t, c.java)
			code, out := n.run(t, runs[i].scripts()["java-21"])
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			rest := out
			for _, line := range c.says {
				_, after, found := strings.Cut(rest, line)
				if !found {
					t.Fatalf("%q is not in %q", line, out)
				}
				rest = after
			}
			if c.says != nil && strings.TrimSpace(rest) != "" && c.name != "no archive" {
				t.Errorf("more than that is said: %q", rest)
			}
		})
	}
}

// Nothing that a run knows stands in a process's arguments, or can be read
// by others; what the node adds to a JVM's options is gone.
func TestSecretsStayInside(t *testing.T) {
	const password, user = `p"a\s's $(id) 한국어`, "us er"
	jar := showJar(t)
	n := newNode(t, "BATCH_ARTIFACT_USR="+user, "BATCH_ARTIFACT_PSW="+password, "TOKEN="+password,
		"JAVA_TOOL_OPTIONS=-Dpicked=up", "JDK_JAVA_OPTIONS=-Dpicked=up", "_JAVA_OPTIONS=-Dpicked=up")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != password {
			t.Errorf("curl sent %q and %q", u, p)
		}
		for _, argv := range processes(t) {
			if strings.Contains(argv, `p"a\s`) {
				t.Errorf("the password stands in the arguments of a process: %q", argv)
			}
		}
		w.Write(jar)
	}))
	defer server.Close()
	j := minimal(artifact(t, jar, "show.jar"), 21)
	j.Batch.Artifact.URL = server.URL + "/repo/app[1]{a,b}.jar?x=\"y\""
	j.Batch.Artifact.Credentials = "repo"
	j.Batch.Args = []string{"--token=${TOKEN}"}
	j.Batch.Before = []batches.Script{{Name: "look", Run: "umask; ls -ld .batch | cut -c1-10; env | grep -c BATCH_ARTIFACT || true"}}
	runs := evaluateJobs(t, render(t, j))
	code, out := n.run(t, runs[0].scripts()["java-21"])
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	got := readShown(t, out)
	same(t, "argument", got.args[0], "--token="+password)
	if got.properties["picked"] != "" || got.env["BATCH_ARTIFACT_PSW"] != "" || got.env["BATCH_ARTIFACT_USR"] != "" {
		t.Errorf("the program sees too much: %q %q", got.properties["picked"], got.env["BATCH_ARTIFACT_PSW"])
	}
	if want := "drwx------\n0\n"; !strings.Contains(out, want) {
		t.Errorf("%q is not in %.500q", want, out)
	}
	if strings.Contains(strings.Split(out, "#arguments")[0], `p"a`) {
		t.Errorf("the log has the password: %.500q", out)
	}
	info, err := os.Stat(filepath.Join(n.dir, ".batch", "java.args"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("java.args: %v, %v, want mode 0600", info.Mode(), err)
	}
}

// processes returns the arguments of all processes.
func processes(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		testenv.Missing(t, "/proc")
	}
	var all []string
	for _, file := range files {
		if argv, err := os.ReadFile(file); err == nil { // a process may have ended since
			all = append(all, string(argv))
		}
	}
	return all
}

// The JVM's own arguments are the name of the argument file, nothing else.
func TestJavaGetsAFile(t *testing.T) {
	j := minimal(artifact(t, nil, "app.jar"), 21)
	j.Batch.Java.Heap, j.Batch.Java.Options = "1g", []string{"-XX:+UseG1GC"}
	j.Batch.Before = []batches.Script{{Name: "look", Run: "echo $PPID >pid"}}
	j.Batch.Java.Main, j.Batch.Java.Classpath = "com.example.Main", []string{"lib/*", "한 글.jar"}
	runs := evaluateJobs(t, render(t, j))
	n := newNode(t)
	n.fakeJava(t, `printf '%s\n' "$0" "$@"; cat .batch/java.args; echo "$LC_ALL $JAVA_HOME"; command -v java; [ $$ = "$(cat pid)" ] && echo "in place of the shell"`)
	code, out := n.run(t, runs[0].scripts()["java-21"])
	_, out, _ = strings.Cut(out, "starting Java 21\n")
	home := strings.TrimPrefix(n.env[len(n.env)-1], "JAVA_HOME_21=")
	want := home + "/bin/java\n@.batch/java.args\n" +
		"\"-Xmx1g\"\n\"-XX:+UseG1GC\"\n\"-cp\"\n\"lib/*:한 글.jar\"\n\"com.example.Main\"\nC.UTF-8 " + home + "\n" + home + "/bin/java\nin place of the shell\n"
	if code != 0 || out != want {
		t.Errorf("exit code %d\n%s\nwant\n%s", code, out, want)
	}
}

// The locale that a batch chooses holds, whatever the agent was started with.
func TestLocale(t *testing.T) {
	for _, c := range []struct {
		env  []batches.Variable
		node []string
		want string // LC_ALL, LC_CTYPE and LANG
	}{
		{nil, []string{"LC_ALL=C.UTF-8"}, "C.UTF-8 - -"},
		{nil, []string{"LANG=ko_KR.UTF-8"}, "- - ko_KR.UTF-8"},
		{nil, []string{"LANG=ko_KR.eucKR"}, "C.UTF-8 - ko_KR.eucKR"},
		{nil, nil, "C.UTF-8 - -"},
		{[]batches.Variable{{Name: "LANG", Value: "ko_KR.eucKR"}}, []string{"LC_ALL=C.UTF-8", "LC_CTYPE=C.UTF-8"}, "- - ko_KR.eucKR"},
		{[]batches.Variable{{Name: "LANG", Value: "ko_KR.eucKR"}}, nil, "- - ko_KR.eucKR"},
		{[]batches.Variable{{Name: "LC_CTYPE", Value: "ja_JP.SJIS"}}, []string{"LC_ALL=C.UTF-8", "LANG=C.UTF-8"}, "- ja_JP.SJIS C.UTF-8"},
		{[]batches.Variable{{Name: "LC_ALL", Value: "C"}}, []string{"LC_ALL=C.UTF-8"}, "C - -"},
		{[]batches.Variable{{Name: "LANG", Value: "C"}, {Name: "LC_ALL", Value: "ko_KR.eucKR"}}, []string{"LC_ALL=C.UTF-8"}, "ko_KR.eucKR - C"},
	} {
		j := minimal(artifact(t, nil, "app.jar"), 21)
		j.Batch.Env = c.env
		n := newNode(t, c.node...)
		n.fakeJava(t, `echo "${LC_ALL:--} ${LC_CTYPE:--} ${LANG:--}"`)
		code, out := n.run(t, evaluateJobs(t, render(t, j))[0].scripts()["java-21"])
		if _, out, _ = strings.Cut(out, "starting Java 21\n"); code != 0 || out != c.want+"\n" {
			t.Errorf("%v on a node with %v: %d, %s", c.env, c.node, code, out)
		}
	}
}

func TestUnpack(t *testing.T) {
	jar := showJar(t)
	files := map[string][]byte{"app/lib/show.jar": jar, "app/한글.txt": []byte("x")}
	var zipped, tarred bytes.Buffer
	z, gz := zip.NewWriter(&zipped), gzip.NewWriter(&tarred)
	tw := tar.NewWriter(gz)
	for name, content := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(content)
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Uid: 12345}); err != nil {
			t.Fatal(err)
		}
		tw.Write(content)
	}
	z.Close()
	tw.Close()
	gz.Close()
	var jobs []*batches.Job
	for _, a := range []batches.Artifact{artifact(t, zipped.Bytes(), "app.zip"), artifact(t, tarred.Bytes(), "app.tar.gz"), artifact(t, tarred.Bytes(), "app.tgz")} {
		j := minimal(a, 21)
		j.Batch.Artifact.Unpack, j.Batch.Java.Jar = true, "app/lib/show.jar"
		jobs = append(jobs, j)
	}
	runs := evaluateJobs(t, render(t, jobs...))
	for i, j := range jobs {
		n := newNode(t)
		if code, out := n.run(t, runs[i].scripts()["java-21"]); code != 0 {
			t.Errorf("%s: exit code %d: %s", j.Batch.Artifact.URL, code, out)
		}
	}
}

// After-scripts run whatever the others do, and whatever is left of the
// working directory.
func TestAfterScripts(t *testing.T) {
	j := minimal(artifact(t, nil, "app.jar"), 21)
	j.Batch.Env = []batches.Variable{{Name: "DAY", Value: "<${DATE}>"}}
	j.Batch.After = []batches.Script{
		{Name: "one", Run: `echo "one $BATCH_EXIT_CODE $DAY"`},
		{Name: "two", Run: "cat <<END\ntwo\nEND\nexit 4\n"},
		{Name: "three", Run: `echo "three $(command -v java)"`},
	}
	runs := evaluateJobs(t, render(t, j))
	n := newNode(t, "DATE=$x", "BATCH_EXIT_CODE=aborted")
	n.fakeJava(t, "")
	code, out := n.run(t, runs[0].scripts()["after-scripts"])
	home := strings.TrimPrefix(n.env[len(n.env)-1], "JAVA_HOME_21=")
	want := fmt.Sprintf("batch: after 1 of 3: one\none aborted <$x>\nbatch: after 2 of 3: two\ntwo\nbatch: after-script two ended with exit code 4\nbatch: after 3 of 3: three\nthree %s/bin/java\n", home)
	if code != 1 || out != want {
		t.Errorf("exit code %d\n%s\nwant 1\n%s", code, out, want)
	}
}
