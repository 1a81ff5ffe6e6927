package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/jenkins"
)

// compare compares a job that both have.
func (r *planReport) compare(j *batches.Job, listed jenkins.Listed, xml []byte, err error) error {
	want, wantErr := dsl.Declare(j)
	if wantErr != nil {
		return wantErr
	}
	out := planItem{Path: j.Path, Jenkins: listed.Name}
	if errors.Is(err, jenkins.ErrNotFound) {
		// It went between the list and the look.
		out.Actions = []string{"create"}
		r.addJob(out)
		return nil
	}
	var is *actual
	if err == nil {
		is, err = actualOf(xml, listed.Name)
	}
	if err != nil {
		out.Fields, out.Note = compareListed(want, listed), "only description and disabled compared: "+unseen(err)
		out.Actions = append(actionsOf(out.Fields), "not seen")
		r.addJob(out)
		return nil
	}
	out.Fields = compareFields(want, is)
	out.Actions = actionsOf(out.Fields)
	switch {
	case is.ours || len(out.Fields) == 0:
	case is.token != "":
		out.Note = "made by batchctl under another name, and moved or copied here; the seed job replaces it"
	default:
		out.Note = "not made by batchctl; the seed job replaces it"
	}
	r.addJob(out)
	return nil
}

// compareListed compares what Job/Read shows. Without the digest nobody can
// say who changed it.
func compareListed(want dsl.Declared, listed jenkins.Listed) []planField {
	var out []planField
	for field, is := range map[int]string{dsl.Description: lineFeeds(listed.Description), dsl.Disabled: fmt.Sprint(listed.Disabled)} {
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

// other takes a job that the tree does not have. tokens has the jobs of the
// tree by their tokens.
func (r *planReport) other(o otherJob, tokens map[string]string, xml []byte, err error) {
	out := planItem{Path: o.path, Jenkins: o.Name, Actions: []string{"unmanaged"}}
	if errors.Is(err, jenkins.ErrNotFound) {
		return // it went in between
	}
	var is *actual
	if err == nil {
		is, err = actualOf(xml, o.Name)
	}
	switch {
	case err != nil:
		out.Actions = []string{"not seen"}
		out.Note = "not in the tree; whether batchctl made it cannot be said: " + unseen(err)
	case is.ours && o.Disabled:
		// What the seed job does to a job that left the tree, by default.
		out.Actions, out.Note = []string{"retired"}, fmt.Sprintf("not in the tree, and disabled; next build #%d", o.Next)
	case is.ours:
		out.Actions, out.Note = []string{"remove"}, fmt.Sprintf("not in the tree; next build #%d", o.Next)
	case is.token != "":
		out.Note = copyOf(tokens[is.token], o.Disabled)
	}
	r.addJob(out)
}

// copyOf says of a job with another job's Pipeline what it is: a copy, or that
// job under a new name. It has that job's schedule, and its runs ask for that
// job's machines.
func copyOf(path string, disabled bool) string {
	if path == "" {
		path = "a job that is not in the tree"
	}
	if disabled {
		return "a copy of " + path + ", or that job renamed or moved; disabled"
	}
	return "a copy of " + path + ", or that job renamed or moved: it runs beside that, and asks for its machines; delete or disable it"
}
