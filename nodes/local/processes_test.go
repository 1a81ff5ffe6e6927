//go:build linux

package local

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// alone reports whether no process whose arguments hold word is alive.
func alone(word string) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		data, _ := os.ReadFile(f)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if strings.Contains(string(data), word) && pid != os.Getpid() && readProcess(pid) != nil {
			return false
		}
	}
	return true
}

// Whatever a machine does to get away, Destroy ends all of it.
func TestDestroyKillsAll(t *testing.T) {
	for name, script := range map[string]string{
		"daemon":             "setsid sh -c 'setsid sh -c \"sleep 66WORD & sleep 66WORD\" &' ; " + forever,
		"leader has gone":    "setsid sleep 66WORD & exit 0",
		"bare environment":   "env -i setsid sh -c 'sleep 66WORD & sleep 66WORD' & " + forever,
		"bare, same session": "env -i sh -c 'sleep 66WORD & exec sleep 66WORD' & " + forever,
		"ignores signals":    "trap '' TERM INT HUP; sleep 66WORD & " + forever,
		"stopped":            "sleep 66WORD & sleep 66WORD & kill -STOP $!; " + forever,
		"forks":              "b() { i=0; while [ $i -lt 300 ]; do i=$((i+1)); sleep 66WORD & done; wait; }; b & b",
		"hops":               `n=${1:-0}; [ $n -gt 2000 ] && exec sleep 66WORD; [ $n -ne 3 ] || sleep 66WORD & setsid sh "$0" $((n+1)) & exit`,
	} {
		t.Run(name, func(t *testing.T) {
			d := newLab(t)
			word := strconv.FormatInt(time.Now().UnixNano()%1e9, 10)
			vms := launch(t, d, newOrder(1, strings.ReplaceAll(script, "WORD", word)))
			until(t, "the machine has its processes", func() bool { return !alone("66" + word) })
			if got := ids(list(t, d)); len(got) != 1 {
				t.Errorf("List has %v", got)
			}
			destroy(t, d, vms[0].ID)
			if !alone("66" + word) {
				t.Error("a process of the machine has survived")
			}
			if got := list(t, d); len(got) != 0 {
				t.Errorf("List has %v after Destroy", got)
			}
			if _, err := os.Stat(d.path("machines", vms[0].ID)); err == nil {
				t.Error("the machine's directory is still there")
			}
		})
	}
}

// A number that now belongs to another process is not the machine's, however
// the leader's file reads.
func TestForeignProcessLives(t *testing.T) {
	foreign := exec.Command("sleep", "1000")
	foreign.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := foreign.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = foreign.Process.Kill(); _ = foreign.Wait() }()
	p := readProcess(foreign.Process.Pid)
	for name, text := range map[string]string{
		"recycled":     encode(t, leader{PID: p.pid, Start: p.start - 1}),
		"another boot": encode(t, leader{PID: p.pid, Start: p.start, Boot: "before"}),
		"truncated":    `{"pid":` + strconv.Itoa(p.pid),
		"garbage":      "\x00\xff" + strconv.Itoa(p.pid),
		"empty":        "",
		"pid 0":        `{"pid":0,"start":0}`,
		"pid -1":       `{"pid":-1,"start":0}`,
		"pid 1":        `{"pid":1,"start":0}`,
	} {
		d := newLab(t)
		vms := launch(t, d, newOrder(1, forever))
		if !strings.Contains(text, "before") {
			text = strings.Replace(text, `"boot":""`, `"boot":`+encode(t, d.boot), 1)
		}
		if err := os.WriteFile(d.path("machines", vms[0].ID, "leader"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := list(t, d); len(got) != 1 || got[0].State != nodes.VMRunning {
			t.Errorf("%s: List has %v", name, got)
		}
		destroy(t, d, vms[0].ID)
		if got := list(t, d); len(got) != 0 {
			t.Errorf("%s: List has %v after Destroy", name, got)
		}
		if readProcess(p.pid) == nil {
			t.Fatalf("%s: a foreign process was killed", name)
		}
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A damaged record is neither forgotten nor acted on: its machines are listed
// until they are destroyed, and it starts nothing.
func TestDamagedRecord(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "truncated": `{"order":"o","cou`, "garbage": "\x00\x01", "another's": `{"order":"p","count":1,"created":"2026-01-01T00:00:00Z"}`,
		"huge": `{"order":"o","count":2000000000,"created":"2026-01-01T00:00:00Z"}`, "negative": `{"order":"o","count":-1}`, "array": "[]",
	} {
		t.Run(name, func(t *testing.T) {
			d := newLab(t)
			o := nodes.Order{ID: "o", Count: 1, UserData: forever}
			launch(t, d, o)
			if err := os.WriteFile(d.path("orders", "o.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := list(t, d); len(got) != 1 || got[0].ID != "o-0" || !strings.Contains(got[0].Detail, "damaged") {
				t.Errorf("List has %+v", got)
			}
			if vms, err := d.Launch(t.Context(), o); err == nil || nodes.ClassOf(err) != nodes.Unsure {
				t.Errorf("the order gives %v, %v; want an error without a class", vms, err)
			}
			destroy(t, d, "o-0")
			if got := list(t, d); len(got) != 0 {
				t.Errorf("List has %+v after Destroy", got)
			}
			if vms, err := d.Launch(t.Context(), o); err == nil {
				t.Errorf("the order gives %v after its end", vms)
			}
		})
	}
}

// A machine without a record, or without a directory, is seen by its mark.
func TestLostFiles(t *testing.T) {
	d := newLab(t)
	vms := launch(t, d, newOrder(2, forever))
	if err := os.Remove(d.path("orders", vms[0].Order+".json")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(d.path("machines", vms[0].ID)); err != nil {
		t.Fatal(err)
	}
	if got := list(t, d); len(got) != 2 {
		t.Errorf("List has %v", got)
	}
	destroy(t, d, ids(vms)...)
	if got := list(t, d); len(got) != 0 {
		t.Errorf("List has %v after Destroy", got)
	}
}
