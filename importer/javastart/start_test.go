package javastart_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/importer/javastart"
	"github.com/batchctl/batchctl/importer/jobxml"
	"github.com/batchctl/batchctl/internal/legacy"
)

func given(name string) bool { return name == "RUN_DATE" || name == "WORKSPACE" || name == "JOB_NAME" }

// TestRead has the ways in which people start java.
func TestRead(t *testing.T) {
	tests := []struct {
		name, script string
		want         javastart.Start
	}{
		{"plain", "java -Xmx1g -jar /opt/a.jar --date=$RUN_DATE\n",
			javastart.Start{Java: "java", Options: []string{"-Xmx1g"}, Jar: "/opt/a.jar", Args: []string{"--date=${RUN_DATE}"}}},
		{"a class of one jar", "exec /usr/bin/java -cp /opt/a.jar com.x.Main 'a b' \"c $RUN_DATE\"",
			javastart.Start{Java: "/usr/bin/java", Jar: "/opt/a.jar", Main: "com.x.Main", Args: []string{"a b", "c ${RUN_DATE}"}}},
		{"variables, continuation, comment", "#!/bin/bash -e\n# 담당: 김\nexport JAVA_HOME=/jdk/11 LANG=C\nH=/opt\nO=\"-Xmx1g -Xms1g\"\nO=\"$O -XX:+UseG1GC\"\n$JAVA_HOME/bin/java $O \\\n -jar ${H}/a.jar\n",
			javastart.Start{Java: "/jdk/11/bin/java", Home: "/jdk/11", Options: []string{"-Xmx1g", "-Xms1g", "-XX:+UseG1GC"}, Jar: "/opt/a.jar",
				Env: []javastart.Env{{Name: "LANG", Value: "C"}}, Comments: []string{"담당: 김"}}},
		{"cd", "cd /opt/app && java -jar lib/a.jar",
			javastart.Start{Java: "java", Jar: "/opt/app/lib/a.jar", Dir: "/opt/app", Notes: []javastart.Note{{Rule: "directory", Text: "java ran in /opt/app; now it runs in a directory of its own"}}}},
		{"nohup and output", "BUILD_ID=dontKillMe nohup java -jar /a.jar > /tmp/o 2>&1 &",
			javastart.Start{Java: "java", Jar: "/a.jar", Written: []string{"o"}, Notes: []javastart.Note{
				{Rule: "output", Text: "what java wrote went elsewhere (> /tmp/o 2>&1); now it is in the run's log"},
				{Rule: "background", Text: "java ran in the background (&); now the run lasts as long as it does"}}}},
		{"here-document", "cat > p <<EOF\na=$RUN_DATE\nEOF\njava -jar /a.jar",
			javastart.Start{Java: "java", Jar: "/a.jar", Before: "set +u\ncat >p <<EOF\na=$RUN_DATE\nEOF\n"}},
		{"exit code", "set +e\njava -jar /a.jar\nRC=$?\nif [ $RC -ne 0 ]; then echo $JOB_NAME; fi\nexit $RC",
			javastart.Start{Java: "java", Jar: "/a.jar",
				After: "set +eu\nset +e\nRC=$BATCH_EXIT_CODE\nif [ $RC -ne 0 ]; then echo $JOB_NAME; fi\nexit $RC\n"}},
		{"exit code and nothing else", "set +e\njava -jar /a.jar\nexit $?", javastart.Start{Java: "java", Jar: "/a.jar"}},
		{"after success", "java -jar /a.jar\necho done",
			javastart.Start{Java: "java", Jar: "/a.jar", After: "set +u\n[ \"$BATCH_EXIT_CODE\" -eq 0 ] || exit 0\necho done\n"}},
		{"after failure", "java -jar /a.jar || { echo bad; exit 1; }",
			javastart.Start{Java: "java", Jar: "/a.jar", After: "set +u\n[ \"$BATCH_EXIT_CODE\" -ne 0 ] || exit 0\n{\n  echo bad\n  exit 1\n}\n"}},
		{"dollar signs that are text", `java -jar /a.jar '${X}' "\$Y" 'a$b' '{{x}}'`,
			javastart.Start{Java: "java", Jar: "/a.jar", Args: []string{"$${X}", "$Y", "a$b", "{{x}}"}}},
		{"log in the workspace", "java -Xloggc:$WORKSPACE/gc.log -Dd=$WORKSPACE/x -jar /a.jar",
			javastart.Start{Java: "java", Options: []string{"-Xloggc:gc.log", "-Dd=${WORKSPACE}/x"}, Jar: "/a.jar"}},
		{"stars of an option", "java -Xlog:gc*:file=x -jar /a.jar",
			javastart.Start{Java: "java", Options: []string{"-Xlog:gc*:file=x"}, Jar: "/a.jar"}},
		{"default", "java -jar /a.jar ${MODE:-full}", javastart.Start{Java: "java", Jar: "/a.jar", Args: []string{"full"},
			Notes: []javastart.Note{{Rule: "default", Text: "MODE is not set here, so it has its default (${MODE:-full}); the agents may have set it"}}}},
		{"for java alone", "TZ=UTC env A=\"$RUN_DATE\" java -jar /a.jar",
			javastart.Start{Java: "java", Jar: "/a.jar", Env: []javastart.Env{{Name: "TZ", Value: "UTC"}, {Name: "A", Value: "${RUN_DATE}"}}}},
		{"sourced", ". /etc/env.sh\njava -jar /a.jar",
			javastart.Start{Java: "java", Jar: "/a.jar", Before: "set +u\n. /etc/env.sh\n",
				Notes: []javastart.Note{{Rule: "sources", Text: "it reads . /etc/env.sh, and what that sets is not known; put it under env"}}}},
		{"cd or fail", "cd /opt || exit 1\njava -jar a.jar", javastart.Start{Java: "java", Jar: "/opt/a.jar", Dir: "/opt",
			Notes: []javastart.Note{{Rule: "directory", Text: "java ran in /opt; now it runs in a directory of its own"}}}},
		{"back in the workspace", "cd /opt\ncd \"$WORKSPACE\"\njava -jar /a.jar", javastart.Start{Java: "java", Jar: "/a.jar"}},
		{"in a block", "( cd /opt; java -jar a.jar )", javastart.Start{Java: "java", Jar: "/opt/a.jar", Dir: "/opt",
			Notes: []javastart.Note{{Rule: "directory", Text: "java ran in /opt; now it runs in a directory of its own"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := javastart.Read(tt.script, given)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNotPlain has the scripts that no batch can be made of, and why.
func TestNotPlain(t *testing.T) {
	tests := map[string]string{
		"echo hi":                                                 "it starts no java",
		"java -version":                                           "it starts no java",
		"java -jar /a.jar\njava -jar /b.jar":                      "line 2 of the script: it starts 2 JVMs",
		"D=$(date)\njava -jar /a.jar $D":                          "holds $D, which is worked out",
		"java -jar /a.jar `date`":                                 "holds `date`, which is worked out",
		"java $OPTS -jar /a.jar":                                  "holds $OPTS, which is worked out when it runs, or which nothing sets",
		"if true; then java -jar /a.jar; fi":                      "java is started in a condition",
		"for i in 1 2; do java -jar /a.jar; done":                 "java is started in a loop",
		"f() { java -jar /a.jar; }; f":                            "java is started in a function",
		"java -jar target/a.jar":                                  "made in the job's workspace",
		"java -jar $WORKSPACE/a.jar":                              "the jar is another one in each run",
		"java -cp '/a.jar:/b.jar' Main":                           "the class path has several entries",
		"java -jar /a.jar < in":                                   "java reads its input",
		"java -jar /a.jar | grep x":                               "java writes into a pipe",
		"[ -f x ] || java -jar /a.jar":                            "depends on another command",
		"! java -jar /a.jar":                                      "turns the exit code",
		"sudo -u b java -jar /a.jar":                              "another user",
		"java @opts -jar /a.jar":                                  "options stand in a file",
		"java -Xloggc:$RUN_DATE.log -jar /a.jar":                  "is another one in each run",
		"java -Xmx1g":                                             "no jar and no class",
		"java Main":                                               "class path that the script does not name",
		"[ -f lock ] && exit 0\njava -jar /a.jar":                 "may end before java",
		"read X\njava -jar /a.jar $X":                             "holds $X",
		"for D in a b; do :; done\njava -jar /a.jar $D":           "holds $D",
		"java -jar /a.jar \"":                                     "no shell can read it",
		"java -jar /opt/*.jar":                                    "holds /opt/*.jar",
		"java -jar /a.jar {a,b}":                                  "holds {a,b}",
		"cd /opt\ncd $(dirname x)\njava -jar a.jar":               "changes to a directory that it works out",
		"cd $(dirname x)\ncd lib\njava -jar a.jar":                "changes to a directory that it works out",
		"pushd /opt\njava -jar a.jar":                             "changes to a directory that it works out",
		"if x; then cd /opt; fi\njava -jar a.jar":                 "changes to a directory that it works out",
		"java -jar /a.jar # x\\\necho done":                       "a comment ends with a backslash",
		"trap 'rm x' EXIT\njava -jar /a.jar":                      "may end before java",
		"alias java=/jdk-17/bin/java\njava -jar /a.jar":           "another command",
		"if x; then D=/data; fi\njava -jar /a.jar\nrm -rf $D/tmp": "line 3 of the script: what is done after java needs D",
		"read D\njava -jar /a.jar\nrm -rf $D/tmp":                 "line 3 of the script: what is done after java needs D",
		"D=1\nf() { D=2; }\nf\njava -jar /a.jar $D":               "holds $D",
		"[ -f /ready ] && java -jar /a.jar":                       "java is started in a condition",
		"! pgrep x && java -jar /a.jar":                           "java is started in a condition",
		"#!/bin/bash\n[[ -f /ready ]] && java -jar /a.jar":        "java is started in a condition",
		"IFS=,\njava -jar /a.jar $RUN_DATE":                       "it sets IFS",
		"if x; then IFS=,; fi\njava -jar /a.jar":                  "it sets IFS",
		"flock -n /x java -jar /a.jar":                            "line 1 of the script: java is started by flock",
		"ssh b 'cd /x && java -Xmx1g -jar a.jar'":                 "java is started by ssh",
		"eval \"java -jar /a.jar\"":                               "java is started by eval",
		"C='java -jar /a.jar'\n$C x":                              "line 2 of the script: the command that starts java stands in a variable",
		"echo java -jar x":                                        "it starts no java",
		"#!/usr/bin/env python3\nos.system('java')":               "it is written for python3",
		strings.Repeat("#", javastart.MaxScript+1):                "256 KiB is the most",
	}
	for script, want := range tests {
		_, err := javastart.Read(script, given)
		var plain *javastart.NotPlainError
		if !errors.As(err, &plain) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, and want %q", script, err, want)
		}
	}
}

func TestNotes(t *testing.T) {
	tests := map[string]string{
		"java -jar /a.jar || true":                    "ignored",
		"set +e\njava -jar /a.jar\nexit 0":            "ignored",
		"java -jar /a.jar $RUN_DATE":                  "split",
		"set -o pipefail\njava -jar /a.jar | tee log": "output",
		"nice -n 10 java -jar /a.jar":                 "priority",
		"timeout 3600 java -jar /a.jar":               "timeout",
		"ulimit -n 4096\njava -jar /a.jar":            "limits",
		"export T=$(date)\njava -jar /a.jar":          "env",
		"S=$(date)\njava -jar /a.jar\necho $S":        "anew",
		"cd $(dirname x)\njava -jar /a.jar":           "directory",
		"if x; then export A=1; fi\njava -jar /a.jar": "env",
		"set -a\njava -jar /a.jar":                    "env",
		"export PATH=/x:$PATH\njava -jar /a.jar":      "env",
		"PATH=/x:$PATH\njava -jar /a.jar":             "env",
		"java -jar /a.jar ${NOPE:-x}":                 "default",
	}
	for script, want := range tests {
		got, err := javastart.Read(script, given)
		if err != nil || len(got.Notes) != 1 || got.Notes[0].Rule != want {
			t.Errorf("%q: %+v, %v; want a note %s", script, got, err, want)
		}
	}
}

// TestLegacy reads every script of the old Jenkins.
func TestLegacy(t *testing.T) {
	for _, c := range legacy.Jobs(300) {
		root, err := jobxml.Parse([]byte(c.XML))
		if err != nil {
			t.Fatal(err)
		}
		job, err := jobxml.Read(root)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range job.Steps {
			got, err := javastart.Read(step, func(n string) bool { return given(n) || n == "REGION" })
			if stranger := strings.Contains(c.Name, "/operations/"); (err != nil) != stranger {
				t.Errorf("%s: %v", c.Name, err)
			}
			if err == nil && (len(got.Options) < 15 || len(got.Args) < 2) {
				t.Errorf("%s: %+v", c.Name, got)
			}
		}
	}
}

func TestErrexit(t *testing.T) {
	for script, want := range map[string]bool{"x": true, "#!/bin/sh -xe\nx": true, "#!/bin/bash\nx -e": false, "#!/bin/bash --norc -l": false, "#!/bin/bash -l -e": true, "#!": false} {
		if got := javastart.Errexit(script); got != want {
			t.Errorf("%q: %v", script, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("cd /x && java -Xmx1g -jar a.jar $RUN_DATE || exit 1")
	f.Add("A=\"$A $A\"\nexport A\njava $A -cp /x.jar M <<EOF\nEOF\n")
	f.Fuzz(func(t *testing.T, script string) {
		got, err := javastart.Read(script, given)
		if err != nil {
			var plain *javastart.NotPlainError
			if !errors.As(err, &plain) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if got.Jar == "" || !strings.HasPrefix(got.Jar, "/") {
			t.Fatalf("jar %q", got.Jar)
		}
	})
}
