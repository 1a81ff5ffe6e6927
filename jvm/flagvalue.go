package jvm

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// flagValue judges the value of a flag that this release takes.
func (l *linter) flagValue(i int, f flagText, e *entry) {
	form := at(e.form, l.Version)
	s := setting{index: i, minus: f.sign == "-", flag: true}
	switch {
	case form == "bool":
		if f.sign == "" || f.hasValue {
			l.badValue(i, "it takes a + or a - before its name, and no value", l.rewritten(f, e))
			return
		}
		l.unlock(f)
	case f.sign != "":
		suggestion := ""
		if f.value != "" {
			suggestion = "-XX:" + f.name + "=" + f.value
		}
		l.badValue(i, "it takes a value, and no + or - before its name", suggestion)
		return
	case !f.hasValue && f.rest == "":
		l.badValue(i, "it takes a value: -XX:"+f.name+"=…", "")
		return
	case form == "ccstrlist":
		return // each use adds to the ones before
	case form == "ccstr":
		if f.name == "NativeMemoryTracking" && f.value != "off" && f.value != "summary" && f.value != "detail" {
			l.badValue(i, "it takes off, summary or detail", "")
		}
	case form == "double":
		if !l.double(i, f, e) {
			return
		}
	default:
		n, ok := l.integer(i, f, e, form)
		if !ok {
			return
		}
		s.number = n.size
		l.knownTraps(i, f.name, n.size, f.value)
	}
	l.note(canonical(e, l.column), s)
}

// canonical is the name that a flag's setting is remembered by: two names of
// one flag replace each other.
func canonical(e *entry, column int) string {
	if strings.Contains(e.state[column], ";use=") {
		if v := parseVerdict(e.state[column]); v.use[0] != '-' {
			return v.use
		}
	}
	return e.name
}

func (l *linter) badValue(i int, why, suggestion string) {
	f := l.report(i, Error, ruleBadValue, why)
	f.Suggestion, f.Hint = suggestion, didYouMean(suggestion)
}

// unlock keeps account of the locks: they hold for the options behind them.
func (l *linter) unlock(f flagText) {
	switch f.name {
	case "UnlockDiagnosticVMOptions":
		l.diagnostic = f.sign == "+"
	case "UnlockExperimentalVMOptions":
		l.experimental = f.sign == "+"
	}
}

func (l *linter) integer(i int, f flagText, e *entry, form string) (number, bool) {
	n, ok := parseNumber(f.value, form == "int" || form == "intx")
	if !ok {
		suggestion := ""
		if fixed := repairNumber(f.value); fixed != "" {
			suggestion = "-XX:" + f.name + "=" + fixed
		}
		l.badValue(i, "its value must be a whole number, with k, m, g or t behind it at most", suggestion)
		return n, false
	}
	if l.Version < 21 {
		n = cutOff(n, form)
	}
	low, high, stated := bounds(form, at(e.span, l.Version))
	if n.less(low) || high.less(n) {
		why := fmt.Sprintf("its value must be from %s to %s", boundText(low, form), boundText(high, form))
		if !stated {
			why = "its value is too big or too small for a number of type " + form
		}
		l.report(i, Error, ruleRange, why)
		return n, false
	}
	return n, true
}

// cutOff is what JVM 11 and 17 do with a number that does not fit into 32
// bits: they take its lower half.
func cutOff(n number, form string) number {
	switch form {
	case "uint":
		return number{size: n.size & math.MaxUint32}
	case "int":
		v := int32(uint32(n.size))
		if n.negative {
			v = -v
		}
		if v < 0 {
			return number{true, uint64(-int64(v))}
		}
		return number{false, uint64(v)}
	}
	return n
}

// bounds returns the range of a flag: its own, or else that of its type.
func bounds(form, span string) (low, high number, stated bool) {
	from, to, stated := strings.Cut(span, "..")
	if stated {
		low, _ = parseNumber(from, true)
		high, _ = parseNumber(to, true)
		return low, high, true
	}
	switch form {
	case "int":
		return number{true, 1 << 31}, number{size: math.MaxInt32}, false
	case "uint":
		return number{}, number{size: math.MaxUint32}, false
	case "intx":
		return number{true, 1 << 63}, number{size: math.MaxInt64}, false
	}
	return number{}, number{size: math.MaxUint64}, false
}

func boundText(n number, form string) string {
	text := strconv.FormatUint(n.size, 10)
	if form == "size_t" {
		text = sizeText(n.size)
	}
	if n.negative {
		return "-" + text
	}
	return text
}

func (l *linter) double(i int, f flagText, e *entry) bool {
	value, good, bad := decimal(f.value)
	if bad {
		suggestion := ""
		if fixed := strings.Trim(f.value, " %"); fixed != f.value {
			if _, ok, _ := decimal(fixed); ok {
				suggestion = "-XX:" + f.name + "=" + fixed
			}
		}
		l.badValue(i, "its value must be a number such as 75 or 75.5", suggestion)
		return false
	}
	from, to, stated := strings.Cut(at(e.span, l.Version), "..")
	if !good || !stated {
		return true
	}
	low, _ := strconv.ParseFloat(from, 64)
	high, _ := strconv.ParseFloat(to, 64)
	if value < low || value > high {
		l.report(i, Error, ruleRange, fmt.Sprintf("its value must be from %g to %g", low, high))
		return false
	}
	return true
}

// knownTraps reports values that a JVM takes for something else than people do.
func (l *linter) knownTraps(i int, name string, n uint64, text string) {
	switch name {
	case "ThreadStackSize":
		l.stackSize(i, n<<10)
		if n > 64<<10 { // in KB; no thread wants more than 64 MB
			f := l.warn(i, ruleUnit, "the value counts KB, so this is "+sizeText(n<<10)+" for each thread")
			if size, ok := parseSize(text); ok {
				f.Suggestion = "-Xss" + sizeText(size)
				f.Hint = didYouMean(f.Suggestion)
			}
		}
	case codeCache:
		l.codeCacheSize(i, n)
	case "G1HeapRegionSize":
		if size := l.regionSize(n); n != 0 && size != n {
			l.warn(i, ruleRounded, "JVM "+strconv.Itoa(l.Version)+" makes it "+sizeText(size)).Hint = "write a power of two, from 1m"
		}
	}
}

// regionSize is what G1 makes of G1HeapRegionSize=n: a power of two, which JVM
// 11 rounds down to and later ones up to.
func (l *linter) regionSize(n uint64) uint64 {
	size := uint64(1) << (bits.Len64(n|1) - 1)
	if size < n && l.Version >= 17 {
		size <<= 1
	}
	return max(size, 1<<20)
}
