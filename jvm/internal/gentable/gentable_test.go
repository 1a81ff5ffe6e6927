package main

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAddStrings(t *testing.T) {
	library := "\x00SoftMaxHeapSize\x00not a name\x00CMS_FLSPadding\x00Some_Symbol\x00Ab\x00hashCode\x00Unended"
	seen := map[string]bool{}
	addStrings(seen, []byte(library))
	want := []string{"CMS_FLSPadding", "Code", "FLSPadding", "HeapSize", "LSPadding", "MS_FLSPadding", "MaxHeapSize", "Padding", "SPadding", "S_FLSPadding", "Size", "SoftMaxHeapSize"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(seen))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestChanges(t *testing.T) {
	for _, test := range []struct {
		values [4]string // on 11, 17, 21, 25; "-" where the JVM has no such flag
		want   string
	}{
		{[4]string{"uintx", "uintx", "uintx", "uintx"}, "uintx"},
		{[4]string{"uintx", "uintx", "uintx", "uint"}, "uintx 25:uint"},
		{[4]string{"-", "intx", "int", "-"}, "intx 21:int"},
		{[4]string{"", "", "", "3..9"}, " 25:3..9"},
		{[4]string{"-", "-", "-", "-"}, ""},
	} {
		jvms := []*jvm{{release: test.values[0]}, {release: test.values[1]}, {release: test.values[2]}, {release: test.values[3]}}
		got := changes(jvms, func(j *jvm) (string, bool) { return j.release, j.release != "-" })
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.values, got, test.want)
		}
	}
}
