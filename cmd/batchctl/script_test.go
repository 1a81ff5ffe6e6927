package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/batchctl/batchctl/internal/killpoint/killtest"
	"github.com/batchctl/batchctl/internal/testenv"
)

var update = flag.Bool("update", false, "write what the scripts compare with anew")

func TestMain(m *testing.M) {
	killtest.Arm()
	testscript.Main(m, map[string]func(){"batchctl": main})
}

// TestScripts runs the manual of the program: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLE", filepath.Join(testenv.Root(), "examples", "payments"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"apply":    applyTo,
			"exits":    exits,
			"jenkins":  serveJenkins,
			"sametree": sametree,
			"sub":      sub,
		},
	})
}

// exits CODE COMMAND… runs a command that must end with that exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("%q ended with %d, not %d", args[1:], code, want)
	}
}

// sametree A B compares all files of two directories: names, bytes, and with
// a third argument "times" also when they were written.
func sametree(ts *testscript.TestScript, neg bool, args []string) {
	a, b := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	same := compareDirs(ts, a, b, len(args) > 2) && compareDirs(ts, b, a, len(args) > 2)
	if same == neg {
		ts.Fatalf("%s and %s: the same is %v", args[0], args[1], same)
	}
}

func compareDirs(ts *testscript.TestScript, a, b string, times bool) bool {
	entries, err := os.ReadDir(a)
	ts.Check(err)
	for _, e := range entries {
		x, err := os.ReadFile(filepath.Join(a, e.Name()))
		ts.Check(err)
		y, err := os.ReadFile(filepath.Join(b, e.Name()))
		if err != nil || !bytes.Equal(x, y) {
			return false
		}
		if times {
			s, err := os.Stat(filepath.Join(a, e.Name()))
			ts.Check(err)
			t, err := os.Stat(filepath.Join(b, e.Name()))
			ts.Check(err)
			if !s.ModTime().Equal(t.ModTime()) {
				return false
			}
		}
	}
	return true
}

// sub FILE OLD NEW replaces text in a file.
func sub(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	text, err := os.ReadFile(file)
	ts.Check(err)
	if !bytes.Contains(text, []byte(args[1])) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(file, bytes.ReplaceAll(text, []byte(args[1]), []byte(args[2])), 0o644))
}
