package batches

import "testing"

// TestConditions: names and globs of one key, and what stands behind an
// exclamation mark, which alone takes all others.
func TestConditions(t *testing.T) {
	for _, test := range []struct {
		when string
		want bool
	}{
		{"cluster: live-1", true}, {"cluster: live-2", false}, {"cluster: [live-2, live-1]", true}, {"cluster: live-*", true},
		{`cluster: "!live-2"`, true}, {`cluster: "!live-1"`, false}, {`cluster: "!live-*"`, false}, {`cluster: [live-*, "!live-1"]`, false},
		{`cluster: [staging, "!live-2"]`, false}, {"cluster: live-1\ngroup: pay", true}, {"cluster: live-1\ngroup: report", false},
		{"kind: Batch", true}, {"nothing: x", false}, {"cluster: {a: b}", false},
	} {
		var ps problems
		when := parse(&File{Path: "x"}, []byte(test.when), &ps)
		c := coordinates{cluster: "live-1", group: "pay", kind: "Batch"}
		if got := c.match(conditionsOf(when)); got != test.want {
			t.Errorf("%s: %t", test.when, got)
		}
	}
}
