package jenkins

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// folderDepth is how many levels of folders one call of JobNames sees; a
// folder that deep gets a call of its own.
const folderDepth = 8

// maxFolders ends the search in what answers as if folders stood in each
// other for ever.
const maxFolders = 64

// JobNames returns the full names of all jobs below a folder, those in
// folders of it included, in the order of Jenkins; "" is the top. Jobs that
// the user may not see are missing.
func (c *Client) JobNames(ctx context.Context, folder string) ([]string, error) {
	items, err := c.jobsBelow(ctx, folder, "fullName")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, i := range items {
		if i.Jobs == nil {
			out = append(out, i.FullName)
		}
	}
	return out, nil
}

// Listed is what a list says of a job or a folder: as much as Job/Read shows.
type Listed struct {
	Name        string // full
	Kind        string // Jenkins' class for it, such as WorkflowJob, without its package
	Folder      bool   // it holds others
	Description string
	Disabled    bool
	Next        int // number of a job's next build
}

// ListItems is JobNames with the folders, the asked one too, and with what else
// Job/Read shows of each, in one call. A folder comes before what it holds.
func (c *Client) ListItems(ctx context.Context, folder string) ([]Listed, error) {
	items, err := c.jobsBelow(ctx, folder, "fullName,description,disabled,nextBuildNumber")
	if err != nil {
		return nil, err
	}
	out := make([]Listed, len(items))
	for n, i := range items {
		kind := i.Class[strings.LastIndexByte(i.Class, '.')+1:]
		out[n] = Listed{Name: i.FullName, Kind: kind, Folder: i.Jobs != nil, Description: i.Description, Disabled: i.Disabled, Next: i.NextBuildNumber}
	}
	return out, nil
}

// jobsBelow lists a folder, and the jobs and folders below it, with some fields
// of each. The top itself is no item.
func (c *Client) jobsBelow(ctx context.Context, folder, fields string) ([]item, error) {
	op := fmt.Sprintf("list all jobs below folder %q", folder)
	path := ""
	if folder == "" {
		op = "list all jobs"
	} else {
		var err error
		if path, err = (Ref{Job: folder}).path(); err != nil {
			return nil, c.invalid(op, err)
		}
	}
	if strings.Count(folder, "/") > maxFolders {
		return nil, c.invalid(op, fmt.Errorf("folders stand more than %d deep", maxFolders))
	}
	tree := fields + "," + strings.Repeat("jobs["+fields+",", folderDepth) + "jobs[" + fields + "]" + strings.Repeat("]", folderDepth)
	var list item
	if _, err := c.get(ctx, op, path, tree, &list); err != nil {
		return nil, err
	}
	if list.Jobs == nil {
		return nil, c.lacks(op, "jobs")
	}
	below, err := c.leaves(ctx, *list.Jobs, fields, 0)
	if folder == "" {
		return below, err
	}
	list.FullName = folder
	return append([]item{list}, below...), err
}

// item is a job, or a folder, which has a list of jobs, perhaps an empty one.
type item struct {
	Class           string `json:"_class"`
	FullName        string
	Description     string
	Disabled        bool
	NextBuildNumber int
	Jobs            *[]item
}

func (c *Client) leaves(ctx context.Context, items []item, fields string, depth int) ([]item, error) {
	var out []item
	for _, i := range items {
		switch {
		case i.Jobs != nil:
			inner, err := c.leaves(ctx, *i.Jobs, fields, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(append(out, i), inner...)
		case depth == folderDepth:
			// What this is, the call did not ask.
			inner, err := c.deeper(ctx, i, fields)
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
		default:
			out = append(out, i)
		}
	}
	return out, nil
}

// deeper returns what may be a folder or a job, and what stands below it.
func (c *Client) deeper(ctx context.Context, i item, fields string) ([]item, error) {
	op := fmt.Sprintf("list all jobs below folder %q", i.FullName)
	path, err := Ref{Job: i.FullName}.path()
	if err != nil {
		return nil, c.invalid(op, err)
	}
	var one item
	if _, err := c.get(ctx, op, path, "fullName,jobs[fullName]{0,1}", &one); err != nil {
		return nil, err
	}
	if one.Jobs == nil {
		return []item{i}, nil
	}
	return c.jobsBelow(ctx, i.FullName, fields)
}

// JobConfig returns the config.xml of a job. ErrNotFound: there is no such
// job, or the user may not see it. ErrForbidden: it needs Job/ExtendedRead
// where that is switched on, and Job/Configure elsewhere.
func (c *Client) JobConfig(ctx context.Context, job string) ([]byte, error) {
	op := fmt.Sprintf("read config.xml of %q", job)
	path, err := Ref{Job: job}.path()
	if err != nil {
		return nil, c.invalid(op, err)
	}
	return c.document(ctx, op, http.MethodGet, path+"/config.xml", nil)
}
