package jvm

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/internal/testenv"
)

// rewritten renders what becomes of options: each entry that is put, and the
// words about those that are not just replaced.
func rewritten(from, to int, line string) string {
	given := options(line)
	var out []string
	for i, r := range Rewrite(from, to, given) {
		out = append(out, r.Put...)
		if r.Undecided != "" {
			out = append(out, "?"+given[i])
		}
		if r.Note != "" {
			out = append(out, "!"+given[i])
		}
	}
	return strings.Join(out, " ")
}

func TestRewrite(t *testing.T) {
	for _, test := range []struct{ name, line, want string }{
		{"nothing to do", "-Xms1g -XX:+UseG1GC -Dx=y", "-Xms1g -XX:+UseG1GC -Dx=y"},
		{"CMS", "-XX:+UseConcMarkSweepGC -XX:+UseParNewGC -XX:CMSInitiatingOccupancyFraction=70 -XX:+UseCMSInitiatingOccupancyOnly", "-XX:+UseG1GC"},
		{"CMS by its launcher option", "-Xconcgc", "-XX:+UseG1GC"},
		{"CMS turned off", "-XX:-UseConcMarkSweepGC -XX:+UseSerialGC", "-XX:+UseSerialGC"},
		{"one collector only", "-XX:+UseConcMarkSweepGC -XX:+UseG1GC", "-XX:+UseG1GC"},
		{"old parallel", "-XX:+UseParallelOldGC", "-XX:+UseParallelGC"},
		{"both parallels", "-XX:+UseParallelGC -XX:+UseParallelOldGC", "-XX:+UseParallelGC"},
		{"the GC log of 11", "-XX:+PrintGCDetails -Xloggc:gc.log -Xms1g", "-Xlog:gc*:file=gc.log:time,uptime,level,tags:filecount=5,filesize=10m -Xms1g"},
		{"the GC log of 8", "-Xloggc:{{app}}.log -XX:+PrintGCDateStamps -XX:+UseGCLogFileRotation -XX:NumberOfGCLogFiles=9 -XX:GCLogFileSize=20M -XX:+PrintTenuringDistribution -XX:+PrintGCApplicationStoppedTime",
			"-Xlog:gc,gc+age*=debug,safepoint:file={{app}}.log:time,uptime,level,tags:filecount=9,filesize=20m"},
		{"a GC log to the output", "-XX:+PrintGC", "-Xlog:gc"},
		{"a GC log that is off", "-XX:-PrintGC", ""},
		{"a file that -Xlog cannot name", "-Xloggc:C:/gc.log -XX:+PrintGC", "-Xloggc:C:/gc.log ?-Xloggc:C:/gc.log -XX:+PrintGC"},
		{"traces", "-XX:+TraceClassLoading -XX:-TraceClassLoading", "-Xlog:class+load=info"},
		{"gone for good", "-XX:MaxPermSize=256m -XX:PermSize=64m -XX:+AggressiveOpts -XX:-UseBiasedLocking -Xverify:none -noverify -XX:+UseMembar", ""},
		{"class data sharing", "-XX:+UseSharedSpaces", "-Xshare:auto"},
		{"without", "-XX:-UseSharedSpaces", "-Xshare:off"},
		{"fractions", "-XX:MaxRAMFraction=3 -XX:MinRAMFraction={{N}}", "-XX:MaxRAMPercentage=33.33 -XX:MinRAMFraction={{N}} ?-XX:MinRAMFraction={{N}}"},
		{"containers", "-XX:+UseCGroupMemoryLimitForHeap -XX:+UseContainerSupport", ""},
		{"the flight recorder", "-XX:+UnlockCommercialFeatures -XX:+FlightRecorder -XX:StartFlightRecording=duration=1m", "-XX:StartFlightRecording=duration=1m"},
		{"ZGC is no experiment any more", "-XX:+UnlockExperimentalVMOptions -XX:+UseZGC", "-XX:+UseZGC"},
		{"but other things are", "-XX:+UnlockExperimentalVMOptions -XX:+UseZGC -XX:G1NewSizePercent=10", "-XX:+UnlockExperimentalVMOptions -XX:+UseZGC -XX:G1NewSizePercent=10"},
		{"JVMCI", "-XX:+UnlockExperimentalVMOptions -XX:+EnableJVMCI -XX:+UseJVMCICompiler", ""},
		{"illegal access", "--illegal-access=permit", "--illegal-access=permit ?--illegal-access=permit"},
		{"illegal access denied", "--illegal-access=deny", ""},
		{"the encoding of System.out", "-Dfile.encoding=UTF-8", "-Dfile.encoding=UTF-8 -Dstdout.encoding=UTF-8 -Dstderr.encoding=UTF-8"},
		{"which is said already", "-Dfile.encoding=UTF-8 -Dstdout.encoding=UTF-8 -Dstderr.encoding=MS949", "-Dfile.encoding=UTF-8 -Dstdout.encoding=UTF-8 -Dstderr.encoding=MS949"},
		{"no compiler", "-Djava.compiler=NONE", "-Xint"},
		{"a security manager", "-Djava.security.manager", "-Djava.security.manager !-Djava.security.manager"},
		{"misspelt", "-XX:G1HeapRegionSiez=8m", "-XX:G1HeapRegionSiez=8m ?-XX:G1HeapRegionSiez=8m"},
		{"a reference", "{{GC}}", "{{GC}} !{{GC}}"},
		{"gone before 11", "-d64 -Xincgc", "-XX:+UseG1GC"},
		{"needs a person", "-Xbootclasspath/p:x.jar", "-Xbootclasspath/p:x.jar ?-Xbootclasspath/p:x.jar"},
		{"verification", "-XX:-BytecodeVerificationRemote", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, rewritten(11, 21, test.line)); diff != "" {
				t.Errorf("%s (-want +got)\n%s", test.line, diff)
			}
		})
	}
}

func TestOpens(t *testing.T) {
	const log = `INFO started
WARNING: Illegal reflective access by net.sf.cglib.core.ReflectUtils$1 (file:/app.jar) to method java.lang.ClassLoader.defineClass(java.lang.String,byte[])
WARNING: Illegal reflective access by com.x.Y (file:/y.jar) to field java.util.Map$Entry.key
WARNING: Illegal reflective access by com.x.Y (file:/y.jar) to constructor sun.nio.ch.DirectBuffer()
Caused by: java.lang.reflect.InaccessibleObjectException: Unable to make field accessible: module java.desktop does not "opens sun.font" to unnamed module @1
WARNING: Illegal reflective access by com.x.Y (file:/y.jar) to field java.util.Map$Entry.key
WARNING: All illegal access operations will be denied in a future release`
	want := []string{
		"--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.util=ALL-UNNAMED",
		"--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "--add-opens=java.desktop/sun.font=ALL-UNNAMED",
	}
	if diff := cmp.Diff(want, Opens([]byte(log))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRealJVMStartsRewritten: every command line of the collection that the
// real JVM 11 takes is taken by the real JVM 21 once it is rewritten, unless
// Rewrite left something to a person.
func TestRealJVMStartsRewritten(t *testing.T) {
	old, fresh := testenv.JVM(t, 11), testenv.JVM(t, 21)
	moved := 0
	for line := range strings.Lines(compared) {
		c := Command{Version: 11, Options: options(line)}
		if start(t, old, c).ExitCode != 0 {
			continue
		}
		put, undecided := putTogether(c.Options)
		if undecided {
			continue
		}
		moved++
		if answer := start(t, fresh, Command{Version: 21, Options: put}); answer.ExitCode != 0 {
			t.Errorf("JVM 11 takes %q; JVM 21 does not take %q:\n%.400s", c.Options, put, answer.Output)
		}
	}
	if moved < 100 {
		t.Errorf("only %d lines were moved", moved)
	}
}

// TestEveryGoneFlagIsRewritten: each flag that 11 takes without a lock and 21
// refuses or ignores is dealt with, and the real JVM 21 starts with what they
// all come to.
func TestEveryGoneFlagIsRewritten(t *testing.T) {
	fresh := testenv.JVM(t, 21)
	table := loadTable()
	from, to := table.columns[11], table.columns[21]
	var put []string
	n := 0
	for _, name := range slices.Sorted(maps.Keys(table.flags)) {
		e := table.flags[name]
		was, is := parseVerdict(e.state[from]), parseVerdict(e.state[to])
		if was.state != "ok" || is.state == "ok" {
			continue
		}
		n++
		option := "-XX:" + name + "=1"
		if at(e.form, 11) == "bool" {
			option = "-XX:-" + name
		}
		for _, r := range Rewrite(11, 21, []string{option}) {
			if r.Undecided != "" && name != "DumpSharedSpaces" {
				t.Errorf("%s: %s", option, r.Undecided)
				continue
			}
			put = append(put, r.Put...)
		}
	}
	if n < 150 {
		t.Errorf("only %d flags are gone", n)
	}
	put = slices.DeleteFunc(put, func(o string) bool { return strings.HasPrefix(o, "-XX:-DumpSharedSpaces") })
	if answer := start(t, fresh, Command{Version: 21, Options: put}); answer.ExitCode != 0 {
		t.Errorf("JVM 21 does not take %q:\n%.400s", put, answer.Output)
	}
}

// putTogether rewrites options for JVM 21.
func putTogether(given []string) (put []string, undecided bool) {
	for _, r := range Rewrite(11, 21, given) {
		put = append(put, r.Put...)
		undecided = undecided || r.Undecided != ""
	}
	return put, undecided
}
