package local

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// process is one process as /proc shows it.
type process struct {
	pid, ppid, group, session int

	start   uint64 // in clock ticks since the boot; with pid, names it for ever
	machine string // ID in its mark; "" without one
}

// table is all living processes of the host. A zombie is not alive.
type table map[int]*process

// The marks in the environment of every process of a machine. All must match,
// so that neither another owner's machine nor one of another directory is
// ever taken for ours. A process hands them on to its children.
const (
	markMachine = "PROVISIONER_MACHINE="
	markOwner   = "PROVISIONER_OWNER="
	markDir     = "PROVISIONER_DIR="
)

// scan reads all processes. It is no snapshot: what comes and goes meanwhile
// may be missed, so a machine counts as ended only when two scans say so.
func (d *Driver) scan() (table, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("read the processes: %w", err)
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("read the processes: %w", err)
	}
	t := table{}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == 1 || pid == os.Getpid() {
			continue
		}
		if p := readProcess(pid); p != nil {
			p.machine = d.mark(pid)
			t[pid] = p
		}
	}
	return t, nil
}

// readProcess returns a living process, or nil.
func readProcess(pid int) *process {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	// The name in the second field may hold anything, brackets too.
	f := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return nil
	}
	p := &process{pid: pid}
	for i, to := range []*int{&p.ppid, &p.group, &p.session} {
		if *to, err = strconv.Atoi(f[i+1]); err != nil {
			return nil
		}
	}
	if p.start, err = strconv.ParseUint(f[19], 10, 64); err != nil {
		return nil
	}
	return p
}

// mark returns the machine that a process is marked with. An environment that
// may not be read is not ours.
func (d *Driver) mark(pid int) string {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil || !bytes.Contains(env, []byte(markMachine)) {
		return ""
	}
	var machine string
	var owner, dir bool
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if id, ok := bytes.CutPrefix(v, []byte(markMachine)); ok {
			machine = string(id)
		}
		owner = owner || string(v) == markOwner+d.cfg.Owner
		dir = dir || string(v) == markDir+d.dir
	}
	if _, _, ok := splitID(machine); !ok || !owner || !dir {
		return ""
	}
	return machine
}

// machines returns the IDs of all marked machines.
func (t table) machines() map[string]bool {
	ids := map[string]bool{}
	for _, p := range t {
		if p.machine != "" {
			ids[p.machine] = true
		}
	}
	return ids
}

// of returns the processes of one machine: those with its mark, its leader,
// those in its cgroup, their children, and the members of sessions and groups
// that they lead, whatever these have done to their environment.
func (t table) of(id string, l leader, inCgroup []int) []*process {
	ours := map[int]bool{}
	for pid, p := range t {
		ours[pid] = p.machine == id || pid == l.PID && p.start == l.Start || slices.Contains(inCgroup, pid)
	}
	// The leader's session and group are the machine's also when the leader
	// itself has ended, as long as a process that is known is in them: no
	// other process can get that number meanwhile.
	led := func(number int) bool {
		return number != 0 && (ours[number] || number == l.PID && t[number] == nil)
	}
	sessions, groups := map[int]bool{}, map[int]bool{}
	for grown := true; grown; {
		grown = false
		for pid, p := range t {
			if ours[pid] {
				sessions[p.session] = led(p.session)
				groups[p.group] = led(p.group)
			} else if p.machine == "" && (ours[p.ppid] || sessions[p.session] || groups[p.group]) {
				ours[pid], grown = true, true
			}
		}
	}
	var list []*process
	for pid, p := range t {
		if ours[pid] {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b *process) int { return a.pid - b.pid })
	return list
}
