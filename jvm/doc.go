// Package jvm says what a real HotSpot JVM of Java 11, 17, 21 or 25 does with
// the options of a job: refuses to start, warns, ignores, or takes them.
//
// Read Lint first. What it knows of flags stands in table.tsv, which
// internal/gentable makes by asking the four JVMs; what it knows of the rest
// (the order of options, heap sizes, collectors) was tried on the same four,
// and compare_test.go tries it again. A JVM with another update, build or
// processor may differ, so every message names the update that was asked.
package jvm
