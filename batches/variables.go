package batches

import (
	"maps"
	"slices"
)

// document replaces the references of a merged document. Variables are
// expanded where they are used: one that nobody uses may need others that are
// not there.
func (s *scope) document(merged *value, p *fieldPath) *value {
	if !merged.expands {
		return merged
	}
	out := *merged
	out.kids = slices.Clone(merged.kids)
	for i := range out.kids {
		if e := &out.kids[i]; e.key != "vars" {
			e.val = s.expand(e.val, p.member(e.key))
		}
	}
	return &out
}

// idleProblem is a fault in a variable that its job does not use. It counts
// only when no other job uses the variable either.
type idleProblem struct {
	name    string
	problem Problem
}

// idle looks for faults in the variables that have not been used. A circle is
// a fault in any case, and is reported at once.
func (s *scope) idle(p *fieldPath) []idleProblem {
	var out []idleProblem
	used, all := s.used, s.ps
	for name, v := range s.doc.get("vars").members() {
		if !v.expands || slices.Contains(used, name) {
			continue
		}
		var found problems
		s.ps = &found
		s.expand(v, p.member("vars").member(name))
		for _, prob := range found {
			if prob.Rule == "circular-reference" {
				all.add(prob)
			} else {
				out = append(out, idleProblem{name, prob})
			}
		}
	}
	s.ps, s.used = all, used
	return out
}

// usedVariables lists the variables that any job uses, and makes problems of
// the faults in those that none does.
func usedVariables(leaves []*leaf) map[string]bool {
	used := map[string]bool{}
	for _, l := range leaves {
		for _, name := range l.used {
			used[name] = true
		}
	}
	for _, l := range leaves {
		for _, idle := range l.idle {
			if !used[idle.name] {
				l.ps.add(idle.problem)
			}
		}
	}
	return used
}

// checkVariables warns of variables that a file sets and nothing uses: most
// often the name is misspelt, and another value stands where this one should.
func checkVariables(d *document, used map[string]bool, ps *problems) {
	check := func(part *value, path string) {
		vars := part.get("vars")
		for i := range vars.entries() {
			e := &vars.kids[i]
			if e.val.kind == nullKind || used[e.key] || checkVarName(e.key) != nil {
				continue
			}
			ps.add(Problem{Place: e.place(), Path: path + "vars." + e.key, Rule: ruleUnreached, Severity: Warning,
				Message: "nothing uses this variable", Hint: didYouMean(e.key, maps.Keys(used))})
		}
	}
	check(d.part, "")
	for kind, part := range d.kindParts {
		check(part, "kinds."+kind+".")
	}
	for _, o := range d.overrides {
		check(o.set, o.path+".set.")
	}
}
