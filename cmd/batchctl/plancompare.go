package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/jenkins"
)

// planReport is what plan says; in JSON as it is.
type planReport struct {
	Jobs      []planJob `json:"jobs"` // all that are not as declared
	Create    int       `json:"create"`
	Change    int       `json:"change"`
	Drift     int       `json:"drift"`
	Remove    int       `json:"remove"`
	Retired   int       `json:"retired"`
	Unmanaged int       `json:"unmanaged"`
	NotSeen   int       `json:"not_seen"`
	Declared  int       `json:"as_declared"`
}

func (r *planReport) differs() bool { return r.Create+r.Change+r.Drift+r.Remove > 0 }

// planJob is a job that is not as declared.
type planJob struct {
	Path    string      `json:"path"`
	Jenkins string      `json:"jenkins"` // its full name there
	Actions []string    `json:"actions"` // create, change, drift, remove, retired, unmanaged, not seen
	Fields  []planField `json:"fields,omitempty"`
	Note    string      `json:"note,omitempty"`
}

// planField is a field of a job that differs.
type planField struct {
	Field   string `json:"field"`
	Action  string `json:"action"` // change or drift
	Jenkins string `json:"jenkins"`
	Tree    string `json:"tree"`
	Note    string `json:"note,omitempty"`
	list    bool   // the values have an entry a line
}

// report compares all jobs.
func (p *planner) report(ctx context.Context) (*planReport, error) {
	r := &planReport{Jobs: []planJob{}}
	var names []string
	var compare []func(xml []byte, err error) error
	for _, j := range p.wanted {
		name := dsl.FullName(j.Jenkins, j.Path)
		listed, there := p.live[name]
		if !there {
			r.add(planJob{Path: j.Path, Jenkins: name, Actions: []string{"create"}})
			continue
		}
		names = append(names, name)
		compare = append(compare, func(xml []byte, err error) error { return r.compare(j, listed, xml, err) })
	}
	for _, o := range p.others {
		names = append(names, o.Name)
		compare = append(compare, func(xml []byte, err error) error { return r.other(o, xml, err) })
	}
	err := p.configs(ctx, names, func(n int, xml []byte, err error) error { return compare[n](xml, err) })
	slices.SortFunc(r.Jobs, func(a, b planJob) int { return strings.Compare(a.Jenkins, b.Jenkins) })
	return r, err
}

// add counts a job, and keeps it where there is something to say.
func (r *planReport) add(j planJob) {
	counts := map[string]*int{"create": &r.Create, "change": &r.Change, "drift": &r.Drift, "remove": &r.Remove,
		"retired": &r.Retired, "unmanaged": &r.Unmanaged, "not seen": &r.NotSeen}
	for _, action := range j.Actions {
		*counts[action]++
	}
	if len(j.Actions) == 0 {
		r.Declared++
		return
	}
	r.Jobs = append(r.Jobs, j)
}

// compare compares a job that both have.
func (r *planReport) compare(j *batches.Job, listed jenkins.Listed, xml []byte, err error) error {
	want, wantErr := dsl.Declare(j)
	if wantErr != nil {
		return wantErr
	}
	out := planJob{Path: j.Path, Jenkins: listed.Name}
	if errors.Is(err, jenkins.ErrNotFound) {
		// It went between the list and the look.
		out.Actions = []string{"create"}
		r.add(out)
		return nil
	}
	var is *actual
	if err == nil {
		is, err = actualOf(xml, j.Path)
	}
	if err != nil {
		out.Fields, out.Note = compareListed(want, listed), unseen(err)
		out.Actions = append(actionsOf(out.Fields), "not seen")
		r.add(out)
		return nil
	}
	out.Fields = compareFields(want, is)
	out.Actions = actionsOf(out.Fields)
	if !is.ours && len(out.Fields) > 0 {
		out.Note = "not made by batchctl; the seed job replaces it"
	}
	r.add(out)
	return nil
}

// unseen says why a config.xml could not be compared.
func unseen(err error) string {
	if errors.Is(err, jenkins.ErrForbidden) {
		return "only description and disabled compared: this user has neither Job/Configure nor Job/ExtendedRead there"
	}
	return "only description and disabled compared: its config.xml " + oneLine(err.Error())
}

// compareListed compares what Job/Read shows. Without the digest nobody can
// say who changed it.
func compareListed(want dsl.Declared, listed jenkins.Listed) []planField {
	var out []planField
	for field, is := range map[int]string{dsl.Description: strings.ReplaceAll(listed.Description, "\r\n", "\n"), dsl.Disabled: fmt.Sprint(listed.Disabled)} {
		if is != want[field] {
			out = append(out, planField{Field: dsl.DeclaredNames[field], Action: "change", Jenkins: is, Tree: want[field], Note: "or changed in Jenkins"})
		}
	}
	slices.SortFunc(out, func(a, b planField) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// compareFields compares field by field: what is in Jenkins, what the digest
// says was rendered, and what the tree says now.
func compareFields(want dsl.Declared, is *actual) []planField {
	var out []planField
	now, wanted := is.fields.Digest(), want.Digest()
	for i := range want {
		if want[i] == is.fields[i] || i >= dsl.Timeout && !is.ours || i == dsl.Script && explained(want, is, out) {
			continue
		}
		action, note := "change", ""
		if is.sealed && now[i] != is.digest[i] {
			action = "drift"
			if is.digest[i] != wanted[i] {
				note = treeToo
			}
		}
		for _, p := range dsl.Differing(i, is.fields[i], want[i]) {
			out = append(out, planField{Field: p.Name, Action: action, Jenkins: p.A, Tree: p.B, Note: note, list: p.List})
		}
	}
	if !is.ours && want[dsl.Script] != is.fields[dsl.Script] {
		// Its parts are those of another program.
		out = append(out, planField{Field: dsl.DeclaredNames[dsl.Script], Action: "change", Jenkins: is.fields[dsl.Script], Tree: want[dsl.Script]})
	}
	if len(out) == 0 && is.digest != wanted {
		// All is as declared but for the digest: of an older batchctl, or the
		// tree has taken over what was changed in Jenkins.
		out = append(out, planField{Field: "digest", Action: "change", Jenkins: is.digest.String(), Tree: wanted.String()})
	}
	return out
}

// treeToo is the note of a field that both sides have changed.
const treeToo = "changed in the tree, too"

// explained reports whether the fields that were found to differ are all that
// differs in the two Pipelines: else the Pipeline itself has to be shown.
func explained(want dsl.Declared, is *actual, found []planField) bool {
	if dsl.LeftOver(is.fields[dsl.Script]) != dsl.LeftOver(want[dsl.Script]) {
		return false
	}
	now := is.fields.Digest()
	if is.sealed && now[dsl.Script] != is.digest[dsl.Script] && !slices.Contains(actionsOf(found), "drift") {
		return false
	}
	for i := range want {
		if want[i] != is.fields[i] && (i >= dsl.Timeout && i < dsl.Script || i == dsl.Parameters) {
			return true
		}
	}
	return false
}

// actionsOf lists what is to happen to a job with these fields.
func actionsOf(fields []planField) []string {
	var out []string
	for _, action := range []string{"change", "drift"} {
		if slices.ContainsFunc(fields, func(f planField) bool { return f.Action == action }) {
			out = append(out, action)
		}
	}
	return out
}

// other takes a job that the tree does not have.
func (r *planReport) other(o otherJob, xml []byte, err error) error {
	out := planJob{Path: o.path, Jenkins: o.Name, Actions: []string{"unmanaged"}}
	if errors.Is(err, jenkins.ErrNotFound) {
		return nil // it went in between
	}
	var is *actual
	if err == nil {
		is, err = actualOf(xml, o.path)
	}
	switch {
	case err != nil:
		out.Actions = []string{"not seen"}
		out.Note = "not in the tree; whether batchctl made it cannot be said: " + strings.TrimPrefix(unseen(err), "only description and disabled compared: ")
	case is.ours && o.Disabled:
		// What the seed job does to a job that left the tree, by default.
		out.Actions, out.Note = []string{"retired"}, fmt.Sprintf("not in the tree, and disabled; next build #%d", o.Next)
	case is.ours:
		out.Actions, out.Note = []string{"remove"}, fmt.Sprintf("not in the tree; next build #%d", o.Next)
	}
	r.add(out)
	return nil
}
