// Package catalog holds what batchctl and the provisioner share: the catalog
// of all jobs and the label of a job's run. batchctl render writes the
// catalog; the provisioner reads it and makes machines only for jobs that
// stand in it.
//
// Read Catalog and Job first, then Label.
package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Version is the version of the catalog's form that this package writes and
// reads. It grows when an older reader would misread a newer file.
const Version = 1

// AfterScripts is the time that a run may take behind its program: after-
// scripts are cut off when it has passed, and Jenkins archives files in it. A
// machine has to live at least Job.Timeout plus AfterScripts.
const AfterScripts = 30 * time.Minute

// Catalog is all jobs of one tree, as far as the provisioner must know them.
type Catalog struct {
	Version int   `json:"version"`
	Jobs    []Job `json:"jobs"` // Write sorts them by path
}

// Job is one Jenkins job: one batch on one cluster.
type Job struct {
	Path        string    `json:"path"`                  // cluster/group/batch; unique in a catalog
	Cluster     string    `json:"cluster"`               // first part of Path
	Controller  string    `json:"controller"`            // name of the Jenkins that has the job
	Folder      string    `json:"folder"`                // full name of the job's folder in Jenkins, the root folder included
	Token       string    `json:"token"`                 // Token(FullName()), the job's part of the label; unique in a catalog
	Schedule    *Schedule `json:"schedule,omitempty"`    // nil: never by the clock
	Node        Node      `json:"node"`                  // what a run needs of its machine
	Timeout     int64     `json:"timeout"`               // seconds the program may run, before- and after-scripts: see AfterScripts; 0 = no limit
	Concurrency string    `json:"concurrency,omitempty"` // forbid, allow or replace
	Retry       Retry     `json:"retry"`                 // how often a run is tried again
	After       []string  `json:"after,omitempty"`       // paths of the jobs whose success starts this one, sorted
	Owner       string    `json:"owner,omitempty"`       // team that answers for the job
	Disabled    bool      `json:"disabled,omitempty"`    // in Jenkins, but not to be started
}

// FullName returns the job's full name in Jenkins: its folder and, behind it,
// the last part of its path.
func (j *Job) FullName() string {
	name := j.Path[strings.LastIndexByte(j.Path, '/')+1:]
	if j.Folder == "" {
		return name
	}
	return j.Folder + "/" + name
}

// Schedule says when Jenkins starts a job by the clock.
//
// Each line of Cron has five fields of plain numbers, lists, ranges and
// steps: minute, hour, day of month, month, day of week (0 and 7 are Sunday).
// A minute matches a line when all five fields match it, both day fields
// included: "0 9 13 * 5" is each Friday the 13th, as Jenkins has it
// (hudson.scheduler.CronTab.check), and not each 13th and each Friday as in
// Vixie cron. A job is due when any of its lines matches.
type Schedule struct {
	Cron     []string `json:"cron"`
	Timezone string   `json:"timezone"` // IANA name; the fields are read in that zone
}

// Node is what a run needs of its machine.
type Node struct {
	Pool          string `json:"pool"`
	CPU           int    `json:"cpu"`                       // cores
	Memory        int64  `json:"memory"`                    // bytes
	Disk          int64  `json:"disk"`                      // bytes
	Arch          string `json:"arch"`                      // amd64 or arm64
	HoldOnFailure int64  `json:"hold_on_failure,omitempty"` // seconds that the machine of a failed run is kept for a look
}

// Retry says how often a run is tried, and what is a reason to try again.
// The second attempt asks for the same label as the first, and has to get a
// machine of its own.
type Retry struct {
	Attempts int      `json:"attempts"`     // all attempts together; 1 = no retry
	On       []string `json:"on,omitempty"` // node-lost
}

// Token returns the job's part of its runs' labels: 16 hexadecimal digits of
// the SHA-256 of the job's full name in Jenkins. With the root folder in it,
// two trees with jobs of one path, as a copy to try something in, do not ask
// for each other's machines. It is safe in a Jenkins label expression, and
// short. Among 100,000 jobs the chance that any two share a token is below one
// in a billion; Read and batchctl refuse such a tree.
func Token(fullName string) string {
	return string(AppendToken(nil, fullName))
}

// AppendToken appends Token(fullName) to dst.
func AppendToken(dst []byte, fullName string) []byte {
	var buf [256]byte
	sum := sha256.Sum256(append(buf[:0], fullName...))
	return hex.AppendEncode(dst, sum[:8])
}

// Label returns the label that the given run of a job asks for, and that its
// machine must carry: b-<token>-<number>. Number is Jenkins' build number.
// A job that was deleted in Jenkins and made again counts from 1 again, so a
// label names a run of one life of the job.
func Label(token string, number int) string {
	return "b-" + token + "-" + strconv.Itoa(number)
}
