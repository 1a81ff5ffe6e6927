// Import measures batchctl import and factor over an old Jenkins of 2,000 jobs
// that start a JVM, against the figures of the design. scripts/bench.sh starts
// it.
//
// Wall time is the least of several runs: others may be using the machine,
// and the least is what they disturbed least.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/factor"
	"github.com/batchctl/batchctl/internal/legacy"
)

// jobs is the size of the old Jenkins.
const jobs = 2000

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
	home, flat, layered := filepath.Join(work, "home"), filepath.Join(work, "flat"), filepath.Join(work, "layered")
	n, err := legacy.Write(home, jobs)
	if err != nil {
		return err
	}
	var imported, factored cost
	var sizes struct {
		Jobs   int `json:"jobs"`
		Before int `json:"bytes_before"`
		After  int `json:"bytes_after"`
	}
	for round := range runs {
		for _, dir := range []string{flat, layered} {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
		took, _, err := measure(batchctl, "import", "--from", home, "--checksums", filepath.Join(home, legacy.Checksums), "--out", flat)
		if err != nil {
			return err
		}
		imported = lower(imported, took, round == 0)
		took, out, err := measure(batchctl, "factor", flat, "--out", layered, "-o", "json")
		if err != nil {
			return err
		}
		factored = lower(factored, took, round == 0)
		if err := json.Unmarshal(out, &sizes); err != nil {
			return err
		}
	}
	same, err := identical(flat, layered)
	if err != nil {
		return err
	}
	fmt.Println("| what | wall | CPU | memory | figure |")
	fmt.Println("| --- | --- | --- | --- | --- |")
	row(fmt.Sprintf("import %d jobs from %d config.xml", jobs, n), imported, "")
	row(fmt.Sprintf("factor the %d batches of that", sizes.Jobs), factored, fmt.Sprintf("import and factor ≤ 10 s: %.1f s", (imported.wall+factored.wall).Seconds()))
	fmt.Printf("| text after factoring: %d of %d kB | | | | ≤ 15 %% of the flat tree: %.1f %% |\n", sizes.After/1000, sizes.Before/1000, 100*float64(sizes.After)/float64(sizes.Before))
	fmt.Printf("| jobs with identical effective values | | | | all of them: %d of %d |\n", same, sizes.Jobs)
	return nil
}

// identical counts the jobs that say the same in two trees, by reading both
// again.
func identical(a, b string) (int, error) {
	old, faults := batches.Load(batches.Dir(a)).Effective()
	now, more := batches.Load(batches.Dir(b)).Effective()
	if len(faults)+len(more) > 0 || len(old) != len(now) {
		return 0, fmt.Errorf("%d jobs and %d jobs, with %d faults", len(old), len(now), len(faults)+len(more))
	}
	same := 0
	for i := range old {
		if factor.Same(old[i:i+1], now[i:i+1]) == nil {
			same++
		}
	}
	return same, nil
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
