package jvm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const gib = 1 << 30

// TestLint has one command line and what Lint says of it, a finding a line:
// the option's place, the severity, the rule, the message and the way out.
func TestLint(t *testing.T) {
	tests := []struct {
		name    string
		command Command
		want    string
	}{
		{"good", Command{Version: 21, Heap: 4 * gib, Options: options("-Xms2g -XX:+UseG1GC -XX:G1HeapRegionSize=8m -Dkey=value --add-opens=java.base/java.lang=ALL-UNNAMED")}, ""},
		{"no such release", Command{Version: 8, Options: options("-XX:Nonsense")}, ""},
		{"misspelt", Command{Version: 21, Options: options("-XX:+UseG1GC -XX:G1HeapRegionSiez=8m")}, `
1 error unknown-option: JVM 21 does not start with -XX:G1HeapRegionSiez=8m: unknown option (refused by 21.0.8) | did you mean -XX:G1HeapRegionSize=8m?`},
		{"wrong capitals", Command{Version: 17, Options: options("-XX:-useg1gc")}, `
0 error unknown-option: JVM 17 does not start with -XX:-useg1gc: unknown option (refused by 17.0.9) | did you mean -XX:-UseG1GC?`},
		{"no sign", Command{Version: 25, Options: options("-XX:UseStringDeduplicaton")}, `
0 error unknown-option: JVM 25 does not start with -XX:UseStringDeduplicaton: unknown option (refused by 25.0.2) | did you mean -XX:+UseStringDeduplication?`},
		{"nothing near", Command{Version: 11, Options: options("-XX:+Frobnicate")}, `
0 error unknown-option: JVM 11 does not start with -XX:+Frobnicate: unknown option (refused by 11.0.13) |`},
		{"a blank behind the name", Command{Version: 21, Options: []string{"-XX:+UseG1GC "}}, `
0 error unknown-option: JVM 21 does not start with "-XX:+UseG1GC ": unknown option (refused by 21.0.8) | did you mean -XX:+UseG1GC?`},
		{"two in one entry", Command{Version: 21, Options: []string{"-XX:+UseG1GC -XX:+AlwaysPreTouch"}}, `
0 error unknown-option: JVM 21 does not start with "-XX:+UseG1GC -XX:+AlwaysPreTouch": unknown option (refused by 21.0.8) | write each option as an entry of its own`},
		{"misspelt and hidden", Command{Version: 21, Options: options("-XX:G1HeapRegionSiez=8m -XX:+IgnoreUnrecognizedVMOptions")}, `
0 warning unknown-option: JVM 21 ignores -XX:G1HeapRegionSiez=8m without a word: unknown option (hidden by -XX:+IgnoreUnrecognizedVMOptions) [1] | did you mean -XX:G1HeapRegionSize=8m?
1 warning hides-typos: -XX:+IgnoreUnrecognizedVMOptions: every misspelt option is ignored without a word | delete it, and correct what then does not start`},
		{"removed", Command{Version: 21, Options: options("-XX:+UseConcMarkSweepGC -XX:CMSInitiatingOccupancyFraction=70 -XX:CMSWaitDuration=1")}, `
0 error removed-option: JVM 21 does not start with -XX:+UseConcMarkSweepGC: removed, JVM 11 was the last to take it (refused by 21.0.8) | write -XX:+UseG1GC instead
1 error removed-option: JVM 21 does not start with -XX:CMSInitiatingOccupancyFraction=70: removed, JVM 11 was the last to take it (refused by 21.0.8) | delete it; the nearest of G1 is -XX:InitiatingHeapOccupancyPercent=…
2 error removed-option: JVM 21 does not start with -XX:CMSWaitDuration=1: removed, JVM 11 was the last to take it (refused by 21.0.8) | delete it, it was for the CMS collector`},
		{"removed long ago", Command{Version: 11, Options: options("-XX:+PrintGCDateStamps -XX:-PrintHeapAtGC")}, `
0 error removed-option: JVM 11 does not start with -XX:+PrintGCDateStamps: removed, JVM 8 was the last to take it (refused by 11.0.13) | the date is the decorator time: -Xlog:gc*:file=gc.log:time,uptime,level,tags:filecount=5,filesize=10m
1 error removed-option: JVM 11 does not start with -XX:-PrintHeapAtGC: removed, JVM 8 was the last to take it (refused by 11.0.13) | delete it`},
		{"not yet", Command{Version: 17, Options: options("-XX:+ZGenerational")}, `
0 error newer-option: JVM 17 does not start with -XX:+ZGenerational: JVM 21 is the first to take it (refused by 17.0.9) | delete it, or move the job to that JVM`},
		{"obsolete", Command{Version: 11, Options: options("-XX:MaxPermSize=256m")}, `
0 warning obsolete-option: JVM 11 ignores -XX:MaxPermSize=256m: obsolete option, its support was removed in 8 (seen with 11.0.13) | delete it, there is no permanent generation; -XX:MaxMetaspaceSize=… caps what took its place`},
		{"deprecated", Command{Version: 17, Options: options("-XX:+UseBiasedLocking -XX:DefaultMaxRAMFraction=2 -XX:+CreateMinidumpOnCrash -XX:-PrintGC -XX:+PrintGC")}, `
0 warning deprecated-option: JVM 17 warns of -XX:+UseBiasedLocking: deprecated option, since 15 (seen with 17.0.9) | delete it, there is no biased locking any more
1 warning deprecated-option: JVM 17 warns of -XX:DefaultMaxRAMFraction=2: deprecated option, since 8 (seen with 17.0.9) | write -XX:MaxRAMFraction=2 instead
2 warning deprecated-option: JVM 17 warns of -XX:+CreateMinidumpOnCrash: deprecated option, since 9 (seen with 17.0.9) | write -XX:+CreateCoredumpOnCrash instead
4 warning deprecated-option: JVM 17 warns of -XX:+PrintGC: deprecated option (seen with 17.0.9) | write -Xlog:gc instead
4 warning repeated-option: -XX:+PrintGC: it replaces -XX:-PrintGC, the last one wins [3] | delete one`},
		{"errors first", Command{Version: 17, Options: options("-XX:UseBiasedLocking")}, `
0 error bad-value: JVM 17 does not start with -XX:UseBiasedLocking: it takes a + or a - before its name, and no value (refused by 17.0.9) | did you mean -XX:+UseBiasedLocking?
0 warning deprecated-option: JVM 17 warns of -XX:UseBiasedLocking: deprecated option, since 15 (seen with 17.0.9) | delete it, there is no biased locking any more`},
		{"locked", Command{Version: 21, Options: options("-XX:G1NewSizePercent=10 -XX:+PrintInlining -XX:+UnlockExperimentalVMOptions -XX:G1MaxNewSizePercent=50")}, `
0 error locked-option: JVM 21 does not start with -XX:G1NewSizePercent=10: it is experimental and needs -XX:+UnlockExperimentalVMOptions before it (refused by 21.0.8) [2] | put it after -XX:+UnlockExperimentalVMOptions
1 error locked-option: JVM 21 does not start with -XX:+PrintInlining: it is diagnostic and needs -XX:+UnlockDiagnosticVMOptions before it (refused by 21.0.8) | put -XX:+UnlockDiagnosticVMOptions before it`},
		{"debug-only", Command{Version: 25, Options: options("-XX:+TraceBytecodes")}, `
0 error debug-only: JVM 25 does not start with -XX:+TraceBytecodes: only a debug build of the JVM takes it (refused by 25.0.2) | delete it`},
		{"another processor's", Command{Version: 21, Options: options("-XX:+UseLSE")}, `
0 warning other-processor: -XX:+UseLSE: only a JVM on AArch64 takes it, and one on x86-64 does not start with it |`},
		{"commented out", Command{Version: 21, Options: options("-XX:#+UseG1GC")}, `
0 warning commented-out: -XX:#+UseG1GC: the JVM ignores it with a message | delete it`},
		{"forms", Command{Version: 21, Options: options("-XX:UseG1GC -XX:UseNUMA=false -XX:+MaxHeapFreeRatio=70 -XX:HeapDumpPath -XX:NativeMemoryTracking=on")}, `
0 error bad-value: JVM 21 does not start with -XX:UseG1GC: it takes a + or a - before its name, and no value (refused by 21.0.8) | did you mean -XX:+UseG1GC?
1 error bad-value: JVM 21 does not start with -XX:UseNUMA=false: it takes a + or a - before its name, and no value (refused by 21.0.8) | did you mean -XX:-UseNUMA?
2 error bad-value: JVM 21 does not start with -XX:+MaxHeapFreeRatio=70: it takes a value, and no + or - before its name (refused by 21.0.8) | did you mean -XX:MaxHeapFreeRatio=70?
3 error bad-value: JVM 21 does not start with -XX:HeapDumpPath: it takes a value: -XX:HeapDumpPath=… (refused by 21.0.8) |
4 error bad-value: JVM 21 does not start with -XX:NativeMemoryTracking=on: it takes off, summary or detail (refused by 21.0.8) |`},
		{"numbers", Command{Version: 21, Options: options("-XX:MetaspaceSize=1.5g -XX:MaxHeapFreeRatio=70% -XX:MaxMetaspaceSize=256mb -XX:MaxRAMPercentage=75% -XX:NewRatio=many")}, `
0 error bad-value: JVM 21 does not start with -XX:MetaspaceSize=1.5g: its value must be a whole number, with k, m, g or t behind it at most (refused by 21.0.8) | did you mean -XX:MetaspaceSize=1536m?
1 error bad-value: JVM 21 does not start with -XX:MaxHeapFreeRatio=70%: its value must be a whole number, with k, m, g or t behind it at most (refused by 21.0.8) | did you mean -XX:MaxHeapFreeRatio=70?
2 error bad-value: JVM 21 does not start with -XX:MaxMetaspaceSize=256mb: its value must be a whole number, with k, m, g or t behind it at most (refused by 21.0.8) | did you mean -XX:MaxMetaspaceSize=256m?
3 error bad-value: JVM 21 does not start with -XX:MaxRAMPercentage=75%: its value must be a number such as 75 or 75.5 (refused by 21.0.8) | did you mean -XX:MaxRAMPercentage=75?
4 error bad-value: JVM 21 does not start with -XX:NewRatio=many: its value must be a whole number, with k, m, g or t behind it at most (refused by 21.0.8) |`},
		{"ranges of 11", Command{Version: 11, Options: options("-XX:G1HeapRegionSize=64m -XX:MaxRAMPercentage=101 -XX:MaxTenuringThreshold=17")}, `
0 error out-of-range: JVM 11 does not start with -XX:G1HeapRegionSize=64m: its value must be from 0 to 32m (refused by 11.0.13) |
1 error out-of-range: JVM 11 does not start with -XX:MaxRAMPercentage=101: its value must be from 0 to 100 (refused by 11.0.13) |
2 error out-of-range: JVM 11 does not start with -XX:MaxTenuringThreshold=17: its value must be from 0 to 16 (refused by 11.0.13) |`},
		{"ranges of 21", Command{Version: 21, Options: options("-XX:G1HeapRegionSize=64m")}, ""},
		{"range of a type", Command{Version: 21, Options: options("-XX:ParallelGCThreads=4294967299")}, `
0 error out-of-range: JVM 21 does not start with -XX:ParallelGCThreads=4294967299: its value is too big or too small for a number of type uint (refused by 21.0.8) |`},
		{"rounded down", Command{Version: 11, Options: options("-XX:G1HeapRegionSize=3m")}, `
0 warning rounded-value: -XX:G1HeapRegionSize=3m: JVM 11 makes it 2m | write a power of two, from 1m`},
		{"rounded up", Command{Version: 17, Options: options("-XX:G1HeapRegionSize=3m")}, `
0 warning rounded-value: -XX:G1HeapRegionSize=3m: JVM 17 makes it 4m | write a power of two, from 1m`},
		{"a unit of its own", Command{Version: 21, Options: options("-XX:ThreadStackSize=1m")}, `
0 warning surprising-unit: -XX:ThreadStackSize=1m: the value counts KB, so this is 1g for each thread | did you mean -Xss1m?`},
		{"stack", Command{Version: 21, Options: options("-Xss100k")}, `
0 error out-of-range: JVM 21 does not start with -Xss100k: a thread's stack must have 136k at least (refused by 21.0.8) |`},
	}
	for _, test := range append(tests, moreTests...) {
		t.Run(test.name, func(t *testing.T) {
			want := strings.TrimPrefix(test.want, "\n")
			if diff := cmp.Diff(want, text(Lint(test.command))); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.command.Options, diff)
			}
		})
	}
}

// text renders findings as the tests have them.
func text(findings []Finding) string {
	var lines []string
	for _, f := range findings {
		place, other := fmt.Sprint(f.Option), ""
		if f.Option == HeapField {
			place = "heap"
		}
		switch {
		case f.Other == HeapField:
			other = " [heap]"
		case f.Other != NoOption:
			other = fmt.Sprintf(" [%d]", f.Other)
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%s %s %s: %s%s | %s", place, f.Severity, f.Rule, f.Message, other, f.Hint), " "))
	}
	return strings.Join(lines, "\n")
}
