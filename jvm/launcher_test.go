package jvm

// moreTests are the cases of TestLint about the heap, the collectors and
// everything that is no -XX flag.
var moreTests = []struct {
	name    string
	command Command
	want    string
}{
	{"heap twice", Command{Version: 21, Options: options("-Xmx4g -XX:MaxHeapSize=2g")}, `
1 warning heap-twice: -XX:MaxHeapSize=2g: it replaces -Xmx4g [0] | say the heap's size once`},
	{"heap field and -Xmx", Command{Version: 21, Heap: 4 * gib, Options: options("-Xmx2g")}, `
0 warning heap-twice: -Xmx2g: it replaces heap: 4g [heap] | say the heap's size once`},
	{"heap field and a percentage", Command{Version: 21, Heap: 4 * gib, Options: options("-XX:MaxRAMPercentage=75 -XX:InitialRAMPercentage=50")}, `
0 warning heap-twice: -XX:MaxRAMPercentage=75: it has no effect beside heap: 4g [heap] | say the heap's size once`},
	{"initial above maximum", Command{Version: 21, Heap: 2 * gib, Options: options("-Xms3g")}, `
0 error initial-above-maximum: JVM 21 does not start with -Xms3g: the heap cannot begin with more than its most, heap: 2g (refused by 21.0.8) [heap] | lower the one or raise the other`},
	{"the last heap counts", Command{Version: 21, Options: options("-Xmx1g -Xms2g -Xmx2g")}, `
2 warning heap-twice: -Xmx2g: it replaces -Xmx1g [0] | say the heap's size once`},
	{"node too small to begin", Command{Version: 21, Heap: 16 * gib, Memory: 8 * gib, Options: options("-Xms16g")}, `
0 error above-node-memory: JVM 21 does not start with -Xms16g: the heap's first memory does not fit into the node's 8g | lower it, or give the job a bigger node`},
	{"node too small to grow", Command{Version: 21, Heap: 16 * gib, Memory: 8 * gib}, `
heap warning above-node-memory: heap: 16g: the JVM starts, but the heap cannot grow to it in the node's 8g | lower it, or give the job a bigger node`},
	{"tiny heaps", Command{Version: 21, Heap: 1024, Options: options("-Xms512")}, `
heap error out-of-range: JVM 21 does not start with heap: 1k: a heap must have 2m at least (refused by 21.0.8) |
0 error out-of-range: JVM 21 does not start with -Xms512: a heap must begin with 1m at least (refused by 21.0.8) |`},
	{"sizes", Command{Version: 21, Options: []string{"-Xmx 256m", "-Xms=256m", "-Xmn256mb", "-Xss1.5m", "-Xmxlots"}}, `
0 error bad-value: JVM 21 does not start with "-Xmx 256m": a size must follow at once: digits, then k, m, g or t (refused by 21.0.8) | did you mean -Xmx256m?
1 error bad-value: JVM 21 does not start with -Xms=256m: a size must follow at once: digits, then k, m, g or t (refused by 21.0.8) | did you mean -Xms256m?
2 error bad-value: JVM 21 does not start with -Xmn256mb: a size must follow at once: digits, then k, m, g or t (refused by 21.0.8) | did you mean -Xmn256m?
3 error bad-value: JVM 21 does not start with -Xss1.5m: a size must follow at once: digits, then k, m, g or t (refused by 21.0.8) | did you mean -Xss1536k?
4 error bad-value: JVM 21 does not start with -Xmxlots: a size must follow at once: digits, then k, m, g or t (refused by 21.0.8) |`},
	{"two collectors", Command{Version: 21, Options: options("-XX:+UseParallelGC -XX:+UseG1GC")}, `
1 error conflicting-collectors: JVM 21 does not start with -XX:+UseG1GC: two collectors are selected, the other by -XX:+UseParallelGC (refused by 21.0.8) [0] | keep one of the two`},
	{"three collectors", Command{Version: 21, Options: options("-XX:+UseG1GC -XX:+UseParallelGC -XX:+UseSerialGC")}, `
2 error conflicting-collectors: JVM 21 does not start with -XX:+UseSerialGC: two collectors are selected, the other by -XX:+UseParallelGC (refused by 21.0.8) [1] | keep one of the two`},
	{"the last of a collector counts", Command{Version: 21, Options: options("-XX:+UseG1GC -XX:-UseG1GC -XX:+UseParallelGC")}, `
1 warning repeated-option: -XX:-UseG1GC: it replaces -XX:+UseG1GC, the last one wins [0] | delete one`},
	{"a hidden collector", Command{Version: 11, Options: options("-Xconcgc -XX:+UseSerialGC")}, `
0 warning deprecated-option: JVM 11 warns of -Xconcgc: deprecated option, since 9 (seen with 11.0.13) | write -XX:+UseG1GC instead
1 error conflicting-collectors: JVM 11 does not start with -XX:+UseSerialGC: two collectors are selected, the other by -Xconcgc (refused by 11.0.13) [0] | keep one of the two`},
	{"no collector", Command{Version: 21, Options: options("-XX:-UseG1GC")}, `
0 warning no-collector: -XX:-UseG1GC: without another collector, a JVM on a machine of two processors and 1792m or more does not start | select another collector`},
	{"another collector's flag", Command{Version: 21, Options: options("-XX:+UseParallelGC -XX:G1HeapRegionSize=8m -XX:+ZUncommit -XX:-ZeroTLAB")}, `
1 warning wrong-collector: -XX:G1HeapRegionSize=8m: it has no effect, -XX:+UseParallelGC selects another collector [0] | delete it
2 warning wrong-collector: -XX:+ZUncommit: it has no effect, -XX:+UseParallelGC selects another collector [0] | delete it`},
	{"twice", Command{Version: 21, Options: options("-Dk=1 -XX:+AlwaysPreTouch -Dk=2 -XX:+AlwaysPreTouch -XX:OnError=x -XX:OnError=y -Dkk=1")}, `
2 warning repeated-option: -Dk=2: it replaces -Dk=1, the last one wins [0] | delete one
3 warning repeated-option: -XX:+AlwaysPreTouch: it stands here twice [1] | delete one`},
	{"not an option", Command{Version: 21, Options: options("XX:+UseG1GC -Xnonsense")}, `
0 error not-an-option: JVM 21 does not start with XX:+UseG1GC: it does not begin with -, so it is taken for the main class and ends the options (refused by 21.0.8) | did you mean -XX:+UseG1GC?`},
	{"empty", Command{Version: 21, Options: []string{""}}, `
0 error not-an-option: JVM 21 does not start with "": it does not begin with -, so it is taken for the main class and ends the options (refused by 21.0.8) |`},
	{"a file of options", Command{Version: 21, Options: options("@jvm.options -XX:Flags=x -XX:VMOptionsFile=y")}, `
0 warning unseen-options: @jvm.options: the options in this file are not checked |
1 warning unseen-options: -XX:Flags=x: the options in this file are not checked |
2 warning unseen-options: -XX:VMOptionsFile=y: the options in this file are not checked |`},
	{"what is not the job's to say", Command{Version: 21, Options: options("-cp x.jar -jar x.jar -Xnonsense")}, `
0 warning no-effect: -cp: the job's own -jar overrides it | delete it, or name the jars in the manifest's Class-Path
2 error ends-options: JVM 21 does not start with -jar: it says what to run instead of the job's own program, and ends the options (refused by 21.0.8) | delete it`},
	{"never runs", Command{Version: 21, Options: options("--version")}, `
0 error never-runs: JVM 21 never runs the job with --version: it prints something and ends | delete it`},
	{"strange characters", Command{Version: 21, Options: []string{"-Dk=\x00", "-Dk=a\nb"}}, `
0 error bad-value: JVM 21 does not start with "-Dk=\x00": no program can be given a NUL character (refused by 21.0.8) | delete the NUL character
1 warning line-break: "-Dk=a\nb": there is a line break in it |`},
	{"removed launcher options", Command{Version: 17, Options: options("-d64 -Xincgc -Xconcgc -Xbootclasspath/p:x.jar --illegal-access=permit -Djava.ext.dirs=/x")}, `
0 error removed-option: JVM 17 does not start with -d64: removed option (refused by 17.0.9) | delete it
1 error removed-option: JVM 17 does not start with -Xincgc: removed option (refused by 17.0.9) | write -XX:+UseG1GC instead
2 error removed-option: JVM 17 does not start with -Xconcgc: removed, JVM 11 was the last to take it (refused by 17.0.9) | write -XX:+UseG1GC instead
3 error removed-option: JVM 17 does not start with -Xbootclasspath/p:x.jar: removed option (refused by 17.0.9) | write --patch-module=module=x.jar instead
4 warning obsolete-option: JVM 17 ignores --illegal-access=permit: obsolete option, its support was removed in 17 (seen with 17.0.9) | delete it, and add --add-opens=module/package=ALL-UNNAMED for what the job reflects on
5 error removed-option: JVM 17 does not start with -Djava.ext.dirs=/x: removed option (refused by 17.0.9) | put the libraries on the class path`},
	{"security manager", Command{Version: 25, Options: options("-Djava.security.manager=allow")}, `
0 error removed-option: JVM 25 does not start with -Djava.security.manager=allow: removed, JVM 21 was the last to take it (refused by 25.0.2) | delete it`},
	{"newer launcher options", Command{Version: 17, Options: options("--finalization=disabled")}, `
0 error newer-option: JVM 17 does not start with --finalization=disabled: JVM 21 is the first to take it (refused by 17.0.9) | delete it, or move the job to that JVM`},
	{"unknown launcher options", Command{Version: 21, Options: []string{"-Xfoo", "--add-open=java.base/java.lang=ALL-UNNAMED", "-UseG1GC", "-XX+UseG1GC", "--add-opens java.base/java.lang=ALL-UNNAMED", "-Xcheck:jnii", "-Xint -Xrs"}}, `
0 error unknown-option: JVM 21 does not start with -Xfoo: unknown option (refused by 21.0.8) |
1 error unknown-option: JVM 21 does not start with --add-open=java.base/java.lang=ALL-UNNAMED: unknown option (refused by 21.0.8) | did you mean --add-opens=java.base/java.lang=ALL-UNNAMED?
2 error unknown-option: JVM 21 does not start with -UseG1GC: unknown option (refused by 21.0.8) | did you mean -XX:+UseG1GC?
3 error unknown-option: JVM 21 does not start with -XX+UseG1GC: unknown option (refused by 21.0.8) | did you mean -XX:+UseG1GC?
4 error unknown-option: JVM 21 does not start with "--add-opens java.base/java.lang=ALL-UNNAMED": unknown option (refused by 21.0.8) | did you mean --add-opens=java.base/java.lang=ALL-UNNAMED?
5 error unknown-option: JVM 21 does not start with -Xcheck:jnii: unknown option (refused by 21.0.8) | did you mean -Xcheck:jni?
6 error unknown-option: JVM 21 does not start with "-Xint -Xrs": unknown option (refused by 21.0.8) | write each option as an entry of its own`},
	{"modules", Command{Version: 21, Options: options("--add-opens=java.base/java.lang --add-opens java.base=ALL-UNNAMED --add-modules=java.base,java.xml.bind --add-reads=x --add-exports")}, `
0 error bad-value: JVM 21 does not start with --add-opens=java.base/java.lang: its value must be module/package=target (refused by 21.0.8) | did you mean --add-opens=java.base/java.lang=ALL-UNNAMED?
1 error bad-value: JVM 21 does not start with --add-opens: its value must be module/package=target (refused by 21.0.8) |
3 error removed-option: JVM 21 does not start with --add-modules=java.base,java.xml.bind: module java.xml.bind was taken out of Java 11 (refused by 21.0.8) | delete it, and put its library into the job's jar
4 error bad-value: JVM 21 does not start with --add-reads=x: its value must be module=target (refused by 21.0.8) |
5 error bad-value: JVM 21 does not start with --add-exports: the next entry must be its value (refused by 21.0.8) |`},
	{"modules from a path", Command{Version: 21, Options: options("-p lib --add-modules java.xml.bind")}, ""},
	{"log", Command{Version: 21, Options: options("-Xlog:gc*=loud -Xlog:gcc,safepoint -Xlog:gc:file=x.log:timme -Xlog:gc+heap*=DEBUG,all=off:stderr:t,um -Xlog:async")}, `
0 error bad-value: JVM 21 does not start with -Xlog:gc*=loud: there is no level loud, only off, trace, debug, info, warning, error (refused by 21.0.8) |
1 error bad-value: JVM 21 does not start with -Xlog:gcc,safepoint: there is no tag gcc (refused by 21.0.8) | did you mean -Xlog:gc,safepoint?
2 error bad-value: JVM 21 does not start with -Xlog:gc:file=x.log:timme: there is no decorator timme (refused by 21.0.8) | did you mean -Xlog:gc:file=x.log:time?`},
}
