package jvm

import (
	"context"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/jvm/internal/realjvm"
)

// rounds is how many random command lines each JVM is started with.
const rounds = 100

// TestRandomFlags starts JVMs with flags drawn from the whole table, each in a
// form drawn at random: its default, out of its range, of a wrong form, behind
// its lock or not. The seed is fixed, so a failure comes again.
func TestRandomFlags(t *testing.T) {
	eachJVM(t, func(t *testing.T, version int, java string) {
		d := draw{rand.New(rand.NewPCG(1, uint64(version))), version, defaults(t, java)}
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(loadTable().flags)), leftAlone.MatchString)
		for range rounds {
			c := Command{Version: version}
			for _, unlock := range []string{"-XX:+UnlockDiagnosticVMOptions", "-XX:+UnlockExperimentalVMOptions"} {
				if d.IntN(4) > 0 {
					c.Options = append(c.Options, unlock)
				}
			}
			for range 1 + d.IntN(2) {
				c.Options = append(c.Options, d.use(names[d.IntN(len(names))]))
			}
			compare(t, c, start(t, java, c))
		}
	})
}

// defaults returns the flags of a JVM with their values.
func defaults(t *testing.T, java string) map[string]string {
	t.Helper()
	answer, err := realjvm.Start(context.Background(), java, t.TempDir(),
		"-XX:+UnlockDiagnosticVMOptions", "-XX:+UnlockExperimentalVMOptions", "-XX:+PrintFlagsFinal", "-version")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^ *\w+ (\w+) +:?= (\S*) *\{`).FindAllStringSubmatch(answer.Output, -1) {
		values[m[1]] = m[2]
	}
	if len(values) < 800 {
		t.Fatalf("%d flags in PrintFlagsFinal", len(values))
	}
	return values
}

// draw makes random uses of flags for one JVM.
type draw struct {
	*rand.Rand
	version  int
	defaults map[string]string
}

// use returns an option that uses the flag in a random way.
func (d draw) use(name string) string {
	e := loadTable().flags[name]
	form, value := at(e.form, d.version), d.defaults[name]
	sign := []string{"+", "-"}[d.IntN(2)]
	if form == "" { // removed, or of a debug build
		return "-XX:" + []string{sign + name, name + "=1", name}[d.IntN(3)]
	}
	if form == "bool" {
		if d.IntN(3) > 0 && value != "" {
			return "-XX:" + map[string]string{"true": "+", "false": "-"}[value] + name
		}
		return "-XX:" + []string{name, name + "=true", sign + name + "=1"}[d.IntN(3)]
	}
	if from, to, ok := strings.Cut(at(e.span, d.version), ".."); ok && d.IntN(3) == 0 {
		if n := []string{beside(from, -1), beside(to, 1)}[d.IntN(2)]; n != "" {
			return "-XX:" + name + "=" + n
		}
	}
	if d.IntN(3) > 0 && usable(name, value) {
		return "-XX:" + name + "=" + value
	}
	if strings.HasPrefix(form, "ccstr") {
		return "-XX:" + []string{sign + name, name}[d.IntN(2)] // any value will do
	}
	return "-XX:" + []string{sign + name, name, name + "=lots%"}[d.IntN(3)]
}

// beside returns the number on the far side of a bound, or "" where there is
// none or the bound is no whole number.
func beside(bound string, by int64) string {
	n, err := strconv.ParseInt(bound, 10, 64)
	if err != nil || n+by < n != (by < 0) {
		return ""
	}
	return strconv.FormatInt(n+by, 10)
}

// usable says whether a JVM starts with a flag at the value that it shows for
// it. It may not where 0 stands for "the JVM chooses".
func usable(name, value string) bool { return value != "" && value != "0" }

// leftAlone are flags that Lint makes no claim of, because the answer hangs on
// other flags or on the machine: with an explicit value they want EnableJVMCI,
// MaxGCPauseMillis or as much memory.
var leftAlone = regexp.MustCompile(`JVMCI|^PrintBootstrap$|^GCPauseIntervalMillis$|CodeHeapSize$`)
