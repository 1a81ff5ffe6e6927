package importer

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/importer/jobxml"
	"github.com/batchctl/batchctl/internal/yamldoc"
	"github.com/batchctl/batchctl/jvm"
)

// java makes the java part of the spec.
func (b *builder) java() {
	start := b.program.start
	version := b.version()
	b.set(yamldoc.Int(version), "java", "version")
	heap, options, properties := b.split()
	if heap != "" {
		b.set(yamldoc.Text(heap), "java", "heap")
	}
	if len(options) > 0 {
		b.set(b.texts(options), "java", "options")
	}
	for _, p := range properties {
		b.set(text(b.axesIn(p.value)), "java", "properties", p.name)
		b.secretInPlain(p.name, p.value)
	}
	if start.Main != "" {
		b.set(yamldoc.Text(start.Main), "java", "main")
	}
	b.secretArgs(start.Args)
	b.lint(version, heap, options, properties)
}

// split takes heap and system properties out of the options. The last -Xmx
// counts, as with the JVM; one that the heap cannot hold stays an option.
func (b *builder) split() (heap string, options []string, properties []variable) {
	for _, o := range b.program.start.Options {
		size, isHeap := strings.CutPrefix(o, "-Xmx")
		size = inUnits(size)
		name, value, isProperty := strings.Cut(strings.TrimPrefix(o, "-D"), "=")
		switch {
		case isHeap && batches.CheckValue(size, "java", "heap") == nil:
			if heap != "" && heap != size {
				b.keep("twice", "an option is given twice; the JVM takes the last", "-Xmx"+heap+" is overridden by "+o)
			}
			heap = size
			// What the JVM would have read before is overridden by this one.
			options = slices.DeleteFunc(options, func(o string) bool { return strings.HasPrefix(o, "-Xmx") })
		case isHeap:
			heap, options = "", append(options, o)
		case strings.HasPrefix(o, "-D") && isProperty && batches.CheckValue(value, "java", "properties", name) == nil:
			if at := slices.IndexFunc(properties, func(p variable) bool { return p.name == name }); at >= 0 {
				if properties[at].value != value {
					b.keep("twice", "an option is given twice; the JVM takes the last", "-D"+name+"="+jobxml.Redact(name, properties[at].value)+" is overridden")
				}
				properties[at].value = value
				continue
			}
			properties = append(properties, variable{name, value})
		default:
			options = append(options, o)
		}
	}
	return heap, options, properties
}

// inUnits writes a size in bytes with the largest unit that it has a whole
// number of.
func inUnits(size string) string {
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n <= 0 || n%1024 != 0 {
		return size
	}
	unit := -1
	for ; n%1024 == 0 && unit < 2; unit++ {
		n /= 1024
	}
	return strconv.FormatInt(n, 10) + "kmg"[unit:unit+1]
}

// lint reports what the JVM makes of the options, as validate would.
func (b *builder) lint(version int, heap string, options []string, properties []variable) {
	c := jvm.Command{Version: version, Options: slices.Clone(options)}
	c.Heap, _ = batches.ParseHeap(heap)
	c.Memory, _ = batches.ParseSize(memory(c.Heap))
	for _, p := range properties {
		c.Options = append(c.Options, "-D"+p.name+"="+p.value)
	}
	for _, f := range jvm.Lint(c) {
		rule := "jvm/" + f.Rule
		if f.Severity == jvm.Warning {
			rule = "jvm-warning/" + f.Rule
		}
		what := f.Message
		if f.Option >= 0 && rule != "jvm/"+f.Rule {
			// Thousands of jobs have the option, each with a value of its own.
			what = strings.Replace(what, c.Options[f.Option], optionName(c.Options[f.Option]), 1)
		}
		b.finding(rule, what, f.Hint)
	}
}

// optionName is an option up to its value.
func optionName(o string) string {
	if name, _, ok := strings.Cut(o, "="); ok {
		return name + "=…"
	}
	if at := strings.IndexAny(o, ":"); at > 0 && !strings.HasPrefix(o, "-XX:") {
		return o[:at+1] + "…"
	}
	return o
}

// version finds the Java release: from the path of java, from PATH, from
// JAVA_HOME, or from the name of the JDK in Jenkins.
func (b *builder) version() int {
	start := b.program.start
	paths := []string{start.Java}
	if !strings.Contains(start.Java, "/") {
		paths = strings.Split(start.Path, ":") // where a shell looks for it
	}
	for _, text := range append(paths, start.Home, b.job.JDK) {
		n := release(text)
		if n == 0 {
			continue
		}
		for _, known := range jvm.Releases() {
			if n == known.Version {
				return n
			}
			if n < known.Version {
				b.finding("java", fmt.Sprintf("ran on Java %d; now on %d, the next that batchctl knows", n, known.Version), text)
				return known.Version
			}
		}
		b.finding("java", fmt.Sprintf("ran on Java %d, which batchctl does not know; it is taken for %d", n, b.maker.options.Java), text)
		return b.maker.options.Java
	}
	b.finding("java", fmt.Sprintf("nothing says which Java it ran on; it is taken for %d (--java names another)", b.maker.options.Java), "")
	return b.maker.options.Java
}

// release finds the feature release in the name of a JDK: jdk1.8.0_292 is 8,
// java-11-openjdk is 11. It returns 0 for a name that has none.
func release(name string) int {
	isDigit := func(c byte) bool { return c >= '0' && c <= '9' }
	for i := 0; i < len(name); {
		if !isDigit(name[i]) {
			i++
			continue
		}
		end := i
		for end < len(name) && isDigit(name[end]) {
			end++
		}
		n, _ := strconv.Atoi(name[i:end])
		if n == 1 && end+1 < len(name) && name[end] == '.' && isDigit(name[end+1]) {
			i = end + 1
			continue
		}
		if n >= 5 && n <= 40 {
			return n
		}
		i = end
	}
	return 0
}

// artifact names the file that the run fetches: the jar in its old place, or
// behind the URL of a repository.
func (b *builder) artifact() {
	jar := b.program.start.Jar
	u := (&url.URL{Scheme: "file", Path: jar}).String()
	if b.maker.options.Repository != "" {
		u = strings.TrimRight(b.maker.options.Repository, "/") + "/" + url.PathEscape(path.Base(jar))
	}
	b.set(text(u), "artifact", "url")
	sum := cmp.Or(b.maker.options.Checksums[jar], b.maker.options.Checksums[path.Base(jar)])
	if batches.CheckValue(sum, "artifact", "sha256") != nil {
		sum = strings.Repeat("0", 64)
		b.finding("checksum", "the checksum of its jar is not known; give the output of sha256sum with --checksums", jar)
	}
	b.set(yamldoc.Text(strings.ToLower(sum)), "artifact", "sha256")
}
