package jvm

import (
	"fmt"
	"strings"
)

// Rewritten is what becomes of one option of a job that moves to another JVM.
type Rewritten struct {
	Put       []string // what stands in its place: itself, others, or nothing
	Why       string   // why it changed; "" where it did not
	Note      string   // what to know of an option that stays
	Undecided string   // why nobody but a person can say what becomes of it; it stays as it is
}

// Rewrite says what becomes of each option when a job moves from one release to
// a later one, both of them Supported. The options may still hold references
// {{…}} in their values, which stay as they are.
//
// It takes care that the JVM starts and does what it did; it does not tune. What
// it puts is what Lint suggests for single options, and beyond that what several
// options come to together: the flags of the old GC log become one -Xlog, and a
// collector is chosen once. Where the new JVM would not start and nothing is
// known to put, the option stays, with the reason in Undecided.
func Rewrite(from, to int, options []string) []Rewritten {
	t := loadTable()
	r := rewriter{table: t, from: t.columns[from], to: t.columns[to], old: from, new: to, options: options, out: make([]Rewritten, len(options))}
	for i, o := range options {
		r.out[i].Put = []string{o}
		r.option(i, o)
	}
	r.gcLog()
	r.collector()
	r.unlocks()
	r.encoding()
	r.lint()
	return r.out
}

// lint leaves to a person what the new JVM would not start with, of what
// stays as it is. What is behind a reference cannot be judged here.
func (r *rewriter) lint() {
	var all []string
	var of []int // the option that each of them came from
	for i := range r.out {
		for _, put := range r.out[i].Put {
			all, of = append(all, put), append(of, i)
		}
	}
	for _, f := range Lint(Command{Version: r.new, Options: all}) {
		if f.Severity == Error && f.Option >= 0 && r.out[of[f.Option]].Undecided == "" && !strings.Contains(all[f.Option], "{{") {
			r.out[of[f.Option]].Undecided = f.Message
		}
	}
}

type rewriter struct {
	table    *table
	from, to int // columns
	old, new int // releases
	options  []string
	out      []Rewritten
	log      oldLog
}

func (r *rewriter) put(i int, why string, options ...string) {
	r.out[i].Put, r.out[i].Why = options, why
}

// gone says why an option cannot stay.
func (r *rewriter) gone() string { return fmt.Sprintf("JVM %d does not take it", r.new) }

func (r *rewriter) option(i int, o string) {
	name, isFlag := strings.CutPrefix(o, "-XX:")
	switch {
	case strings.HasPrefix(o, "{{"):
		r.out[i].Note = "is a reference as a whole, and is left to where it refers to"
	case r.log.takes(i, o):
	case isFlag:
		r.flag(i, splitFlag(name))
	case strings.HasPrefix(o, "-"):
		r.launcher(i, o)
	}
}

// flag decides about a -XX flag.
func (r *rewriter) flag(i int, f flagText) {
	if f.name == "" || strings.Contains(f.rest, "{{") {
		return
	}
	if rule, ok := flagRules[f.name]; ok {
		if rule(r, i, f) {
			return
		}
	}
	e := r.table.flags[f.name]
	if e == nil || f.rest != "" {
		if e == nil && !aarch64Flags[f.name] {
			r.unknown(i)
		}
		return
	}
	r.byTable(i, f, parseVerdict(e.state[r.from]), parseVerdict(e.state[r.to]))
}

// byTable decides by what the two JVMs say of a flag.
func (r *rewriter) byTable(i int, f flagText, old, cell verdict) {
	switch cell.state {
	case "-", "obsolete":
		r.goneFlag(i, f, cell, adviceFor(f, old))
	case "debug":
		if old.state == "debug" {
			r.out[i].Undecided = "only a debug build of the JVM takes it"
			return
		}
		r.put(i, fmt.Sprintf("only a debug build of JVM %d takes it", r.new))
	case "diagnostic", "experimental":
		if old.state == "ok" && !strings.Contains(strings.Join(r.options[:i], " "), "Unlock") {
			r.put(i, fmt.Sprintf("JVM %d takes it behind an unlock option only", r.new))
		}
	default:
		if cell.deprecated && (!cell.onlyPlus || f.sign == "+") {
			r.out[i].Note = fmt.Sprintf("JVM %d warns of it", r.new)
		}
	}
}

// goneFlag follows the advice for a flag that the new JVM refuses or ignores.
func (r *rewriter) goneFlag(i int, f flagText, cell verdict, a advice) {
	why := r.gone()
	if cell.state == "obsolete" {
		why = fmt.Sprintf("JVM %d ignores it", r.new)
	}
	switch {
	case a.option == "":
		r.put(i, why)
	case strings.Contains(a.option, "…"):
		r.out[i].Undecided = why + "; " + a.hint
	case f.sign == "-" && strings.HasPrefix(a.option, "-Xlog"):
		r.put(i, "it turned off what is gone")
	default:
		r.put(i, why, a.option)
	}
}

// unknown is an option that no JVM knows.
func (r *rewriter) unknown(i int) {
	r.out[i].Undecided = "no JVM knows it"
	for _, f := range Lint(Command{Version: r.new, Options: r.options[i : i+1]}) {
		if f.Suggestion != "" {
			r.out[i].Undecided += "; did you mean " + f.Suggestion + "?"
			return
		}
	}
}

// launcher decides about an option that is no -XX flag.
func (r *rewriter) launcher(i int, o string) {
	for prefix, rule := range optionRules {
		if o == prefix || strings.HasSuffix(prefix, "=") && strings.HasPrefix(o, prefix) {
			rule(r, i, o)
			return
		}
	}
	e := r.table.options[o]
	for _, p := range r.table.prefixes {
		if e == nil && strings.HasPrefix(o, p.name) {
			e = p
		}
	}
	if e == nil {
		return
	}
	cell := parseVerdict(e.state[r.to])
	if cell.state != "-" && cell.state != "refused" && cell.state != "obsolete" {
		return
	}
	switch a := adviceForOption(e.name, o); {
	case a.option != "":
		r.put(i, r.gone(), a.option)
	case a.hint == deleteIt:
		r.put(i, r.gone())
	default:
		r.out[i].Undecided = r.gone() + "; " + a.hint
	}
}

// unlocks takes the lock of experimental flags away with the last of them.
func (r *rewriter) unlocks() {
	needed, wasNeeded := false, false
	for i, o := range r.options {
		wasNeeded = wasNeeded || r.locked(o, r.from)
		for _, put := range r.out[i].Put {
			needed = needed || r.locked(put, r.to)
		}
	}
	for i, o := range r.options {
		if o == "-XX:+UnlockExperimentalVMOptions" && wasNeeded && !needed {
			r.put(i, "nothing here is experimental any more")
		}
	}
}

func (r *rewriter) locked(option string, column int) bool {
	name, ok := strings.CutPrefix(option, "-XX:")
	e := r.table.flags[splitFlag(name).name]
	return ok && e != nil && parseVerdict(e.state[column]).state == "experimental"
}

// encoding keeps what -Dfile.encoding did for System.out up to JVM 17 (JEP
// 400): from 18 on that follows the locale, which under Jenkins is often C.
func (r *rewriter) encoding() {
	if r.old >= 18 || r.new < 18 {
		return
	}
	for i, o := range r.options {
		charset, ok := strings.CutPrefix(o, "-Dfile.encoding=")
		if !ok {
			continue
		}
		for _, out := range []string{"-Dstdout.encoding=", "-Dstderr.encoding="} {
			if !strings.Contains(strings.Join(r.options, "\n"), out) {
				r.out[i].Put = append(r.out[i].Put, out+charset)
				r.out[i].Why = "from Java 18 on, file.encoding does not reach System.out"
			}
		}
	}
}
