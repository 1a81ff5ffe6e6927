// Package realjvm starts a real JVM and keeps what it answered. The generator
// of the flag table asks with it, and the tests compare Lint with it.
package realjvm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// Answer is what one start of a JVM came to.
type Answer struct {
	ExitCode int    // 0 where the JVM started and ended well; -1 where a signal ended it
	Output   string // standard output, then standard error
}

// limit ends a JVM that hangs. A start takes about 0.1 s; the long lists of
// the generator take half a minute on a busy machine.
const limit = 5 * time.Minute

// Start runs java with args in dir and waits for its end. The environment is
// bare, because JAVA_TOOL_OPTIONS and its kin would change the answer.
func Start(ctx context.Context, java, dir string, args ...string) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, java, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	// Two buffers: in one, a JVM's lines on the two streams cut each other.
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		return Answer{}, fmt.Errorf("start %s: %w", java, err)
	}
	return Answer{ExitCode: cmd.ProcessState.ExitCode(), Output: stdout.String() + stderr.String()}, nil
}

var release = regexp.MustCompile(`version "([0-9][^"]*)"`)

// Release returns the exact update of a JVM, such as 21.0.8.
func Release(ctx context.Context, java string) (string, error) {
	answer, err := Start(ctx, java, "", "-version")
	if err != nil {
		return "", err
	}
	m := release.FindStringSubmatch(answer.Output)
	if m == nil {
		return "", fmt.Errorf("%s -version: no version in %q", java, answer.Output)
	}
	return m[1], nil
}
