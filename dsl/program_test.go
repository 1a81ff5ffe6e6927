package dsl_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/internal/testenv"
)

// program builds, once, the jar that says what it was given.
var program = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "batchctl-program")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	jar := filepath.Join(dir, "show.jar")
	java := filepath.Join(testenv.Cache(), "jdk", "11", "bin", "java")
	groovy := filepath.Join(testenv.Cache(), "groovy", "groovy-all-2.4.21.jar")
	out, err := exec.Command(java, "-XX:+UseSerialGC", "-cp", groovy, "groovy.ui.GroovyMain", "testdata/program.groovy", jar).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return os.ReadFile(jar)
})

// artifact writes the program to a file and returns it as an artifact.
func artifact(t testing.TB, content []byte, name string) batches.Artifact {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return batches.Artifact{URL: "file://" + file, SHA256: hex.EncodeToString(sum[:])}
}

func showJar(t testing.TB) []byte {
	t.Helper()
	testenv.Groovy(t)
	testenv.JVM(t, 11)
	jar, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

// A node is a directory in which shell texts run, as on a machine.
type node struct {
	dir string
	env []string
}

func newNode(t testing.TB, env ...string) *node {
	t.Helper()
	n := &node{dir: t.TempDir(), env: []string{"PATH=/usr/local/bin:/usr/bin:/bin", "BUILD_NUMBER=7"}}
	for _, v := range testenv.JVMs {
		n.env = append(n.env, fmt.Sprintf("JAVA_HOME_%d=%s", v, filepath.Dir(filepath.Dir(testenv.JVM(t, v)))))
	}
	n.env = append(n.env, env...)
	return n
}

// run runs a shell text as Jenkins does: as a file that names its own shell.
// It returns the exit code and what the text wrote to both outputs.
func (n *node) run(t testing.TB, script string, shell ...string) (int, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.sh")
	if err := os.WriteFile(file, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	shell = append(shell, file)
	cmd := exec.Command(shell[0], shell[1:]...)
	cmd.Dir, cmd.Env = n.dir, n.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal()), out.String() // as a shell has it
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// shown is what the program says it was given.
type shown struct {
	args            []string
	jvm             []string
	env, properties map[string]string
}

// readShown reads the three lists of properties that the program prints.
func readShown(t testing.TB, out string) shown {
	t.Helper()
	_, out, found := strings.Cut(out, "#arguments\n")
	arguments, out, more := strings.Cut(out, "#environment\n")
	env, properties, most := strings.Cut(out, "#properties\n")
	if !found || !more || !most {
		t.Fatalf("the program did not run: %.2000s", out)
	}
	s := shown{env: readProperties(t, env), properties: readProperties(t, properties)}
	given := readProperties(t, arguments)
	s.jvm = strings.Split(given["jvm"], "\n")
	for i := range len(given) - 1 {
		s.args = append(s.args, given[strconv.Itoa(i)])
	}
	return s
}

// readProperties reads java.util.Properties as store writes them.
func readProperties(t testing.TB, text string) map[string]string {
	t.Helper()
	m := make(map[string]string)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key := line
		value := ""
		for i := 0; i < len(line); i++ {
			if line[i] == '\\' {
				i++
			} else if line[i] == '=' {
				key, value = line[:i], line[i+1:]
				break
			}
		}
		m[unescape(t, key)] = unescape(t, value)
	}
	return m
}

// unescape undoes the escapes of java.util.Properties.
func unescape(t testing.TB, s string) string {
	t.Helper()
	var units []uint16
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			units = append(units, uint16(s[i]))
			continue
		}
		i++
		switch s[i] {
		case 'u':
			u, err := strconv.ParseUint(s[i+1:i+5], 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			units = append(units, uint16(u))
			i += 4
		case 'n':
			units = append(units, '\n')
		case 'r':
			units = append(units, '\r')
		case 't':
			units = append(units, '\t')
		case 'f':
			units = append(units, '\f')
		default:
			units = append(units, uint16(s[i]))
		}
	}
	return fromUTF16(units)
}
