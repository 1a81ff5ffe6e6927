// Bench measures batchctl against the figures of its design and against
// Jenkins Job Builder, in one run on one machine, and prints the table of
// docs/benchmarks.md. scripts/bench.sh starts it.
//
// Wall time is the least of several runs: others may be using the machine,
// and the least is what they disturbed least. Ratios are of CPU time too,
// which they disturb less.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/internal/benchtree"
)

func main() {
	batchctl := flag.String("batchctl", "bin/batchctl", "the program to measure")
	jjb := flag.String("jjb", "", "jenkins-jobs of Jenkins Job Builder; empty leaves the comparison out")
	python := flag.String("python", "python3", "for the generator of Jenkins Job Builder's input")
	generator := flag.String("generator", "scripts/jjb_gen.py", "that generator")
	runs := flag.Int("runs", 9, "rounds in which each command runs once")
	floor := flag.String("floor", "", "only parse the YAML files of this tree, with nothing else done (bench starts itself so)")
	flag.Parse()
	if *floor != "" {
		if err := parseOnly(*floor); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	b := &bench{batchctl: *batchctl, jjb: *jjb, python: *python, generator: *generator, runs: *runs}
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	batchctl, jjb, python, generator, work string
	runs                                   int
}

// cost is what a command took.
type cost struct {
	wall, cpu time.Duration
	rss       int64 // most memory, in bytes
}

func (b *bench) run() error {
	work, err := os.MkdirTemp("", "batchctl-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b.work = work
	for _, n := range []int{1000, 10_000} {
		if err := benchtree.Write(b.tree(n), n); err != nil {
			return err
		}
	}
	fmt.Printf("%s, %d cores, %s, %s\n\n", cpuModel(), runtime.NumCPU(), runtime.Version(), strings.TrimSpace(kernel()))
	fmt.Println("| what | wall | CPU | memory | figure |")
	fmt.Println("| --- | --- | --- | --- | --- |")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// One round runs each command once, so that a machine that slows down or
	// recovers does so for all of them, and their ratios hold.
	out, small := filepath.Join(b.work, "out"), filepath.Join(b.work, "small")
	commands := [][]string{
		{b.batchctl, "-C", b.tree(10_000), "render", "--out", out},
		{b.batchctl, "-C", b.tree(10_000), "render", "--out", out},
		{b.batchctl, "-C", b.tree(1000), "render", "--out", small},
		{b.batchctl, "-C", b.tree(10_000), "validate"},
		{b.batchctl, "-C", b.tree(10_000), "explain", "live-1/pay/aggregate-00010"},
		{self, "-floor", b.tree(10_000)},
	}
	least := make([]cost, len(commands))
	for round := range b.runs {
		for _, dir := range []string{out, small} {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
		for i, c := range commands {
			took, err := measure(c[0], c[1:]...)
			if err != nil {
				return err
			}
			least[i] = lower(least[i], took, round == 0)
		}
	}
	fresh, validate, floor := least[0], least[3], least[5]
	row("render 10,000 jobs from 10,000 files, into an empty directory", fresh, "≤ 0.5 s, ≤ 200 MB")
	row("the same again, nothing changed", least[1], "")
	row("render 1,000 jobs", least[2], fmt.Sprintf("linear: 10,000 jobs take %.1f × the CPU", ratio(fresh.cpu, least[2].cpu)))
	row("validate 10,000 jobs", validate, fmt.Sprintf("≤ render: %.2f × its wall time", ratio(validate.wall, fresh.wall)))
	row("explain one job of 10,000", least[4], "≤ 0.1 s")
	row("the floor: yaml.v3 alone reads the same files, on all cores", floor, fmt.Sprintf("render takes %.1f × its wall time", ratio(fresh.wall, floor.wall)))
	if b.jjb == "" {
		return nil
	}
	return b.peer(fresh)
}

// peer measures Jenkins Job Builder on as many jobs, one file each.
func (b *bench) peer(ours cost) error {
	in, out := filepath.Join(b.work, "jjb-in"), filepath.Join(b.work, "jjb-out")
	if text, err := exec.Command(b.python, b.generator, "10000", in, "--layout", "perfile").CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", b.generator, err, text)
	}
	theirs, err := measure(b.jjb, "-l", "WARNING", "test", "-r", in, "-o", out)
	if err != nil {
		return err
	}
	row("Jenkins Job Builder 6.5.0, the same 10,000 jobs, one file each", theirs, fmt.Sprintf("≥ 30 ×: batchctl is %.0f × faster by wall time, %.0f × by CPU", ratio(theirs.wall, ours.wall), ratio(theirs.cpu, ours.cpu)))
	return nil
}

func (b *bench) tree(n int) string { return filepath.Join(b.work, fmt.Sprintf("tree-%d", n)) }

// lower takes the least times, and the most memory.
func lower(a, b cost, first bool) cost {
	if first {
		return b
	}
	return cost{min(a.wall, b.wall), min(a.cpu, b.cpu), max(a.rss, b.rss)}
}

func measure(name string, args ...string) (cost, error) {
	cmd := exec.Command(name, args...)
	var text strings.Builder
	cmd.Stderr = &text
	begin := time.Now()
	err := cmd.Run()
	wall := time.Since(begin)
	if err != nil {
		return cost{}, fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, text.String())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), usage.Maxrss << 10}, nil
}

// parseOnly reads and parses all leaves of a tree on all cores, as batchctl
// does, and throws the result away.
func parseOnly(tree string) error {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(140 << 20)
	files, err := filepath.Glob(filepath.Join(tree, "apps", "*", "*.yaml"))
	if err != nil {
		return err
	}
	var next atomic.Int64
	var g errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return nil
				}
				data, err := os.ReadFile(files[i])
				if err != nil {
					return err
				}
				var doc yaml.Node
				if err := yaml.Unmarshal(data, &doc); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

func row(what string, c cost, figure string) {
	fmt.Printf("| %s | %.2f s | %.2f s | %d MB | %s |\n", what, c.wall.Seconds(), c.cpu.Seconds(), c.rss/1_000_000, figure)
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return "Linux " + string(text)
}
