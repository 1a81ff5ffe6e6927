package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/batchctl/batchctl/nodes"
)

// table shows leases as they change: redrawn on a terminal, elsewhere a line
// for each change of state.
type table struct {
	out   io.Writer
	live  bool
	width int
	lines int               // that stand on the terminal
	seen  map[string]string // state by lease, as shown last
}

func newTable(out io.Writer) *table {
	t := &table{out: out, width: 120, seen: map[string]string{}}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		t.live = true
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 40 {
			t.width = w
		}
	} else {
		fmt.Fprintln(out, t.row("RUN", "STATE", "MACHINE", "WAITED", "REASON"))
	}
	return t
}

// show shows the leases; they come newest first.
func (t *table) show(leases []nodes.Lease, now time.Time) {
	leases = slices.Clone(leases)
	slices.Reverse(leases)
	if !t.live {
		for i := range leases {
			l := &leases[i]
			if t.seen[l.ID] != string(l.State) && l.State != nodes.Wanted && l.State != nodes.Launching {
				t.seen[l.ID] = string(l.State)
				fmt.Fprintln(t.out, t.lease(l, now))
			}
		}
		return
	}
	var b strings.Builder
	if t.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", t.lines)
	}
	b.WriteString(t.row("RUN", "STATE", "MACHINE", "WAITED", "REASON") + "\x1b[K\n")
	for i := range leases {
		b.WriteString(t.lease(&leases[i], now) + "\x1b[K\n")
	}
	t.lines = len(leases) + 1
	_, _ = io.WriteString(t.out, b.String())
}

// lease is the line of one lease.
func (t *table) lease(l *nodes.Lease, now time.Time) string {
	wait := ""
	switch {
	case !l.Began.IsZero():
		wait = fmt.Sprintf("%.1f s", waited(l).Seconds())
	case !l.Seen.IsZero() && l.State.Holds():
		wait = fmt.Sprintf("%.1f s …", now.Sub(l.Seen).Seconds())
	}
	return t.row(l.Run(), string(l.State), l.VM, wait, l.Reason)
}

func (t *table) row(run, state, machine, waited, reason string) string {
	line := fmt.Sprintf("%-40s  %-9s  %-16s  %8s  %s", run, state, machine, waited, reason)
	if t.live && utf8.RuneCountInString(line) >= t.width {
		line = string([]rune(line)[:t.width-2]) + "…"
	}
	return line
}
