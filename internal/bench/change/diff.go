package main

import (
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/batchctl/batchctl/internal/benchtree"
)

// many is the size of the trees that are compared.
const many = 10_000

// differences measures diff: against a revision where nothing has changed, and
// against a directory where every job has.
func differences(batchctl, work string, runs int) error {
	old, fresh := filepath.Join(work, "old"), filepath.Join(work, "fresh")
	if err := benchtree.Write(old, many); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-qm", "all"}} {
		if out, err := exec.Command("git", append([]string{"-C", old}, args...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, out)
		}
	}
	if err := anew(old, fresh); err != nil {
		return err
	}
	if _, _, err := measure(batchctl, "-C", fresh, "migrate", "set", "spec.java.version=25"); err != nil {
		return err
	}
	var none, all cost
	for round := range runs {
		took, _, err := measure(batchctl, "-C", old, "diff", "HEAD")
		if err != nil {
			return err
		}
		none = lower(none, took, round == 0)
		if took, _, err = measure(batchctl, "-C", fresh, "diff", old); err != nil {
			return err
		}
		all = lower(all, took, round == 0)
	}
	row(fmt.Sprintf("diff of %d jobs and their git revision: none changes", many), none, "≤ 1.5 s")
	row(fmt.Sprintf("diff of two directories of %d jobs: each changes", many), all, "≤ 1.5 s")
	return nil
}
