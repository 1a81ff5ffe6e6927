package local

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/batchctl/batchctl/nodes"
)

// cgroup is the cgroup v2 that holds those of the machines; "" without one.
// It has to be given: the provisioner's own cgroup holds a process, and the
// kernel gives such a one no limits to share out among children.
type cgroup string

// check sees that machines can have cgroups below c.
func (c cgroup) check() error {
	if c == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(string(c), "cgroup.procs")); err != nil {
		return fmt.Errorf("use the cgroup for local machines: %w: give a directory of a mounted cgroup v2", err)
	}
	for _, name := range c.controllers("cgroup.controllers") {
		if err := c.write("cgroup.subtree_control", "+"+name); err != nil {
			return fmt.Errorf("use the cgroup for local machines: %w: give one that is delegated to the provisioner's user and holds no process", err)
		}
	}
	return nil
}

// controllers returns which of those that limit a machine's size a file lists.
func (c cgroup) controllers(file string) []string {
	data, _ := os.ReadFile(filepath.Join(string(c), file))
	return slices.DeleteFunc(strings.Fields(string(data)), func(name string) bool { return name != "cpu" && name != "memory" })
}

func (c cgroup) limits() string {
	return fmt.Sprintf("cgroup %s: limits on %s, and nothing escapes its end; the disk is shared", string(c),
		strings.Join(append(c.controllers("cgroup.subtree_control"), "nothing else"), ", "))
}

func (c cgroup) write(file, text string) error {
	f, err := os.OpenFile(filepath.Join(string(c), file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

func (c cgroup) of(owner, id string) cgroup {
	return cgroup(filepath.Join(string(c), owner+"."+id))
}

// make makes the cgroup of a machine, to be started in it.
func (c cgroup) make(owner, id string, need nodes.Need) (*os.File, error) {
	m := c.of(owner, id)
	if err := os.Mkdir(string(m), 0o755); err != nil && !os.IsExist(err) {
		return nil, err
	}
	for _, name := range c.controllers("cgroup.subtree_control") {
		var err error
		switch {
		case name == "cpu" && need.CPU > 0:
			err = m.write("cpu.max", fmt.Sprintf("%d 100000", need.CPU*100000))
		case name == "memory" && need.Memory > 0:
			err = m.write("memory.max", strconv.FormatInt(need.Memory, 10))
		}
		if err != nil {
			return nil, err
		}
	}
	return os.Open(string(m))
}

// processes returns the processes in a machine's cgroup.
func (c cgroup) processes(owner, id string) []int {
	if c == "" {
		return nil
	}
	data, _ := os.ReadFile(filepath.Join(string(c.of(owner, id)), "cgroup.procs"))
	var pids []int
	for _, f := range strings.Fields(string(data)) {
		if pid, err := strconv.Atoi(f); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// kill kills all that is in a machine's cgroup at once, where the kernel can
// (5.14); one that cannot leaves it to the looks at /proc.
func (c cgroup) kill(owner, id string) {
	if c != "" {
		_ = c.of(owner, id).write("cgroup.kill", "1")
	}
}

// remove removes the empty cgroup of a machine. One that stays is taken by
// the next machine of that name, of which there is none.
func (c cgroup) remove(owner, id string) {
	if c != "" {
		_ = os.Remove(string(c.of(owner, id)))
	}
}
