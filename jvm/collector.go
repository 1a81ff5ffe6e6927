package jvm

import "strings"

// collectors are the flags that select a garbage collector, with the prefix of
// the flags that only this collector reads.
var collectors = []struct{ flag, prefix string }{
	{"UseSerialGC", ""}, {"UseParallelGC", ""}, {"UseParallelOldGC", ""}, {"UseConcMarkSweepGC", "CMS"},
	{"UseG1GC", "G1"}, {"UseZGC", "Z"}, {"UseShenandoahGC", "Shenandoah"}, {"UseEpsilonGC", "Epsilon"},
}

// checkCollectors looks at the collectors that stand at the end of the line:
// of several uses of one flag, the last counts.
func (l *linter) checkCollectors() {
	chosen, first := "", NoOption
	choose := func(flag string, index int) {
		if chosen != "" && !(strings.HasPrefix(flag, "UseParallel") && strings.HasPrefix(chosen, "UseParallel")) {
			// The finding stands at the later of the two.
			f := l.report(max(index, first), Error, ruleCollectors, "two collectors are selected, the other by "+l.name(min(index, first)))
			f.Other, f.Hint = min(index, first), "keep one of the two"
			return
		}
		chosen, first = flag, index
	}
	for _, c := range collectors {
		if s, ok := l.set[c.flag]; ok && !s.minus {
			choose(c.flag, s.index)
		}
	}
	if s, ok := l.set["AggressiveHeap"]; ok && !s.minus && !l.set["UseParallelGC"].minus {
		choose("UseParallelGC", s.index)
	}
	switch g1, ok := l.set["UseG1GC"]; {
	case chosen != "":
		l.checkOwners(chosen, first)
	case ok && g1.minus:
		f := l.warn(g1.index, ruleNoCollector, "without another collector, a JVM on a machine of two processors and 1792m or more does not start")
		f.Hint = "select another collector"
	}
}

// checkOwners reports flags of a collector that is not the chosen one: the JVM
// takes them silently and never reads them.
func (l *linter) checkOwners(chosen string, first int) {
	for name, s := range l.set {
		if !s.flag {
			continue
		}
		for _, c := range collectors {
			if c.prefix != "" && c.flag != chosen && ownedBy(name, c.prefix) {
				f := l.warn(s.index, ruleNotItsGC, "it has no effect, "+l.name(first)+" selects another collector")
				f.Other, f.Hint = first, deleteIt
			}
		}
	}
}

func ownedBy(flag, prefix string) bool {
	rest, ok := strings.CutPrefix(flag, prefix)
	// ZGC's flags go on with a capital: ZUncommit, but not ZeroTLAB.
	return ok && rest != "" && (prefix != "Z" || rest[0] >= 'A' && rest[0] <= 'Z')
}
