package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/batchctl/batchctl/nodes"
)

// cloud checks one cloud, by its driver.
func (c *checker) cloud(ctx context.Context, name string, cfg Cloud) {
	switch {
	case cfg.Local != nil:
		c.local(ctx, "cloud "+name, cfg)
	case cfg.EC2 != nil:
		d, err := newEC2(c.cfg.Owner, cfg)
		c.try(ctx, name, d, err)
	case cfg.OpenStack != nil:
		d, err := newOpenStack(c.cfg.Owner, cfg)
		c.try(ctx, name, d, err)
	default:
		panic("provisioner: no check is known for the driver " + cfg.Driver)
	}
}

// try has a driver try its cloud, unless it could not be made.
func (c *checker) try(ctx context.Context, cloud string, d tester, err error) {
	if err != nil {
		c.fail("cloud "+cloud, err.Error())
		return
	}
	for _, f := range d.Check(ctx, c.typicalNeed(cloud)) {
		thing := "cloud " + cloud
		if f.Place != "" {
			thing += ", place " + f.Place
		}
		var hints []string
		if f.Hint != "" {
			hints = []string{f.Hint}
		}
		switch f.Level {
		case nodes.Fine:
			c.ok(thing, f.Text)
		case nodes.Warning:
			c.warn(thing, f.Text, hints...)
		case nodes.Failure:
			c.fail(thing, f.Text, hints...)
		}
	}
}

// typicalNeed is what the first job of the catalog needs whose pool has a
// place in the cloud.
func (c *checker) typicalNeed(cloud string) nodes.Need {
	if c.jobs != nil {
		for i := range c.jobs.Jobs {
			j := &c.jobs.Jobs[i]
			if slices.ContainsFunc(c.cfg.Pools[j.Node.Pool].Places, func(p Place) bool { return p.Cloud == cloud }) {
				return needOf(j)
			}
		}
	}
	return nodes.Need{CPU: 2, Memory: 4 << 30, Disk: 20 << 30, Arch: "amd64"}
}

func (c *checker) local(ctx context.Context, thing string, cfg Cloud) {
	d, err := newLocal(c.cfg.Owner, cfg)
	if err == nil {
		err = tryDirectory(cfg.Local.Dir)
	}
	if err != nil {
		c.fail(thing, err.Error(), "dir must be a directory in which the provisioner's user may write")
		return
	}
	var machines []nodes.VM
	err = within(ctx, func(ctx context.Context) (err error) {
		machines, err = d.List(ctx)
		return err
	})
	if err != nil {
		c.fail(thing, err.Error())
		return
	}
	c.ok(thing, fmt.Sprintf("%s in %s", counted(len(machines), "machine"), cfg.Local.Dir))
	c.disk(thing, cfg.Local.Dir)
	if limits := d.Limits(); cfg.Local.Cgroup == "" {
		c.warn(thing, "limits: "+limits)
	} else {
		c.ok(thing, "limits: "+limits)
	}
	c.localJava(ctx, thing, cfg.Local)
}

var javaRelease = regexp.MustCompile(`version "(?:1\.)?([0-9]+)`)

// localJava runs the machines' java as their bootstrap script does: by a
// shell, with the machines' PATH.
func (c *checker) localJava(ctx context.Context, thing string, cfg *Local) {
	java := c.cfg.Bootstrap.Java
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `exec "$0" -version`, java)
	cmd.Env, cmd.Dir = []string{"PATH=" + cfg.Path, "HOME=" + cfg.Dir}, cfg.Dir
	for name, value := range cfg.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.WaitDelay = callTime
	out, err := cmd.CombinedOutput()
	where := fmt.Sprintf("java (%s, in the machines' PATH %s)", java, cfg.Path)
	const hint = "install a JRE, or name the java of one with bootstrap.java"
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && (exit.ExitCode() == 126 || exit.ExitCode() == 127) {
		c.fail(thing, where+" is not there, or cannot be run", hint)
		return
	}
	found := javaRelease.FindSubmatch(out)
	if err != nil || found == nil {
		c.fail(thing, fmt.Sprintf("%s does not say its version: %s (%v)", where, firstLine(string(out)), err), hint)
		return
	}
	release, _ := strconv.Atoi(string(found[1])) // digits
	if release < c.java {
		c.warn(thing, fmt.Sprintf("%s is Java %d, and Jenkins' policy asks for %d or later on agents of these controllers: machines may never come online", java, release, c.java), hint)
		return
	}
	c.ok(thing, fmt.Sprintf("%s is Java %d", java, release))
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// memoryTotal returns the memory of this host, 0 where it is not known.
func memoryTotal() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "MemTotal:" {
			kib, _ := strconv.ParseInt(words[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}
