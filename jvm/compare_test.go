package jvm

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/jvm/internal/realjvm"
)

// The tests here start real JVMs, two at a time, and hold Lint to what they
// do: an Error where the JVM does not start and nowhere else, and a word of
// "ignored" or "deprecated" where the JVM says so and nowhere else.

var slots = make(chan struct{}, 2)

// eachJVM runs a parallel subtest for every release.
func eachJVM(t *testing.T, test func(t *testing.T, version int, java string)) {
	for _, version := range testenv.JVMs {
		t.Run(fmt.Sprint("JVM ", version), func(t *testing.T) {
			java := testenv.JVM(t, version)
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			test(t, version, java)
		})
	}
}

// start runs java as a job's command line would be run, but for the version
// instead of a job.
func start(t *testing.T, java string, c Command) realjvm.Answer {
	t.Helper()
	var args []string
	if c.Heap > 0 {
		args = append(args, fmt.Sprint("-Xmx", c.Heap))
	}
	args = append(append(args, c.Options...), "-version")
	answer, err := realjvm.Start(context.Background(), java, t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// options splits a line of a test at its blanks; an option with a blank in it
// stands between two quotation marks.
func options(line string) []string {
	var list []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			list = append(list, part)
		} else {
			list = append(list, strings.Fields(part)...)
		}
	}
	return list
}

func TestRealJVMsAgree(t *testing.T) {
	eachJVM(t, func(t *testing.T, version int, java string) {
		for line := range strings.Lines(compared) {
			c := Command{Version: version, Options: options(line)}
			compare(t, c, start(t, java, c))
		}
	})
}

// TestRealHeaps is TestRealJVMsAgree for jobs that state their heap.
func TestRealHeaps(t *testing.T) {
	eachJVM(t, func(t *testing.T, version int, java string) {
		for _, line := range []string{"", "-Xms64m", "-Xms65m", "-Xmx32m -Xms48m", "-Xmx128m -Xms96m", "-XX:InitialHeapSize=65m", "-XX:MaxRAMPercentage=75"} {
			c := Command{Version: version, Heap: 64 << 20, Options: options(line)}
			compare(t, c, start(t, java, c))
		}
		c := Command{Version: version, Heap: 1 << 20}
		compare(t, c, start(t, java, c))
	})
}

// TestRealJVMsNeverRun runs a program that every JVM has, and that prints its
// help, behind each option of which Lint says that the JVM runs nothing.
func TestRealJVMsNeverRun(t *testing.T) {
	eachJVM(t, func(t *testing.T, version int, java string) {
		runs := func(option string) bool {
			answer, err := realjvm.Start(t.Context(), java, t.TempDir(), option, "-m", "java.base/sun.security.tools.keytool.Main")
			if err != nil {
				t.Fatal(err)
			}
			return strings.Contains(answer.Output, "-genkeypair")
		}
		if !runs("-Xint") {
			t.Fatal("the program does not run at all")
		}
		for name, e := range loadTable().options {
			if e.form == formExits && runs(name) {
				t.Errorf("the program runs behind %s", name)
			}
		}
		for _, option := range []string{"-XX:+PrintFlagsInitial", "--describe-module=java.base"} {
			if runs(option) {
				t.Errorf("the program runs behind %s", option)
			}
		}
	})
}

// compare reports every difference between Lint and a JVM.
func compare(t *testing.T, c Command, answer realjvm.Answer) {
	t.Helper()
	findings := Lint(c)
	wrong := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%q: %s\nLint: %+v\nJVM %d, exit code %d:\n%.600s", c.Options, fmt.Sprintf(format, args...), findings, c.Version, answer.ExitCode, answer.Output)
	}
	if refused := hasError(findings); refused != (answer.ExitCode != 0) {
		wrong("Lint says refused: %v", refused)
	}
	if answer.ExitCode != 0 {
		return // it stopped at the first bad option and said no more
	}
	said := warnings(answer.Output)
	for _, f := range findings {
		if f.Rule != ruleObsolete && f.Rule != ruleDeprecated && f.Rule != ruleCommentedOut {
			continue
		}
		at := slices.IndexFunc(said, func(line string) bool { return strings.Contains(line, stem(c.Options[f.Option])) })
		if at < 0 {
			wrong("the JVM does not warn of %s", c.Options[f.Option])
			continue
		}
		said = slices.Delete(said, at, at+1)
	}
	if len(said) > 0 {
		wrong("the JVM warns: %q", said)
	}
}

func hasError(findings []Finding) bool {
	for _, f := range findings {
		if f.Severity == Error {
			return true
		}
	}
	return false
}

// stem is what a JVM's warning calls an option.
func stem(option string) string {
	switch {
	case strings.HasPrefix(option, "-XX:#"):
		return option[len("-XX:"):]
	case strings.HasPrefix(option, "-XX:"):
		return splitFlag(option[len("-XX:"):]).name
	case strings.HasPrefix(option, "-Djava.security.manager"):
		return "Security Manager"
	case strings.HasSuffix(option, "concgc"):
		return "UseConcMarkSweepGC"
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(option, "-D"), "=")
	name, _, _ = strings.Cut(name, ":")
	return strings.TrimRight(name, "0123456789kmg")
}

var warning = regexp.MustCompile(`(?i)Ignoring (obsolete )?option|was deprecated in|were deprecated in|(option| -\S+|^-\S+) is deprecated[ .]|obsolete and no longer supported|Unrecognized VM option '#|^WARNING: A command line option has enabled|option is no longer supported`)

// warnings returns the lines of output that speak of an option which is
// ignored or deprecated.
func warnings(output string) []string {
	var lines []string
	for line := range strings.Lines(output) {
		if warning.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// compared has one command line a line.
const compared = `-XX:+UseG1GC -Xmx256m
-XX:G1HeapRegionSiez=8m
-XX:G1HeapRegionSize=8m
-XX:G1HeapRegionSize=3m
-XX:G1HeapRegionSize=64m
-XX:G1HeapRegionSize=1g
-XX:+PrintGCDateStamps
-XX:+UseConcMarkSweepGC
-XX:-UseConcMarkSweepGC
-XX:CMSInitiatingOccupancyFraction=70
-XX:+UseParNewGC
-XX:+UseParallelOldGC
-XX:+UseParallelOldGC -XX:+UseParallelGC
-XX:+UseBiasedLocking
-XX:BiasedLockingStartupDelay=0
-XX:MaxPermSize=256m
-XX:+MaxPermSize
-XX:MaxPermSize
-XX:+AggressiveOpts
-XX:+UseAppCDS
-XX:+PrintGC
-XX:-PrintGC
-XX:+PrintGCDetails
-XX:+TraceClassLoading
-XX:-TraceClassLoading
-XX:MaxRAMFraction=2
-XX:DefaultMaxRAMFraction=2
-XX:+CreateMinidumpOnCrash
-XX:+UseSharedSpaces
-XX:RefDiscoveryPolicy=0
-XX:+FlightRecorder
-XX:+UnlockCommercialFeatures
-XX:+UseCGroupMemoryLimitForHeap
-XX:+UseCompressedClassPointers
-XX:LockingMode=1
-XX:+ZGenerational
-XX:+UnlockExperimentalVMOptions -XX:+UseZGC
-XX:+UseZGC
-XX:+UseZGC -XX:+UnlockExperimentalVMOptions
-XX:+UseEpsilonGC
-XX:+UnlockExperimentalVMOptions -XX:+UseEpsilonGC
-XX:G1NewSizePercent=10
-XX:+UnlockExperimentalVMOptions -XX:G1NewSizePercent=10
-XX:+UnlockExperimentalVMOptions -XX:-UnlockExperimentalVMOptions -XX:G1NewSizePercent=10
-XX:+PrintInlining
-XX:+UnlockDiagnosticVMOptions -XX:+PrintInlining
-XX:+UnlockExperimentalVMOptions -XX:+PrintInlining
-XX:+TraceBytecodes
-XX:+VerifyStack
-XX:+IgnoreUnrecognizedVMOptions -XX:+TraceBytecodes
-XX:+IgnoreUnrecognizedVMOptions -XX:G1HeapRegionSiez=8m
-XX:G1HeapRegionSiez=8m -XX:+IgnoreUnrecognizedVMOptions
-XX:+IgnoreUnrecognizedVMOptions -XX:-IgnoreUnrecognizedVMOptions -XX:G1HeapRegionSiez=8m
-XX:+IgnoreUnrecognizedVMOptions -Xfoo --foo=bar -foo
-XX:+IgnoreUnrecognizedVMOptions -XX:+PrintInlining
-XX:+IgnoreUnrecognizedVMOptions -XX:MaxHeapFreeRatio=200
-XX:+IgnoreUnrecognizedVMOptions -XX:UseG1GC
-XX:+IgnoreUnrecognizedVMOptions -XX:+UseConcMarkSweepGC
-XX:+IgnoreUnrecognizedVMOptions -Xbootclasspath/p:x.jar
-XX:+IgnoreUnrecognizedVMOptions --add-opens=java.base/java.lang
-XX:UseG1GC
-XX:UseG1GC=true
-XX:+UseG1GC=true
"-XX:+UseG1GC "
-XX:+UseG1GC:
-XX:useg1gc
-XX:+useG1GC
-XX:+MaxHeapFreeRatio=70
-XX:MaxHeapFreeRatio=70
-XX:MaxHeapFreeRatio=70%
-XX:MaxHeapFreeRatio=200
-XX:MaxHeapFreeRatio=-1
-XX:MaxHeapFreeRatio=70.5
-XX:MaxHeapFreeRatio
-XX:MaxHeapFreeRatio=
"-XX:MaxHeapFreeRatio= 70"
-XX:MaxRAMPercentage=75
-XX:MaxRAMPercentage=75.5
-XX:MaxRAMPercentage=75%
-XX:MaxRAMPercentage=101
-XX:MaxRAMPercentage=-1
-XX:MaxRAMPercentage=high
-XX:ParallelGCThreads=2k
-XX:ParallelGCThreads=0x4
-XX:ParallelGCThreads=2kb
-XX:ParallelGCThreads=1.0
-XX:ParallelGCThreads=+1
-XX:ParallelGCThreads=-1
-XX:ParallelGCThreads=4294967299
-XX:ParallelGCThreads=99999999999999999999999
-XX:ParallelGCThreads:=2
-XX:CICompilerCount=4294967299
-XX:ThreadPriorityPolicy=7
-XX:HeapDumpPath=/tmp/x
-XX:HeapDumpPath:=/tmp/x
-XX:HeapDumpPath=
-XX:HeapDumpPath
-XX:+HeapDumpPath
-XX:OnOutOfMemoryError=x -XX:OnOutOfMemoryError=y
"-XX:OnOutOfMemoryError=kill -9 %p"
-XX:NativeMemoryTracking=summary
-XX:NativeMemoryTracking=some
-XX:#+UseG1GC
-XX:
-XX
-
-XX:+
-XX:Flags
-XX:+UseG1GC -XX:+UseParallelGC
-XX:+UseG1GC -XX:-UseG1GC -XX:+UseParallelGC
-XX:+UseSerialGC -XX:-UseG1GC
-XX:+UseShenandoahGC -XX:+UseSerialGC
-XX:+AggressiveHeap -XX:+UseG1GC
-XX:+AggressiveHeap -XX:+UseParallelGC
-Xconcgc
-Xconcgc -XX:+UseG1GC
-Xnoconcgc
-XX:+UseSerialGC -XX:G1HeapRegionSize=8m
-Xmx256m -Xmx128m
-Xmx256m -XX:MaxHeapSize=128m
-XX:MaxHeapSize=256mb
-XX:MaxHeapSize=-1
-Xmx512
-Xmx1m
-Xmx256mb
-Xmx=256m
"-Xmx 256m"
-Xmx1.5g
-Xmx256M
-Xmx0x10000000
-Xmx
-Xmx0
-Xmx-1
-Xms256m -Xmx128m
-Xms128m -Xmx128m
-Xms134217729 -Xmx134217728
-Xmx128m -XX:InitialHeapSize=256m
-Xmx128m -XX:MinHeapSize=256m
-Xms0
-Xms1k
-Xms1.5g
-Xmn0
-Xmn8m -Xmx64m
-Xmnfoo
-Xss1m
-Xss136k
-Xss135k
-Xss138241
-Xss0
-XX:ThreadStackSize=0
-Xss1
-XX:+UseG1GC -XX:G1HeapRegionSize=512k
-Xss2g
-Xss1.5m
-XX:ThreadStackSize=1m
-XX:ThreadStackSize=100
-XX:ThreadStackSize=2m
-ss1m
-mx256m
-ms64m
-Xmaxjitcodesize64m
-Xmaxjitcodesize2049m
-XX:ReservedCodeCacheSize=2049m
-XX:+StartFlightRecording
-XX:FlightRecorderOptions
-XX:FlightRecorderOptions=stackdepth=64
-XX:ReservedCodeCacheSize=64m
-Xfoo
--foo
--foo=bar
-foo
-J-Xmx1g
-Xint
-Xints
-Xverify:none
-Xverify:some
-noverify
-Xfuture
-Xincgc
-Xprof
-Xdebug
-Xnoagent
-Xconcurrentio
-Xrunhprof
-agentlib:hprof
-d64
-d32
-server
-client
-minimal
-green
-native
-Xbootclasspath/p:x.jar
-Xbootclasspath/a:x.jar
-Xbootclasspath:x.jar
-Djava.ext.dirs=/x
-Djava.endorsed.dirs=/x
-Djava.security.manager
-Djava.security.manager=default
-Djava.security.manager=allow
-Djava.security.manager=disallow
-Djava.compiler=NONE
-Dkey
-D
"-Dkey=two words"
-Dkey=1 -Dkey=2
-ea:com.example... -esa
-eafoo
-verbose:gc
-Xloggc:gc.log
-Xlog
-Xlog:gc
-Xlog:gc*=debug,safepoint:file=x.log:time,uptime,level,tags:filecount=5,filesize=10m
-Xlog:gc+heap=TRACE
-Xlog:all=off
-Xlog:disable
-Xlog:gcc
-Xlog:gc+foo=debug
-Xlog:gc=loud
-Xlog:gc:stderr:none
-Xlog:gc:stdout:time,tim
-Xlog:gc::t,um
-Xlog::stderr
-Xlog:biasedlocking
-Xlog:stringdedup*=debug
-Xlogfoo
--illegal-access=permit
--add-opens=java.base/java.lang=ALL-UNNAMED
--add-opens=java.base/java.lang
--add-opens=java.base=ALL-UNNAMED
--add-opens=java.base/java.lang=
--add-opens=/java.lang=ALL-UNNAMED
--add-opens=
--add-opens=java.base/java.nothing=ALL-UNNAMED
--add-opens java.base/java.lang=ALL-UNNAMED
"--add-opens java.base/java.lang=ALL-UNNAMED"
--add-open=java.base/java.lang=ALL-UNNAMED
--add-opens
--add-exports=java.base/sun.nio.ch=ALL-UNNAMED
--add-exports=java.base
--add-reads=java.base=ALL-UNNAMED
--add-reads=java.base
--patch-module=java.base
--add-modules=java.xml.bind
--add-modules=java.base
--add-modules java.se.ee
--enable-native-access=ALL-UNNAMED
--finalization=disabled
--enable-preview
--sun-misc-unsafe-memory-access=allow
-cp x.jar
-cp
-p x
x
x.jar -Xmx1g
XX:+UseG1GC
-jar x.jar
-m x
--module=x
--source
`
