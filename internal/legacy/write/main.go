// Write writes the old Jenkins of internal/legacy into a directory, for the
// demo and for a look at it.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/batchctl/batchctl/internal/legacy"
)

func main() {
	n := flag.Int("jobs", 2000, "jobs that start a JVM; one for every 40 of them comes on top, that no batch can be made of")
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: write [-jobs N] DIR"); flag.PrintDefaults() }
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	written, err := legacy.Write(flag.Arg(0), *n)
	if err != nil {
		fmt.Fprintln(os.Stderr, "write:", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %d jobs\n", flag.Arg(0), written)
}
