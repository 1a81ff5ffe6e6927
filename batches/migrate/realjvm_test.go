package migrate

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/importer"
	"github.com/batchctl/batchctl/internal/legacy"
	"github.com/batchctl/batchctl/internal/testenv"
)

// habits are sets of options as authors of legacy jobs write them. JVM 11 does
// not take all of them.
var habits = []string{
	"-Xms64m -XX:+UseConcMarkSweepGC -XX:CMSInitiatingOccupancyFraction=70 -XX:+UseCMSInitiatingOccupancyOnly",
	"-XX:+UseConcMarkSweepGC -XX:+CMSParallelRemarkEnabled -XX:+CMSClassUnloadingEnabled -XX:+PrintGCDetails -Xloggc:gc.log",
	"-XX:+UseParNewGC -XX:+UseConcMarkSweepGC",
	"-XX:+UseParallelGC -XX:+UseParallelOldGC -XX:+AggressiveOpts",
	"-XX:+UseG1GC -XX:G1HeapRegionSize=8m -XX:+UseStringDeduplication -XX:-UseBiasedLocking",
	"-Xloggc:gc.log -XX:+PrintGCDateStamps -XX:+PrintGCTimeStamps",
	"-Xloggc:gc.log -XX:+PrintGC -verbose:gc -XX:+TraceClassLoading",
	"-XX:MaxPermSize=256m -Xverify:none -XX:+UseContainerSupport -XX:MaxRAMFraction=2",
	"-XX:+UnlockExperimentalVMOptions -XX:+UseZGC",
	"-XX:+UnlockDiagnosticVMOptions -XX:+PrintInlining -noverify",
	"-Dfile.encoding=UTF-8 -Duser.timezone=Asia/Seoul -XX:+UseCompressedOops -XX:ThreadStackSize=512",
	"-XX:+UnlockCommercialFeatures -XX:+FlightRecorder",
	"-XX:+FlightRecorder -XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=x.hprof",
	"-Djava.security.manager=allow -XX:+UseSerialGC", "-Djava.locale.providers=COMPAT,CLDR -Xfuture -Xdebug",
	"-XX:G1HeapRegionSiez=8m", "-XX:+UseSharedSpaces -Xshare:auto -XX:-UsePerfData", "-XX:+UseMembar -XX:+UseNUMA -server",
}

// TestRealJVMStartsEveryMigratedSet moves a batch for each of the habits.
func TestRealJVMStartsEveryMigratedSet(t *testing.T) {
	var sets []javaSet
	for _, line := range habits {
		sets = append(sets, javaSet{"1g", strings.Fields(line)})
	}
	if moved := moveAll(t, sets); moved < 10 {
		t.Errorf("only %d sets were moved", moved)
	}
}

// TestRealJVMStartsLegacyJobs moves a batch for each set of options that the
// 2,000 jobs of a legacy Jenkins have.
func TestRealJVMStartsLegacyJobs(t *testing.T) {
	var sources []importer.Source
	for _, j := range legacy.Jobs(2000) {
		sources = append(sources, importer.Source{Name: j.Name, From: j.Name, XML: []byte(j.XML)})
	}
	r, err := importer.Import(sources, importer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range r.Files {
		files[f.Path] = string(f.Text)
	}
	documents, _ := batches.Load(fsOf(files)).Documents() // its problems are those of the options
	var sets []javaSet
	known := map[string]bool{}
	for _, d := range documents {
		set := javaSet{d.Value("spec", "java", "heap").Text(), optionsOf(d)}
		for i, o := range set.options { // each job has a log of its own, in a directory that is not here
			set.options[i] = theirLogs.ReplaceAllString(o, "")
			set.options[i] = theirNames.ReplaceAllString(set.options[i], "gc.log")
		}
		if key := fmt.Sprint(set); d.Value("spec", "java", "version").Text() == "11" && !known[key] {
			known[key] = true
			sets = append(sets, set)
		}
	}
	moved := moveAll(t, sets)
	t.Logf("%d documents, %d sets of options, %d moved", len(documents), len(sets), moved)
	if len(documents) < 2000 || moved < 20 {
		t.Errorf("only %d of %d sets of %d documents were moved", moved, len(sets), len(documents))
	}
}

var (
	theirLogs  = regexp.MustCompile(`/var/log/batch/`)
	theirNames = regexp.MustCompile(`gc-[a-z0-9-]+\.log`)
)

// javaSet is what a job says of its JVM.
type javaSet struct {
	heap    string
	options []string
}

// moveAll moves a batch for each set of options from 11 to 21, in a tree, and
// starts the real JVMs: what JVM 11 took before, JVM 21 takes after. It
// returns how many JVM 11 took.
func moveAll(t *testing.T, sets []javaSet) (moved int) {
	t.Helper()
	old, fresh := testenv.JVM(t, 11), testenv.JVM(t, 21)
	files := map[string]string{}
	for name, text := range shop {
		if !strings.HasPrefix(name, "apps/") && !strings.HasPrefix(name, "app-groups/") {
			files[name] = text
		}
	}
	for i, set := range sets {
		list, err := json.Marshal(set.options)
		if err != nil {
			t.Fatal(err)
		}
		files[fmt.Sprintf("apps/g/job-%04d.yaml", i)] = fmt.Sprintf("apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: job-%04d}\ndeploy: [live-1]\nspec:\n  node: {memory: 64Gi}\n  java:\n    heap: %s\n    options: %s\n", i, set.heap, list)
	}
	base := fsOf(files)
	before, _ := batches.Load(base).Documents()
	r := run(t, base, Step{Change: JVM{From: 11, To: 21}})
	after, _ := batches.Load(r.overlay(base)).Documents()
	for i, d := range after {
		if starts(t, old, before[i]) != "" {
			continue // it did not run before, and need not now
		}
		if d.Value("spec", "java", "version").Text() != "21" {
			t.Errorf("%q runs on 11 and was not moved: %v", sets[i].options, r.Undecided)
			continue
		}
		moved++
		if said := starts(t, fresh, d); said != "" {
			t.Errorf("%q became %s:\n%s", sets[i].options, d.Value("spec", "java", "options").Text(), said)
		}
	}
	return moved
}

func optionsOf(d *batches.Document) (options []string) {
	for _, o := range d.Value("spec", "java", "options").Items() {
		options = append(options, o.Text())
	}
	return options
}

// starts starts a JVM with a job's options, and returns what it said where it
// did not come up.
func starts(t *testing.T, java string, d *batches.Document) string {
	t.Helper()
	// Touching the memory of all jobs takes minutes, and says nothing.
	options := slices.DeleteFunc(optionsOf(d), func(o string) bool { return o == "-XX:+AlwaysPreTouch" })
	cmd := exec.Command(java, append(options, "-version")...)
	cmd.Dir, cmd.Env = t.TempDir(), []string{"LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	return string(out) + err.Error()
}

// TestRealJVMKeepsTheCharset: a job whose locale is not of UTF-8 reads its files
// on Java 21 as it did on 11. The locale is C, which every machine has.
func TestRealJVMKeepsTheCharset(t *testing.T) {
	java := map[string]string{"11": testenv.JVM(t, 11), "21": testenv.JVM(t, 21)}
	base := fsOf(shop, "app-groups/pay.yaml", "spec: {env: {LANG: C}}\n")
	r := run(t, base, Step{Change: JVM{From: 11, To: 21}})
	charset := func(tree fs.FS, version string) string {
		docs := documentsOf(t, tree)
		d := docs[slices.IndexFunc(docs, func(d *batches.Document) bool { return d.Path == "live-1/pay/settle" })]
		if got := d.Value("spec", "java", "version").Text(); got != version {
			t.Fatalf("the job is on Java %s, not %s", got, version)
		}
		cmd := exec.Command(java[version], "-XshowSettings:properties", "-version")
		properties := d.Value("spec", "java", "properties")
		for _, name := range properties.Keys() {
			cmd.Args = slices.Insert(cmd.Args, 1, "-D"+name+"="+properties.Member(name).Text())
		}
		cmd.Env = []string{"LANG=" + d.Value("spec", "env", "LANG").Text()}
		out, err := cmd.CombinedOutput()
		line := regexp.MustCompile(`(?m)^\s*file\.encoding = (.*)$`).FindSubmatch(out)
		if err != nil || line == nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(line[1])
	}
	if before, after := charset(base, "11"), charset(r.overlay(base), "21"); before != after || strings.Contains(before, "UTF") {
		t.Errorf("the charset was %s, and is %s", before, after)
	}
}
