// Change measures what the platform team does to many jobs at once, against the
// figures of the design: import, factor and migrate over an old Jenkins of 2,000
// jobs that start a JVM, and diff over 10,000 jobs. scripts/bench.sh starts it.
//
// Wall time is the least of several runs: others may be using the machine,
// and the least is what they disturbed least.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

func main() {
	batchctl := flag.String("batchctl", "bin/batchctl", "the program to measure")
	runs := flag.Int("runs", 5, "rounds in which each command runs once")
	flag.Parse()
	if err := run(*batchctl, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// cost is what a command took.
type cost struct {
	wall, cpu time.Duration
	rss       int64 // most memory, in bytes
}

func run(batchctl string, runs int) error {
	work, err := os.MkdirTemp("", "batchctl-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	fmt.Println("| what | wall | CPU | memory | figure |")
	fmt.Println("| --- | --- | --- | --- | --- |")
	if err := oldJenkins(batchctl, work, runs); err != nil {
		return err
	}
	return differences(batchctl, work, runs)
}

// lower takes the least times, and the most memory.
func lower(a, b cost, first bool) cost {
	if first {
		return b
	}
	return cost{min(a.wall, b.wall), min(a.cpu, b.cpu), max(a.rss, b.rss)}
}

func measure(name string, args ...string) (cost, []byte, error) {
	cmd := exec.Command(name, args...)
	var text strings.Builder
	cmd.Stderr = &text
	begin := time.Now()
	out, err := cmd.Output()
	wall := time.Since(begin)
	if err != nil {
		return cost{}, nil, fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, text.String())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), usage.Maxrss << 10}, out, nil
}

func row(what string, c cost, figure string) {
	fmt.Printf("| %s | %.2f s | %.2f s | %d MB | %s |\n", what, c.wall.Seconds(), c.cpu.Seconds(), c.rss/1_000_000, figure)
}
