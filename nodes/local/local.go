// Package local is the cloud that is always there: its machines are process
// groups on the provisioner's own host, each with a home and a working
// directory of its own. It needs Linux.
//
// Read Driver first, then record (what is kept on disk, and why a crash at
// any point loses nothing), then table (how a process is known to belong to a
// machine, and what may be killed).
package local

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Config says where machines live and how many there may be.
type Config struct {
	Dir    string            // holds all state; not moved while machines run
	Owner  string            // whose machines these are: 1 to 64 of [A-Za-z0-9._-], beginning with a letter or digit
	Max    int               // machines of the owner at once; 0: no limit
	Path   string            // PATH of the machines; empty: the usual directories
	Env    map[string]string // more environment for the machines, for instance JAVA_HOME_21; no secrets
	Cgroup string            // a cgroup v2 that belongs to the provisioner and holds no process itself; empty: none

	Remember time.Duration // how long an order whose machines have ended is known, so that it makes nothing anew; 0: 7 days
	KeepLogs time.Duration // how long the output of ended machines is kept; 0: 24 hours
}

const (
	defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	maxLogs     = 200 // logs of ended machines that are kept, the newest
	logReads    = 512 // reads of 1 KiB at most, in each of the two files of a machine's output
	niceness    = 5   // the provisioner goes first
)

var (
	ownerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	orderName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	envName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// check refuses what cannot work, and fills in what was left open.
func (c *Config) check() error {
	if c.Dir == "" {
		return fmt.Errorf("local machines need a directory for their state: set dir")
	}
	if !ownerName.MatchString(c.Owner) {
		return fmt.Errorf("owner %q of local machines: use 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first", c.Owner)
	}
	for name, value := range c.Env {
		if !envName.MatchString(name) || strings.HasPrefix(name, "PROVISIONER_") || strings.ContainsRune(value, 0) {
			return fmt.Errorf("environment of local machines: %q cannot be set: names are letters, digits and underscores, PROVISIONER_ is taken, and values have no NUL", name)
		}
	}
	if c.Path == "" {
		c.Path = defaultPath
	}
	if c.Remember <= 0 {
		c.Remember = 7 * 24 * time.Hour
	}
	if c.KeepLogs <= 0 {
		c.KeepLogs = 24 * time.Hour
	}
	return nil
}
