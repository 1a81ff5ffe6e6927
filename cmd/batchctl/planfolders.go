package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/importer/jobxml"
	"github.com/batchctl/batchctl/jenkins"
)

// A folder has no place for a digest, so nobody can say who changed it.
const treeOrJenkins = "changed in the tree, or by hand in Jenkins"

// compareFolder compares a folder that both have: who may do what in it counts
// as much as any job.
func (r *planReport) compareFolder(want batches.Folder, listed jenkins.Listed, xml []byte, err error) {
	out := planItem{Path: want.Path, Jenkins: listed.Name}
	if errors.Is(err, jenkins.ErrNotFound) {
		out.Actions = []string{"create"} // it went in between
		r.addFolder(out)
		return
	}
	differ := func(field, is, want string, list bool) {
		if is != want {
			out.Fields = append(out.Fields, planField{Field: field, Action: "change", Jenkins: is, Tree: want, Note: treeOrJenkins, list: list})
		}
	}
	differ("description", lineFeeds(listed.Description), lineFeeds(want.Description), false)
	var root *jobxml.Element
	if err == nil {
		root, err = jobxml.Parse(xml)
	}
	if err == nil {
		permissions, other := folderOf(root)
		differ("permissions", strings.Join(permissions, "\n"), strings.Join(declaredPermissions(want.Permissions), "\n"), true)
		differ("other settings", strings.Join(other, "; "), "", false)
	}
	out.Actions = actionsOf(out.Fields)
	if err != nil {
		out.Actions, out.Note = append(out.Actions, "not seen"), "only description compared: "+unseen(err)
	}
	r.addFolder(out)
}

func lineFeeds(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// declaredPermissions lists permissions in the words of folderOf.
func declaredPermissions(list []batches.Permission) []string {
	var out []string
	for _, p := range list {
		kind := "user "
		if p.Group {
			kind = "group "
		}
		for _, name := range p.Allow {
			out = append(out, kind+p.Name+" "+name)
		}
	}
	slices.Sort(out)
	return out
}

const (
	matrixProperty = "com.cloudbees.hudson.plugins.folder.properties.AuthorizationMatrixProperty"
	// Credentials that were put into a folder: Job DSL leaves them.
	credentialsProperty = "com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider_-FolderCredentialsProperty"
	inherits            = "org.jenkinsci.plugins.matrixauth.inheritance.InheritParentStrategy"
)

// folderOf reads a folder's config.xml: its permissions, a line for each, and
// the names of what the tree never sets.
func folderOf(root *jobxml.Element) (permissions, other []string) {
	if name := below(root, "displayName"); name != nil && name.Text != "" {
		other = append(other, "displayName "+name.Text)
	}
	properties := below(root, "properties")
	if properties == nil {
		return nil, other
	}
	for _, p := range properties.Kids {
		switch p.Name {
		case credentialsProperty:
		case matrixProperty:
			for _, kid := range p.Kids {
				switch {
				case kid.Name == "permission":
					permissions = append(permissions, permissionText(kid.Text))
				case kid.Name == "inheritanceStrategy" && kid.Class != inherits:
					other = append(other, kid.Class[strings.LastIndexByte(kid.Class, '.')+1:])
				}
			}
		default:
			other = append(other, p.Name[strings.LastIndexByte(p.Name, '.')+1:])
		}
	}
	slices.Sort(permissions)
	slices.Sort(other)
	return permissions, other
}

// permissionText reads GROUP:hudson.model.Item.Build:NAME. Those that were
// saved by an old Jenkins do not say whether NAME is a user or a group.
func permissionText(text string) string {
	kind := "user or group "
	for prefix, word := range map[string]string{"USER:": "user ", "GROUP:": "group ", "EITHER:": kind} {
		if rest, found := strings.CutPrefix(text, prefix); found {
			kind, text = word, rest
		}
	}
	id, name, _ := strings.Cut(text, ":")
	return kind + name + " " + permissionOf(id)
}

// permissionOf is a permission by the name that the tree has for it.
func permissionOf(id string) string {
	for class, group := range map[string]string{
		"hudson.model.Item.": "Job/", "hudson.model.Run.": "Run/", "hudson.model.View.": "View/", "hudson.scm.SCM.": "SCM/",
		"com.cloudbees.plugins.credentials.CredentialsProvider.": "Credentials/",
	} {
		if name, found := strings.CutPrefix(id, class); found {
			return group + name
		}
	}
	return id
}
