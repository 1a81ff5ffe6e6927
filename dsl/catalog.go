package dsl

import (
	"path"
	"time"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/catalog"
)

// Catalog returns what the provisioner must know of the jobs.
func Catalog(jobs []*batches.Job) catalog.Catalog {
	c := catalog.Catalog{Version: catalog.Version, Jobs: make([]catalog.Job, len(jobs))}
	for i, j := range jobs {
		c.Jobs[i] = catalogJob(j)
	}
	return c
}

func catalogJob(j *batches.Job) catalog.Job {
	b := j.Batch
	c := catalog.Job{
		Path:       j.Path,
		Cluster:    j.Cluster,
		Controller: j.Jenkins.Controller,
		Folder:     path.Dir(FullName(j.Jenkins, j.Path)),
		Token:      catalog.Token(FullName(j.Jenkins, j.Path)),
		Node: catalog.Node{
			Pool: b.Node.Pool, CPU: b.Node.CPU, Memory: b.Node.Memory, Disk: b.Node.Disk, Arch: b.Node.Arch,
			HoldOnFailure: wholeSeconds(b.Node.HoldOnFailure),
		},
		Timeout:     wholeSeconds(b.Timeout),
		Concurrency: b.Concurrency,
		Retry:       catalog.Retry{Attempts: b.Retry.Attempts, On: b.Retry.On},
		After:       b.Upstream,
		Owner:       b.Owner,
		Disabled:    b.Disabled,
	}
	if b.Schedule != nil {
		c.Schedule = &catalog.Schedule{Cron: b.Schedule.Cron, Timezone: b.Schedule.Timezone}
	}
	return c
}

// wholeSeconds rounds up: a machine that lives a second too long does no
// harm, one that dies too early cuts a run off.
func wholeSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
