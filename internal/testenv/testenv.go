// Package testenv gives tests the real programs they run against (JVMs,
// Groovy, a Jenkins) and keeps the account of it.
//
// Every such test calls one of the functions here. Where the program is
// there, the test runs and the report says so. Where it is not, the test is
// skipped, and with CI=true it fails instead: a check that did not run must
// never look like one that passed. scripts/test.sh prints the report.
package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Root returns the project's root directory.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Cache returns the directory that scripts/tools.sh fills with the programs
// that tests need. BATCHCTL_CACHE overrides the default, .cache in the root.
func Cache() string {
	if dir := os.Getenv("BATCHCTL_CACHE"); dir != "" {
		return dir
	}
	return filepath.Join(Root(), ".cache")
}

// JVMs lists the Java feature releases that scripts/tools.sh installs.
var JVMs = []int{11, 17, 21, 25}

// JVM returns the java launcher of the given feature release.
func JVM(t testing.TB, version int) string {
	t.Helper()
	return need(t, fmt.Sprintf("JVM %d", version), filepath.Join(Cache(), "jdk", fmt.Sprint(version), "bin", "java"))
}

// Groovy returns the class path of the Groovy release that stands inside
// Jenkins (2.4.21), to be started with JVM 11.
func Groovy(t testing.TB) string {
	t.Helper()
	return need(t, "Groovy 2.4.21", filepath.Join(Cache(), "groovy", "groovy-all-2.4.21.jar"))
}

// Jenkins describes the running Jenkins that JENKINS_URL names.
type Jenkins struct{ URL, User, Token string }

// RunningJenkins returns the Jenkins named by JENKINS_URL, JENKINS_USER and
// JENKINS_TOKEN. It is the one program that no package registry has, so
// without JENKINS_URL the test is skipped even with CI=true; the report says
// that it did not run.
func RunningJenkins(t testing.TB) Jenkins {
	t.Helper()
	j := Jenkins{URL: os.Getenv("JENKINS_URL"), User: os.Getenv("JENKINS_USER"), Token: os.Getenv("JENKINS_TOKEN")}
	if j.URL == "" {
		record(t, "not run", "a running Jenkins (set JENKINS_URL, JENKINS_USER, JENKINS_TOKEN)")
		t.Skip("JENKINS_URL is not set")
	}
	record(t, "ran", "Jenkins at "+j.URL)
	return j
}

func need(t testing.TB, name, path string) string {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		record(t, "ran", name)
		return path
	}
	Missing(t, name+" (scripts/tools.sh installs it)")
	return ""
}

// Missing skips a test for want of something that the machine lacks, and says
// so in the report. With CI=true it fails the test.
func Missing(t testing.TB, what string) {
	t.Helper()
	record(t, "not run", what)
	if os.Getenv("CI") == "true" {
		t.Fatalf("this machine lacks %s, and with CI=true it must not", what)
	}
	t.Skipf("this machine lacks %s", what)
}

// record appends one line to the report that BATCHCTL_TEST_REPORT names.
// One write per line keeps lines of parallel test processes whole.
func record(t testing.TB, what, name string) {
	t.Helper()
	path := os.Getenv("BATCHCTL_TEST_REPORT")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(what + "\t" + name + "\n"); err != nil {
		t.Fatal(err)
	}
}
