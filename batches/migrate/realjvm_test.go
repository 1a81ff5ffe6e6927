package migrate

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/batches"
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

// TestRealJVMStartsEveryMigratedSet moves a batch for each of the habits, in a
// tree, and starts the real JVMs: what JVM 11 took before, JVM 21 takes after.
func TestRealJVMStartsEveryMigratedSet(t *testing.T) {
	old, fresh := testenv.JVM(t, 11), testenv.JVM(t, 21)
	files := map[string]string{}
	for name, text := range shop {
		if !strings.HasPrefix(name, "apps/") && !strings.HasPrefix(name, "app-groups/") {
			files[name] = text
		}
	}
	for i, line := range habits {
		files[fmt.Sprintf("apps/g/job-%02d.yaml", i)] = fmt.Sprintf("apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: job-%02d}\ndeploy: [live-1]\nspec:\n  java:\n    options: [\"%s\"]\n", i, strings.ReplaceAll(line, " ", `", "`))
	}
	base := fsOf(files)
	before, _ := batches.Load(base).Documents()
	r := run(t, base, Step{Change: JVM{From: 11, To: 21}})
	after, _ := batches.Load(r.overlay(base)).Documents()
	moved := 0
	for i, d := range after {
		if starts(t, old, before[i]) != "" {
			continue // it did not run before, and need not now
		}
		if d.Value("spec", "java", "version").Text() != "21" {
			t.Errorf("%q runs on 11 and was not moved: %v", habits[i], r.Undecided)
			continue
		}
		moved++
		if said := starts(t, fresh, d); said != "" {
			t.Errorf("%q became %s:\n%s", habits[i], d.Value("spec", "java", "options").Text(), said)
		}
	}
	if moved < 10 {
		t.Errorf("only %d sets were moved", moved)
	}
}

// starts starts a JVM with a job's options, and returns what it said where it
// did not come up.
func starts(t *testing.T, java string, d *batches.Document) string {
	t.Helper()
	var args []string
	for _, o := range d.Value("spec", "java", "options").Items() {
		args = append(args, o.Text())
	}
	cmd := exec.Command(java, append(args, "-version")...)
	cmd.Dir, cmd.Env = t.TempDir(), []string{"LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	return string(out) + err.Error()
}
