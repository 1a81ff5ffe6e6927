package jvm

import (
	"slices"
	"strings"
)

// oldLog gathers the flags of the GC log as it was before JEP 158 and 271. The
// equals are in the man page of java, "Convert GC Logging Flags to Xlog".
type oldLog struct {
	flags       []int    // indexes of the options that belong to it
	file        int      // behind the index of -Xloggc:; 0 = there is none
	path        string   // of -Xloggc:
	details, on bool     // -XX:+PrintGCDetails; anything that prints
	selectors   []string // beyond gc
	count, size string   // of the files
}

// logSelectors are what single flags come to.
var logSelectors = map[string]string{
	"PrintTenuringDistribution": "gc+age*=debug", "PrintHeapAtGC": "gc+heap=trace", "PrintReferenceGC": "gc+ref*=debug",
	"PrintAdaptiveSizePolicy": "gc+ergo*=debug", "PrintStringDeduplicationStatistics": "stringdedup*=debug",
	"PrintGCApplicationStoppedTime": "safepoint", "PrintGCApplicationConcurrentTime": "safepoint",
}

// takes reports whether an option is one of the old log's, and takes it in.
func (l *oldLog) takes(i int, o string) bool {
	if path, ok := strings.CutPrefix(o, "-Xloggc:"); ok {
		l.flags, l.path, l.on, l.file = append(l.flags, i), path, true, i+1
		return true
	}
	text, ok := strings.CutPrefix(o, "-XX:")
	if !ok {
		return false
	}
	f := splitFlag(text)
	on := f.sign == "+"
	switch f.name {
	case "PrintGC":
		l.on = l.on || on
	case "PrintGCDetails":
		l.details, l.on = on, l.on || on
	case "NumberOfGCLogFiles":
		l.count = f.value
	case "GCLogFileSize":
		l.size = strings.ToLower(f.value)
	case "PrintGCDateStamps", "PrintGCTimeStamps", "PrintGCCause", "PrintGCID", "UseGCLogFileRotation":
	default:
		selector, ok := logSelectors[f.name]
		if !ok {
			return false
		}
		if on && !slices.Contains(l.selectors, selector) {
			l.selectors, l.on = append(l.selectors, selector), true
		}
	}
	l.flags = append(l.flags, i)
	return true
}

// gcLog puts one -Xlog in the place of all flags of the old log: in that of
// -Xloggc:, which says where it goes, or else of the first.
func (r *rewriter) gcLog() {
	l := &r.log
	if len(l.flags) == 0 {
		return
	}
	at := l.flags[0]
	if l.file > 0 {
		at = l.file - 1
	}
	if strings.ContainsAny(withoutReferences(l.path), `:"`) {
		r.out[at].Undecided = "the file's name holds a colon, which -Xlog takes for the end of it"
		return
	}
	for _, i := range l.flags {
		r.put(i, "one -Xlog says it all")
	}
	if l.on {
		r.put(at, "the flags of the old GC log become one -Xlog", l.option())
	}
}

// withoutReferences drops {{…}} from a text.
func withoutReferences(s string) string {
	for {
		from := strings.Index(s, "{{")
		to := strings.Index(s, "}}")
		if from < 0 || to < from {
			return s
		}
		s = s[:from] + s[to+2:]
	}
}

func (l *oldLog) option() string {
	what := "gc"
	if l.details {
		what = "gc*"
	}
	what = strings.Join(append([]string{what}, l.selectors...), ",")
	if l.file == 0 {
		return "-Xlog:" + what
	}
	count, size := l.count, l.size
	if count == "" || count == "0" {
		count = "5"
	}
	if size == "" || size == "0" {
		size = "10m"
	}
	return "-Xlog:" + what + ":file=" + l.path + ":time,uptime,level,tags:filecount=" + count + ",filesize=" + size
}
