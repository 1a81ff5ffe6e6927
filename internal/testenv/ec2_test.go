package testenv

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The server answers, is one for all tests, and stands in the report with its
// version.
func TestEC2(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report")
	t.Setenv("BATCHCTL_TEST_REPORT", report)
	a, b := EC2(t), EC2(t)
	if a != b || !strings.HasPrefix(a, "http://127.0.0.1:") {
		t.Errorf("two tests have %s and %s", a, b)
	}
	res, err := http.Post(a+"/moto-api/reset", "", nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v", res, err)
	}
	res.Body.Close()
	text, err := os.ReadFile(report)
	if err != nil || !strings.HasPrefix(string(text), "ran\tmoto 5.") {
		t.Errorf("the report is %q, %v", text, err)
	}
}

// The server ends when nobody holds its standard input any more, as when a
// test's process was killed.
func TestEC2Ends(t *testing.T) {
	EC2(t) // or this test is skipped
	cmd := exec.Command(motoPath(), "serve")
	cmd.Env = append(os.Environ(), "BATCHCTL_CACHE="+Cache())
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if res, err := http.Get(strings.TrimSpace(url)); err == nil {
		res.Body.Close()
		t.Error("it still answers")
	}
}
