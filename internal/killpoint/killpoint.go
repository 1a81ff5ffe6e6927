// Package killpoint marks where a program that writes several files may be
// killed, so that tests can kill it there: at the first such place, then at the
// second, and so on until it has got through.
package killpoint

// Step is called before each change of the disk. Tests replace it.
var Step = func() {}
