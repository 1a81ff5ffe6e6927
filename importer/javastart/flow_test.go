package javastart_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/importer/javastart"
)

// flowScripts are scripts that do more than start java. Every line of OUT is
// something that was done.
var flowScripts = []string{
	"say a\njava -jar /a.jar\nsay b",
	"java -jar /a.jar || exit 1\nsay b",
	"java -jar /a.jar || { say bad; exit 2; }\nsay b",
	"java -jar /a.jar || say bad\nsay b",
	"java -jar /a.jar || true\nsay b",
	"java -jar /a.jar || false\nsay b",
	"java -jar /a.jar && say ok\nsay b",
	"java -jar /a.jar && say ok || say bad\nsay b",
	"java -jar /a.jar && say ok || exit 3\nsay b",
	"{ java -jar /a.jar || exit 1; say in; }\nsay b",
	"(java -jar /a.jar; say in)\nsay b",
	"#!/bin/sh\njava -jar /a.jar\nsay b $?\nsay c",
	"#!/bin/sh\njava -jar /a.jar || { say bad; exit 2; }\nsay b\nexit 0",
	"#!/bin/sh\njava -jar /a.jar\nRC=$?\nif [ $RC -ne 0 ]; then say bad; exit $RC; fi\nsay b",
	"#!/bin/sh\nset -e\njava -jar /a.jar\nsay b",
	"#!/bin/bash\n[[ a == a ]] && say a\n[[ a == b ]] && say never\njava -jar /a.jar\nA=(x y)\nsay ${A[1]}",
	"#!/bin/bash -e\nsay a < <(true)\njava -jar /a.jar\n[[ -n x ]] && say b",
	"#!/bin/bash\nset -eo pipefail\njava -jar /a.jar | tee log\nsay b",
	"java -jar /a.jar | tee log\nsay b",
	"[ -f nothing ] && say never\njava -jar /a.jar",
	"if [ -f nothing ]; then say never; fi\njava -jar /a.jar",
	"#!/bin/sh\nsay a; false\njava -jar /a.jar\nsay b",
	"! true\njava -jar /a.jar",
	"say a <<E\nEND\nE\njava -jar /a.jar\ncat >x <<'END'\n$A\nEND\nsay $(cat x)",
	"#!/bin/bash\nread LINE <<<'p q'\nsay \"$LINE\"\ncat >/dev/null\nsay b\njava -jar /a.jar",
	"nohup java -jar /a.jar &\nPID=$!\nwait $PID\nsay b",
	"java -jar /a.jar &\nwait\nsay b",
	"fail() { say \"$1\"; exit 4; }\njava -jar /a.jar || fail bad\nsay b",
	"fail() { say \"$1\"; }\nfail before\njava -jar /a.jar || { fail bad; exit 1; }",
	"echo 'V=value' >env.sh\n. ./env.sh\nsay $V\njava -jar /a.jar\nsay $V",
	"mkdir x; cd $(echo x)\njava -jar /a.jar\nsay $(basename $(pwd))",
	"exec java -jar /a.jar\nsay never",
	"mkdir d && cd d && java -jar /a.jar\nsay $(basename $PWD)",
	"#!/bin/bash\nsay a && mkdir /proc/no 2>/dev/null && java -jar /a.jar",
	"mkdir /proc/no 2>/dev/null && java -jar /a.jar",
	"#!/bin/sh\ncd nowhere 2>/dev/null && java -jar /a.jar",
	"(exec java -jar /a.jar; say never)\nsay b",
	"exec java -jar /a.jar || say never",
	"java -jar /a.jar | tee log || say never\nsay b $?",
	"java -jar /a.jar | tee log && say always",
	"java -jar /a.jar || say bad\nif [ $? -ne 0 ]; then say never; fi",
	"X=$(echo one)\njava -jar /a.jar\nsay $X",
	"for I in 1 2; do say $I; done\njava -jar /a.jar\nfor I in 3 4; do say $I; done",
	"say a\nX=1\njava -jar /a.jar\nsay $X\nexit 0",
	"rc=0\njava -jar /a.jar || rc=$?\nif [ $rc -ne 0 ]; then say bad $rc; fi\nexit $rc",
	"java -jar /a.jar || rc=$?\nsay ${rc:-none}",
	"java -jar /a.jar || rc=$?",
	"rc=0\njava -jar /a.jar || rc=$?\nexit $rc",
	"rc=0; java -jar /a.jar || rc=$?; [ $rc -eq 3 ] && exit 0; exit $rc",
	"java -jar /a.jar || rc=1\n[ -z \"$rc\" ] || say bad\nexit $rc",
	"set +e\njava -jar /a.jar\nRC=$?\ncase $RC in 0) say good ;; 3) exit 0 ;; *) exit 1 ;; esac",
	"{ java -jar /a.jar || rc=$?; }\nsay ${rc:-none}",
	"java -jar /a.jar >log 2>&1\nsay b",
}

// TestFlow lets the real shells run scripts as Jenkins does, and then as
// batchctl does what Read makes of them: both do the same things in the same
// order, whether java fails or not.
func TestFlow(t *testing.T) {
	for _, script := range flowScripts {
		start, err := javastart.Read(script, func(string) bool { return false })
		if err != nil {
			t.Errorf("%v in\n%s", err, script)
			continue
		}
		for _, code := range []int{0, 3} {
			want, wantCode := runFlow(t, code, script)
			got, gotCode := runFlow(t, code, asBatch, start.Before, start.After)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("java ends with %d; Jenkins does (-), the batch (+)\n%s\n%s\nbefore:\n%s\nafter:\n%s", code, diff, script, start.Before, start.After)
			}
			ignored := false
			for _, n := range start.Notes {
				ignored = ignored || n.Rule == "ignored" || n.Rule == "background" || n.Rule == "forgiven"
			}
			if (wantCode == 0) != (gotCode == 0) && !ignored {
				t.Errorf("java ends with %d; Jenkins with %d, the batch with %d, and nothing is noted\n%s", code, wantCode, gotCode, script)
			}
		}
	}
}

// TestAnyFlow has scripts put together of what people write around java: what
// is done is the same. Their number is fixed, so that the test is.
func TestAnyFlow(t *testing.T) {
	heads := []string{"", "", "#!/bin/sh\n", "#!/bin/bash\n", "#!/bin/sh -e\n", "#!/bin/bash -e\n"}
	before := []string{"say p1", "set -e", "set +e", "X=1", "Y=$(echo two)", "[ -f nope ] && say no", "[ -d . ] && say yes", "if [ -f nope ]; then say a; else say b; fi",
		"f() { say f $1; return 3; }", "mkdir -p d && cd d", "cd /tmp", "say p2 || true", "false || say q", "export Z=zz", "! false", "for i in 1 2; do say $i; done", "(cd /; say sub)", "{ say grp; }"}
	java := []string{"java -jar /a.jar", "exec java -jar /a.jar", "java -jar /a.jar | tee log", "time java -jar /a.jar", "X=5 java -jar /a.jar"}
	around := []string{"%", "%", "% || exit 7", "% || say bad", "% && say ok", "% && say ok || say bad", "{ %\n say in; }", "(%\n say in)", "% || { say bad; exit 2; }", "% || RC=$?"}
	after := []string{"say r1", "RC=$?", "say rc $?", "[ $? -eq 0 ] || exit 9", "if [ $? -ne 0 ]; then say failed; exit 5; fi", "exit 0", "exit $?", "exit $RC", "[ ${RC:-0} -ne 0 ] && say alert", "[ ${RC:-0} -eq 3 ] && exit 0", "say x $X y $Y", "f 2", "say z $Z", "set +e", "[ -f nope ] && say no", "false"}
	understood := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 0))
		pick := func(list []string) string { return list[r.IntN(len(list))] }
		script := pick(heads)
		for range r.IntN(4) {
			script += pick(before) + "\n"
		}
		script += strings.Replace(pick(around), "%", pick(java), 1) + "\n"
		for range r.IntN(4) {
			script += pick(after) + "\n"
		}
		start, err := javastart.Read(script, func(string) bool { return false })
		if err != nil {
			continue
		}
		understood++
		for _, code := range []int{0, 3} {
			want, _ := runFlow(t, code, script)
			got, _ := runFlow(t, code, asBatch, start.Before, start.After)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d: java ends with %d; Jenkins does (-), the batch (+)\n%s\n%s\nbefore:\n%s\nafter:\n%s", seed, code, diff, script, start.Before, start.After)
			}
		}
	}
	if understood < 50 {
		t.Errorf("only %d scripts were understood", understood)
	}
}

// asBatch does as batchctl's jobs do.
const asBatch = "sh -eu before || exit\nBATCH_EXIT_CODE=0\njava -jar /a.jar || export BATCH_EXIT_CODE=$?\nexport BATCH_EXIT_CODE\nsh -eu after || exit\nexit $BATCH_EXIT_CODE"

// runFlow runs a script with a java that ends with a code, and returns what
// was done, and how it ended. Parts are scripts beside it.
func runFlow(t *testing.T, code int, script string, parts ...string) (string, int) {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"script": script, "bin/say": "#!/bin/sh\necho \"say $*\" >>\"$OUT\"\n", "bin/java": "#!/bin/sh\necho java >>\"$OUT\"\nexit " + strconv.Itoa(code) + "\n"}
	for i, text := range parts {
		files[[]string{"before", "after"}[i]] = text
	}
	for name, text := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", "-e", "script")
	if strings.HasPrefix(script, "#!") {
		cmd = exec.Command("./script")
	}
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + dir + "/bin:/usr/bin:/bin", "OUT=" + filepath.Join(dir, "out")}
	if said, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("%v %s", err, said)
	}
	out, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// TestScript: what only bash can read is left to bash, and nothing else.
func TestScript(t *testing.T) {
	for _, body := range []string{"[[ a == b ]]\n", "pushd x\n", "source x\n", "a=(1)\n", "set -o pipefail\n", "if [ a == b ]; then x; fi\n", "echo -e x\n", "x < <(y)\n"} {
		if got, want := javastart.Script("x\n", "head\n", body, true), "head\nbash -e /dev/fd/3 3<<'END'\n"+body+"END\n"; got != want {
			t.Errorf("%q: %q; want %q", body, got, want)
		}
	}
	for _, body := range []string{"[ a = b ]\n", ". x\n", "echo x ==\n", "set -x\n", "x \"$(y)\"\n"} {
		if got, want := javastart.Script("#!/bin/sh\nx\n", "head\n", body, false), "set +eu\nhead\n"+body; got != want {
			t.Errorf("%q: %q; want %q", body, got, want)
		}
	}
	for script, want := range map[string]string{
		"#!/usr/bin/env -S python3 -u\nprint()": "/usr/bin/env -S python3 -u /dev/fd/3 3<<'END'\nprint()\nEND\n",
		"#! /bin/bash\nEND\nEND_\n":             "/bin/bash /dev/fd/3 3<<'END__'\nEND\nEND_\nEND__\n",
	} {
		if got := javastart.Script(script, "", script, false); got != want {
			t.Errorf("%q: %q; want %q", script, got, want)
		}
	}
}

// TestExportedWithin: what is exported in a condition or a loop before java is
// not known, and not lost in silence.
func TestExportedWithin(t *testing.T) {
	for _, script := range []string{"if [ -f /x ]; then export A=1; fi\njava -jar /a.jar", "for A in 1 2; do export A; done\njava -jar /a.jar", "[ -f /x ] && export A=1\njava -jar /a.jar"} {
		start, err := javastart.Read(script, func(string) bool { return false })
		if err != nil {
			t.Fatalf("%v in\n%s", err, script)
		}
		want := javastart.Note{Rule: "env", Text: "it exports A, whose value it works out by running something; the program does not get it"}
		if !slices.Contains(start.Notes, want) || len(start.Env) > 0 {
			t.Errorf("%+v in\n%s", start, script)
		}
	}
}

// TestWritten: a script that needs the file that java's output went into is not
// followed, by whatever name it has the file.
func TestWritten(t *testing.T) {
	for after, needs := range map[string]bool{
		"grep E out.log": true, "grep E \"./out.log\"": true, "cat ${WORKSPACE}/out.log": true, "cat *.log": true, "mail -s x <out.log": true, "gzip 'out.log'": true,
		"cat other.log": false, "git log": false, "echo out.login": false, "case $? in 0) ;; *) exit 1 ;; esac": false, "rm -f x/*.txt": false, "say b": false,
	} {
		const java = "set +e\njava -jar /a.jar >/tmp/out.log 2>&1\n"
		_, err := javastart.Read(java+after, func(string) bool { return true })
		if got := err != nil && strings.Contains(err.Error(), "java's output went into"); got != needs {
			t.Errorf("%s: %v", after, err)
		}
		start, err := javastart.Read(java, func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if got := start.Needed(after) != ""; got != needs {
			t.Errorf("%s, in another step: %q", after, start.Needed(after))
		}
	}
	if start, err := javastart.Read("java -jar /a.jar | tee -a out.log", func(string) bool { return true }); err != nil || start.Needed("ls -a") != "" || start.Needed("cat out.log") == "" {
		t.Errorf("%+v, %v", start, err)
	}
	start, err := javastart.Read("set +e\njava -jar /a.jar >$LOG 2>/dev/null\nsay $LOGIN", func(string) bool { return true })
	if err != nil || start.Needed("cat \"${LOG}\"") == "" || start.Needed("cat /dev/null") != "" {
		t.Errorf("%+v, %v", start, err)
	}
}
