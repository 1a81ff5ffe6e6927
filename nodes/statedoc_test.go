package nodes

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
)

//go:generate go test -run TestStateMachineDoc -count=1 . -update

var update = flag.Bool("update", false, "write docs/state_machine.md anew")

// stateNotes says of each state what the table cannot.
var stateNotes = map[State]string{
	Wanted:    "The row is stored; nothing is outside yet.",
	Launching: "An order is stored and sent. The same order is sent again until its outcome is known; a place that has no room makes the lease look at the next one.",
	Booting:   "The cloud has accepted. Meanwhile the node is made in Jenkins, with the label of the run.",
	Ready:     "The machine has called in. When its node exists it is handed the agent's secret. A spare waits here until a run is bound to it, an early lease until its time.",
	Busy:      "The run is on the machine. The node's label is taken away, so that no other run finds it.",
	Releasing: "The node takes no builds any more, then it is deleted, then the machine is destroyed. While a build is on the node nothing is taken away. A machine that is kept for a look waits here.",
	Gone:      "Neither Jenkins nor the cloud has it.",
}

// TestStateMachineDoc checks that docs/state_machine.md is what the rules say.
func TestStateMachineDoc(t *testing.T) {
	path := filepath.Join(testenv.Root(), "docs", "state_machine.md")
	want := stateMachineDoc()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is not what the rules say; make generate writes it (%v)", path, err)
	}
}

func stateMachineDoc() string {
	var b strings.Builder
	b.WriteString(`# The life of a lease

<!-- Written by go generate from the rules in nodes/next_test.go, which test nodes/next.go. -->

A lease is one machine lent to one attempt of one run. What becomes of it is decided by one pure function, ` + "`next`" + ` in [nodes/next.go](../nodes/next.go): it is given the lease, what the last looks at cloud and Jenkins have shown of it, and the time, and returns the lease as it is to be stored and the one effect that is due then. What is not known is never taken for an answer. The change is stored before the effect is had, with compare-and-set; every effect can be repeated.

` + "```mermaid\nstateDiagram-v2\n    direction LR\n    [*] --> wanted\n")
	moves := map[string]bool{}
	for _, r := range rules() {
		if from, after, _ := r.outcome(); after.State != from.State {
			moves[fmt.Sprintf("    %s --> %s\n", from.State, after.State)] = true
		}
	}
	for _, from := range States {
		for _, to := range States {
			if line := fmt.Sprintf("    %s --> %s\n", from, to); moves[line] || from == Wanted && to == Launching || from == Booting && to == Ready {
				b.WriteString(line)
			}
		}
	}
	b.WriteString("    gone --> [*]\n```\n\nFrom wanted to launching a lease goes when its order is stored, which is under the limits, in the same transaction. From booting to ready it is brought by its machine, which calls in (`CallIn` in nodes/desk.go).\n")
	for _, state := range States {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| seen | becomes | done | reason |\n| --- | --- | --- | --- |\n", state, stateNotes[state])
		for _, r := range rules() {
			if r.state == state {
				b.WriteString(r.line())
			}
		}
	}
	t := DefaultTiming()
	fmt.Fprintf(&b, "\n## Deadlines\n\nThe defaults; `timing` in the configuration changes them. In each lease: %s to be accepted by a cloud, %s to call in, %s for the agent to connect, %s for Jenkins to start the run on it. An early lease is given back %s after its time, a spare after %s. After a start of Jenkins nothing is concluded from what is missing for %s. A run that is in no queue and on no node for %s is lost. A run is stopped %s after its life limit, which is its job's timeout and %d minutes for its after-scripts. A machine or node of ours without a lease is taken away after %s.\n",
		short(t.Wait), short(t.Boot), short(t.Connect), short(t.Come), short(t.Patience), short(t.SpareAge), short(t.Settle), short(t.Lost), short(t.Overrun), 30, short(t.Orphan))
	return b.String()
}

// line is the rule as a line of a table.
func (c *rule) line() string {
	before, after, action := c.outcome()
	becomes, done, reason := "", string(action), ""
	if after.State != before.State {
		becomes = string(after.State)
	}
	if after.Reason != before.Reason {
		reason = after.Reason
	}
	cells := []string{c.name, becomes, done, strings.ReplaceAll(reason, "as before", "…")}
	if slices.Equal(cells[1:], []string{"", "", ""}) {
		cells[1] = "(waits)"
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}
