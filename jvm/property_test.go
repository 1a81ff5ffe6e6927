package jvm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// checkAny checks what holds for every command, however odd.
func checkAny(t interface{ Errorf(string, ...any) }, c Command) {
	findings := Lint(c)
	seen := map[string]bool{}
	for _, f := range findings {
		key := fmt.Sprint(f.Option, f.Rule)
		if seen[key] {
			t.Errorf("%+v: two findings of %s for option %d", c, f.Rule, f.Option)
		}
		seen[key] = true
		if f.Option < HeapField || f.Option >= len(c.Options) || f.Other < NoOption || f.Other >= len(c.Options) || f.Option == f.Other {
			t.Errorf("%+v: bad places in %+v", c, f)
		}
		if f.Message == "" || f.Rule == "" || strings.Contains(f.Message+f.Hint, "\n") && !strings.Contains(f.Hint, "did you mean") {
			t.Errorf("%+v: no message, or one of many lines, in %+v", c, f)
		}
	}
	if again := Lint(c); !slices.Equal(findings, again) {
		t.Errorf("%+v: two runs differ:\n%+v\n%+v", c, findings, again)
	}
}

// TestAnything throws garbage and near-options at Lint.
func TestAnything(t *testing.T) {
	names := slices.Sorted(maps.Keys(loadTable().flags))
	spellings := slices.Sorted(maps.Keys(loadTable().options))
	for _, e := range loadTable().prefixes {
		spellings = append(spellings, e.name)
	}
	rapid.Check(t, func(t *rapid.T) {
		option := rapid.OneOf(
			rapid.String(),
			rapid.Custom(func(t *rapid.T) string {
				return "-XX:" + rapid.SampledFrom([]string{"+", "-", "", "#"}).Draw(t, "sign") + rapid.SampledFrom(names).Draw(t, "name") +
					rapid.OneOf(rapid.Just(""), rapid.StringMatching(`=[-0-9a-gkmtx.%]{0,22}`), rapid.String()).Draw(t, "value")
			}),
			rapid.Custom(func(t *rapid.T) string {
				return rapid.SampledFrom(spellings).Draw(t, "spelling") + rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[a-z0-9=:+*,/.]{0,12}`)).Draw(t, "rest")
			}),
		)
		checkAny(t, Command{
			Version: rapid.SampledFrom([]int{11, 17, 21, 25, 8}).Draw(t, "version"),
			Options: rapid.SliceOfN(option, 0, 8).Draw(t, "options"),
			Heap:    rapid.Int64().Draw(t, "heap"),
			Memory:  rapid.Int64().Draw(t, "memory"),
		})
	})
}

func FuzzLint(f *testing.F) {
	for line := range strings.Lines(compared) {
		f.Add(21, strings.Join(options(line), "\x01"), int64(0), int64(0))
	}
	f.Fuzz(func(t *testing.T, version int, joined string, heap, memory int64) {
		checkAny(t, Command{Version: version, Options: strings.Split(joined, "\x01"), Heap: heap, Memory: memory})
	})
}

// TestSuggestionsAreTaken lints what Lint suggests: it must be an option that
// the same release takes.
func TestSuggestionsAreTaken(t *testing.T) {
	suggestions := 0
	for _, release := range Releases() {
		for line := range strings.Lines(compared) {
			for _, f := range Lint(Command{Version: release.Version, Options: options(line)}) {
				if f.Suggestion == "" || strings.Contains(f.Suggestion, "…") {
					continue
				}
				suggestions++
				for _, bad := range Lint(Command{Version: release.Version, Options: []string{f.Suggestion}}) {
					if bad.Severity == Error && bad.Rule != ruleLocked {
						t.Errorf("%s: suggests %s: %s", f.Message, f.Suggestion, bad.Message)
					}
				}
			}
		}
	}
	if suggestions < 100 {
		t.Errorf("only %d suggestions to check", suggestions)
	}
}
