package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/factor"
	"github.com/batchctl/batchctl/internal/legacy"
)

// jobs is the size of the old Jenkins.
const jobs = 2000

// oldJenkins measures the way from an old Jenkins to a tree on Java 21.
func oldJenkins(batchctl, work string, runs int) error {
	home, flat, layered := filepath.Join(work, "home"), filepath.Join(work, "flat"), filepath.Join(work, "layered")
	n, err := legacy.Write(home, jobs)
	if err != nil {
		return err
	}
	var imported, factored, migrated cost
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
	row(fmt.Sprintf("import %d jobs from %d config.xml", jobs, n), imported, "")
	row(fmt.Sprintf("factor the %d batches of that", sizes.Jobs), factored, fmt.Sprintf("import and factor ≤ 10 s: %.1f s", (imported.wall+factored.wall).Seconds()))
	fmt.Printf("| text after factoring: %d of %d kB | | | | ≤ 15 %% of the flat tree: %.1f %% |\n", sizes.After/1000, sizes.Before/1000, 100*float64(sizes.After)/float64(sizes.Before))
	fmt.Printf("| jobs with identical effective values | | | | all of them: %d of %d |\n", same, sizes.Jobs)
	files := 0
	for round := range runs {
		took, n, err := migrate(batchctl, layered, filepath.Join(work, "migrated"))
		if err != nil {
			return err
		}
		migrated, files = lower(migrated, took, round == 0), n
	}
	row(fmt.Sprintf("migrate jvm from 11 to 21: %d jobs, %d files", sizes.Jobs, files), migrated, "≤ 2 s")
	return undone(batchctl, layered, filepath.Join(work, "rolled"))
}

// misspelt is the one option that no JVM knows, put right before.
var misspelt = []string{"migrate", "replace-value", "spec.java.options", "--", "-XX:G1HeapRegionSiez=8m", "-XX:G1HeapRegionSize=8m"}

// migrate moves a copy of a tree to Java 21, and counts the files that differ
// then.
func migrate(batchctl, layered, to string) (cost, int, error) {
	if err := anew(layered, to); err != nil {
		return cost{}, 0, err
	}
	if _, _, err := measure(batchctl, append([]string{"-C", to}, misspelt...)...); err != nil {
		return cost{}, 0, err
	}
	took, _, err := measure(batchctl, "-C", to, "migrate", "jvm", "--from", "11", "--to", "21")
	if err != nil {
		return cost{}, 0, err
	}
	out, err := exec.Command("diff", "-rq", layered, to).Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return cost{}, 0, err
	}
	return took, bytes.Count(out, []byte("\n")), nil
}

// undone starts a rollout in a copy of a tree, takes it back, and says whether
// every byte is as it was.
func undone(batchctl, layered, to string) error {
	if err := anew(layered, to); err != nil {
		return err
	}
	if _, _, err := measure(batchctl, "-C", to, "rollout", "start", "jvm-21", "--from", "11", "--to", "21", "--select", "!**/"+filepath.Base(legacy.MisspeltJob)); err != nil {
		return err
	}
	if exec.Command("diff", "-rq", layered, to).Run() == nil {
		return errors.New("the rollout changed nothing")
	}
	if _, _, err := measure(batchctl, "-C", to, "rollout", "undo", "jvm-21"); err != nil {
		return err
	}
	if out, err := exec.Command("diff", "-rq", layered, to).CombinedOutput(); err != nil {
		return fmt.Errorf("after undo the tree is another one: %s", out)
	}
	fmt.Println("| rollout start, then undo | | | | identical bytes: yes |")
	return nil
}

// anew makes a directory a copy of another one.
func anew(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(from))
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
