package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/jvm"
)

// JVM moves jobs from one Java release to a later one, with their options. Jobs
// of other releases are left alone.
type JVM struct {
	From, To int
	Opens    map[string][]string // by path of the job: --add-opens options that its log asks for (jvm.Opens)
}

// Check reports releases that nothing is known of, and a step back.
func (j JVM) Check() error {
	if !jvm.Supported(j.From) || !jvm.Supported(j.To) || j.From >= j.To {
		return errors.New("a move goes from one of the Java releases 11, 17, 21, 25 to a later one")
	}
	return nil
}

func (j JVM) String() string { return fmt.Sprintf("Java %d instead of %d", j.To, j.From) }

func (j JVM) wants(d *batches.Document) (wants []want, undecided, notes []Undecided) {
	version := d.Value("spec", "java", "version")
	if version.Text() != strconv.Itoa(j.From) {
		return nil, nil, nil
	}
	if home := d.Value("spec", "java", "home"); home.Exists() && !strings.Contains(home.Raw(), "java.version") {
		undecided = append(undecided, Undecided{d.Path, home.Place(), "spec.java.home: " + home.Text(),
			"it names the JDK itself, so the version alone would change nothing; unset it, or write it with {{java.version}}"})
	}
	wants = append(wants, want{doc: d, keys: []string{"spec", "java", "version"}, old: version, value: j.To, text: strconv.Itoa(j.To)})
	options, cannot, words := j.options(d)
	properties, said := j.properties(d)
	return slices.Concat(wants, options, properties), append(undecided, cannot...), append(words, said...)
}

// options rewrites the options of one job.
func (j JVM) options(d *batches.Document) (wants []want, undecided, notes []Undecided) {
	w := want{doc: d, keys: optionKeys, old: d.Value(optionKeys...)}
	given := w.old.Items()
	raws, texts := make([]string, len(given)), make([]string, len(given))
	for i, v := range given {
		raws[i], texts[i] = v.Raw(), v.Text()
	}
	evidence, logged := j.Opens[d.Path]
	// References hide what an option is for the job, so it is read both ways.
	final := jvm.Rewrite(j.From, j.To, texts)
	for i, r := range jvm.Rewrite(j.From, j.To, raws) {
		v, f := given[i], final[i]
		why := cmp.Or(f.Undecided, r.Undecided)
		if logged && strings.HasPrefix(texts[i], "--illegal-access=") {
			r.Put, f.Put, why = nil, nil, ""
		}
		it, hidden := itemOf(v, r.Put, f.Put)
		if why = cmp.Or(why, hidden); why != "" {
			undecided = append(undecided, Undecided{d.Path, v.Place(), texts[i], why})
		}
		if r.Note != "" && !strings.HasPrefix(raws[i], "{{") {
			notes = append(notes, Undecided{d.Path, v.Place(), texts[i], r.Note})
		}
		w.items = append(w.items, it)
	}
	w.add(missing(evidence, raws))
	if !slices.ContainsFunc(w.items, func(i item) bool { return i.changed }) {
		return nil, undecided, notes
	}
	return []want{w}, undecided, notes
}

// add puts options at the end of the list.
func (w *want) add(options []string) {
	if len(options) == 0 {
		return
	}
	if !slices.ContainsFunc(w.items, func(i item) bool { return i.changed }) {
		w.appended = options
	}
	if len(w.items) == 0 {
		w.items = []item{{changed: true}}
	}
	last := &w.items[len(w.items)-1]
	last.texts = slices.Concat(last.texts, options)
	last.put = slices.Concat(last.put, options)
	if strings.Contains(strings.Join(options, ""), "{{") {
		last.texts = nil // what the references stand for is for the job to say
	}
	last.changed, last.variable = true, false
}

func missing(options, in []string) []string {
	return slices.DeleteFunc(slices.Clone(options), func(o string) bool { return slices.Contains(in, o) })
}

// properties keeps the charset of files and of System.out, which Java 18
// changed (JEP 400).
func (j JVM) properties(d *batches.Document) (out []want, notes []Undecided) {
	if j.From >= 18 || j.To < 18 {
		return nil, nil
	}
	keys := []string{"spec", "java", "properties", "file.encoding"}
	charset := d.Value(keys...)
	if !charset.Exists() {
		name, locale := ownCharset(d)
		if name == "" {
			return nil, nil
		}
		return []want{{doc: d, keys: keys, old: charset, value: "COMPAT", text: "COMPAT"}}, []Undecided{{d.Path, locale.Place(), name + "=" + locale.Text(),
			"from Java 18 on files are read as UTF-8, whatever the locale; file.encoding=COMPAT keeps the charset that they have"}}
	}
	// Up to Java 17 System.out followed file.encoding, and then the locale.
	for _, name := range []string{"stdout.encoding", "stderr.encoding"} {
		keys := []string{"spec", "java", "properties", name}
		if old := d.Value(keys...); !old.Exists() {
			out = append(out, want{doc: d, keys: keys, old: old, value: charset.Raw(), text: charset.Text(), near: charset})
		}
	}
	return out, nil
}

// ownCharset returns the variable by which a job's locale chooses its charset,
// "" where that is UTF-8 or the program's options say which: up to Java 17 the
// default charset is that of the locale, from Java 18 on UTF-8, unless
// file.encoding is COMPAT. Where env has no locale batchctl chooses one of UTF-8.
func ownCharset(d *batches.Document) (name string, locale batches.Value) {
	for _, o := range d.Value(optionKeys...).Items() {
		if strings.HasPrefix(o.Text(), "-Dfile.encoding=") {
			return "", locale
		}
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} { // the first that is set counts (POSIX, 8.2)
		locale = d.Value("spec", "env", name)
		if text := strings.ToLower(locale.Text()); text != "" {
			if strings.Contains(text, "utf-8") || strings.Contains(text, "utf8") {
				return "", locale
			}
			return name, locale
		}
	}
	return "", locale
}
