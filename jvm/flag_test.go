package jvm

import "testing"

func TestOptionName(t *testing.T) {
	for option, want := range map[string]string{
		"-XX:+UseG1GC": "-XX:UseG1GC", "-XX:-UseG1GC": "-XX:UseG1GC", "-XX:G1HeapRegionSize=8m": "-XX:G1HeapRegionSize",
		"-Xss1m": "-Xss", "-Xmx4g": "-Xmx", "-Xint": "-Xint", "--add-opens=a=b": "--add-opens=a=b", "-Dx=y": "-Dx=y",
	} {
		if got := OptionName(option); got != want {
			t.Errorf("%s: %s, want %s", option, got, want)
		}
	}
}
