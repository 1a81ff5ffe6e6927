package jvm

import "strings"

// advice is the way out of an option that is gone or on its way out.
type advice struct {
	option string // what to write instead, or ""
	hint   string // in words
}

const (
	deleteIt = "delete it"
	moveOn   = "delete it, or move the job to that JVM"
)

func replaceBy(option string) advice { return advice{option, "write " + option + " instead"} }

func remove(hint string) advice { return advice{"", hint} }

// gcLog is what the many flags of the old GC log come to.
const gcLog = "-Xlog:gc*:file=gc.log:time,uptime,level,tags:filecount=5,filesize=10m"

// flagAdvice is for flags that one of the four releases removed, ignores or
// warns of. Each line names its source: a JEP, or the release note that took
// the flag out; all were tried on the four JVMs.
var flagAdvice = map[string]advice{
	// JEP 291 deprecated CMS, JEP 363 removed it; JEP 366 the same for ParallelOld.
	"UseConcMarkSweepGC":             replaceBy("-XX:+UseG1GC"),
	"UseParNewGC":                    remove("delete it, it went with the CMS collector"),
	"UseParallelOldGC":               replaceBy("-XX:+UseParallelGC"),
	"CMSInitiatingOccupancyFraction": remove("delete it; the nearest of G1 is -XX:InitiatingHeapOccupancyPercent=…"),
	// JEP 158 and JEP 271: one log for the JVM. The flags' equals are in the
	// man page of java, "Convert GC Logging Flags to Xlog".
	"PrintGC":                            replaceBy("-Xlog:gc"),
	"PrintGCDetails":                     replaceBy("-Xlog:gc*"),
	"PrintGCDateStamps":                  {gcLog, "the date is the decorator time: " + gcLog},
	"PrintGCTimeStamps":                  {gcLog, "the time since start is the decorator uptime: " + gcLog},
	"PrintGCID":                          remove("delete it, the new log always has the number"),
	"PrintGCCause":                       remove("delete it, the new log always has the cause"),
	"PrintTenuringDistribution":          replaceBy("-Xlog:gc+age*=debug"),
	"PrintGCApplicationStoppedTime":      replaceBy("-Xlog:safepoint"),
	"PrintGCApplicationConcurrentTime":   replaceBy("-Xlog:safepoint"),
	"PrintHeapAtGC":                      replaceBy("-Xlog:gc+heap=trace"),
	"PrintReferenceGC":                   replaceBy("-Xlog:gc+ref*=debug"),
	"PrintAdaptiveSizePolicy":            replaceBy("-Xlog:gc+ergo*=debug"),
	"PrintStringDeduplicationStatistics": replaceBy("-Xlog:stringdedup*=debug"),
	"UseGCLogFileRotation":               {gcLog, "say filecount and filesize in the log's option: " + gcLog},
	"NumberOfGCLogFiles":                 {gcLog, "say filecount in the log's option: " + gcLog},
	"GCLogFileSize":                      {gcLog, "say filesize in the log's option: " + gcLog},
	// JEP 122: no permanent generation.
	"PermSize":    remove("delete it, there is no permanent generation"),
	"MaxPermSize": remove("delete it, there is no permanent generation; -XX:MaxMetaspaceSize=… caps what took its place"),
	// JEP 374: no biased locking.
	"UseBiasedLocking": remove("delete it, there is no biased locking any more"),
	// JEP 310 and 350: class data sharing by -Xshare.
	"UseSharedSpaces":     replaceBy("-Xshare:auto"),
	"RequireSharedSpaces": replaceBy("-Xshare:on"),
	"UseAppCDS":           remove("delete it, it is always on"),
	// JDK-8186315, JDK-8146115: percentages instead of fractions.
	"MaxRAMFraction":              remove("say the heap's size, or -XX:MaxRAMPercentage=… (a hundred divided by the fraction)"),
	"MinRAMFraction":              remove("say the heap's size, or -XX:MinRAMPercentage=… (a hundred divided by the fraction)"),
	"InitialRAMFraction":          remove("say -Xms…, or -XX:InitialRAMPercentage=… (a hundred divided by the fraction)"),
	"UseCGroupMemoryLimitForHeap": remove("delete it, the JVM heeds a container's limits by itself"),
	// JEP 328: the flight recorder is part of every JVM.
	"UnlockCommercialFeatures": remove("delete it, nothing is locked that way any more"),
	"FlightRecorder":           remove("delete it, -XX:StartFlightRecording=… is enough"),
	// JEP 439, 474 and 490: ZGC is always generational.
	"ZGenerational": remove("delete it, ZGC is always generational"),
	// JDK-8199777.
	"AggressiveOpts": remove("delete it, it did nothing any more"),
}

// optionAdvice is the same for launcher options, by their spelling in the
// table.
var optionAdvice = map[string]advice{
	"-Xincgc":                       replaceBy("-XX:+UseG1GC"), // JEP 214
	"-Xconcgc":                      replaceBy("-XX:+UseG1GC"), // JEP 363
	"-Xloggc:":                      {"-Xlog:gc:file={}", "write -Xlog:gc:file={} instead"},
	"-Xverify:none":                 remove("delete it"), // JDK-8214719
	"-noverify":                     remove("delete it"),
	"-Xfuture":                      remove("delete it"),                                                              // JDK-8209005
	"-Xprof":                        remove("delete it, the flight recorder does this now: -XX:StartFlightRecording"), // JEP 240
	"-Xrunhprof":                    remove("delete it, the flight recorder does this now: -XX:StartFlightRecording"),
	"-agentlib:hprof":               remove("delete it, the flight recorder does this now: -XX:StartFlightRecording"),
	"-Xbootclasspath/p:":            remove("write --patch-module=module={} instead"), // JEP 220, 261
	"-Xbootclasspath:":              remove("write --patch-module=module={} instead"),
	"--illegal-access=":             remove("delete it, and add --add-opens=module/package=ALL-UNNAMED for what the job reflects on"), // JEP 403
	"-Djava.ext.dirs=":              remove("put the libraries on the class path"),                                                    // JEP 220
	"-Djava.endorsed.dirs=":         remove("put the libraries on the class path"),
	"-Djava.compiler=NONE":          replaceBy("-Xint"),  // JDK-8041676
	"-Djava.security.manager=allow": remove("delete it"), // JEP 411, 486
	"-Xmanagement":                  replaceBy("-Dcom.sun.management.jmxremote"),
}

// adviceFor returns the way out of a flag. The JVM's own word on it, where it
// has one, comes after ours, which is about what people want.
func adviceFor(f flagText, v verdict) advice {
	a, ok := flagAdvice[f.name]
	switch {
	case ok && f.sign == "-" && !strings.HasPrefix(a.option, "-Xshare"):
		return advice{hint: deleteIt} // it turned off what is gone
	case ok && f.sign == "-":
		return replaceBy("-Xshare:off")
	case ok:
		return a
	case strings.HasPrefix(v.use, "-"):
		return replaceBy(v.use)
	case v.use != "" && f.hasValue:
		return replaceBy("-XX:" + v.use + "=" + f.value)
	case v.use != "":
		return replaceBy("-XX:" + f.sign + v.use)
	case strings.HasPrefix(f.name, "CMS"):
		return advice{hint: "delete it, it was for the CMS collector"}
	}
	return advice{hint: deleteIt}
}

func adviceForOption(spelling, option string) advice {
	a, ok := optionAdvice[spelling]
	if !ok {
		return advice{hint: deleteIt}
	}
	rest := strings.TrimPrefix(option, spelling)
	return advice{strings.ReplaceAll(a.option, "{}", rest), strings.ReplaceAll(a.hint, "{}", rest)}
}
