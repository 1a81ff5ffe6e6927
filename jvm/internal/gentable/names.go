package main

import (
	_ "embed"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A JVM lists the flags that it takes, but neither those that it ignores with
// a warning nor those that only a debug build takes. Their names stand as
// strings in its library, though: the table of obsolete flags and the table of
// debug flags are compiled in. So every string there that could be a name is a
// candidate, and each JVM is asked about the candidates of all of them.

// jdk8.txt has names that only JVM 8 knew, which people still carry around.
//
//go:embed jdk8.txt
var jdk8 string

var (
	// Flags with an underscore are rare and their form is known.
	underscored = regexp.MustCompile(`^(CMS_\w+|JavaPriority\d+_To_OSPriority|TestFlagFor_\w+|\w+_PPC64)$`)
	// meddlers would change the answers about the names after them.
	meddlers = regexp.MustCompile(`^(Unlock\w+VMOptions|IgnoreUnrecognizedVMOptions|PrintVMOptions)$`)
)

// candidates returns all names worth asking about, sorted.
func candidates(jvms []*jvm) []string {
	seen := map[string]bool{}
	for _, j := range jvms {
		for name := range j.flags {
			seen[name] = true
		}
		library, err := os.ReadFile(filepath.Join(j.home, "lib", "server", "libjvm.so"))
		if err != nil {
			panic(err) // the JVM that this library is has just been started
		}
		addStrings(seen, library)
	}
	for _, name := range jdk8Names() {
		seen[name] = true
	}
	var names []string
	for name := range seen {
		if !meddlers.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// addStrings adds every C string of library that could be a flag's name, and
// every tail of it: the linker lets MaxHeapSize be the tail of SoftMaxHeapSize.
func addStrings(seen map[string]bool, library []byte) {
	for start := 0; start < len(library); {
		end := start
		for end < len(library) && isNameByte(library[end]) {
			end++
		}
		if n := end - start; n >= 3 && n <= 80 && end < len(library) && library[end] == 0 && (start == 0 || library[start-1] == 0) {
			addTails(seen, string(library[start:end]))
		}
		start = end + 1
	}
}

func isNameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_'
}

func addTails(seen map[string]bool, s string) {
	if strings.Contains(s, "_") && !underscored.MatchString(s) {
		return
	}
	for i := range s {
		if s[i] >= 'A' && s[i] <= 'Z' && len(s)-i >= 3 {
			seen[s[i:]] = true
		}
	}
}

func jdk8Names() []string {
	var names []string
	for line := range strings.Lines(jdk8) {
		if !strings.HasPrefix(line, "#") {
			names = append(names, strings.Fields(line)...)
		}
	}
	return names
}
