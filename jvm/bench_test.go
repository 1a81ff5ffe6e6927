package jvm

import (
	"fmt"
	"testing"
)

// BenchmarkLint is a good job, as nearly all are.
func BenchmarkLint(b *testing.B) {
	c := Command{Version: 21, Heap: 4 * gib, Memory: 16 * gib, Options: options("-Xms2g -XX:+UseG1GC -XX:G1HeapRegionSize=8m " +
		"-XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/var/dumps -XX:+ExitOnOutOfMemoryError -XX:MaxMetaspaceSize=512m " +
		"-Xlog:gc*:file=gc.log:time,uptime -Duser.timezone=Asia/Seoul --add-opens=java.base/java.lang=ALL-UNNAMED")}
	b.ReportAllocs()
	for b.Loop() {
		if findings := Lint(c); len(findings) > 0 {
			b.Fatal(findings)
		}
	}
}

// BenchmarkLintMisspelt has the same misspelt option each time, as when a
// shared file has it.
func BenchmarkLintMisspelt(b *testing.B) {
	c := Command{Version: 21, Options: options("-XX:+UseG1GC -XX:G1HeapRegionSiez=8m")}
	b.ReportAllocs()
	for b.Loop() {
		Lint(c)
	}
}

// BenchmarkLintMisspeltAnew has another misspelt option each time.
func BenchmarkLintMisspeltAnew(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		Lint(Command{Version: 21, Options: []string{fmt.Sprint("-XX:G1HeapRegion", i)}})
	}
}

func BenchmarkLoadTable(b *testing.B) {
	for b.Loop() {
		parseTable(tableText)
	}
}
