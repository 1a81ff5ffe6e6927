package store

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
)

// TestMain is also the program that other processes of a test run.
func TestMain(m *testing.M) {
	if url := os.Getenv("STORE_TEST_URL"); url != "" {
		if err := child(url, os.Getenv("STORE_TEST_NAME")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child adds leases and places them one by one, and says on stdout what is
// stored, until somebody ends it or its stdin is closed.
func child(url, name string) error {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	db, err := Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	fmt.Println("open")
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("%s-%d", name, n)
		l, err := db.Add(ctx, nodes.Lease{ID: id, Created: time.Now(), Job: "j", Number: n, Controller: name, Pool: "p", Reason: strings.Repeat("why ", 500)})
		if err != nil {
			return err
		}
		fmt.Println(id, l.Version)
		l.Order, l.Reason = "order of "+id, "placed"
		placed, over, err := db.Place(ctx, nodes.Order{ID: l.Order}, []nodes.Lease{l}, nodes.Limits{Pool: map[string]int{"p": 50}})
		if err != nil {
			return err
		}
		if len(over) > 0 {
			fmt.Println("full")
			continue
		}
		fmt.Println(id, placed[0].Version)
	}
	return nil
}

// process is a running child.
type process struct {
	*exec.Cmd
	lines *bufio.Scanner
	stdin io.Closer
}

func startChild(t *testing.T, url, name string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_URL="+url, "STORE_TEST_NAME="+name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{cmd, bufio.NewScanner(stdout), stdin}
}

// said takes what a child reports as stored.
func said(stored map[string]int64, line string) {
	var id string
	var version int64
	if n, _ := fmt.Sscan(line, &id, &version); n == 2 {
		stored[id] = version
	}
}

// wantStored checks that all is there that was reported as stored, whole.
func wantStored(t *testing.T, db *DB, stored map[string]int64) {
	t.Helper()
	for id, version := range stored {
		l, err := db.Lease(t.Context(), id)
		if err != nil {
			t.Errorf("was reported as stored: %v", err)
			continue
		}
		if l.Version < version {
			t.Errorf("lease %s has version %d, but %d was reported as stored", id, l.Version, version)
		}
		_, err = db.Order(t.Context(), "order of "+id)
		events, _ := db.Timeline(t.Context(), id)
		if placed := l.State == nodes.Launching; placed != (err == nil) || len(events) != int(l.Version) {
			t.Errorf("lease %s is in state %s, the error of its order is %v, and its timeline is %v", id, l.State, err, events)
		}
	}
}

// What was reported as stored is there after a kill -9 at any moment.
func TestKilledProcess(t *testing.T) {
	url := sqliteURL(t)
	stored := make(map[string]int64)
	for round := range 6 {
		p := startChild(t, url, fmt.Sprintf("round-%d", round))
		last := 1 + rand.IntN(150)
		for n := 0; n < last && p.lines.Scan(); n++ {
			said(stored, p.lines.Text())
		}
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for p.lines.Scan() { // what it said before it died
			said(stored, p.lines.Text())
		}
		_ = p.Wait()
		db := open(t, url)
		wantStored(t, db, stored)
		var check string
		if err := db.reader.QueryRow("PRAGMA integrity_check").Scan(&check); err != nil || check != "ok" {
			t.Errorf("integrity check after a kill: %s, %v", check, err)
		}
	}
	if len(stored) == 0 {
		t.Error("nothing was stored before any of the kills")
	}
}

// What was reported as stored is there after the server has crashed, and a
// program that is connected works on.
func TestCrashedServer(t *testing.T) {
	server := testenv.NewPostgresServer(t)
	watcher := open(t, server.URL)
	stored := make(map[string]int64)
	for round := range 3 {
		p := startChild(t, server.URL, fmt.Sprintf("round-%d", round))
		p.Stderr = nil
		last := 2 + rand.IntN(150)
		for n := 0; n < last && p.lines.Scan(); n++ {
			said(stored, p.lines.Text())
		}
		server.Stop(t, "immediate")
		for p.lines.Scan() {
			said(stored, p.lines.Text())
		}
		if err := p.Wait(); err == nil {
			t.Error("the child has not seen that the server is gone")
		}
		server.Start(t)
		wantStored(t, watcher, stored)
	}
	if len(stored) == 0 {
		t.Error("nothing was stored before any of the crashes")
	}
}

// Several processes may open a database that is not there yet, all at once,
// and hold the limits together.
func TestProcessesTogether(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			url := d.fresh(t)(t)
			stored := make(map[string]int64)
			var all []*process
			for i := range 4 {
				all = append(all, startChild(t, url, fmt.Sprintf("process-%d", i)))
			}
			for _, p := range all {
				if !p.lines.Scan() || p.lines.Text() != "open" {
					t.Errorf("a process could not open the database: %q", p.lines.Text())
				}
			}
			for _, p := range all {
				for p.lines.Scan() && p.lines.Text() != "full" {
					said(stored, p.lines.Text())
				}
				p.stdin.Close()
			}
			for _, p := range all {
				for p.lines.Scan() {
					said(stored, p.lines.Text())
				}
				_ = p.Wait()
			}
			db := open(t, url)
			wantStored(t, db, stored)
			leases, err := db.Leases(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			outside := 0
			for i := range leases {
				if leases[i].State.Outside() {
					outside++
				}
			}
			if outside != 50 {
				t.Errorf("%d machines under a limit of 50", outside)
			}
		})
	}
}
