package jvm

import (
	"fmt"
	"strconv"
	"strings"
)

// flagRules are for flags whose rewriting takes more than a look into the
// table. A rule that returns false leaves the flag to the table.
var flagRules = map[string]func(r *rewriter, i int, f flagText) bool{
	"UseConcMarkSweepGC": toCollector("-XX:+UseG1GC"),       // JEP 363
	"UseParallelOldGC":   toCollector("-XX:+UseParallelGC"), // JEP 366
	// JDK-8186315: percentages instead of fractions.
	"MaxRAMFraction":      toPercentage("MaxRAMPercentage"),
	"MinRAMFraction":      toPercentage("MinRAMPercentage"),
	"InitialRAMFraction":  toPercentage("InitialRAMPercentage"),
	"UseContainerSupport": isDefault,
	// JEP 410.
	"EnableJVMCI": withoutJVMCI, "UseJVMCICompiler": withoutJVMCI, "EagerJVMCI": withoutJVMCI,
	"BytecodeVerificationLocal": unverified, "BytecodeVerificationRemote": unverified,
	"FlightRecorder": recorder,
	// JEP 310 and 350.
	"DumpSharedSpaces": func(r *rewriter, i int, f flagText) bool {
		if r.new > 17 {
			r.out[i].Undecided = "it writes an archive and ends; say -Xshare:dump in a job for that"
		}
		return r.new > 17
	},
}

// toCollector chooses another collector, once.
func toCollector(option string) func(*rewriter, int, flagText) bool {
	return func(r *rewriter, i int, f flagText) bool {
		e := r.table.flags[f.name]
		if taken(e.state[r.to]) {
			return false
		}
		if f.sign != "+" {
			r.put(i, "it turned off what is gone")
			return true
		}
		r.put(i, r.gone(), option)
		return true
	}
}

func toPercentage(flag string) func(*rewriter, int, flagText) bool {
	return func(r *rewriter, i int, f flagText) bool {
		n, err := strconv.Atoi(f.value)
		if err != nil || n < 1 {
			r.out[i].Undecided = "its value is no plain number, so its percentage cannot be told; write -XX:" + flag + "=…"
			return true
		}
		// A hundredth below is right: a heap is never larger than it was.
		percent := strconv.FormatFloat(float64(10000/n)/100, 'f', -1, 64)
		r.put(i, fmt.Sprintf("fractions go after JVM %d; a hundred divided by %d", r.new, n), "-XX:"+flag+"="+percent)
		return true
	}
}

func isDefault(r *rewriter, i int, f flagText) bool {
	if f.sign == "+" {
		r.put(i, "it is on in any case")
	}
	return true
}

func withoutJVMCI(r *rewriter, i int, f flagText) bool {
	r.put(i, fmt.Sprintf("JVM %d has no compiler behind it, and may crash", r.new))
	return true
}

func unverified(r *rewriter, i int, f flagText) bool {
	if r.new < 17 {
		return false
	}
	r.put(i, fmt.Sprintf("JVM %d takes it behind an unlock option only", r.new))
	return true
}

// recorder: -XX:StartFlightRecording alone starts the recorder (JEP 328).
func recorder(r *rewriter, i int, f flagText) bool {
	r.put(i, fmt.Sprintf("JVM %d warns of it; -XX:StartFlightRecording is enough", r.new))
	return true
}

// optionRules are the same for other options, by their spelling; one that ends
// in = goes on.
var optionRules = map[string]func(r *rewriter, i int, o string){
	"-Xconcgc": func(r *rewriter, i int, _ string) { r.put(i, r.gone(), "-XX:+UseG1GC") },
	"-Xincgc":  func(r *rewriter, i int, _ string) { r.put(i, r.gone(), "-XX:+UseG1GC") },
	// JDK-8214719: taken with a warning.
	"-Xverify:none": remover("classes are verified again; the JVM warns of it"),
	"-noverify":     remover("classes are verified again; the JVM warns of it"),
	"-Xfuture":      remover("the JVM warns of it"),
	"-Xnoagent":     remover("it does nothing"),
	"-Xdebug":       remover("it does nothing"),
	// JEP 403.
	"--illegal-access=": func(r *rewriter, i int, o string) {
		if r.new < 17 {
			return
		}
		if o == "--illegal-access=deny" {
			r.put(i, fmt.Sprintf("JVM %d always denies", r.new))
			return
		}
		r.out[i].Undecided = fmt.Sprintf("JVM %d ignores it and denies; only a log of the job can say what it must open (--evidence)", r.new)
	},
	// JDK-8041676.
	"-Djava.compiler=NONE": func(r *rewriter, i int, _ string) {
		if r.new >= 21 {
			r.put(i, fmt.Sprintf("JVM %d ignores it", r.new), "-Xint")
		}
	},
	// JEP 411.
	"-Djava.security.manager":  securityManager,
	"-Djava.security.manager=": securityManager,
	"-Djava.locale.providers=": func(r *rewriter, i int, o string) {
		if strings.Contains(o, "COMPAT") && r.new >= 21 {
			r.out[i].Note = fmt.Sprintf("JVM %d warns of it; without it dates and numbers look different", r.new)
		}
	},
}

func remover(why string) func(*rewriter, int, string) {
	return func(r *rewriter, i int, _ string) { r.put(i, why) }
}

func securityManager(r *rewriter, i int, o string) {
	if o == "-Djava.security.manager=allow" && r.new < 24 {
		return
	}
	if r.new >= 17 {
		r.out[i].Note = fmt.Sprintf("JVM %d warns of it, and later ones have no security manager", r.new)
	}
}

// collector lets one option choose the collector: what CMS became must not
// stand beside another choice.
func (r *rewriter) collector() {
	chosen := ""
	for i, o := range r.options {
		if len(r.out[i].Put) == 1 && r.out[i].Put[0] == o && isCollector(o) {
			chosen = o
		}
	}
	for i, o := range r.options {
		put := r.out[i].Put
		if len(put) != 1 || put[0] == o || !isCollector(put[0]) {
			continue
		}
		if chosen != "" {
			r.put(i, r.gone()+", and "+chosen+" stands here already")
			continue
		}
		chosen = put[0]
	}
}

func isCollector(option string) bool {
	for _, c := range collectors {
		if option == "-XX:+"+c.flag {
			return true
		}
	}
	return false
}
