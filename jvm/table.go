package jvm

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./internal/gentable -o table.tsv

//go:embed table.tsv
var tableText string

// table is table.tsv, ready for look-ups.
type table struct {
	releases   []Release
	columns    map[int]int       // feature release → index into releases and entry.state
	flags      map[string]*entry // -XX flags
	options    map[string]*entry // launcher options that stand alone
	prefixes   []*entry          // launcher options that go on after their spelling, the longest first
	tags       map[string]*entry // of -Xlog
	decorators map[string]*entry // of -Xlog
}

// entry is one line of the table.
type entry struct {
	name  string
	form  string // type of a flag, form of an option; "uintx 21:uint" where it changed
	span  string // "0..100"; "0..100 21:0..50" where it changed
	state []string
}

var loadTable = sync.OnceValue(func() *table { return parseTable(tableText) })

// parseTable trusts its input: it is made by gentable, and a test reads it all.
func parseTable(text string) *table {
	t := &table{
		columns: map[int]int{}, flags: make(map[string]*entry, 2500), options: map[string]*entry{},
		tags: map[string]*entry{}, decorators: map[string]*entry{},
	}
	for line := range strings.Lines(text) {
		if line[0] == '#' {
			continue
		}
		field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if field[0] == "jvm" {
			version, _ := strconv.Atoi(field[1])
			t.columns[version] = len(t.releases)
			t.releases = append(t.releases, Release{version, field[2]})
			continue
		}
		t.add(&entry{name: field[0], form: field[1], span: field[2], state: field[3:]})
	}
	slices.SortFunc(t.prefixes, func(a, b *entry) int { return len(b.name) - len(a.name) })
	return t
}

func (t *table) add(e *entry) {
	if tag, ok := strings.CutPrefix(e.name, "tag:"); ok {
		t.tags[tag] = e
	} else if decorator, ok := strings.CutPrefix(e.name, "decorator:"); ok {
		t.decorators[decorator] = e
	} else if e.name[0] != '-' {
		t.flags[e.name] = e
	} else if e.form == formPrefix || e.form == formSize || e.form == formFile {
		t.prefixes = append(t.prefixes, e)
	} else {
		t.options[e.name] = e
	}
}

// at returns what stood for a release in a cell such as "uintx 21:uint".
func at(cell string, version int) string {
	if !strings.Contains(cell, " ") {
		return cell
	}
	found := ""
	for i, part := range strings.Split(cell, " ") {
		since, value, changed := strings.Cut(part, ":")
		if i == 0 && !changed {
			found = part
		} else if n, _ := strconv.Atoi(since); n <= version {
			found = value
		}
	}
	return found
}

// verdict is a cell of the table, taken apart. The table's text for it is
// explained in docs/jvm-table.md.
type verdict struct {
	state      string // ok, diagnostic, experimental, debug, obsolete, refused, or "-" for unknown
	deprecated bool
	onlyPlus   bool   // deprecated only with a plus
	since      string // the release that made it deprecated or obsolete; "" where the JVM does not say
	use        string // what the JVM says to use instead
}

func parseVerdict(cell string) verdict {
	parts := strings.Split(cell, ";")
	var v verdict
	v.state, v.since, _ = strings.Cut(parts[0], "=")
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "deprecated":
			v.deprecated = true
			if v.onlyPlus = value == "on"; !v.onlyPlus {
				v.since = value
			}
		case "use":
			v.use = value
		}
	}
	return v
}

// taken says whether a JVM with that cell starts with the flag or option in
// some way, if only to ignore it.
func taken(cell string) bool { return cell != "-" && cell != "debug" && cell != "refused" }

// otherTakers returns the last release before the column, and the first after
// it, that take the flag or option; 0 where there is none.
func (t *table) otherTakers(e *entry, column int) (before, after int) {
	for i, cell := range e.state {
		switch {
		case !taken(cell):
		case i < column:
			before = t.releases[i].Version
		case i > column && after == 0:
			after = t.releases[i].Version
		}
	}
	if e.form == "" && before == 0 && after == 0 && !slices.Contains(e.state, "debug") {
		before = 8 // it is in the table only because the list of JVM 8's flags has it
	}
	return before, after
}
