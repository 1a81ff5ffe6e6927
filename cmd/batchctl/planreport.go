package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/jenkins"
)

// planReport is what plan says; in JSON as it is.
type planReport struct {
	Jobs []planItem `json:"jobs"` // all that are not as declared
	planCounts
	Folders      []planItem `json:"folders"`
	FolderCounts planCounts `json:"folder_counts"`
}

// planCounts counts jobs, or folders.
type planCounts struct {
	Create    int `json:"create"`
	Change    int `json:"change"`
	Drift     int `json:"drift"`
	Remove    int `json:"remove"`
	Blocked   int `json:"blocked"`
	Retired   int `json:"retired"`
	Unmanaged int `json:"unmanaged"`
	NotSeen   int `json:"not_seen"`
	Declared  int `json:"as_declared"`
}

// planItem is a job or a folder that is not as declared.
type planItem struct {
	Path    string      `json:"path"`
	Jenkins string      `json:"jenkins"` // its full name there
	Actions []string    `json:"actions"` // create, change, drift, remove, blocked, retired, unmanaged, not seen
	Fields  []planField `json:"fields,omitempty"`
	Note    string      `json:"note,omitempty"`
}

// planField is a field of a job or folder that differs.
type planField struct {
	Field   string `json:"field"`
	Action  string `json:"action"` // change or drift
	Jenkins string `json:"jenkins"`
	Tree    string `json:"tree"`
	Note    string `json:"note,omitempty"`
	list    bool   // the values have an entry a line
}

func (c *planCounts) differs() bool { return c.Create+c.Change+c.Drift+c.Remove+c.Blocked > 0 }

// differs reports whether the seed job has something to do.
func (r *planReport) differs() bool { return r.planCounts.differs() || r.FolderCounts.differs() }

// notSeen reports whether something could not be seen.
func (r *planReport) notSeen() bool { return r.NotSeen+r.FolderCounts.NotSeen > 0 }

// add counts an item, and says whether there is something to say of it.
func (c *planCounts) add(i planItem) bool {
	counts := map[string]*int{"create": &c.Create, "change": &c.Change, "drift": &c.Drift, "remove": &c.Remove, "blocked": &c.Blocked,
		"retired": &c.Retired, "unmanaged": &c.Unmanaged, "not seen": &c.NotSeen}
	for _, action := range i.Actions {
		*counts[action]++
	}
	if len(i.Actions) == 0 {
		c.Declared++
	}
	return len(i.Actions) > 0
}

func (r *planReport) addJob(i planItem) {
	if r.add(i) {
		r.Jobs = append(r.Jobs, i)
	}
}

func (r *planReport) addFolder(i planItem) {
	if r.FolderCounts.add(i) {
		r.Folders = append(r.Folders, i)
	}
}

// question is a config.xml to be read, and what takes it.
type question struct {
	name string
	take func(xml []byte, err error) error
}

// report compares all jobs and folders.
func (p *planner) report(ctx context.Context) (*planReport, error) {
	r := &planReport{Jobs: []planItem{}, Folders: []planItem{}}
	var ask []question
	for _, f := range p.folders {
		name := dsl.FullName(f.Jenkins, f.Path)
		listed, there := p.live[name]
		switch note := inTheWay(listed, folderKind); {
		case !there:
			r.addFolder(planItem{Path: f.Path, Jenkins: name, Actions: []string{"create"}})
		case note != "":
			r.addFolder(planItem{Path: f.Path, Jenkins: name, Actions: []string{"blocked"}, Note: note})
		default:
			ask = append(ask, question{name, func(xml []byte, err error) error { r.compareFolder(f, listed, xml, err); return nil }})
		}
	}
	for _, j := range p.wanted {
		name := dsl.FullName(j.Jenkins, j.Path)
		listed, there := p.live[name]
		switch note := inTheWay(listed, jobKind); {
		case !there:
			r.addJob(planItem{Path: j.Path, Jenkins: name, Actions: []string{"create"}})
		case note != "":
			r.addJob(planItem{Path: j.Path, Jenkins: name, Actions: []string{"blocked"}, Note: note})
		default:
			ask = append(ask, question{name, func(xml []byte, err error) error { return r.compare(j, listed, xml, err) }})
		}
	}
	for _, o := range p.others {
		if o.Folder {
			r.addFolder(planItem{Path: o.path, Jenkins: o.Name, Actions: []string{"unmanaged"}})
			continue
		}
		ask = append(ask, question{o.Name, func(xml []byte, err error) error { r.other(o, p.tokens, xml, err); return nil }})
	}
	err := p.configs(ctx, ask)
	for _, list := range [][]planItem{r.Jobs, r.Folders} {
		slices.SortFunc(list, func(a, b planItem) int { return strings.Compare(a.Jenkins, b.Jenkins) })
	}
	return r, err
}

// What Jenkins calls what the seed job makes.
const (
	jobKind    = "WorkflowJob"
	folderKind = "Folder"
)

// inTheWay says what stands where something of another kind is to be. Job DSL
// cannot change a kind, and ends the whole seed run with an error.
func inTheWay(listed jenkins.Listed, kind string) string {
	if listed.Kind == "" || listed.Kind == kind {
		return ""
	}
	wanted := "Pipeline"
	if kind == folderKind {
		wanted = "folder"
	}
	return fmt.Sprintf("a %s stands there, and Job DSL makes no %s of it: the seed run will end here; delete or rename it", listed.Kind, wanted)
}

// unseen says why a config.xml could not be compared.
func unseen(err error) string {
	if errors.Is(err, jenkins.ErrForbidden) {
		return "this user has neither Job/Configure nor Job/ExtendedRead there"
	}
	return "its config.xml " + oneLine(err.Error())
}
