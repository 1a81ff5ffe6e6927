package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// gate is the first process of a machine and the leader of its session. It
// waits for word before it does anything, so that one whose driver died before
// it could be seen in /proc never runs, and closes 4 when it has begun. Then
// it runs the user data and keeps the newest part of what that says in two
// files: of each the output of $1 writes, a KiB of each write at most. dd
// keeps nothing back, so that the last words of a machine that is killed are
// there.
const gate = `
IFS= read -r word <&3 && [ "$word" = go ] || exit 1
set -C
: >../started || exit 1
set +C
exec 3<&- 4>&-
ulimit -c 0
sh ../user-data 2>&1 | {
	while
		dd bs=1024 count="$1" >../log 2>../said
		records=$(sed -n 's/^\([0-9]*+[0-9]*\) records in$/\1/p' ../said)
		[ "$((${records:-0}))" -ge "$1" ]
	do
		mv ../log ../log.1
	done
	cat >/dev/null
}
`

// startLimit is how long a shell may take to read one line.
const startLimit = 30 * time.Second

// start starts a machine whose user data has not run, from whatever an
// earlier try has left, and returns when it runs. An error with a class says
// that it has not started.
func (d *Driver) start(ctx context.Context, id string, o nodes.Order) error {
	if err := d.lay(id, o.UserData); err != nil {
		return classify(fmt.Errorf("lay out machine %s: %w", id, err))
	}
	d.crash("laid out")
	word, begun, err := d.spawn(id, o.Need)
	if err != nil {
		return err
	}
	defer begun.Close()
	d.crash("word due")
	_, err = word.WriteString("go\n")
	if closeErr := word.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("give machine %s the word to start: %w", id, err)
	}
	d.crash("word given")
	return d.await(ctx, id, begun)
}

// await waits until the user data of a machine runs.
func (d *Driver) await(ctx context.Context, id string, begun *os.File) error {
	_ = begun.SetReadDeadline(time.Now().Add(startLimit))
	stop := context.AfterFunc(ctx, func() { _ = begun.SetReadDeadline(time.Now()) })
	defer stop()
	if _, err := begun.Read(make([]byte, 1)); err != io.EOF {
		return fmt.Errorf("wait for machine %s to start: %w", id, cmp.Or(ctx.Err(), err, io.ErrUnexpectedEOF))
	}
	if ran, err := d.started(id); err != nil || !ran {
		return fmt.Errorf("machine %s did not start (%v): see %s", id, err, d.path("machines", id, "log"))
	}
	return nil
}

// lay makes the directories and the user data of a machine.
func (d *Driver) lay(id, userData string) error {
	if err := removeTree(d.path("machines", id)); err != nil {
		return err
	}
	for _, sub := range []string{"home", "work", "tmp"} {
		if err := os.MkdirAll(d.path("machines", id, sub), 0o700); err != nil {
			return err
		}
	}
	return os.WriteFile(d.path("machines", id, "user-data"), []byte(userData), 0o600)
}

// spawn starts a machine's gate, records it, and returns where the gate waits
// for word, and where it says that it has begun. When the first is closed
// without the word, the gate ends.
func (d *Driver) spawn(id string, need nodes.Need) (word, begun *os.File, err error) {
	defer func() {
		if err != nil {
			closeAll(word, begun)
			word, begun = nil, nil
		}
	}()
	var files []*os.File
	defer func() { closeAll(files...) }()
	output, err := os.OpenFile(d.path("machines", id, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		files, err = descriptors(output, &word, &begun)
	}
	if err != nil {
		return word, begun, classify(fmt.Errorf("start machine %s: %w", id, err))
	}
	sys := &syscall.SysProcAttr{Setsid: true}
	if d.cgroup != "" {
		group, err := d.cgroup.make(d.cfg.Owner, id, need)
		if err != nil {
			return word, begun, classify(fmt.Errorf("make the cgroup of machine %s: %w", id, err))
		}
		defer group.Close()
		sys.UseCgroupFD, sys.CgroupFD = true, int(group.Fd())
	}
	p, err := os.StartProcess(d.sh, []string{"sh", "-c", gate, "machine", strconv.Itoa(logReads)},
		&os.ProcAttr{Dir: d.path("machines", id, "work"), Env: d.environ(id), Files: files, Sys: sys})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOEXEC) {
		return word, begun, &nodes.CloudError{Class: nodes.Configuration, Err: fmt.Errorf("start machine %s: %w", id, err)}
	}
	if err != nil {
		return word, begun, classify(fmt.Errorf("start machine %s: %w", id, err))
	}
	d.adopt(p.Pid)
	d.crash("started")
	l := leader{PID: p.Pid, Boot: d.boot}
	if running := readProcess(p.Pid); running != nil {
		l.Start = running.start
	}
	_ = p.Release()
	// A machine that is as important as the provisioner is no reason to fail.
	_ = syscall.Setpriority(syscall.PRIO_PGRP, l.PID, niceness)
	if err := d.write(d.path("machines", id, "leader"), l); err != nil {
		return word, begun, classify(fmt.Errorf("record the leader of machine %s: %w", id, err))
	}
	return word, begun, nil
}

// descriptors returns the files 0 to 4 of a gate, and sets the other ends of
// the last two.
func descriptors(output *os.File, word, begun **os.File) (files []*os.File, err error) {
	files = []*os.File{nil, output, output}
	if files[0], err = os.Open(os.DevNull); err != nil {
		return files, err
	}
	wait, to, err := os.Pipe()
	if err != nil {
		return files, err
	}
	*word = to
	files = append(files, wait)
	from, tell, err := os.Pipe()
	if err != nil {
		return files, err
	}
	*begun = from
	return append(files, tell), nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}

// environ is all that a machine gets. Nothing of the provisioner's own
// environment is in it, which may hold secrets.
func (d *Driver) environ(id string) []string {
	env := []string{
		"PATH=" + d.cfg.Path,
		"HOME=" + d.path("machines", id, "home"),
		"TMPDIR=" + d.path("machines", id, "tmp"),
		"LANG=C.UTF-8",
		"LC_ALL=C.UTF-8",
	}
	for name, value := range d.cfg.Env {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	// What is said last counts.
	return append(env, markMachine+id, markOwner+d.cfg.Owner, markDir+d.dir)
}
