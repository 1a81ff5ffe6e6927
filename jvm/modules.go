package jvm

import (
	"slices"
	"strings"
)

// optionValue judges the value of an option such as --add-opens, which stands
// behind an equals sign or in the next entry.
func (l *linter) optionValue(i int, option, value string) {
	switch option {
	case "--add-opens", "--add-exports":
		from, target, ok := strings.Cut(value, "=")
		module, pkg, ok2 := strings.Cut(from, "/")
		if !ok || !ok2 || target == "" || module == "" || pkg == "" || strings.Contains(pkg, "/") {
			suggestion := ""
			if ok2 && module != "" && pkg != "" && target == "" && !strings.Contains(pkg, "/") {
				suggestion = option + "=" + strings.TrimSuffix(value, "=") + "=ALL-UNNAMED"
			}
			l.badValue(i, "its value must be module/package=target", suggestion)
		}
	case "--add-reads", "--patch-module":
		if module, target, ok := strings.Cut(value, "="); !ok || module == "" || target == "" && option == "--add-reads" {
			l.badValue(i, "its value must be module="+map[bool]string{true: "target", false: "path"}[option == "--add-reads"], "")
		}
	case "--add-modules":
		l.goneModules(i, value)
	case "-cp", "-classpath", "--class-path":
		l.warn(i, ruleNoEffect, "the job's own -jar overrides it").Hint = "delete it, or name the jars in the manifest's Class-Path"
	}
}

// javaEE are the modules that JEP 320 took out of Java 11.
var javaEE = []string{
	"java.activation", "java.corba", "java.se.ee", "java.transaction", "java.xml.bind", "java.xml.ws", "java.xml.ws.annotation",
}

// goneModules reports modules that no JVM has any more, unless a module path
// could bring them.
func (l *linter) goneModules(i int, value string) {
	for _, o := range l.Options {
		if o == "-p" || strings.Contains(o, "module-path") {
			return
		}
	}
	for module := range strings.SplitSeq(value, ",") {
		if slices.Contains(javaEE, module) {
			l.report(i, Error, ruleRemoved, "module "+module+" was taken out of Java 11").Hint = "delete it, and put its library into the job's jar"
		}
	}
}
