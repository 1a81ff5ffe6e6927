package jvm

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/jvm/internal/realjvm"
)

func TestReleases(t *testing.T) {
	want := []Release{{11, "11.0.13"}, {17, "17.0.9"}, {21, "21.0.8"}, {25, "25.0.2"}}
	if diff := cmp.Diff(want, Releases()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !Supported(21) || Supported(22) || Supported(0) {
		t.Errorf("Supported: 21 %v, 22 %v, 0 %v", Supported(21), Supported(22), Supported(0))
	}
}

// TestTable reads all of the embedded table: what the parser trusts must hold.
func TestTable(t *testing.T) {
	states := []string{"-", "refused", "ok", "diagnostic", "experimental", "debug", "obsolete"}
	forms := []string{"", "bool", "int", "intx", "uint", "uintx", "uint64_t", "size_t", "double", "ccstr", "ccstrlist",
		"exact", formPrefix, formSize, formValue, formFile, formExits}
	last := ""
	for line := range strings.Lines(tableText) {
		field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || field[0] == "jvm" {
			continue
		}
		if len(field) != 3+len(testenv.JVMs) {
			t.Fatalf("%q has %d fields", line, len(field))
		}
		if isNameByte(field[0][0]) && !strings.Contains(field[0], ":") {
			if field[0] <= last {
				t.Errorf("%s stands after %s", field[0], last)
			}
			last = field[0]
		}
		for i, version := range testenv.JVMs {
			if form := at(field[1], version); !slices.Contains(forms, form) {
				t.Errorf("%s: form %q", field[0], form)
			}
			if v := parseVerdict(field[3+i]); !slices.Contains(states, v.state) {
				t.Errorf("%s: state %q", field[0], v.state)
			}
			checkSpan(t, field[0], at(field[2], version))
		}
	}
	if n := len(loadTable().flags); n < 1500 {
		t.Errorf("%d flags", n)
	}
}

func checkSpan(t *testing.T, name, span string) {
	t.Helper()
	from, to, ok := strings.Cut(span, "..")
	if !ok {
		if span != "" {
			t.Errorf("%s: range %q", name, span)
		}
		return
	}
	low, err := strconv.ParseFloat(from, 64)
	high, err2 := strconv.ParseFloat(to, 64)
	if err != nil || err2 != nil || low > high {
		t.Errorf("%s: range %q", name, span)
	}
}

func TestAt(t *testing.T) {
	for _, test := range []struct {
		cell string
		want [3]string // on 11, 21, 25
	}{
		{"uintx", [3]string{"uintx", "uintx", "uintx"}},
		{"uintx 21:uint", [3]string{"uintx", "uint", "uint"}},
		{" 25:3..9", [3]string{"", "", "3..9"}},
		{"0..32 21:0..512 25:", [3]string{"0..32", "0..512", ""}},
		{"", [3]string{}},
	} {
		if got := [3]string{at(test.cell, 11), at(test.cell, 21), at(test.cell, 25)}; got != test.want {
			t.Errorf("%q: %q, want %q", test.cell, got, test.want)
		}
	}
}

// TestAdviceIsForFlagsThatGo keeps the hand-made advice in step with the table.
func TestAdviceIsForFlagsThatGo(t *testing.T) {
	for name := range flagAdvice {
		e := loadTable().flags[name]
		if e == nil {
			t.Errorf("%s: no JVM of ours knows it", name)
			continue
		}
		if !slices.ContainsFunc(e.state, func(cell string) bool { return cell == "-" || cell != "ok" }) {
			t.Errorf("%s: every JVM takes it", name)
		}
	}
	for name := range optionAdvice {
		if !strings.Contains(tableText, "\n"+name+"\t") {
			t.Errorf("%s: not in the table", name)
		}
	}
}

// TestTableIsOfTheseJVMs checks that the table was made from the JVMs that the
// other tests compare it with.
func TestTableIsOfTheseJVMs(t *testing.T) {
	for _, release := range Releases() {
		got, err := realjvm.Release(t.Context(), testenv.JVM(t, release.Version))
		if err != nil {
			t.Fatal(err)
		}
		if got != release.Update {
			t.Errorf("JVM %d is %s, and the table was made from %s: run go generate ./jvm", release.Version, got, release.Update)
		}
	}
}

// TestAArch64FlagsAreUnknownHere makes sure that the list is of no use where
// the table has an answer.
func TestAArch64FlagsAreUnknownHere(t *testing.T) {
	for name := range aarch64Flags {
		if loadTable().flags[name] != nil {
			t.Errorf("%s stands in the table", name)
		}
	}
}
