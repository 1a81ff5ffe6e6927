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
	wants = append(wants, options...)
	wants = append(wants, j.properties(d)...)
	return wants, append(undecided, cannot...), words
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

// properties keeps System.out in the charset that the property file.encoding
// gave it up to Java 17 (JEP 400).
func (j JVM) properties(d *batches.Document) []want {
	charset := d.Value("spec", "java", "properties").Member("file.encoding")
	if j.From >= 18 || j.To < 18 || !charset.Exists() {
		return nil
	}
	var out []want
	for _, name := range []string{"stdout.encoding", "stderr.encoding"} {
		keys := []string{"spec", "java", "properties", name}
		if old := d.Value(keys...); !old.Exists() {
			out = append(out, want{doc: d, keys: keys, old: old, value: charset.Raw(), text: charset.Text(), near: charset})
		}
	}
	return out
}
