package jvm

import (
	"bufio"
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// Opens reads what a job printed and returns the --add-opens options that it
// needs from JVM 17 on (JEP 403), sorted. It goes by what the JVM itself says:
// the warnings of JVM 9 to 16, and the exception of later ones.
func Opens(log []byte) []string {
	var out []string
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		for _, option := range opensOf(lines.Text()) {
			if !slices.Contains(out, option) {
				out = append(out, option)
			}
		}
	}
	slices.Sort(out)
	return out
}

var (
	illegalAccess = regexp.MustCompile(`Illegal reflective access by .* to (?:field|method|constructor) ([\w.$]+)`)
	notOpen       = regexp.MustCompile(`module ([\w.]+) does not "opens ([\w.]+)" to unnamed module`)
)

func opensOf(line string) []string {
	if m := notOpen.FindStringSubmatch(line); m != nil {
		return []string{opens(m[1], m[2])}
	}
	m := illegalAccess.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	// The class's name begins with the first capital: java.lang.ClassLoader.x.
	var pkg []string
	for step := range strings.SplitSeq(m[1], ".") {
		if step == "" || step[0] >= 'A' && step[0] <= 'Z' {
			break
		}
		pkg = append(pkg, step)
	}
	name := strings.Join(pkg, ".")
	if module := moduleOf(name); module != "" {
		return []string{opens(module, name)}
	}
	return nil
}

func opens(module, pkg string) string { return "--add-opens=" + module + "/" + pkg + "=ALL-UNNAMED" }

// packageModules are the modules of packages that libraries reflect on, by
// prefix, the longer ones first (java --list-modules, java --describe-module).
var packageModules = []struct{ prefix, module string }{
	{"java.lang.management", "java.management"}, {"javax.management", "java.management"}, {"sun.management", "java.management"},
	{"com.sun.management", "jdk.management"}, {"java.sql", "java.sql"}, {"javax.sql", "java.sql"},
	{"java.awt", "java.desktop"}, {"java.beans", "java.desktop"}, {"javax.swing", "java.desktop"}, {"javax.imageio", "java.desktop"},
	{"sun.awt", "java.desktop"}, {"sun.font", "java.desktop"}, {"sun.java2d", "java.desktop"},
	{"javax.xml", "java.xml"}, {"com.sun.org.apache", "java.xml"}, {"jdk.xml", "java.xml"},
	{"java.rmi", "java.rmi"}, {"sun.rmi", "java.rmi"}, {"java.util.logging", "java.logging"}, {"sun.util.logging.internal", "java.logging"},
	{"java.util.prefs", "java.prefs"}, {"com.sun.jndi", "java.naming"}, {"javax.naming", "java.naming"},
	{"sun.jvmstat", "jdk.internal.jvmstat"}, {"sun.misc", "jdk.unsupported"}, {"sun.reflect.annotation", "java.base"},
	{"java.", "java.base"}, {"javax.net", "java.base"}, {"javax.crypto", "java.base"}, {"javax.security", "java.base"},
	{"sun.", "java.base"}, {"jdk.internal", "java.base"}, {"com.sun.crypto", "java.base"},
}

func moduleOf(pkg string) string {
	for _, p := range packageModules {
		if strings.HasPrefix(pkg, p.prefix) {
			return p.module
		}
	}
	return ""
}
