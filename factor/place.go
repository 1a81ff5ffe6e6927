package factor

import (
	"slices"
	"strings"
)

// level is a layer, in the order in which layers win.
type level int

const (
	global level = iota
	cluster
	phase
	appType
	appGroup
	leafLevel
	overrideLevel // of a leaf, for one cluster
	levels
)

// bucket is a file: a level with the name of what it describes. Of an
// override it is the leaf's index and the cluster.
type bucket struct {
	level level
	name  string
}

func (t *table) bucket(l level, job int) bucket {
	j := t.jobs[job]
	switch l {
	case global:
		return bucket{l, "global"}
	case cluster:
		return bucket{l, j.Cluster}
	case phase:
		return bucket{l, j.Phase}
	case appType:
		return bucket{l, j.Type}
	case appGroup:
		return bucket{l, j.Group}
	case leafLevel:
		return bucket{l, t.files[t.leafOf[job]]}
	}
	return bucket{l, t.files[t.leafOf[job]] + "\x00" + j.Cluster}
}

// setting is a value that a file sets; nil removes what is inherited.
type setting struct {
	bucket
	val   *val
	under *val // what the jobs had before; for writing a list as what is appended
	jobs  int
}

// plan is where the values of one column go, and what that costs.
type plan struct {
	settings []setting
	cost     int // bytes of text
}

type placer struct {
	table   *table
	buckets [levels]map[bucket][]int
	order   [levels][]bucket
	sets    []int // of layers, as bits by level
}

// prepare sorts the jobs into their files, once.
func (p *placer) prepare() {
	if p.buckets[0] != nil {
		return
	}
	for l := range levels {
		p.buckets[l] = map[bucket][]int{}
		for i := range p.table.jobs {
			b := p.table.bucket(l, i)
			if p.buckets[l][b] == nil {
				p.order[l] = append(p.order[l], b)
			}
			p.buckets[l][b] = append(p.buckets[l][b], i)
		}
	}
	// What a leaf says for all its clusters is what it is on the largest.
	size := func(i int) int { return len(p.buckets[cluster][p.table.bucket(cluster, i)]) }
	for _, jobs := range p.buckets[leafLevel] {
		slices.SortStableFunc(jobs, func(a, b int) int { return size(b) - size(a) })
	}
	for _, set := range p.layerSets() {
		use := 1 << global
		for _, l := range set {
			use |= 1 << l
		}
		p.sets = append(p.sets, use)
	}
}

// place finds the cheapest plan for a column. It tries every set of layers,
// and takes the one with the least text; of equals the one with the fewest
// layers, as that is easier to follow.
func (p *placer) place(c *column) plan {
	p.prepare()
	best := p.plan(c, 1<<global)
	for _, use := range p.sets {
		if got := p.plan(c, use); got.cost < best.cost {
			best = got
		}
	}
	return best
}

// layerSets lists the sets of layers beside global alone, those with few
// layers first, and of these the ones that people look at first. A layer with
// one file is of no use: global says it as well.
func (p *placer) layerSets() [][]level {
	var out [][]level
	for _, set := range [][]level{{appGroup}, {phase}, {cluster}, {appType}, {phase, appGroup}, {cluster, appGroup}, {appType, appGroup}, {cluster, phase},
		{phase, appType}, {cluster, appType}, {cluster, phase, appGroup}, {phase, appType, appGroup}, {cluster, appType, appGroup}, {cluster, phase, appType}, {cluster, phase, appType, appGroup}} {
		if !slices.ContainsFunc(set, func(l level) bool { return len(p.order[l]) < 2 }) {
			out = append(out, set)
		}
	}
	return out
}

// plan goes through the levels from the lowest up. In each file it sets the
// value that saves the most text of what would have to be set above it.
func (p *placer) plan(c *column, use int) plan {
	var out plan
	have := make([]*val, len(c.cell))
	for l := range levels {
		if l < leafLevel && (use&(1<<l) == 0 || ofItsOwn(c)) {
			continue
		}
		for _, b := range p.order[l] {
			jobs := p.buckets[l][b]
			v, worth := p.choose(c, jobs, have, l)
			if !worth {
				continue
			}
			s := setting{bucket: b, val: v, under: under(have, jobs), jobs: len(jobs)}
			out.settings = append(out.settings, s)
			out.cost += p.price(c, v, s.under, l)
			for _, i := range jobs {
				have[i] = v
			}
		}
	}
	return out
}

// ofItsOwn reports what each batch says itself, however many say the same: when
// it runs, after which others, and whether at all. A new batch that inherited
// that would run because nobody thought of it.
func ofItsOwn(c *column) bool {
	switch strings.Join(c.path, ".") {
	case "spec.schedule.cron", "spec.after", "spec.disabled":
		return true
	}
	return false
}

// choose finds the value for a file that saves the most, and whether it saves
// anything. At the last level what is wrong has to be set.
func (p *placer) choose(c *column, jobs []int, have []*val, l level) (*val, bool) {
	counts := map[*val]int{}
	var wanted []*val
	for _, i := range jobs {
		w := c.cell[i]
		if w == free {
			continue
		}
		if counts[w] == 0 {
			wanted = append(wanted, w)
		}
		counts[w]++
	}
	if l >= leafLevel && len(wanted) == 1 && (l == overrideLevel || len(jobs) == 1) {
		w := wanted[0]
		return w, p.wrong(c, jobs, have)
	}
	now := 0
	for _, i := range jobs {
		now += p.fix(c, c.cell[i], have[i], l)
	}
	var best *val
	saved := 0
	for _, w := range wanted {
		if l < leafLevel && counts[w]*common < len(jobs) {
			continue // chance, and nothing that these jobs have in common
		}
		then := p.price(c, w, under(have, jobs), l)
		for other, n := range counts {
			then += n * p.fix(c, other, w, l)
		}
		least := saved
		if l == leafLevel && best != nil && w != nil && counts[w] == counts[best] {
			least += fewBytes
		}
		if now-then > least {
			best, saved = w, now-then
		}
	}
	return best, saved > 0
}

// common is the share of its jobs that must want a value for a layer to have
// it: one in three.
const common = 3

// fewBytes is what a leaf may cost more for saying itself what is so on its
// larger cluster, of values that equally many of its clusters have: people
// read a leaf for what runs live, and an override for where that is not so.
const fewBytes = 16

func (p *placer) wrong(c *column, jobs []int, have []*val) bool {
	return slices.ContainsFunc(jobs, func(i int) bool { return c.cell[i] != free && c.cell[i] != have[i] })
}

// under is what all of some jobs inherit, or nil where they differ.
func under(have []*val, jobs []int) *val {
	if slices.ContainsFunc(jobs, func(i int) bool { return have[i] != have[jobs[0]] }) {
		return nil
	}
	return have[jobs[0]]
}

// fix is what it costs to put one job right above a level: in its own leaf,
// or in a leaf for one of its clusters.
func (p *placer) fix(c *column, want, have *val, l level) int {
	if want == free || want == have {
		return 0
	}
	return p.price(c, want, have, max(leafLevel, min(l+1, overrideLevel)))
}

// price is about how many bytes a setting takes. A list that begins with what
// is inherited is written as what is appended, in a leaf.
func (p *placer) price(c *column, want, have *val, l level) int {
	line := len(c.path[len(c.path)-1]) + 4
	if l == overrideLevel {
		line += 30
	}
	switch {
	case want == nil:
		// To take something away is the hardest to read.
		return line + 30
	case l >= leafLevel && appends(want, have):
		for _, item := range want.items[len(have.items):] {
			line += len(item) + 4
		}
		return line + 1
	}
	return line + want.size + 4*len(want.items)
}

// appends reports whether a list is another one and more behind it.
func appends(want, have *val) bool {
	return want != nil && have != nil && len(have.items) > 0 && len(want.items) > len(have.items) &&
		slices.Equal(want.items[:len(have.items)], have.items)
}
