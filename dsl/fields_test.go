package dsl_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/dsl"
)

// Every field of a batch, down to the last, has an effect on the text or on
// the catalog. A field that a batch gets later fails here until it has one.
func TestEveryFieldHasAnEffect(t *testing.T) {
	fields := 0
	itself := func(v reflect.Value) reflect.Value { return v }
	eachField(reflect.TypeFor[batches.Batch](), "Batch", itself, func(name string, change func(batch reflect.Value)) {
		fields++
		t.Run(name, func(t *testing.T) {
			before, after := full(), full()
			if prepare, ok := needs[name]; ok {
				prepare(before.Batch)
				prepare(after.Batch)
			}
			change(reflect.ValueOf(after.Batch).Elem())
			if both(t, before) == both(t, after) {
				t.Error("it changes nothing in the text, nor in the catalog")
			}
		})
	})
	if fields < 50 {
		t.Errorf("only %d fields were found", fields)
	}
}

// full returns a job in which every field counts: where one thing replaces
// another, the one that is replaced is not set.
func full() *batches.Job {
	j := settlement()
	b := j.Batch
	b.Artifact.URL, b.Artifact.Credentials = "https://repo.example/a.zip", "repo"
	b.Java.Jar = "app.jar"
	b.Java.Agents = []batches.Agent{{Name: "own", Jar: "/own.jar", Config: "/own.conf"}}
	b.Parameters = []batches.Parameter{{Name: "P", Type: "choice", Default: "a", Choices: []string{"a", "b"}}}
	b.Args = []string{"x"}
	return j
}

// both returns the text and the catalog of a job.
func both(t *testing.T, j *batches.Job) string {
	t.Helper()
	text, err := dsl.AppendJob(nil, j)
	if err != nil {
		t.Fatal(err)
	}
	buf := bytes.NewBuffer(text)
	if err := catalog.Write(buf, dsl.Catalog([]*batches.Job{j})); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// valid are values for fields that do not take any text.
var valid = map[string]string{
	"Batch.Concurrency": "allow", "Batch.Retry.On[0]": "node-lost", "Batch.Parameters[0].Type": "string", "Batch.Parameters[0].Default": "b",
	"Batch.Secrets[0].Type": "file", "Batch.Artifact.URL": "https://repo.example/b.zip",
	"Batch.Java.Agents[0].Name": "opentelemetry",
}

// needs says without what a field does not count.
var needs = map[string]func(b *batches.Batch){
	"Batch.Java.Classpath[0]": func(b *batches.Batch) { b.Java.Main = "Main" },
	"Batch.Retry.On[0]":       func(b *batches.Batch) { b.Retry.On = nil },
}

// eachField calls do for each field below a type, with a function that gives
// the field another value; at leads from the batch to the value of the type.
func eachField(typ reflect.Type, name string, at func(reflect.Value) reflect.Value, do func(string, func(reflect.Value))) {
	switch {
	case typ.Kind() == reflect.Pointer:
		eachField(typ.Elem(), name, func(v reflect.Value) reflect.Value { return at(v).Elem() }, do)
	case typ.Kind() == reflect.Struct:
		for i := range typ.NumField() {
			eachField(typ.Field(i).Type, name+"."+typ.Field(i).Name, func(v reflect.Value) reflect.Value { return at(v).Field(i) }, do)
		}
	case typ.Kind() == reflect.Slice:
		first := func(v reflect.Value) reflect.Value {
			list := at(v)
			if list.Len() == 0 {
				list.Set(reflect.Append(list, reflect.Zero(typ.Elem())))
			}
			return list.Index(0)
		}
		eachField(typ.Elem(), name+"[0]", first, do)
	default:
		do(name, func(v reflect.Value) { set(at(v), name) })
	}
}

// set gives a field a value that it did not have.
func set(v reflect.Value, name string) {
	if s, ok := valid[name]; ok {
		v.SetString(s)
		return
	}
	switch v.Interface().(type) {
	case string:
		v.SetString(v.String() + "X")
	case bool:
		v.SetBool(!v.Bool())
	case int, int64:
		v.SetInt(v.Int() + 1)
	case time.Duration:
		v.SetInt(v.Int() + int64(time.Minute))
	default:
		panic(fmt.Sprintf("%s: no value for a %s", name, v.Type()))
	}
}
